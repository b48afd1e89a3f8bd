//! Other servers: Redis, the mail server, the payment provider, the object store of backups.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::TimeDelta;

use super::{Finding, asked, compared};
use crate::{
    app::config::{Provider, Settings},
    domain::clock::Clock,
    store::{
        db::replica,
        dump::{self, Engine},
        gateway::stripe::Stripe,
        mail::smtp::Smtp,
        redis, traces,
    },
};

/// How old the last backup may be before somebody should look.
const OLD: TimeDelta = TimeDelta::days(2);

pub(super) async fn replica(settings: &Settings) -> Option<Finding> {
    let subject = "replica";
    let url = settings.database_replica_url.as_ref()?;
    let patience = Duration::from_secs(settings.replica_max_lag.min(5).into());
    let looked = asked(replica::caught_up_within(
        &settings.database_url,
        url,
        patience,
    ));
    Some(match looked.await {
        // Who is signed in reads there only what is certainly as they left it.
        Ok(lag) if settings.redis_url.is_none() || !settings.answer_cache => Finding::doubtful(
            subject,
            format!(
                "{} ms behind; read for callers alone who are not signed in",
                lag.as_millis()
            ),
            "give REDIS_URL, and leave STAYGATE_ANSWER_CACHE on: who has written what is known there",
        ),
        Ok(lag) => Finding::good(subject, format!("{} ms behind", lag.as_millis())),
        Err(why) => Finding::doubtful(
            subject,
            why,
            "see that DATABASE_REPLICA_URL names one server, which streams from that of DATABASE_URL; until then the primary answers everything",
        ),
    })
}

pub(super) async fn redis(settings: &Settings, clock: &dyn Clock) -> Vec<Finding> {
    let subject = "Redis";
    let Some(url) = &settings.redis_url else {
        let seen = "none: answers, limits and wake-ups are this process's own";
        return vec![if settings.is_production() {
            let advice = "set REDIS_URL as soon as there is a second instance, or a worker apart";
            Finding::doubtful(subject, seen, advice)
        } else {
            Finding::good(subject, seen)
        }];
    };
    let began = Instant::now();
    match asked(redis::about(url)).await {
        Ok(about) => {
            let took = began.elapsed().as_millis();
            let seen = format!("{}, answered in {took} ms", about.seen);
            let mut findings = vec![if about.doubts.is_empty() {
                Finding::good(subject, seen)
            } else {
                Finding::doubtful(subject, seen, about.doubts.join("; "))
            }];
            // Of several, the one that is furthest from ours.
            let now = clock.now();
            let furthest = about.clocks.iter().max_by_key(|of| (of.shows - now).abs());
            findings.extend(furthest.map(|of| compared("Redis", of.shows, now)));
            findings
        }
        Err(why) => vec![Finding::bad(
            subject,
            why,
            "see that the server of REDIS_URL runs and takes this password; until then it is slower and each instance limits for itself",
        )],
    }
}

pub(super) async fn mail(settings: &Settings) -> Finding {
    let subject = "mail";
    let Some(url) = &settings.smtp_url else {
        return Finding::good(subject, format!("written into {}", settings.mail_dir));
    };
    let greeted = asked(async { Smtp::new(url, &settings.mail_from)?.greet().await });
    match greeted.await {
        Ok(()) => Finding::good(subject, "the mail server answers, and lets us in"),
        Err(why) => Finding::bad(
            subject,
            why,
            "see that SMTP_URL names the right server, port, user and password; mail waits until it is taken",
        ),
    }
}

pub(super) async fn payments(settings: &Settings) -> Finding {
    let subject = "payments";
    let greeted = asked(async {
        let Provider::Stripe { key, base, .. } = settings.provider()? else {
            return Ok(None);
        };
        let stripe = Stripe::new(&base, key, settings.site_url.clone())?;
        stripe.greet().await?;
        Ok(Some(
            key.starts_with("sk_test_") || key.starts_with("rk_test_"),
        ))
    });
    match greeted.await {
        Ok(None) if settings.is_production() => Finding::doubtful(
            subject,
            "the sandbox, which moves no money",
            "give STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET",
        ),
        Ok(None) => Finding::good(subject, "the sandbox, which moves no money"),
        Ok(Some(true)) if settings.is_production() => Finding::doubtful(
            subject,
            "Stripe answers, to a key of its test mode",
            "give a key of the live mode",
        ),
        Ok(Some(_)) => Finding::good(subject, "Stripe answers, and takes the key"),
        Err(why) => Finding::bad(
            subject,
            why,
            "see that STRIPE_SECRET_KEY is the account's, and that STRIPE_API_BASE can be reached from here",
        ),
    }
}

/// Nothing where nobody says where traces go. One that does not take them is no reason not to serve.
pub(super) async fn traces(settings: &Settings) -> Option<Finding> {
    let subject = "traces";
    settings.otel_exporter_otlp_endpoint.as_ref()?;
    let greeted = asked(async {
        match settings.traces()? {
            Some(options) => traces::greet(options).await,
            None => Ok(()),
        }
    });
    Some(match greeted.await {
        Ok(()) => Finding::good(subject, "the collector answers"),
        Err(why) => Finding::doubtful(
            subject,
            why,
            "see that OTEL_EXPORTER_OTLP_ENDPOINT takes OTLP by HTTP (mostly on port 4318; 4317 is gRPC), and OTEL_EXPORTER_OTLP_HEADERS what it wants; until then traces are lost, and nothing else",
        ),
    })
}

pub(super) async fn backups(settings: &Settings, clock: &Arc<dyn Clock>) -> Finding {
    let subject = "backups";
    if settings.backup_url.is_none() {
        let seen = "none: nothing says where to";
        return if settings.is_production() {
            let advice =
                "give STAYGATE_BACKUP_URL, STAYGATE_BACKUP_RECIPIENTS and STAYGATE_BACKUP_SCHEDULE";
            Finding::doubtful(subject, seen, advice)
        } else {
            Finding::good(subject, seen)
        };
    }
    let looked = asked(async {
        dump::tool(Engine::of(&settings.database_url)).await?;
        Ok(settings.keeper(clock)?.list().await?.0)
    });
    let kept = match looked.await {
        Ok(kept) => kept,
        Err(why) => {
            return Finding::bad(
                subject,
                why,
                "see that STAYGATE_BACKUP_URL is right and its credentials are in this environment; backups of PostgreSQL need its pg_dump here",
            );
        }
    };
    let last = kept.iter().map(|backup| backup.began_at).max();
    match last {
        Some(last) if clock.now() - last <= OLD => Finding::good(
            subject,
            format!(
                "{} are kept, the last of {}",
                kept.len(),
                last.format("%F %R UTC")
            ),
        ),
        Some(last) => Finding::doubtful(
            subject,
            format!("the last is of {}", last.format("%F %R UTC")),
            "set STAYGATE_BACKUP_SCHEDULE, and look for why the last ones failed in the log of the worker",
        ),
        None => Finding::doubtful(
            subject,
            "the store can be reached, and has none yet",
            "make one with `staygate backup`",
        ),
    }
}

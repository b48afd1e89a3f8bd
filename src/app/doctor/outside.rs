//! Other servers: Redis, the mail server, the payment provider.

use std::time::Instant;

use super::{Finding, asked, compared};
use crate::{
    app::config::{Provider, Settings},
    domain::clock::Clock,
    store::{gateway::stripe::Stripe, mail::smtp::Smtp, redis},
};

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
            let seen = format!("{}, answered in {took} ms", about.version);
            let clocks = compared("Redis", about.now, clock.now());
            vec![Finding::good(subject, seen), clocks]
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

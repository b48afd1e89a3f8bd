//! Looking at all that a server needs, before it serves or while it does. Nothing is changed: no table, no file, no mail.

mod outside;
mod stored;

use std::{future::Future, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::timeout;

use super::{
    config::Settings,
    tls::{Certificate, Validity},
};
use crate::domain::clock::Clock;

/// How long one thing may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How far two clocks may be apart without harm: what holds and tokens are counted in is minutes.
const APART: TimeDelta = TimeDelta::seconds(1);
/// How far they may be apart at most.
const FAR_APART: TimeDelta = TimeDelta::seconds(30);

/// A certificate that expires so soon should have been renewed: those of 90 days are after 60.
const SOON: TimeDelta = TimeDelta::days(14);

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// As it should be.
    Good,
    /// It serves, and somebody should know.
    Doubtful,
    /// It does not serve.
    Bad,
}

/// What was found out about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub subject: &'static str,
    /// How it is.
    pub health: Health,
    /// What was seen.
    pub seen: String,
    /// What to do about it.
    pub advice: Option<String>,
}

impl Finding {
    fn good(subject: &'static str, seen: impl Into<String>) -> Self {
        Self {
            subject,
            health: Health::Good,
            seen: seen.into(),
            advice: None,
        }
    }

    fn doubtful(subject: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            health: Health::Doubtful,
            advice: Some(advice.into()),
            ..Self::good(subject, seen)
        }
    }

    fn bad(subject: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            health: Health::Bad,
            ..Self::doubtful(subject, seen, advice)
        }
    }
}

/// Looks at everything, in the order in which it is needed.
pub async fn examine(settings: &Settings, clock: &Arc<dyn Clock>) -> Vec<Finding> {
    // For every client that is not given one of its own. Somebody else in this process may have been first, with the same.
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut findings = vec![environment(settings)];
    findings.extend(certificate(settings, clock.now()).await);
    findings.extend(stored::database(settings, &**clock).await);
    findings.extend(outside::replica(settings).await);
    findings.extend(outside::redis(settings, &**clock).await);
    findings.push(outside::mail(settings).await);
    findings.push(outside::payments(settings).await);
    findings.push(outside::backups(settings, clock).await);
    findings.extend(outside::traces(settings).await);
    findings
}

fn environment(settings: &Settings) -> Finding {
    if settings.is_production() {
        Finding::good("settings", "production; all that it needs is there")
    } else {
        Finding::doubtful(
            "settings",
            "development: keys are made up and kept in the database, and people may explore",
            "set STAYGATE_ENV=production before it carries a business",
        )
    }
}

async fn certificate(settings: &Settings, now: DateTime<Utc>) -> Option<Finding> {
    let files = Certificate::of(settings)?;
    Some(match asked(files.load()).await {
        Ok(certificate) => validity(certificate.validity(), now),
        Err(why) => Finding::bad(
            "TLS",
            why,
            "give the chain with the server's own certificate first, its key without a password, and let this user read both",
        ),
    })
}

fn validity(certificate: Validity, now: DateTime<Utc>) -> Finding {
    let Validity { begins, ends } = certificate;
    let renew = "renew it: a running server takes the new files up by itself";
    if now < begins {
        let advice = "look at this machine's clock; clients refuse the certificate until then";
        return Finding::bad(
            "TLS",
            format!("the certificate is good from {begins}"),
            advice,
        );
    }
    if now >= ends {
        return Finding::bad("TLS", format!("the certificate expired {ends}"), renew);
    }
    let seen = format!("the certificate and its key belong together; good until {ends}");
    if ends - now < SOON {
        return Finding::doubtful("TLS", seen, renew);
    }
    Finding::good("TLS", seen)
}

/// The answer of a thing, or why there is none, in one line.
async fn asked<T>(asking: impl Future<Output = anyhow::Result<T>>) -> Result<T, String> {
    match timeout(PATIENCE, asking).await {
        Ok(answer) => answer.map_err(|error| {
            // Many libraries say what their cause says.
            let mut told: Vec<String> = vec![];
            for cause in error.chain().map(ToString::to_string) {
                if !told.last().is_some_and(|before| before.contains(&cause)) {
                    told.push(cause.replace('\n', " "));
                }
            }
            told.join(": ")
        }),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// Whether another machine's clock shows what ours does.
fn compared(whose: &str, theirs: DateTime<Utc>, ours: DateTime<Utc>) -> Finding {
    let apart = (theirs - ours).abs();
    let seen = format!("{} ms from that of {whose}", apart.num_milliseconds());
    let advice =
        "keep both machines' clocks by NTP: how long holds and tokens last is counted by ours";
    match apart {
        _ if apart > FAR_APART => Finding::bad("clock", seen, advice),
        _ if apart > APART => Finding::doubtful("clock", seen, advice),
        _ => Finding::good("clock", seen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_are_apart_are_told() {
        let now = DateTime::UNIX_EPOCH;
        for (seconds, health) in [
            (0, Health::Good),
            (-1, Health::Good),
            (5, Health::Doubtful),
            (-60, Health::Bad),
        ] {
            let finding = compared("PostgreSQL", now + TimeDelta::seconds(seconds), now);
            assert_eq!(finding.health, health, "{seconds} s");
        }
    }

    #[test]
    fn a_certificate_is_told_before_it_expires() {
        let now = DateTime::UNIX_EPOCH;
        for (begins, ends, health) in [
            (-1, 60, Health::Good),
            (-50, 10, Health::Doubtful),
            (-90, -1, Health::Bad),
            (1, 90, Health::Bad),
        ] {
            let certificate = Validity {
                begins: now + TimeDelta::days(begins),
                ends: now + TimeDelta::days(ends),
            };
            let finding = validity(certificate, now);
            assert_eq!(finding.health, health, "{begins} to {ends} days");
        }
    }
}

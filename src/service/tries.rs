//! Slowing down those who guess. Every try takes from an allowance that fills up again with time (GCRA, [`crate::domain::rate`]); a right one
//! gives back what it took. Nobody is locked out for good: allowances fill up, and a device's own network, once it has signed in, is not held
//! to what strangers have used up of an account.

use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;

use super::{
    Parts,
    error::{Error, Result},
};
use crate::{
    domain::{actor::Client, ids::UserId, people::Email, rate::Quota},
    store::limits::Limiter,
};

/// Whether rates are limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RateLimits {
    /// What is over is refused.
    On,
    /// Nothing is counted.
    Off,
    /// What is over is logged, and let through.
    Measure,
}

/// Counts tries. Cheap to clone.
#[derive(Clone)]
pub struct Tries {
    /// Where they are counted.
    pub limiter: Limiter,
    /// Whether it matters.
    pub mode: RateLimits,
}

const fn quota(burst: u32, every: Duration) -> Quota {
    Quota { burst, every }
}

/// Wrong passwords for one account from one network.
const PER_ACCOUNT_AND_NETWORK: Quota = quota(10, Duration::seconds(30));
/// Wrong passwords for one account from networks that it never signed in from.
const PER_ACCOUNT: Quota = quota(50, Duration::seconds(20));
/// Wrong passwords from one network; whole companies share one.
const PER_NETWORK: Quota = quota(100, Duration::seconds(5));
/// New accounts from one network; whole conferences share one.
const SIGN_UPS: Quota = quota(500, Duration::seconds(20));
/// Mails with a link to a new password, to one address.
const RESET_MAILS: Quota = quota(3, Duration::minutes(10));
/// The same from one network.
const RESET_REQUESTS: Quota = quota(30, Duration::seconds(30));
/// Mails that verify an address, for one person, and to one address.
const VERIFY_MAILS: Quota = quota(5, Duration::minutes(5));
/// Wrong current passwords of somebody who is signed in.
const PASSWORD_CHANGES: Quota = quota(5, Duration::minutes(1));
/// Calendars of other platforms that one host adds: each is fetched at once.
const FEEDS: Quota = quota(60, Duration::minutes(1));
/// Cards of one guest that were declined.
const CARDS: Quota = quota(10, Duration::minutes(1));
/// Mailed secrets that are none, from one network.
const MAILED_TOKENS: Quota = quota(30, Duration::seconds(10));

/// A try that is under way.
pub(super) struct Try {
    taken: Vec<(String, Quota)>,
}

impl Try {
    /// Begins a try to sign in. `at_home` says that this account has signed in from this network before. Known and unknown addresses are counted
    /// alike.
    ///
    /// # Errors
    /// [`Error::TooMany`] when there were too many.
    pub(super) async fn to_sign_in(
        parts: &Parts,
        email: &Email,
        client: &Client,
        at_home: bool,
    ) -> Result<Self> {
        let network = client.network().unwrap_or_default();
        let email = email.as_str();
        let mut asked = vec![
            (
                format!("sign-in:{email}:{network}"),
                PER_ACCOUNT_AND_NETWORK,
            ),
            (format!("sign-in-from:{network}"), PER_NETWORK),
        ];
        if !at_home {
            asked.push((format!("sign-in:{email}"), PER_ACCOUNT));
        }
        let mut this = Self { taken: vec![] };
        for (key, quota) in asked {
            if let Err(error) = take(parts, &key, quota).await {
                this.give_back(parts).await;
                return Err(error);
            }
            this.taken.push((key, quota));
        }
        Ok(this)
    }

    /// Begins a try to charge a card. Who tries stolen ones has many declined.
    ///
    /// # Errors
    /// [`Error::TooMany`] when there were too many.
    pub(super) async fn to_pay(parts: &Parts, user: UserId) -> Result<Self> {
        let key = format!("card:{user}");
        take(parts, &key, CARDS).await?;
        let taken = vec![(key, CARDS)];
        Ok(Self { taken })
    }

    /// It was a good one: nothing is counted.
    pub(super) async fn give_back(self, parts: &Parts) {
        if parts.tries.mode == RateLimits::Off {
            return;
        }
        let now = parts.clock.now();
        for (key, quota) in &self.taken {
            parts.tries.limiter.give_back(key, *quota, now).await;
        }
    }
}

/// Counts a new account.
pub(super) async fn sign_up(parts: &Parts, client: &Client) -> Result<()> {
    of_network(parts, "sign-up", client, SIGN_UPS).await
}

/// Counts a request for a new password.
pub(super) async fn reset_request(parts: &Parts, client: &Client) -> Result<()> {
    of_network(parts, "reset-from", client, RESET_REQUESTS).await
}

/// Counts a mail with a link to a new password. Says whether it may be sent.
pub(super) async fn reset_mail(parts: &Parts, email: &Email) -> bool {
    let key = format!("reset:{}", email.as_str());
    take(parts, &key, RESET_MAILS).await.is_ok()
}

/// Counts a mail that verifies an address: for who asks for it, and for the address, which many may ask for.
pub(super) async fn verify_mail(parts: &Parts, user: UserId, email: &Email) -> Result<()> {
    take(parts, &format!("verify:{user}"), VERIFY_MAILS).await?;
    take(parts, &format!("verify:{}", email.as_str()), VERIFY_MAILS).await
}

/// Gives an account back what strangers have used up of it: its owner has just chosen a new password.
pub(super) async fn clear(parts: &Parts, email: &str) {
    parts
        .tries
        .limiter
        .forget(&format!("sign-in:{email}"))
        .await;
}

/// Counts somebody's try to change the own password.
pub(super) async fn password_change(parts: &Parts, user: UserId) -> Result<()> {
    take(parts, &format!("password:{user}"), PASSWORD_CHANGES).await
}

/// Counts a calendar that somebody wants to import.
pub(super) async fn feed(parts: &Parts, user: UserId) -> Result<()> {
    take(parts, &format!("feed:{user}"), FEEDS).await
}

/// Counts a mailed secret.
pub(super) async fn mailed_token(parts: &Parts, client: &Client) -> Result<()> {
    of_network(parts, "mailed-token", client, MAILED_TOKENS).await
}

async fn of_network(parts: &Parts, what: &str, client: &Client, quota: Quota) -> Result<()> {
    let network = client.network().unwrap_or_default();
    take(parts, &format!("{what}:{network}"), quota).await
}

async fn take(parts: &Parts, key: &str, quota: Quota) -> Result<()> {
    let now: DateTime<Utc> = parts.clock.now();
    match parts.tries.mode {
        RateLimits::Off => Ok(()),
        mode => match parts.tries.limiter.take(key, quota, now).await {
            Ok(()) => Ok(()),
            Err(wait) if mode == RateLimits::Measure => {
                let what = key.split(':').next().unwrap_or_default();
                tracing::warn!(what, %wait, "over a rate limit that is only measured");
                Ok(())
            }
            Err(retry_after) => Err(Error::TooMany { retry_after }),
        },
    }
}

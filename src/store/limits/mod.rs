//! Counts tries and what operations cost, so that nobody guesses passwords, floods mail boxes or has the whole server.
//!
//! The arithmetic is [`Quota`]'s. Its state is kept in this process, or in Redis where several instances must count together. A limit
//! that can be lost for a moment is better than a sign-in that is down: while Redis is away each instance counts for itself, and goes on from what it let through.

mod credit;
mod local;
mod redis;

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use self::{
    credit::{Credit, Credits},
    local::Local,
    redis::Remote,
};
use crate::domain::{
    digest::sha256_hex,
    rate::{Quota, Taken},
};

/// Counts tries by key. Cheap to clone; clones count together.
///
/// A key says who tries what (`sign-in:ann@example.com`) and always comes with the same quota. It is kept as its SHA-256 alone: mail
/// addresses do not belong into Redis, and a key as long as a client likes takes no more memory than any other.
#[derive(Clone)]
pub struct Limiter {
    local: Arc<Local>,
    remote: Option<Shared>,
}

/// Where several instances count together.
#[derive(Clone)]
struct Shared {
    remote: Remote,
    credits: Credits,
}

impl Limiter {
    /// A limiter inside of this process.
    #[must_use]
    pub fn in_process() -> Self {
        Self {
            local: Arc::new(Local::with_room_for(CAPACITY)),
            remote: None,
        }
    }

    /// A limiter for every instance that uses the same Redis and `prefix`. A call that Redis does not answer within 250 ms is decided in this
    /// process.
    ///
    /// # Errors
    /// When the URL is not one of Redis.
    pub fn over_redis(url: &str, prefix: &str) -> anyhow::Result<Self> {
        Ok(Self {
            remote: Some(Shared {
                remote: Remote::new(url, prefix)?,
                credits: Credits::with_room_for(CAPACITY as u64),
            }),
            ..Self::in_process()
        })
    }

    /// Takes a place of the key's quota. Of any number of calls at once, as many succeed as there are places.
    ///
    /// # Errors
    /// How long to wait until there is one; more than nothing, in microseconds.
    pub async fn take(&self, key: &str, quota: Quota, now: DateTime<Utc>) -> Result<(), Duration> {
        self.take_some(key, quota, 1, now).await.map(drop)
    }

    /// Takes some places of the key's quota, or all of it where it has fewer.
    ///
    /// # Errors
    /// How long to wait until there are as many; more than nothing, in microseconds.
    pub async fn take_some(
        &self,
        key: &str,
        quota: Quota,
        places: u32,
        now: DateTime<Utc>,
    ) -> Result<Taken, Duration> {
        let key = sha256_hex(key);
        let Some(Shared { remote, credits }) = &self.remote else {
            return self.local.take(key, quota, places, now);
        };
        let credit = match credits.take(&key, places, now) {
            Ok(taken) => return Ok(taken),
            Err(credit) => credit,
        };
        let needed = places - credit.places();
        // Of a large quota some more is taken, so that the next calls need not ask.
        let ahead = quota.burst / AHEAD;
        for asked in [needed.saturating_add(ahead), needed] {
            match remote.take(&key, quota, asked, now).await {
                None => break,
                // There may be as much as is needed.
                Some(Err(_)) if asked > needed => {}
                Some(Err(wait)) => {
                    credits.give_back(key, credit);
                    return Err(wait);
                }
                Some(Ok(taken)) => {
                    // So that this process goes on from here when Redis falls silent.
                    let _ = self.local.take(key.clone(), quota, asked, now);
                    return Ok(credits.keep(
                        key,
                        Credit::new(asked - needed, quota, taken, now),
                        now,
                    ));
                }
            }
        }
        self.local.take(key, quota, places, now)
    }

    /// Gives back a place that was taken, because the try should not count after all. Nothing happens when none is taken.
    pub async fn give_back(&self, key: &str, quota: Quota, now: DateTime<Utc>) {
        self.give_some_back(key, quota, 1, now).await;
    }

    /// The same for some places.
    pub async fn give_some_back(&self, key: &str, quota: Quota, places: u32, now: DateTime<Utc>) {
        let key = sha256_hex(key);
        if let Some(Shared { remote, .. }) = &self.remote {
            remote.give_back(&key, quota, places, now).await;
        }
        self.local.give_back(&key, quota, places, now);
    }

    /// Gives back every place of the key. Where Redis does not answer, its own expiry has to do it.
    pub async fn forget(&self, key: &str) {
        let key = sha256_hex(key);
        if let Some(Shared { remote, credits }) = &self.remote {
            credits.forget(&key);
            remote.forget(&key).await;
        }
        self.local.forget(&key);
    }
}

/// One part in so many of a quota is taken ahead, from 20 places on: what one instance has taken ahead another one can't give.
const AHEAD: u32 = 20;
/// The most keys that one process remembers; some 15 MB.
const CAPACITY: usize = 100_000;

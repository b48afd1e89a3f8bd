//! The limiter of several instances, in Redis: one script, so that two takes at once never use one place.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration as Wait,
};

use chrono::{DateTime, Duration, Utc};
use tokio::time::{Instant, timeout};

use crate::{
    domain::rate::{Quota, Taken},
    store::redis::{Connection, Redis, Script},
};

/// How long Redis may take for one call before it is decided without it: somebody waits for the answer.
const PATIENCE: Wait = Wait::from_millis(250);
/// How long a Redis that is away is not spoken of again.
const QUIET: Wait = Wait::from_secs(10);

/// The way to Redis. Cheap to clone. Every method gives none when Redis does not answer in time.
#[derive(Clone)]
pub(super) struct Remote {
    connection: Connection,
    prefix: Arc<str>,
    script: Arc<Script>,
    warned: Arc<Mutex<Option<Instant>>>,
}

impl Remote {
    pub(super) fn new(url: &str, prefix: &str) -> anyhow::Result<Self> {
        Ok(Self {
            connection: Redis::open(url)?.connection()?,
            prefix: prefix.into(),
            script: Arc::new(Script::new(include_str!("take.lua"))),
            warned: Arc::default(),
        })
    }

    pub(super) async fn take(
        &self,
        key: &str,
        quota: Quota,
        places: u32,
        now: DateTime<Utc>,
    ) -> Option<Result<Taken, Duration>> {
        let taken = self.step(key, quota.micros_of(places), quota, now).await?;
        Some(quota.taken(taken, now))
    }

    pub(super) async fn give_back(
        &self,
        key: &str,
        quota: Quota,
        places: u32,
        now: DateTime<Utc>,
    ) -> Option<()> {
        self.step(key, -quota.micros_of(places), quota, now).await?;
        Some(())
    }

    pub(super) async fn forget(&self, key: &str) -> Option<()> {
        let forgotten = async {
            let mut connection = self.connection.clone();
            let () = redis::cmd("DEL")
                .arg(self.name(key))
                .query_async(&mut connection)
                .await?;
            anyhow::Ok(())
        };
        self.in_time(forgotten).await
    }

    async fn step(&self, key: &str, step: i64, quota: Quota, now: DateTime<Utc>) -> Option<i64> {
        let stepped = async {
            let mut connection = self.connection.clone();
            let name = self.name(key);
            let taken = self.script.call(&mut connection, |call| {
                call.arg(1)
                    .arg(&name)
                    .arg(now.timestamp_micros())
                    .arg(step)
                    .arg(quota.every_micros())
                    .arg(quota.whole_micros());
            });
            anyhow::Ok(taken.await?)
        };
        self.in_time(stepped).await
    }

    fn name(&self, key: &str) -> String {
        format!("{}:limit:{key}", self.prefix)
    }

    async fn in_time<T>(&self, call: impl Future<Output = anyhow::Result<T>>) -> Option<T> {
        let error = match timeout(PATIENCE, call).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => error,
            Err(late) => late.into(),
        };
        if self.is_worth_a_warning() {
            tracing::warn!(%error, "Redis does not count tries; this instance counts for itself");
        }
        None
    }

    /// Whether nothing was said for a while: every request would say the same.
    fn is_worth_a_warning(&self) -> bool {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = warned.is_none_or(|at| at.elapsed() >= QUIET);
        if is_news {
            *warned = Some(Instant::now());
        }
        is_news
    }
}

//! What the settings say of the database, its replica, and Redis.

use anyhow::{Context as _, ensure};

use super::Settings;
use crate::store::redis;

impl Settings {
    /// # Errors
    /// One clear line for the first setting that can't be used. It shows no URL: there may be a password in it.
    pub(super) fn check_stores(&self) -> anyhow::Result<()> {
        let is_database =
            self.database_url.starts_with("sqlite:") || self.database_url.starts_with("postgres");
        ensure!(
            is_database,
            "DATABASE_URL must begin with sqlite:// or postgres://"
        );
        if let Some(url) = &self.redis_url {
            redis::check(url).context("REDIS_URL can't be used")?;
        }
        ensure!(
            (1..=1_000).contains(&self.database_connections),
            "STAYGATE_DATABASE_CONNECTIONS must be 1 to 1000"
        );
        if let Some(replica) = &self.database_replica_url {
            ensure!(
                self.database_url.starts_with("postgres") && replica.starts_with("postgres"),
                "DATABASE_REPLICA_URL leads to a replica of PostgreSQL: it and DATABASE_URL must begin with postgres://"
            );
        }
        ensure!(
            (1..=60).contains(&self.replica_max_lag),
            "STAYGATE_REPLICA_MAX_LAG must be 1 to 60 seconds"
        );
        Ok(())
    }
}

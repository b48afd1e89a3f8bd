//! One connection to Redis that many callers share: what they send at once travels together, where a pool would make each wait for a connection of its own
//! (docs/adr/0013-one-connection-to-redis.md).

use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use redis::{
    Client,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

/// How long it may take to reach Redis. Callers wait less than that, each as long as it can.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// The connection. It is made when it is first needed, and anew after it broke; until then every call fails. Cheap to clone.
///
/// # Errors
/// When the URL is not one of Redis.
pub(super) fn connection(url: &str) -> anyhow::Result<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECT_WITHIN))
        // Each caller has a limit of its own.
        .set_response_timeout(None)
        // The next call tries again.
        .set_number_of_retries(0);
    Ok(ConnectionManager::new_lazy_with_config(
        Client::open(url)?,
        config,
    )?)
}

/// What a server of Redis says of itself.
#[derive(Debug)]
pub struct About {
    /// Its version.
    pub version: String,
    /// Its clock.
    pub now: DateTime<Utc>,
}

/// Asks the server at `url` about itself.
///
/// # Errors
/// When it can't be reached, or lets nobody in.
pub async fn about(url: &str) -> anyhow::Result<About> {
    let mut connection = connection(url)?;
    let server: redis::InfoDict = redis::cmd("INFO")
        .arg("server")
        .query_async(&mut connection)
        .await?;
    let (seconds, micros): (i64, u32) = redis::cmd("TIME").query_async(&mut connection).await?;
    Ok(About {
        version: server.get("redis_version").unwrap_or_default(),
        now: DateTime::from_timestamp(seconds, micros * 1_000).context("its clock is odd")?,
    })
}

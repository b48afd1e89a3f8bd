//! One connection to Redis that many callers share: what they send at once travels together, where a pool would make each wait for a connection of its own
//! (docs/adr/0013-one-connection-to-redis.md).

use std::time::Duration;

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

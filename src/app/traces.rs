//! Traces, where the settings say where to.

use super::config::Settings;
use crate::store::traces::Traces;

/// What is traced from now on, until it is ended. None where nobody says where to.
///
/// # Errors
/// When traces can't be sent at all. A collector that is away is no error.
pub async fn trace(settings: &Settings) -> anyhow::Result<Option<Traces>> {
    let Some(options) = settings.traces()? else {
        return Ok(None);
    };
    // For every client that is not given one of its own. Somebody else in this process may have been first, with the same.
    drop(rustls::crypto::ring::default_provider().install_default());
    Ok(Some(Traces::begin(options).await?))
}

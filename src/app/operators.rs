//! The port for operators: figures, and whether the process runs and can serve.

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{App, config::Settings, metrics::Figures};
use crate::http;

/// The port, taken; none where it is switched off, or somebody else has it in development, where several run on one machine.
pub(super) struct Operators(Option<TcpListener>);

impl Operators {
    /// Takes the port.
    ///
    /// # Errors
    /// In production, when somebody else has it.
    pub(super) async fn bind(settings: &Settings) -> anyhow::Result<Self> {
        let address = &settings.admin_listen;
        if address == "off" {
            return Ok(Self(None));
        }
        match TcpListener::bind(address).await {
            Ok(listener) => Ok(Self(Some(listener))),
            Err(error) if settings.is_production() => Err(error)
                .with_context(|| format!("can't listen on {address} (STAYGATE_ADMIN_LISTEN)")),
            Err(error) => {
                tracing::warn!(%error, address, "no metrics: can't listen there");
                Ok(Self(None))
            }
        }
    }

    /// Counts and answers until `stopping`; from `leaving` on it says that it is not ready.
    pub(super) fn serve(
        self,
        app: &App,
        work: &TaskTracker,
        leaving: CancellationToken,
        stopping: &CancellationToken,
    ) {
        let figures = Figures::of(app.db.clone());
        let added_up = stopping
            .clone()
            .run_until_cancelled_owned(figures.clone().add_up());
        work.spawn(added_up);
        let Some(listener) = self.0 else { return };
        let services = app.services.clone();
        let router = http::admin_router(move || figures.render(), services, leaving);
        let stopping = stopping.clone().cancelled_owned();
        work.spawn(async {
            axum::serve(listener, router)
                .with_graceful_shutdown(stopping)
                .await
        });
    }
}

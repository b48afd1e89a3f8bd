//! What operators and tools ask for.

use std::sync::LazyLock;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use tokio_util::sync::CancellationToken;

use super::Edge;
use crate::service::Services;

/// The process runs.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// It can serve: the database answers, and it is not stopping.
pub(super) async fn ready(State(edge): State<Edge>) -> Response {
    look(&edge.services, &edge.leaving).await
}

/// Looks whether the process can serve.
pub(super) async fn look(services: &Services, leaving: &CancellationToken) -> Response {
    if leaving.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    match services.check_database().await {
        Ok(()) => "ok\n".into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer\n",
            )
                .into_response()
        }
    }
}

/// The schema in the schema definition language.
pub(super) async fn schema() -> impl IntoResponse {
    static SDL: LazyLock<String> = LazyLock::new(crate::graphql::sdl);
    (
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
        SDL.as_str(),
    )
}

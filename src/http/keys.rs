//! The public keys of access tokens, for those who verify them on their own.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use super::Edge;

/// A JSON Web Key Set (RFC 7517). It may be kept for five minutes, so a new key is added that long before it signs.
pub(super) async fn jwks(State(edge): State<Edge>) -> Response {
    (
        [(header::CACHE_CONTROL, "public, max-age=300")],
        Json(edge.services.jwks().clone()),
    )
        .into_response()
}

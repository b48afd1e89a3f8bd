//! The sandbox's payment form: what a guest's click on "confirm" does at a real provider.

use axum::{
    extract::{Path, State},
    http::StatusCode,
};

use super::{Edge, failed::failed};

/// Confirms the payment with this client secret. 204 when it is done, 404 when none waits for it.
pub(super) async fn confirm(
    State(edge): State<Edge>,
    Path(client_secret): Path<String>,
) -> StatusCode {
    match edge
        .services
        .payments
        .confirm_in_sandbox(&client_secret)
        .await
    {
        Ok(Some(_)) => StatusCode::NO_CONTENT,
        Ok(None) => StatusCode::NOT_FOUND,
        Err(error) => failed(&error, "could not confirm a payment"),
    }
}

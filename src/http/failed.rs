//! What went wrong on our side, where an answer says no more of it than its status.

use axum::http::StatusCode;

use crate::service::error::Error;

/// Tells the log what could not be done, and gives the status of the answer: 503 for what may go well in a moment.
pub(super) fn failed(error: &Error, what: &'static str) -> StatusCode {
    if let Error::Unavailable(cause) = error {
        // One line, of which there may be thousands.
        tracing::warn!(cause = format!("{cause:#}"), "{what}");
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        tracing::error!(?error, "{what}");
        StatusCode::INTERNAL_SERVER_ERROR
    }
}

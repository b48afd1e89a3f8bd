//! Where the payment provider sends its notices.

use std::sync::Arc;

use axum::{
    Extension,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};

use super::{Edge, failed::failed};
use crate::{service::payments::Heard, store::gateway::stripe::notice::Secrets};

/// The largest notice, in bytes: an event has a few thousand.
pub(super) const LARGEST: usize = 256 << 10;

/// Takes a notice of Stripe's. 200 once it is written down, and whatever it is about; 400 for what is not Stripe's; 503 or 500 when it has to be sent again.
pub(super) async fn stripe(
    State(edge): State<Edge>,
    Extension(secrets): Extension<Arc<Secrets>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let signature = headers.get("stripe-signature");
    let signature = signature.and_then(|value| value.to_str().ok());
    let now = edge.clock.now();
    let notice = match secrets.open(signature.unwrap_or_default(), &body, now) {
        Ok(notice) => notice,
        Err(why) => {
            tracing::warn!(%why, "a notice was refused");
            count("refused");
            return StatusCode::BAD_REQUEST;
        }
    };
    match edge.services.payments.hear(&notice).await {
        Ok(heard) => {
            tracing::info!(
                id = notice.id,
                kind = notice.kind,
                ?heard,
                "a notice of Stripe's"
            );
            count(match heard {
                Heard::News => "news",
                Heard::NoNews => "no news",
                Heard::Again => "again",
            });
            StatusCode::OK
        }
        Err(error) => {
            count("failed");
            failed(&error, "a notice could not be written down")
        }
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("staygate_provider_notices_total", "outcome" => outcome).increment(1);
}

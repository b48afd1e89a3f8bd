//! Requests about a stream of events that several operations share (see [`single`]).

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::IntoResponse as _,
};

use super::{Caller, context_of, media::Media, too_many, with_headers};
use crate::http::{
    Edge,
    parameters::Parameters,
    sse::single::{self, Refusal},
};

/// Answers PUT with the token of a new stream.
pub(in crate::http) async fn reserve(
    State(edge): State<Edge>,
    caller: Caller,
    headers: HeaderMap,
) -> axum::response::Response {
    let media = Media::wanted_by(&headers);
    if let Err(error) = caller.is_charged(&edge, 1).await {
        return too_many(media, error);
    }
    let (actor, network) = (caller.actor(), caller.client.network());
    match single::reserve(&edge, caller.admitted, &actor, network.as_deref()) {
        Ok(token) => {
            let never_stored = [(header::CACHE_CONTROL, "no-store")];
            (StatusCode::CREATED, never_stored, token).into_response()
        }
        Err(refusal) => refuse(media, &refusal),
    }
}

/// Opens a stream.
pub(super) async fn open(
    edge: &Edge,
    caller: &Caller,
    media: Media,
    token: String,
) -> axum::response::Response {
    match single::open(edge, token, caller.admitted.as_ref()) {
        Ok(stream) => stream,
        Err(refusal) => {
            let refused = refuse(media, &refusal);
            caller.pays_for_a_look(edge, media, refused).await
        }
    }
}

/// Runs an operation whose results come over a stream.
pub(super) async fn run(
    edge: &Edge,
    headers: &HeaderMap,
    caller: Caller,
    parameters: Parameters,
    media: Media,
    token: &str,
) -> axum::response::Response {
    let slot = match single::slot(
        edge,
        token,
        caller.admitted.as_ref(),
        parameters.operation_id(),
    ) {
        Ok(slot) => slot,
        Err(refusal) => {
            let refused = refuse(media, &refusal);
            return caller.pays_for_a_look(edge, media, refused).await;
        }
    };
    let mut operation = match caller.reads(edge, parameters, media).await {
        Ok(operation) => operation,
        Err(refused) => return refused,
    };
    let charge = match caller.is_charged(edge, operation.cost).await {
        Ok(charge) => charge,
        Err(error) => return too_many(media, error),
    };
    let context = context_of(edge, headers, &caller, &operation).await;
    operation.request = operation.request.data(Arc::clone(&context));
    let (answer, responses) = match slot.run(edge, operation, caller.actor(), charge).await {
        Ok(Ok(())) => (StatusCode::ACCEPTED.into_response(), vec![]),
        Ok(Err(response)) => (media.answer(&response), vec![response]),
        Err(refusal) => return refuse(media, &refusal),
    };
    // A stream sets no cookie: the answer to the mutation's own request does.
    with_headers(edge, answer, &responses, &[context], None)
}

/// Answers DELETE: ends an operation.
pub(in crate::http) async fn complete(
    State(edge): State<Edge>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
) -> axum::response::Response {
    let media = Media::wanted_by(&headers);
    let token = single::token_of(&headers, &uri).unwrap_or_default();
    let id = single::operation_id(&uri).unwrap_or_default();
    match single::complete(&edge, &token, caller.admitted.as_ref(), &id) {
        Ok(()) => StatusCode::OK.into_response(),
        Err(refusal) => {
            let refused = refuse(media, &refusal);
            caller.pays_for_a_look(&edge, media, refused).await
        }
    }
}

fn refuse(media: Media, refusal: &Refusal) -> axum::response::Response {
    let status = match refusal {
        Refusal::NotFound => StatusCode::NOT_FOUND,
        Refusal::Conflict(_) => StatusCode::CONFLICT,
        Refusal::TooMuch(_) => StatusCode::TOO_MANY_REQUESTS,
        Refusal::BadId => StatusCode::BAD_REQUEST,
    };
    media.refuse_by(status, refusal.error())
}

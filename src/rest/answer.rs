//! How things are answered.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

use super::{conditional::tag_of, problem::Problem};

/// Where the resources are.
pub const ROOT: &str = "/api/v1";

/// What a handler gives.
pub(super) type Answer = Result<Response, Problem>;

/// A thing, with the name of its version; `version` is what may be changed of it.
pub(super) fn thing(thing: &impl Serialize, version: &impl Serialize) -> Answer {
    let mut response = Json(thing).into_response();
    response
        .headers_mut()
        .insert(header::ETAG, tag_of(version)?);
    Ok(response)
}

/// A thing that was just made, and where it is from now on.
pub(super) fn made(place: &str, made: &impl Serialize, version: &impl Serialize) -> Answer {
    let mut response = thing(made, version)?;
    *response.status_mut() = StatusCode::CREATED;
    let place = HeaderValue::try_from(format!("{ROOT}{place}"));
    if let Ok(place) = place {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// That it was done, and nothing is left to say.
pub(super) fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

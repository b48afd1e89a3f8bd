//! Which version of a thing a client has: `ETag`, `If-Match` and `If-None-Match` (RFC 9110, sections 8.8.3 and 13).

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequestParts, Request},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use utoipa::IntoParams;

use super::problem::Problem;
use crate::{
    domain::{actor::Actor, digest::sha256_hex},
    service::error::Error,
};

/// The name of a version: it is of what a thing is, and not of how it is sent, so that a compressed answer has the same.
pub(super) fn tag_of(thing: &impl Serialize) -> Result<HeaderValue, Problem> {
    let text = serde_json::to_vec(thing).map_err(|error| Error::Internal(error.into()))?;
    name(&text)
}

fn name(text: &[u8]) -> Result<HeaderValue, Problem> {
    let name = format!("\"{}\"", &sha256_hex(text)[..32]);
    HeaderValue::try_from(name).map_err(|error| Error::Internal(error.into()).into())
}

/// The versions that a client would change; any when it does not say.
pub(super) struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    /// Whether a client that says so would change this version.
    pub(super) fn admits(&self, thing: &impl Serialize) -> bool {
        let Some(versions) = &self.0 else { return true };
        let Ok(tag) = tag_of(thing) else { return false };
        versions
            .iter()
            .any(|version| version == "*" || version.as_bytes() == tag.as_bytes())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let given = parts.headers.contains_key(header::IF_MATCH);
        Ok(Self(given.then(|| list(&parts.headers, header::IF_MATCH))))
    }
}

/// The names in a header. What makes a proxy weaken one does not change what it is the name of.
fn list(headers: &HeaderMap, header: header::HeaderName) -> Vec<String> {
    headers
        .get_all(header)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(|name| name.trim().trim_start_matches("W/").to_owned())
        .collect()
}

/// Says of each answer whether it may be kept, and leaves out the body of one that the client has.
pub(super) async fn answers(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = list(request.headers(), header::IF_NONE_MATCH);
    let actor = request.extensions().get::<Actor>();
    let whose = match actor.and_then(Actor::signed_in) {
        Some(_) => "private, no-cache",
        None => "public, no-cache",
    };
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if headers.contains_key(header::CACHE_CONTROL) {
        return response;
    }
    if !reads || response.status() != StatusCode::OK {
        let never = HeaderValue::from_static("no-store");
        response.headers_mut().insert(header::CACHE_CONTROL, never);
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // It was made in memory just now.
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = &mut parts.headers;
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(whose));
    headers.append(
        header::VARY,
        HeaderValue::from_static("accept, authorization"),
    );
    if !headers.contains_key(header::ETAG)
        && let Ok(tag) = name(&body)
    {
        headers.insert(header::ETAG, tag);
    }
    let is_known = headers.get(header::ETAG).is_some_and(|tag| {
        known
            .iter()
            .any(|known| known == "*" || known.as_bytes() == tag.as_bytes())
    });
    if is_known {
        headers.remove(header::CONTENT_TYPE);
        headers.remove(header::CONTENT_LENGTH);
        parts.status = StatusCode::NOT_MODIFIED;
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(body))
}

/// The same, for the description.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it stands in the description alone")]
pub(super) struct Versions {
    /// The `ETag` of the version that was read: another one is not changed.
    #[param(rename = "If-Match", example = "\"0123456789abcdef0123456789abcdef\"")]
    if_match: Option<String>,
}

//! Answers that a client may keep, and need not be sent again while they are the same (RFC 9110, section 13; RFC 9111).

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use crate::domain::digest::sha256_hex;

/// Gives an answer a name, and leaves its body out where the client has it already. Whoever keeps it asks each time whether it is still so.
pub(super) async fn answer(asked: &HeaderMap, answer: Response, is_public: bool) -> Response {
    let (mut parts, body) = answer.into_parts();
    // It was made in memory just now.
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    // Weak, since it may be compressed on its way.
    let name = format!("W/\"{}\"", &sha256_hex(&body)[..32]);
    let is_known = asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.trim_start_matches("W/") == &name[2..]);
    let whose = if is_public {
        "public, no-cache"
    } else {
        "private, no-cache"
    };
    let headers = &mut parts.headers;
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(whose));
    headers.append(
        header::VARY,
        HeaderValue::from_static("accept, authorization"),
    );
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::ETAG, name);
    }
    if is_known {
        headers.remove(header::CONTENT_TYPE);
        headers.remove(header::CONTENT_LENGTH);
        parts.status = StatusCode::NOT_MODIFIED;
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(body))
}

/// Marks an answer that nobody may keep.
pub(super) fn never_stored(answer: &mut Response) {
    answer
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

//! Calendars of properties, for other platforms to fetch. Whoever has the address may: it is the secret.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{Edge, failed::failed};
use crate::service::feeds::CalendarFile;

/// How long it may be kept before it is asked for again.
const CACHE: &str = "private, max-age=300";

/// `GET /calendars/{token}.ics`
pub(super) async fn calendar(
    State(edge): State<Edge>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let token = name.strip_suffix(".ics").filter(|token| is_token(token));
    let file = match token {
        Some(token) => edge.services.feeds.file(token).await,
        None => Ok(None),
    };
    match file {
        Ok(Some(file)) => answer(file, &headers),
        Ok(None) => (StatusCode::NOT_FOUND, "There is no such calendar.\n").into_response(),
        Err(error) => {
            failed(&error, "a calendar was not written");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "Something went wrong on our side; try again later.\n",
            )
                .into_response()
        }
    }
}

/// Whether it may be a secret of ours: everything else is not looked for.
fn is_token(text: &str) -> bool {
    (20..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn answer(file: CalendarFile, asked: &HeaderMap) -> Response {
    // Weak: what is sent may be compressed on its way out.
    let tag = format!("W/\"{}\"", file.tag);
    let is_known = asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .any(|known| has_tag(known, &file.tag));
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = [(header::CONTENT_TYPE, "text/calendar; charset=utf-8")];
        (kind, file.body).into_response()
    };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE));
    response
}

/// Whether a tag is in an `If-None-Match` (RFC 9110, section 13.1.2), compared weakly.
fn has_tag(known: &HeaderValue, tag: &str) -> bool {
    let Ok(known) = known.to_str() else {
        return false;
    };
    known.split(',').map(str::trim).any(|one| {
        let opaque = one.strip_prefix("W/").unwrap_or(one);
        one == "*" || opaque.trim_matches('"') == tag
    })
}

//! Refusing card numbers before anything of a request is logged, traced or kept: wherever a client may have put one.

use std::borrow::Cow;

use axum::{
    extract::Request,
    http::{HeaderName, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use serde_json::Value;
use url::form_urlencoded;

use super::{graphql, request_id, sse};
use crate::{
    domain::card_number::is_in,
    rest::{Problem, ROOT},
};

/// What a client is told.
pub(super) const MESSAGE: &str = "This has what looks like a card number in it. Never send one; send the payment provider's token for the card.";

/// The headers that are kept or logged. Others are not looked at: what stands between clients and this server adds long numbers of its own.
const HEADERS: [HeaderName; 5] = [
    header::USER_AGENT,
    request_id::HEADER,
    sse::LAST_EVENT_ID,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("x-forwarded-for"),
];

/// Refuses a request that has one in its address or a header.
pub(super) async fn refuse_in_head(request: Request, next: Next) -> Response {
    let Some(place) = in_head(&request) else {
        return next.run(request).await;
    };
    count();
    let message = format!("{MESSAGE} It is in {place}.");
    if request.uri().path() == "/graphql" {
        return graphql::refuse(request.headers(), &message);
    }
    if request.uri().path().starts_with(ROOT) {
        return Problem::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", message).into_response();
    }
    (StatusCode::BAD_REQUEST, message).into_response()
}

/// Where in the head of a request there is one.
pub(super) fn in_head(request: &Request) -> Option<Cow<'static, str>> {
    let address = request.uri().path_and_query();
    let address = address.map_or("", |parts| parts.as_str());
    if form_urlencoded::parse(address.as_bytes())
        .any(|(key, value)| in_text(&key) || in_text(&value))
    {
        return Some("the address".into());
    }
    HEADERS
        .iter()
        .find(|name| {
            let mut values = request.headers().get_all(*name).iter();
            values.any(|value| is_in(&String::from_utf8_lossy(value.as_bytes())))
        })
        .map(|name| format!("the header {name}").into())
}

/// Whether there is one anywhere in a body or a message of JSON.
pub(super) fn in_json(text: &[u8]) -> bool {
    if !may_be_in(text) {
        return false;
    }
    let found = serde_json::from_slice(text).is_ok_and(|value| in_value(&value));
    if found {
        count();
    }
    found
}

/// Whether it is worth a closer look: almost no request has as many digits, or digits in disguise.
fn may_be_in(text: &[u8]) -> bool {
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    digits >= 13 || !text.is_ascii() || text.windows(2).any(|pair| pair == b"\\u")
}

fn in_value(value: &Value) -> bool {
    match value {
        Value::String(text) => in_text(text),
        Value::Number(number) => match (number.as_f64(), number.is_f64()) {
            // Read to the last digit but one; what is smaller has too few before its point.
            (Some(float), true) => {
                float.abs() >= 1e12
                    && [-1.0, 0.0, 1.0]
                        .iter()
                        .any(|off| is_in(&format!("{:.0}", float + off)))
            }
            _ => is_in(&number.to_string()),
        },
        Value::Array(values) => values.iter().any(in_value),
        Value::Object(map) => map
            .iter()
            .any(|(key, value)| in_text(key) || in_value(value)),
        Value::Null | Value::Bool(_) => false,
    }
}

/// Whether there is one in a text, or in what it means as a document or as JSON.
fn in_text(text: &str) -> bool {
    is_in(text) || text.contains('\\') && is_in(&unescaped(text))
}

/// A text with the characters in the place of their escapes, as the strings of GraphQL and of JSON mean them.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut meant = parts.next().unwrap_or_default().to_owned();
    while let Some(part) = parts.next() {
        let mut rest = part.chars();
        match rest.next() {
            // A backslash that stands for itself; what follows is plain.
            None => {
                meant.push('\\');
                meant.push_str(parts.next().unwrap_or_default());
                continue;
            }
            Some('b' | 'f' | 'n' | 'r' | 't') => meant.push(' '),
            Some('u') => {
                let code = part
                    .get(1..5)
                    .and_then(|hex| u32::from_str_radix(hex, 16).ok());
                if let Some(c) = code.and_then(char::from_u32) {
                    meant.push(c);
                    rest = part[5..].chars();
                }
            }
            Some(other) => meant.push(other),
        }
        meant.push_str(rest.as_str());
    }
    meant
}

fn count() {
    metrics::counter!("staygate_card_numbers_refused_total").increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_looked_at_as_they_are_meant() {
        for (json, found) in [
            ("4242424242424242", true),
            ("4242424242424242.0", true),
            ("4.242424242424242e15", true),
            ("37.83009777016362", false),
            (r#""\u0034242424242424242""#, true),
            (r#""\\u0034242424242424242""#, true),
            (r#"{"4242 4242 4242 4242":0}"#, true),
            (r#""a\\n""#, false),
        ] {
            assert_eq!(in_json(json.as_bytes()), found, "{json}");
        }
    }

    #[test]
    fn escapes_are_read_as_documents_mean_them() {
        for (text, meant) in [
            (r"a\u0034b", "a4b"),
            (r"a\n4\/2\'", "a 4/2'"),
            (r"\\n", r"\n"),
            (r"\u00", "00"),
            (r"\", r"\"),
        ] {
            assert_eq!(unescaped(text), meant, "{text}");
        }
    }
}

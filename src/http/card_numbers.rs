//! Refusing card numbers before anything of a request is logged, traced or kept: wherever a client may have put one.

use async_graphql::ServerError;
use axum::{
    extract::Request,
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::operation::refused;
use crate::domain::card_number::is_in;

const MESSAGE: &str = "This has what looks like a card number in it. Never send one; send the payment provider's token for the card.";

/// Refuses a request that has one in its address or a header.
pub(super) async fn refuse_in_head(request: Request, next: Next) -> Response {
    if in_head(&request) {
        return (StatusCode::BAD_REQUEST, MESSAGE).into_response();
    }
    next.run(request).await
}

fn in_head(request: &Request) -> bool {
    let address = request.uri().path_and_query();
    let address = address.map_or("", |parts| parts.as_str());
    let mut parts = form_urlencoded::parse(address.as_bytes());
    let mut headers = request.headers().values();
    parts.any(|(key, value)| is_in(&key) || is_in(&value))
        || headers.any(|value| is_in(&String::from_utf8_lossy(value.as_bytes())))
}

/// Refuses an operation that has one in its text, its name or its variables.
pub(super) fn refuse(
    query: &str,
    name: Option<&str>,
    variables: Option<&Map<String, Value>>,
) -> Result<(), ServerError> {
    let in_variables = || {
        variables.is_some_and(|map| map.iter().any(|(key, value)| is_in(key) || in_value(value)))
    };
    if is_in(query) || is_in(&unescaped(query)) || name.is_some_and(is_in) || in_variables() {
        return Err(refused("BAD_USER_INPUT", MESSAGE));
    }
    Ok(())
}

fn in_value(value: &Value) -> bool {
    match value {
        Value::String(text) => is_in(text),
        Value::Number(number) => is_in(&number.to_string()),
        Value::Array(values) => values.iter().any(in_value),
        Value::Object(map) => map.iter().any(|(key, value)| is_in(key) || in_value(value)),
        Value::Null | Value::Bool(_) => false,
    }
}

/// A document with the characters in the place of their escapes, as the strings in it mean them.
fn unescaped(query: &str) -> String {
    let mut parts = query.split("\\u");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part
            .get(..4)
            .and_then(|hex| u32::from_str_radix(hex, 16).ok());
        match code.and_then(char::from_u32) {
            Some(c) => {
                text.push(c);
                text.push_str(&part[4..]);
            }
            None => text.push_str(part),
        }
    }
    text
}

//! What a body says.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Number;

use super::unread;
use crate::rest::problem::Problem;

/// A body in JSON: one object. A field that is not known, or there twice, is a mistake.
pub(in crate::rest) struct Body<T>(pub(in crate::rest) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let message = "Send the body as application/json.";
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "BAD_USER_INPUT",
                message,
            ));
        }
        let body = bytes(request, state).await?;
        parse(&body).map(Self)
    }
}

async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    let body = Bytes::from_request(request, state).await;
    body.map_err(|bad| Problem::bad("", "INVALID", bad.body_text()))
}

/// `application/json`, or a type that is written in it, as the one of merge patches (RFC 7396).
fn is_json(headers: &HeaderMap) -> bool {
    let given = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = given.and_then(|text| text.split(';').next());
    essence.is_some_and(|essence| {
        let essence = essence.trim().to_ascii_lowercase();
        matches!(
            &*essence,
            "application/json" | "application/merge-patch+json"
        )
    })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'{') {
        return Err(Problem::bad("", "INVALID", "The body is a JSON object."));
    }
    let mut given = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut given)
        .map_err(|error| unread(error.path(), &error.inner().to_string()))?;
    given
        .end()
        .map_err(|error| Problem::bad("", "INVALID", error.to_string()))?;
    Ok(read)
}

/// Reads a field that is there, whatever its value: without it the field is None.
pub(in crate::rest) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    given: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(given).map(Some)
}

/// A value that may be taken away: null.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(in crate::rest) struct OrNull<T>(pub(in crate::rest) Option<T>);

/// A whole number. To JSON `3.0` is one too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rest) struct Whole(pub(in crate::rest) i32);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(given: D) -> Result<Self, D::Error> {
        let number = Number::deserialize(given)?;
        let whole = match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => i32::try_from(whole).ok(),
            // Its digits before the point are those of the whole number.
            (None, Some(float)) if float.fract() == 0.0 => format!("{float:.0}").parse().ok(),
            _ => None,
        };
        whole
            .map(Self)
            .ok_or_else(|| D::Error::custom("give a whole number from -2147483648 to 2147483647"))
    }
}

//! What an address says.

use std::borrow::Cow;

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use serde::{Deserialize, de::DeserializeOwned};
use url::form_urlencoded;

use super::unread;
use crate::rest::problem::Problem;

/// The key in an address.
pub(in crate::rest) struct Id(pub(in crate::rest) i32);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = Text::from_request_parts(parts, state).await?.0;
        key(&text).map(Self).ok_or_else(|| {
            let message = "A key is a whole number from 1 to 2147483647.";
            Problem::bad("id", "INVALID", message)
        })
    }
}

/// A word in an address.
pub(in crate::rest) struct Text(pub(in crate::rest) String);

impl<S: Send + Sync> FromRequestParts<S> for Text {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = Path::<String>::from_request_parts(parts, state).await;
        found
            .map(|Path(text)| Self(text))
            .map_err(|bad| Problem::bad("id", "INVALID", bad.body_text()))
    }
}

fn key(text: &str) -> Option<i32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    plain.then(|| text.parse().ok()).flatten()
}

/// The parameters of an address. One that is not known, or there twice, is a mistake.
pub(in crate::rest) struct Query<T>(pub(in crate::rest) T);

/// What an address may say.
pub(in crate::rest) trait Parameters: DeserializeOwned {
    /// Those that are lists: their values have commas between, or each the name again.
    const LISTS: &'static [&'static str] = &[];
}

impl<S: Send + Sync, T: Parameters> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let given = parts.uri.query().unwrap_or_default().as_bytes();
        let given = joined(form_urlencoded::parse(given), T::LISTS);
        let given = form_urlencoded::parse(given.as_bytes());
        let given = serde_urlencoded::Deserializer::new(given);
        serde_path_to_error::deserialize(given)
            .map(Self)
            .map_err(|error| unread(error.path(), &error.inner().to_string()))
    }
}

/// The same parameters, of which those that are lists stand there once.
fn joined(given: form_urlencoded::Parse<'_>, lists: &[&str]) -> String {
    let mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
    for (name, value) in given {
        let is_list = lists.contains(&&*name);
        let before = pairs
            .iter_mut()
            .find(|(known, _)| is_list && *known == name);
        match before {
            Some((_, values)) => *values = format!("{values},{value}").into(),
            None => pairs.push((name, value)),
        }
    }
    let mut joined = form_urlencoded::Serializer::new(String::new());
    joined.extend_pairs(pairs).finish()
}

/// For a route that takes no parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::rest) struct Nothing {}

impl Parameters for Nothing {}

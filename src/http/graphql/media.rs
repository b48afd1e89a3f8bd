//! In which media type an answer goes out, and with which status.

use async_graphql::{Response, ServerError};
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use bytes::Bytes;
use serde::Serialize;

use crate::http::{
    operation::{is_request_error, is_unavailable, refused},
    sse,
};

const JSON: &str = "application/json";
const RESPONSE_JSON: &str = "application/graphql-response+json";

/// Whether a body is JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let (media, _) = content_type.split_once(';').unwrap_or((content_type, ""));
    media.trim().eq_ignore_ascii_case(JSON)
}

/// Whether the client accepts one of these media types.
fn accepts(headers: &HeaderMap, types: &[&str]) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .filter_map(|media| media.split(';').next())
        .any(|media| types.contains(&media.trim().to_ascii_lowercase().as_str()))
}

/// In which media type the client wants its answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    Json,
    ResponseJson,
    /// For clients that take nothing else: others get JSON, but for subscriptions.
    Events,
}

impl Media {
    pub(super) fn wanted_by(headers: &HeaderMap) -> Self {
        if accepts(headers, &[RESPONSE_JSON]) {
            Self::ResponseJson
        } else if accepts(headers, &[JSON, "application/*", "*/*"]) || !Self::takes_events(headers)
        {
            Self::Json
        } else {
            Self::Events
        }
    }

    /// Whether the client takes server-sent events, by themselves or among others.
    pub(super) fn takes_events(headers: &HeaderMap) -> bool {
        accepts(headers, &[sse::MEDIA])
    }

    pub(super) fn answer(self, response: &Response) -> axum::response::Response {
        if self == Self::Events {
            return sse::once(response);
        }
        // Whoever carries requests understands this too: balancers look elsewhere, clients come again.
        if is_unavailable(response) {
            return self.with_status(StatusCode::SERVICE_UNAVAILABLE, &Told::new(response));
        }
        if is_request_error(response) {
            let status = if self == Self::ResponseJson {
                StatusCode::BAD_REQUEST
            } else {
                StatusCode::OK
            };
            return self.with_status(status, &Told::new(response));
        }
        self.with_status(StatusCode::OK, response)
    }

    /// Answers with what was written of a good answer before.
    pub(super) fn answer_in(self, body: Bytes) -> axum::response::Response {
        let media = [(header::CONTENT_TYPE, self.name())];
        (media, body).into_response()
    }

    /// Answers several operations at once.
    pub(super) fn answer_all(self, responses: &[Response]) -> axum::response::Response {
        let told: Vec<_> = responses.iter().map(Told::new).collect();
        let status = if responses.iter().all(is_unavailable) {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::OK
        };
        self.with_status(status, &told)
    }

    /// Refuses a request with an error that has its code already.
    pub(super) fn refuse_by(
        self,
        status: StatusCode,
        error: ServerError,
    ) -> axum::response::Response {
        self.with_status(status, &Told::Error { errors: &[error] })
    }

    /// Answers a request that did not reach the executor.
    pub(super) fn refuse(
        self,
        status: StatusCode,
        code: &'static str,
        message: &str,
    ) -> axum::response::Response {
        self.with_status(
            status,
            &Told::Error {
                errors: &[refused(code, message)],
            },
        )
    }

    fn name(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            // A request that is none at all is refused in JSON.
            Self::Json | Self::Events => "application/json; charset=utf-8",
            Self::ResponseJson => "application/graphql-response+json; charset=utf-8",
        })
    }

    pub(super) fn with_status(
        self,
        status: StatusCode,
        body: &impl Serialize,
    ) -> axum::response::Response {
        match serde_json::to_vec(body) {
            Ok(body) => (status, [(header::CONTENT_TYPE, self.name())], body).into_response(),
            Err(error) => {
                tracing::error!(%error, "an answer could not be written as JSON");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// An answer. One to a request of which nothing ran has no `data` entry, not even a null.
#[derive(Serialize)]
#[serde(untagged)]
enum Told<'a> {
    Error { errors: &'a [ServerError] },
    Answer(&'a Response),
}

impl<'a> Told<'a> {
    fn new(response: &'a Response) -> Self {
        if is_request_error(response) {
            Self::Error {
                errors: &response.errors,
            }
        } else {
            Self::Answer(response)
        }
    }
}

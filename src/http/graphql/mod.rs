//! GraphQL over HTTP, by its specification (<https://graphql.github.io/graphql-over-http/draft/>).
//!
//! POST runs queries and mutations, GET queries alone; subscriptions run by both for clients that accept server-sent events (see [`sse`]). An answer in the media type `application/graphql-response+json` has a status code
//! that tells what became of the request; one in `application/json` is 200 for every well-formed request.

use std::{net::SocketAddr, sync::Arc};

use async_graphql::{Response, ServerError, parser::types::OperationType};
use axum::{
    body::Body,
    extract::{
        ConnectInfo, Query, State, WebSocketUpgrade, rejection::QueryRejection,
        ws::rejection::WebSocketUpgradeRejection,
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};

use super::{
    Edge, auth, card_numbers,
    client::client,
    cookie,
    json::Object,
    operation::{self, Operation, is_request_error, refused, retry_after},
    socket, sse,
};
use crate::{
    domain::actor::Actor,
    graphql::{context::RequestContext, finish},
};

/// The largest body of a request.
const BODY: usize = 256 * 1024;

/// How much of a larger body is still read, so that its sender reads the answer: a connection that is closed while the
/// client writes is reset, and the answer is lost with it.
const DISCARDED: usize = 16 * 1024 * 1024;

const JSON: &str = "application/json";
const RESPONSE_JSON: &str = "application/graphql-response+json";

/// A request as it comes in a JSON body.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    query: String,
    operation_name: Option<String>,
    variables: Option<serde_json::Map<String, serde_json::Value>>,
    #[expect(dead_code, reason = "read so that it is checked to be a map")]
    extensions: Option<serde_json::Map<String, serde_json::Value>>,
}

/// A request as it comes in a URL.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UrlParameters {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
}

pub(super) async fn post(
    State(edge): State<Edge>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> axum::response::Response {
    let media = Media::wanted_by(&headers);
    if !is_json(&headers) {
        return media.refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "BAD_USER_INPUT",
            "Send the request as application/json.",
        );
    }
    let Some(body) = read_body(body).await else {
        let message = format!("A request has at most {BODY} bytes.");
        return media.refuse(StatusCode::PAYLOAD_TOO_LARGE, "BAD_USER_INPUT", &message);
    };
    if card_numbers::in_json(&body) {
        return media.refuse(
            StatusCode::BAD_REQUEST,
            "BAD_USER_INPUT",
            card_numbers::MESSAGE,
        );
    }
    match serde_json::from_slice(&body) {
        Ok(Object(parameters)) => {
            run(
                &edge,
                &headers,
                address,
                parameters,
                media,
                &[OperationType::Query, OperationType::Mutation],
            )
            .await
        }
        Err(error) => {
            let message = format!("The body is not a GraphQL request in JSON: {error}");
            media.refuse(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", &message)
        }
    }
}

pub(super) async fn get_or_socket(
    State(edge): State<Edge>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    parameters: Result<Query<UrlParameters>, QueryRejection>,
) -> axum::response::Response {
    if let Ok(upgrade) = upgrade {
        let client = client(&edge.proxies, &headers, address);
        return socket::accept(edge, upgrade, Arc::new(client));
    }
    let media = Media::wanted_by(&headers);
    match parameters
        .map_err(|error| error.body_text())
        .and_then(|Query(parameters)| read_url(parameters))
    {
        Ok(parameters) => {
            run(
                &edge,
                &headers,
                address,
                parameters,
                media,
                &[OperationType::Query],
            )
            .await
        }
        Err(message) => media.refuse(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", &message),
    }
}

/// The body, unless it is too large or breaks off.
async fn read_body(body: Body) -> Option<Vec<u8>> {
    let (mut chunks, mut read, mut total) = (body.into_data_stream(), Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.ok()?;
        total += chunk.len();
        if total <= BODY {
            read.extend_from_slice(&chunk);
        } else if total > DISCARDED {
            return None;
        }
    }
    (total <= BODY).then_some(read)
}

fn read_url(parameters: UrlParameters) -> Result<Parameters, String> {
    let query = parameters
        .query
        .ok_or("Give the operation in the parameter `query`, or send it by POST.")?;
    let variables = parameters
        .variables
        .filter(|text| !text.is_empty())
        .map(|text| {
            serde_json::from_str(&text)
                .map_err(|error| format!("`variables` is not a JSON object: {error}"))
        })
        .transpose()?;
    Ok(Parameters {
        query,
        operation_name: parameters.operation_name,
        variables,
        extensions: None,
    })
}

async fn run(
    edge: &Edge,
    headers: &HeaderMap,
    address: SocketAddr,
    parameters: Parameters,
    media: Media,
    allowed: &[OperationType],
) -> axum::response::Response {
    let client = Arc::new(client(&edge.proxies, headers, address));
    let admitted = match auth::admitted(&edge.services, headers, &client).await {
        Ok(admitted) => admitted,
        Err(crate::service::error::Error::Unauthenticated) => {
            let message = "This access token is not good any more; take a new one.";
            let refused = media.refuse(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message);
            return (
                [(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")],
                refused,
            )
                .into_response();
        }
        Err(error) => {
            tracing::error!(?error, "could not check an access token");
            return media.refuse(
                StatusCode::SERVICE_UNAVAILABLE,
                "INTERNAL",
                "Try again in a moment.",
            );
        }
    };
    let Parameters {
        query,
        operation_name,
        variables,
        ..
    } = parameters;
    let mut operation = match Operation::prepare(query, operation_name.as_deref(), variables) {
        Ok(operation) => operation,
        Err(error) => return media.answer(&finish(Response::from_errors(vec![error]))),
    };
    let actor = match &admitted {
        Some(admitted) => admitted.actor.clone(),
        None => Actor::anonymous(client),
    };
    if operation.kind == OperationType::Subscription {
        if Media::takes_events(headers) {
            let context = RequestContext::new(edge.services.clone(), actor, None)
                .resuming_after(sse::last_event_id(headers));
            return sse::subscribe(edge, admitted, operation, context);
        }
        let message = "Subscriptions run at this same address over WebSocket, by graphql-transport-ws, and as server-sent events \
                       for clients that accept text/event-stream.";
        return media.refuse(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", message);
    }
    if !allowed.contains(&operation.kind) {
        let refused = media.refuse(
            StatusCode::METHOD_NOT_ALLOWED,
            "BAD_USER_INPUT",
            "Send mutations by POST.",
        );
        return ([(header::ALLOW, "POST")], refused).into_response();
    }
    let browser = cookie::browser(headers, &edge.origins);
    let context = RequestContext::new(edge.services.clone(), actor, Some(browser));
    let context = Arc::new(context.with_idempotency_key(idempotency_key(headers)));
    operation.request = operation.request.data(Arc::clone(&context));
    let response = finish(operation.execute(edge).await);
    operation::note_refusals(edge, context.actor(), &response).await;
    let mut answer = media.answer(&response);
    let now = edge.services.clock().now();
    let cookie = context.refresh_cookie();
    if let Some(value) = cookie.and_then(|cookie| cookie::set(cookie, now)) {
        answer.headers_mut().insert(header::SET_COOKIE, value);
    }
    if let Some(seconds) = retry_after(&response) {
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    answer
}

/// What the header `Idempotency-Key` says, as the IETF draft of that name has it: a string, with or without its quotes.
fn idempotency_key(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("idempotency-key")?;
    // What is no text is refused by whoever looks at the key.
    let text = String::from_utf8_lossy(value.as_bytes());
    let unquoted = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    Some(unquoted.unwrap_or(&text).to_owned())
}

fn is_json(headers: &HeaderMap) -> bool {
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
enum Media {
    Json,
    ResponseJson,
    /// For clients that take nothing else: others get JSON, but for subscriptions.
    Events,
}

impl Media {
    fn wanted_by(headers: &HeaderMap) -> Self {
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
    fn takes_events(headers: &HeaderMap) -> bool {
        accepts(headers, &[sse::MEDIA])
    }

    fn answer(self, response: &Response) -> axum::response::Response {
        if self == Self::Events {
            return sse::once(response);
        }
        if is_request_error(response) {
            let status = if self == Self::ResponseJson {
                StatusCode::BAD_REQUEST
            } else {
                StatusCode::OK
            };
            return self.with_status(
                status,
                &RequestError {
                    errors: &response.errors,
                },
            );
        }
        self.with_status(StatusCode::OK, response)
    }

    /// Answers a request that did not reach the executor.
    fn refuse(
        self,
        status: StatusCode,
        code: &'static str,
        message: &str,
    ) -> axum::response::Response {
        self.with_status(
            status,
            &RequestError {
                errors: &[refused(code, message)],
            },
        )
    }

    fn with_status(self, status: StatusCode, body: &impl Serialize) -> axum::response::Response {
        let media = match self {
            // A request that is none at all is refused in JSON.
            Self::Json | Self::Events => "application/json; charset=utf-8",
            Self::ResponseJson => "application/graphql-response+json; charset=utf-8",
        };
        match serde_json::to_vec(body) {
            Ok(body) => (
                status,
                [(header::CONTENT_TYPE, HeaderValue::from_static(media))],
                body,
            )
                .into_response(),
            Err(error) => {
                tracing::error!(%error, "an answer could not be written as JSON");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// The answer to a request of which nothing ran: it has no `data` entry, not even a null.
#[derive(Serialize)]
struct RequestError<'a> {
    errors: &'a [ServerError],
}

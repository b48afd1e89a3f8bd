//! REST over HTTP: who is asking, what it costs, how large it may be and how long a stream lasts. What is asked for is REST's own to know.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use async_graphql::{ServerError, Value};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use futures_util::StreamExt as _;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tower::Layer as _;
use tower_http::normalize_path::{NormalizePath, NormalizePathLayer};
use tracing::Instrument as _;

use super::{
    Edge, auth, card_numbers,
    client::client,
    connections::Place,
    failed::failed,
    parameters,
    sse::{self, ended},
};
use crate::{
    domain::actor::Actor,
    rest::{self, Problem},
    service::{error::Error, sessions::Admitted},
    store::traces,
};

/// The resources, whose addresses may be written with or without the last slash.
pub(super) fn resources(edge: &Edge) -> NormalizePath<Router> {
    let admit = middleware::from_fn_with_state(edge.clone(), admit);
    let router = rest::router(edge.services.clone()).layer(admit);
    NormalizePathLayer::append_trailing_slash().layer(router)
}

/// Says in a problem document what the layers around the resources say in none: that a request took too long, or broke off.
pub(super) async fn in_problems(request: Request, next: Next) -> Response {
    let is_resource = request.uri().path().starts_with(rest::ROOT);
    let response = next.run(request).await;
    let status = response.status();
    if !is_resource || !status.is_server_error() || is_problem(&response) {
        return response;
    }
    Problem::new(status, "INTERNAL", "Try again in a moment.").into_response()
}

/// Lets a request in, in its caller's name.
async fn admit(
    State(edge): State<Edge>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = match Box::pin(answer(&edge, address, request, next)).await {
        Ok(response) => response,
        Err(problem) => {
            let never = [(header::CACHE_CONTROL, "no-store")];
            (never, problem).into_response()
        }
    };
    // For those who count: outside, all resources are one.
    if let Some(route) = route {
        response.extensions_mut().insert(route);
    }
    response
}

async fn answer(
    edge: &Edge,
    address: SocketAddr,
    request: Request,
    next: Next,
) -> Result<Response, Response> {
    let (parts, body) = request.into_parts();
    let client = Arc::new(client(&edge.proxies, &parts.headers, address));
    let network = client.network();
    // A body costs memory, and a look at each of its bytes: of whoever brings no token it is not read when nothing is left.
    if !parts.headers.contains_key(header::AUTHORIZATION) {
        let nobody = Actor::anonymous(Arc::clone(&client));
        if let Err(error) = edge
            .rates
            .let_in(&nobody, network.as_deref(), edge.clock.now())
        {
            parameters::discard(body).await;
            return Err(refuse(&error));
        }
    }
    let most = edge.limits.body;
    let body = parameters::body_of(body, most).await;
    // Not before: a session may end while a body comes.
    let admitted = auth::admitted(&edge.services, &parts.headers, &client).await;
    let admitted = admitted.map_err(|error| not_admitted(&error))?;
    let now = edge.clock.now();
    let actor = match &admitted {
        Some(admitted) => admitted.actor.clone(),
        None => Actor::anonymous(client),
    };
    let limited = |error| refuse(&error);
    edge.rates
        .let_in(&actor, network.as_deref(), now)
        .map_err(limited)?;
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    let query = parts.uri.query().unwrap_or_default();
    let cost = rest::cost_of(reads, parts.uri.path(), query);
    let mistake = match &body {
        None => Some(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "BAD_USER_INPUT",
            format!("A request has at most {most} bytes."),
        )),
        Some(body) if card_numbers::in_json(body) => Some(Problem::new(
            StatusCode::BAD_REQUEST,
            "BAD_USER_INPUT",
            card_numbers::MESSAGE,
        )),
        Some(_) => None,
    };
    let cost = if mistake.is_some() { 1 } else { cost };
    let charge = edge
        .rates
        .charge(&actor, network.as_deref(), cost, now)
        .await
        .map_err(limited)?;
    let mut response = if let Some(problem) = mistake {
        problem.into_response()
    } else {
        let mut request = Request::from_parts(parts, Body::from(body.unwrap_or_default()));
        request.extensions_mut().insert(actor.clone());
        run(edge, reads, request, next).await
    };
    // What is not there, or somebody else's, the services note by themselves.
    if response.status() == StatusCode::FORBIDDEN {
        edge.services.note_refusal(&actor).await;
    }
    if is_stream(&response) {
        let place = edge
            .connections
            .enter(&edge.limits, &actor, network.as_deref())
            .map_err(limited)?;
        response =
            response.map(|events| Body::from_stream(kept_open(edge, events, admitted, place)));
    }
    if let Some(mut charge) = charge {
        if is_unread(response.status()) {
            edge.rates.give_back(&mut charge, cost, now).await;
        }
        charge.write(response.headers_mut());
    }
    Ok(response)
}

/// Does what is asked for. What changes something is done to its end even when its client goes away or its time is over: half of a payment would be
/// worse than none.
async fn run(edge: &Edge, reads: bool, request: Request, next: Next) -> Response {
    if reads {
        return next.run(request).await;
    }
    let running = traces::carried(next.run(request).in_current_span());
    let running = edge.tasks.spawn(running);
    running.await.unwrap_or_else(|error| {
        Problem::from(Error::Internal(anyhow::Error::new(error))).into_response()
    })
}

/// Whether a request was refused before anything was done for it.
fn is_unread(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::UNAUTHORIZED
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
    )
}

fn is_stream(response: &Response) -> bool {
    is_of(response, sse::MEDIA)
}

fn is_problem(response: &Response) -> bool {
    is_of(response, rest::PROBLEM)
}

fn is_of(response: &Response, media: &str) -> bool {
    let given = response.headers().get(header::CONTENT_TYPE);
    given.is_some_and(|given| given == media)
}

/// Events for as long as the server and the caller's session last, with a sign of life where nothing happens. The client connects again at its end.
fn kept_open(
    edge: &Edge,
    events: Body,
    admitted: Option<Admitted>,
    place: Place,
) -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> + Send + use<> {
    let edge = edge.clone();
    async_stream::stream! {
        let _place = place;
        let mut events = events.into_data_stream();
        let mut pings = interval_at(Instant::now() + edge.limits.ping, edge.limits.ping);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let until = || admitted.as_ref().map(Admitted::until);
        let mut over = Box::pin(async {
            tokio::select! {
                () = edge.stopping.cancelled() => {}
                () = ended(&edge, admitted.as_ref(), until) => {}
            }
        });
        loop {
            let event = tokio::select! {
                biased;
                () = &mut over => return,
                event = events.next() => match event {
                    Some(Ok(event)) => event,
                    Some(Err(_)) | None => return,
                },
                _ = pings.tick() => Bytes::from_static(sse::PING),
            };
            yield Ok(event);
            pings.reset();
        }
    }
}

fn not_admitted(error: &Error) -> Response {
    if !matches!(error, Error::Unauthenticated) {
        failed(error, "could not check an access token");
        let detail = "Try again in a moment.";
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "INTERNAL", detail).into_response();
    }
    let problem = Problem::new(
        StatusCode::UNAUTHORIZED,
        "UNAUTHENTICATED",
        auth::not_good().message,
    );
    let mut response = problem.into_response();
    let why = HeaderValue::from_static("Bearer error=\"invalid_token\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, why);
    response
}

/// What a caller is told who has asked for too much.
fn refuse(error: &ServerError) -> Response {
    let seconds = error
        .extensions
        .as_ref()
        .and_then(|extensions| extensions.get("retryAfter"))
        .and_then(|seconds| match seconds {
            Value::Number(seconds) => seconds.as_i64(),
            _ => None,
        });
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "RATE_LIMITED",
        error.message.clone(),
    )
    .retry_after(seconds)
    .into_response()
}

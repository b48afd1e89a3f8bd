//! GraphQL over server-sent events, in both modes of `graphql-sse` (<https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>): a connection
//! for each operation ([`distinct`]), or one for all that a client runs ([`single`]).

pub(super) mod distinct;
pub(super) mod single;
mod streams;

use std::{convert::Infallible, time::Duration};

use async_graphql::Response;
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, header},
    response::IntoResponse,
};
use chrono::{DateTime, Utc};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

pub use self::streams::Streams;
use super::{Edge, auth, json};
use crate::service::sessions::Admitted;

/// The media type.
pub(super) const MEDIA: &str = "text/event-stream";
/// What the client heard last.
pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How often it is looked whether the access token has lapsed.
const LOOK_AT_CLOCK_EVERY: Duration = Duration::from_millis(500);
/// How long a client that reads slowly is waited for when all that is left to say is why it ends.
const READ_WITHIN: Duration = Duration::from_secs(10);
/// Events that wait to be sent.
const QUEUE: usize = 16;

const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";
pub(super) const PING: &[u8] = b":\n\n";

/// The cursor after which a client resumes. An empty one says nothing.
pub(super) fn last_event_id(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(LAST_EVENT_ID)?;
    // One that is no text is no cursor either, and is refused as such.
    let text = String::from_utf8_lossy(value.as_bytes());
    (!text.is_empty()).then(|| text.into_owned())
}

/// Answers with one result.
pub(super) fn once(response: &Response) -> axum::response::Response {
    let events = [next(response, None), Some(Bytes::from_static(COMPLETE))];
    answer(stream::iter(events.into_iter().flatten()))
}

/// Answers with what comes through a queue.
fn queued(queue: mpsc::Receiver<Bytes>) -> axum::response::Response {
    answer(stream::unfold(queue, async |mut queue| {
        let event = queue.recv().await?;
        Some((event, queue))
    }))
}

fn answer(events: impl Stream<Item = Bytes> + Send + 'static) -> axum::response::Response {
    let headers = [
        (header::CONTENT_TYPE, MEDIA),
        (header::CACHE_CONTROL, "no-cache, no-transform"),
        // nginx would keep events back.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let body = Body::from_stream(events.map(Ok::<_, Infallible>));
    (headers, body).into_response()
}

/// What a stream ends with that its caller may not go on with.
fn not_good_any_more() -> Response {
    Response::from_errors(vec![auth::not_good()])
}

/// Waits until the caller's session has ended or the access token has lapsed; for ever when nobody is signed in. The token may be
/// followed by another one.
pub(super) async fn ended(
    edge: &Edge,
    admitted: Option<&Admitted>,
    until: impl Fn() -> Option<DateTime<Utc>>,
) {
    let Some(admitted) = admitted else {
        return std::future::pending().await;
    };
    // The clock is looked at, rather than waited for: it may be set, and a machine may have slept.
    let lapsed = async {
        let mut looks = interval(LOOK_AT_CLOCK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while until().is_none_or(|until| edge.services.clock().now() < until) {
            looks.tick().await;
        }
    };
    tokio::select! {
        () = edge.services.sessions.ended(admitted) => {}
        () = lapsed => {}
    }
}

/// One result as an event.
fn next(response: &Response, id: Option<String>) -> Option<Bytes> {
    let data = json::text(response)?;
    let id = id.map_or_else(String::new, |id| format!("id: {id}\n"));
    Some(format!("event: next\n{id}data: {data}\n\n").into())
}

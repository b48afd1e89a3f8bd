//! GraphQL over server-sent events, one operation a connection: the distinct connections mode of `graphql-sse`
//! (<https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>).
//!
//! Each event of a booking carries its cursor as the `id`, and a client that says the last one in `Last-Event-ID` goes on after it. A
//! subscription runs in a task of its own with a short queue, so that a client which does not read holds up nothing but itself.

use std::{convert::Infallible, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_graphql::Response;
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, header},
    response::IntoResponse,
};
use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, interval_at, timeout},
};

use super::{
    Edge,
    operation::{self, Operation, is_broken, refused},
};
use crate::{
    graphql::{context::RequestContext, finish},
    service::sessions::Admitted,
};

/// The media type.
pub(super) const MEDIA: &str = "text/event-stream";
/// What the client heard last.
pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How often it is looked whether the access token has lapsed.
const LOOK_AT_CLOCK_EVERY: Duration = Duration::from_millis(500);
/// How long a client that reads slowly is waited for when all that is left to say is why it ends.
const READ_WITHIN: Duration = Duration::from_secs(10);
/// Answers that wait to be sent.
const QUEUE: usize = 16;

const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";
const PING: &[u8] = b":\n\n";

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

/// Runs a subscription for as long as the client, the server and the caller's session last.
pub(super) fn subscribe(
    edge: &Edge,
    admitted: Option<Admitted>,
    operation: Operation,
    context: RequestContext,
) -> axum::response::Response {
    let (told, queue) = mpsc::channel(QUEUE);
    edge.tasks
        .spawn(run(edge.clone(), admitted, operation, context, told));
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

async fn run(
    edge: Edge,
    admitted: Option<Admitted>,
    mut operation: Operation,
    context: RequestContext,
    told: mpsc::Sender<Bytes>,
) {
    let context = Arc::new(context);
    operation.request = operation.request.data(Arc::clone(&context));
    let responses = edge.schema.execute_stream(operation.request);
    tokio::select! {
        biased;
        () = told.closed() => {}
        // Without `complete`, so that the client connects again.
        () = edge.stopping.cancelled() => {}
        () = ended(&edge, admitted.as_ref()) => {
            let why = "This access token is not good any more; take a new one.";
            let response = Response::from_errors(vec![refused("UNAUTHENTICATED", why)]);
            let last_words = async {
                for event in next(&response, None).into_iter().chain([Bytes::from_static(COMPLETE)]) {
                    let _ = told.send(event).await;
                }
            };
            // Who does not read these in time finds the stream at its end.
            let _ = timeout(READ_WITHIN, last_words).await;
        }
        () = tell(&edge, &context, responses, &told) => {}
    }
}

/// Waits until the caller's session has ended or the access token has lapsed; for ever when nobody is signed in.
async fn ended(edge: &Edge, admitted: Option<&Admitted>) {
    let Some(admitted) = admitted else {
        return std::future::pending().await;
    };
    // The clock is looked at, rather than waited for: it may be set, and a machine may have slept.
    let lapsed = async {
        let mut looks = interval(LOOK_AT_CLOCK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while edge.services.clock().now() < admitted.until() {
            looks.tick().await;
        }
    };
    tokio::select! {
        () = edge.services.sessions.ended(admitted) => {}
        () = lapsed => {}
    }
}

/// Tells the client what a subscription answers, until it is over.
async fn tell(
    edge: &Edge,
    context: &RequestContext,
    mut responses: impl Stream<Item = Response> + Unpin,
    told: &mpsc::Sender<Bytes>,
) {
    let mut pings = interval_at(Instant::now() + edge.limits.ping, edge.limits.ping);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut says_where = true;
    loop {
        let event = tokio::select! {
            biased;
            response = AssertUnwindSafe(responses.next()).catch_unwind() => match response {
                Ok(Some(response)) => {
                    let response = finish(response);
                    operation::note_refusals(edge, context.actor(), &response).await;
                    says_where = false;
                    if is_broken(&response) {
                        // It has no `id` and nothing comes after it, so that the client resumes before this event.
                        if let Some(event) = next(&response, None) {
                            let _ = told.send(event).await;
                        }
                        return;
                    }
                    next(&response, context.take_passed())
                }
                Ok(None) => {
                    let _ = told.send(Bytes::from_static(COMPLETE)).await;
                    return;
                }
                Err(_panic) => return,
            },
            // A client that is cut off before the first event resumes here.
            cursor = context.began_after(), if says_where => {
                says_where = false;
                Some(Bytes::from(format!("id: {cursor}\n\n")))
            }
            _ = pings.tick() => Some(Bytes::from_static(PING)),
        };
        let Some(event) = event else { return };
        if told.send(event).await.is_err() {
            return;
        }
        pings.reset();
    }
}

/// One result as an event.
fn next(response: &Response, id: Option<String>) -> Option<Bytes> {
    let data = serde_json::to_string(response)
        .inspect_err(|error| tracing::error!(%error, "an answer could not be written as JSON"))
        .ok()?;
    let id = id.map_or_else(String::new, |id| format!("id: {id}\n"));
    Some(format!("event: next\n{id}data: {data}\n\n").into())
}

//! The distinct connections mode: one operation a connection.
//!
//! Each event of a booking carries its cursor as the `id`, and a client that says the last one in `Last-Event-ID` goes on after it. A
//! subscription runs in a task of its own with a short queue, so that a client which does not read holds up nothing but itself.

use std::{panic::AssertUnwindSafe, sync::Arc};

use async_graphql::Response;
use axum::body::Bytes;
use futures_util::{FutureExt as _, Stream, StreamExt as _};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};

use super::{COMPLETE, PING, QUEUE, READ_WITHIN, ended, next, not_good_any_more, queued};
use crate::{
    graphql::{context::RequestContext, finish},
    http::{
        Edge,
        connections::Place,
        operation::{self, Operation, is_broken},
    },
    service::sessions::Admitted,
    store::traces::Span,
};

/// Runs a subscription for as long as the client, the server and the caller's session last.
pub(in crate::http) fn subscribe(
    edge: &Edge,
    admitted: Option<Admitted>,
    operation: Operation,
    context: RequestContext,
    place: Place,
) -> axum::response::Response {
    let (told, queue) = mpsc::channel(QUEUE);
    let edge = edge.clone();
    let span = operation.traced();
    edge.tasks.clone().spawn(async move {
        run(edge, admitted, operation, span, context, told).await;
        drop(place);
    });
    queued(queue)
}

async fn run(
    edge: Edge,
    admitted: Option<Admitted>,
    mut operation: Operation,
    span: Span,
    context: RequestContext,
    told: mpsc::Sender<Bytes>,
) {
    let context = Arc::new(context);
    operation.request = operation.request.data(Arc::clone(&context));
    let responses = operation.subscribe(&edge, span);
    let until = || admitted.as_ref().map(Admitted::until);
    tokio::select! {
        biased;
        () = told.closed() => {}
        // Without `complete`, so that the client connects again.
        () = edge.stopping.cancelled() => {}
        () = ended(&edge, admitted.as_ref(), until) => {
            let response = not_good_any_more();
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

//! The single connection mode: a client reserves a stream, opens it, and asks for operations one by one; all their results come over it.
//!
//! A stream lives in the process that reserved it. Where several serve one address, requests with the same token have to reach the same one.

use std::sync::Arc;

use async_graphql::{Response, ServerError};
use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, Uri},
};
use serde::Serialize;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use url::form_urlencoded;

use super::{
    PING, QUEUE, READ_WITHIN, ended, not_good_any_more, queued,
    streams::{Open, Shared},
};
use crate::{
    domain::actor::Actor,
    http::{
        Edge, json,
        operation::{Operation, refused},
        rates::Charge,
        running::{Answer, Job, LONGEST_ID, Running, Wire},
    },
    service::sessions::Admitted,
};

/// The header of a stream's token.
pub(in crate::http) const TOKEN: HeaderName =
    HeaderName::from_static("x-graphql-event-stream-token");

/// Why something can't be done on a stream.
#[derive(Debug)]
pub(in crate::http) enum Refusal {
    /// There is no such stream, or it is somebody else's.
    NotFound,
    /// It is open already, or the operation's id is in use.
    Conflict(&'static str),
    /// The caller has too much.
    TooMuch(ServerError),
    /// The operation has no good id.
    BadId,
}

/// The token of a stream, from the header or the address.
pub(in crate::http) fn token_of(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let header = headers.get(TOKEN).and_then(|value| value.to_str().ok());
    header
        .map(str::to_owned)
        .or_else(|| parameter(uri, "token"))
}

/// The id of the operation that is to end.
pub(in crate::http) fn operation_id(uri: &Uri) -> Option<String> {
    parameter(uri, "operationId")
}

fn parameter(uri: &Uri, name: &str) -> Option<String> {
    form_urlencoded::parse(uri.query()?.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// Reserves a stream, and gives its token.
pub(in crate::http) fn reserve(
    edge: &Edge,
    admitted: Option<Admitted>,
    actor: &Actor,
    network: Option<&str>,
) -> Result<String, Refusal> {
    let now = edge.clock.now();
    edge.streams.sweep(now);
    let place = edge.connections.enter(&edge.limits, actor, network);
    let place = place.map_err(Refusal::TooMuch)?;
    let queue = edge.limits.queue;
    Ok(edge.streams.reserve(admitted, place, queue, now))
}

/// Opens a stream.
pub(in crate::http) fn open(
    edge: &Edge,
    token: String,
    caller: Option<&Admitted>,
) -> Result<axum::response::Response, Refusal> {
    let found = edge.streams.find_to_open(&token, caller, edge.clock.now());
    let shared = found.ok_or(Refusal::NotFound)?;
    let queue = shared.take_queue();
    let queue = queue.ok_or(Refusal::Conflict("This stream is open already."))?;
    let open = edge.streams.open(token);
    let (told, events) = mpsc::channel(QUEUE);
    edge.tasks
        .spawn(serve(edge.clone(), shared, open, queue, told));
    Ok(queued(events))
}

/// Ends an operation, whether it was still running or not.
pub(in crate::http) fn complete(
    edge: &Edge,
    token: &str,
    caller: Option<&Admitted>,
    id: &str,
) -> Result<(), Refusal> {
    let found = edge.streams.find(token, caller, edge.clock.now());
    found.ok_or(Refusal::NotFound)?.running().complete(id);
    Ok(())
}

/// A place for an operation on a stream that is the caller's.
pub(in crate::http) struct Slot {
    shared: Arc<Shared>,
    id: String,
}

/// Looks whether an operation could be run on a stream, before anything is paid for it.
pub(in crate::http) fn slot(
    edge: &Edge,
    token: &str,
    caller: Option<&Admitted>,
    id: Option<&str>,
) -> Result<Slot, Refusal> {
    let found = edge.streams.find(token, caller, edge.clock.now());
    let shared = found.ok_or(Refusal::NotFound)?;
    let id = id.filter(|id| (1..=LONGEST_ID).contains(&id.len()));
    let id = id.ok_or(Refusal::BadId)?.to_owned();
    look(edge, &shared.running(), &id)?;
    Ok(Slot { shared, id })
}

fn look(edge: &Edge, running: &Running, id: &str) -> Result<(), Refusal> {
    if running.has(id) {
        return Err(Refusal::Conflict("An operation with this id is running."));
    }
    let most = edge.limits.check_running(running.count());
    most.map_err(Refusal::TooMuch)
}

impl Slot {
    /// Runs an operation, whose results come over the stream. Gives the answer of one that can't be run at all.
    pub(in crate::http) async fn run(
        self,
        edge: &Edge,
        operation: Operation,
        actor: Actor,
        charge: Option<Charge>,
    ) -> Result<Result<(), Response>, Refusal> {
        let (accepted, whether) = oneshot::channel();
        {
            let mut running = self.shared.running();
            // Another request may have come in between.
            look(edge, &running, &self.id)?;
            let job = Job {
                id: self.id.clone(),
                operation,
                actor,
                charge,
                accepted: Some(accepted),
            };
            running.start::<Events>(edge, job);
        }
        // It says nothing when its client has ended it, or the stream.
        let whether = whether.await.unwrap_or(Ok(()));
        if whether.is_err() {
            // Its id is free when this is answered, whoever reads the stream.
            self.shared.running().complete(&self.id);
        }
        Ok(whether)
    }
}

/// Tells the client what its operations answer, for as long as the client, the server and the caller's session last.
async fn serve(
    edge: Edge,
    shared: Arc<Shared>,
    open: Open,
    mut queue: mpsc::Receiver<Answer>,
    told: mpsc::Sender<Bytes>,
) {
    let owner = shared.owner();
    let until = || shared.owner().map(|owner| owner.until());
    tokio::select! {
        biased;
        () = told.closed() => {}
        // Without `complete`, so that the client connects again.
        () = edge.stopping.cancelled() => {}
        () = ended(&edge, owner.as_ref(), until) => {
            let why = not_good_any_more();
            let ids = shared.running().ids();
            let last_words = async {
                for id in ids {
                    if let Some(text) = Events::failed(&id, &why.errors) {
                        let _ = told.send(text.into()).await;
                    }
                }
            };
            // Who does not read these in time finds the stream at its end.
            let _ = timeout(READ_WITHIN, last_words).await;
        }
        () = tell(&edge, &shared, &mut queue, &told) => {}
    }
    drop(open);
}

async fn tell(
    edge: &Edge,
    shared: &Shared,
    queue: &mut mpsc::Receiver<Answer>,
    told: &mpsc::Sender<Bytes>,
) {
    // At once, as some browsers wait for the first bytes.
    let mut pings = interval_at(Instant::now(), edge.limits.ping);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let event = tokio::select! {
            biased;
            Some(answer) = queue.recv() => {
                let text = shared.running().take(answer);
                let Some(text) = text else { continue };
                text.into()
            }
            _ = pings.tick() => Bytes::from_static(PING),
        };
        // Answers wait in memory for a client that does not read: one that takes nothing is cut off, as on a socket.
        let Ok(Ok(())) = timeout(READ_WITHIN, told.send(event)).await else {
            return;
        };
        pings.reset();
    }
}

/// The mode's events.
struct Events;

#[derive(Serialize)]
struct Next<'a, P> {
    id: &'a str,
    payload: &'a P,
}

#[derive(Serialize)]
struct Complete<'a> {
    id: &'a str,
}

impl Wire for Events {
    fn next(id: &str, payload: &Response) -> Option<String> {
        let data = json::text(&Next { id, payload })?;
        Some(format!("event: next\ndata: {data}\n\n"))
    }

    fn failed(id: &str, errors: &[ServerError]) -> Option<String> {
        let payload = Response::from_errors(errors.to_vec());
        Some(Self::next(id, &payload)? + &Self::complete(id)?)
    }

    fn complete(id: &str) -> Option<String> {
        let data = json::text(&Complete { id })?;
        Some(format!("event: complete\ndata: {data}\n\n"))
    }
}

impl Refusal {
    /// What the client is told.
    pub(in crate::http) fn error(&self) -> ServerError {
        match self {
            Self::NotFound => refused(
                "NOT_FOUND",
                "There is no such stream; reserve one by PUT, and open it.",
            ),
            Self::Conflict(why) => refused("BAD_USER_INPUT", *why),
            Self::TooMuch(error) => error.clone(),
            Self::BadId => refused(
                "BAD_USER_INPUT",
                "Give the operation an id of 1 to 128 bytes in `extensions.operationId`.",
            ),
        }
    }
}

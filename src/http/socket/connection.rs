//! What runs on an acknowledged socket: operations, each in a task of its own, and one queue for what they answer.

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_graphql::{Response, ServerError, parser::types::OperationType};
use axum::{
    body::Bytes,
    extract::ws::{Message, WebSocket},
};
use chrono::SecondsFormat;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use tokio::{
    sync::mpsc,
    task::AbortHandle,
    time::{MissedTickBehavior, interval},
};

use super::{Caller, authenticate, deliver, encode, read, send, token_of};
use crate::{
    domain::actor::{Actor, Client},
    graphql::{context::RequestContext, finish},
    http::{
        Edge,
        json::Object,
        operation::{self, Operation, is_broken, is_request_error, refused},
        parameters::Parameters,
        protocol::{Close, FromClient, FromServer, Map},
    },
};

/// How often it is looked whether the access token has lapsed.
const LOOK_AT_CLOCK_EVERY: Duration = Duration::from_millis(500);
/// How many pings in a row may stay without any answer.
const SILENT_PINGS: u32 = 2;

/// An acknowledged connection.
pub(super) struct Connection {
    edge: Edge,
    client: Arc<Client>,
    caller: Caller,
    operations: HashMap<String, (u64, AbortHandle)>,
    /// Tells a finished operation from a later one with the same id.
    started: u64,
    answers: mpsc::Sender<Answer>,
    queue: mpsc::Receiver<Answer>,
}

/// What an operation has to say.
enum Answer {
    Next {
        id: String,
        number: u64,
        text: String,
    },
    Finished {
        id: String,
        number: u64,
        complete: Option<String>,
    },
}

impl Connection {
    pub(super) fn new(edge: Edge, client: Arc<Client>, caller: Caller) -> Self {
        let (answers, queue) = mpsc::channel(edge.limits.queue);
        Self {
            edge,
            client,
            caller,
            operations: HashMap::new(),
            started: 0,
            answers,
            queue,
        }
    }

    /// Runs until one side ends it. Gives what to close with, unless the client is gone.
    pub(super) async fn run(&mut self, socket: &mut WebSocket) -> Option<Close> {
        let mut pings = interval(self.edge.limits.ping);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut silent = 0;
        // The clock is looked at, rather than waited for: it may be set, and a machine may have slept.
        let mut looks = interval(LOOK_AT_CLOCK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                message = socket.recv() => {
                    silent = 0;
                    match message {
                        Some(Ok(message)) => self.hear(socket, &message).await,
                        Some(Err(_)) | None => return None,
                    }
                }
                Some(answer) = self.queue.recv() => self.answer(socket, answer).await,
                _ = pings.tick() => {
                    silent += 1;
                    if silent > SILENT_PINGS {
                        return None;
                    }
                    deliver(socket, Message::Ping(Bytes::new())).await
                }
                _ = looks.tick(), if self.caller.signed_in.is_some() => self.look_at_clock(),
            };
            if let Err(close) = step {
                return close;
            }
        }
    }

    async fn hear(
        &mut self,
        socket: &mut WebSocket,
        message: &Message,
    ) -> Result<(), Option<Close>> {
        match read(message)? {
            None | Some(FromClient::Pong {}) => Ok(()),
            Some(FromClient::ConnectionInit { .. }) => Err(Some(Close::TooManyInits)),
            Some(FromClient::Ping { payload }) => {
                let payload = self.authenticate_again(payload).await?;
                send(socket, &FromServer::Pong { payload }).await
            }
            Some(FromClient::Complete { id }) => {
                if let Some((_, task)) = self.operations.remove(&id) {
                    task.abort();
                }
                Ok(())
            }
            Some(FromClient::Subscribe {
                id,
                payload: Object(operation),
            }) => Box::pin(self.start(socket, id, operation)).await,
        }
    }

    /// Takes a new access token of the same session from a ping, and says until when it is good in place of it. Any other ping is
    /// answered as it came.
    async fn authenticate_again(&mut self, payload: Option<Map>) -> Result<Option<Map>, Close> {
        let Some(token) = token_of(payload.as_ref())? else {
            return Ok(payload);
        };
        let Some((_, before)) = &self.caller.signed_in else {
            return Err(Close::Forbidden);
        };
        let admitted = authenticate(&self.edge, &token, &self.client).await?;
        if !admitted.is_same_session(before) {
            return Err(Close::Forbidden);
        }
        let until = admitted.until().to_rfc3339_opts(SecondsFormat::Secs, true);
        self.caller.signed_in = Some((token, admitted));
        let until = ("accessTokenExpiresAt".to_owned(), until.into());
        Ok(Some(Map::from_iter([until])))
    }

    /// Closes when the access token has lapsed.
    fn look_at_clock(&self) -> Result<(), Option<Close>> {
        let now = self.edge.services.clock().now();
        match &self.caller.signed_in {
            Some((_, admitted)) if admitted.until() <= now => Err(Some(Close::Unauthorized)),
            _ => Ok(()),
        }
    }

    async fn start(
        &mut self,
        socket: &mut WebSocket,
        id: String,
        payload: Parameters,
    ) -> Result<(), Option<Close>> {
        if id.is_empty() {
            return Err(Some(Close::BadMessage("An operation needs an id")));
        }
        if self.operations.contains_key(&id) {
            return Err(Some(Close::SubscriberExists(id)));
        }
        let most = self.edge.limits.operations;
        if self.operations.len() >= most {
            let message = format!("At most {most} operations run on one socket at a time.");
            return refuse(socket, &id, refused("RATE_LIMITED", message)).await;
        }
        self.look_at_clock()?;
        // The session may have ended, and the role may have changed, since the socket was opened.
        let actor = match &self.caller.signed_in {
            None => Actor::anonymous(Arc::clone(&self.client)),
            Some((token, _)) => authenticate(&self.edge, token, &self.client).await?.actor,
        };
        let mut operation = match self.read_and_charge(payload, &actor).await {
            Ok(operation) => operation,
            Err(error) => return refuse(socket, &id, error).await,
        };
        self.started += 1;
        let number = self.started;
        let context = RequestContext::new(self.edge.services.clone(), actor.clone(), None);
        operation.request = operation.request.data(Arc::new(context));
        let task = run_operation(
            self.edge.clone(),
            actor,
            operation,
            id.clone(),
            number,
            self.answers.clone(),
        );
        self.operations
            .insert(id, (number, tokio::spawn(task).abort_handle()));
        Ok(())
    }

    /// Reads an operation, and charges what it costs; one that is refused has cost a look.
    async fn read_and_charge(
        &self,
        payload: Parameters,
        actor: &Actor,
    ) -> Result<Operation, ServerError> {
        let rates = &self.edge.rates;
        let network = self.client.network();
        let (network, now) = (network.as_deref(), self.edge.clock.now());
        rates.let_in(actor, network, now)?;
        let is_signed_in = self.caller.signed_in.is_some();
        match Operation::read(&self.edge, payload, is_signed_in).await {
            Ok(operation) => {
                rates.charge(actor, network, operation.cost, now).await?;
                Ok(operation)
            }
            Err(error) => {
                rates.charge(actor, network, 1, now).await?;
                Err(error)
            }
        }
    }

    async fn answer(
        &mut self,
        socket: &mut WebSocket,
        answer: Answer,
    ) -> Result<(), Option<Close>> {
        // What a client has completed it does not hear of again, even when another operation has the id now.
        let (id, number) = match &answer {
            Answer::Next { id, number, .. } | Answer::Finished { id, number, .. } => (id, *number),
        };
        if self
            .operations
            .get(id)
            .is_none_or(|(running, _)| *running != number)
        {
            return Ok(());
        }
        let text = match answer {
            Answer::Next { text, .. } => Some(text),
            Answer::Finished { id, complete, .. } => {
                self.operations.remove(&id);
                complete
            }
        };
        match text {
            Some(text) => deliver(socket, Message::Text(text.into())).await,
            None => Ok(()),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for (_, task) in self.operations.values() {
            task.abort();
        }
    }
}

async fn refuse(socket: &mut WebSocket, id: &str, error: ServerError) -> Result<(), Option<Close>> {
    let refused = finish(Response::from_errors(vec![error]));
    let payload = &refused.errors;
    send(socket, &FromServer::Error { id, payload }).await
}

/// Runs one operation to its end. What can't run at all is answered with `error`; everything else with `next` and, at last, `complete`.
async fn run_operation(
    edge: Edge,
    actor: Actor,
    operation: Operation,
    id: String,
    number: u64,
    answers: mpsc::Sender<Answer>,
) {
    let kind = operation.kind;
    let mut responses = match kind {
        OperationType::Subscription => edge.schema.execute_stream(operation.request).boxed(),
        OperationType::Query | OperationType::Mutation => {
            stream::once(operation.execute(&edge)).boxed()
        }
    };
    let mut complete = encode(&FromServer::Complete { id: &id });
    // A panic in one operation must not leave its client waiting.
    while let Ok(Some(response)) = AssertUnwindSafe(responses.next()).catch_unwind().await {
        let response = finish(response);
        operation::note_refusals(&edge, &actor, &response).await;
        // A subscription ends rather than pass over an event that it could not tell: the client resumes before it.
        let breaks_off = kind == OperationType::Subscription && is_broken(&response);
        if is_request_error(&response) || breaks_off {
            complete = encode(&FromServer::Error {
                id: &id,
                payload: &response.errors,
            });
            break;
        }
        let Some(text) = encode(&FromServer::Next {
            id: &id,
            payload: &response,
        }) else {
            break;
        };
        let next = Answer::Next {
            id: id.clone(),
            number,
            text,
        };
        if answers.send(next).await.is_err() {
            return;
        }
    }
    let _ = answers
        .send(Answer::Finished {
            id,
            number,
            complete,
        })
        .await;
}

//! An acknowledged socket: what its client says, and what its operations answer.

use std::{sync::Arc, time::Duration};

use async_graphql::{Response, ServerError};
use axum::{
    body::Bytes,
    extract::ws::{Message, WebSocket},
};
use chrono::SecondsFormat;
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use super::{Caller, authenticate, deliver, read, send, token_of};
use crate::{
    domain::actor::{Actor, Client},
    graphql::{context::RequestContext, finish},
    http::{
        Edge,
        json::{self, Object},
        operation::Operation,
        parameters::Parameters,
        protocol::{Close, FromClient, FromServer, Map},
        rates::Charge,
        running::{Answer, Job, LONGEST_ID, Running, Wire},
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
    running: Running,
    queue: mpsc::Receiver<Answer>,
}

impl Connection {
    pub(super) fn new(edge: Edge, client: Arc<Client>, caller: Caller) -> Self {
        let (running, queue) = Running::new(edge.limits.queue);
        Self {
            edge,
            client,
            caller,
            running,
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
                        // Apart: nothing of it is kept while the socket is quiet.
                        Some(Ok(message)) => Box::pin(self.hear(socket, &message)).await,
                        Some(Err(_)) | None => return None,
                    }
                }
                Some(answer) = self.queue.recv() => match self.running.take(answer) {
                    Some(text) => deliver(socket, Message::Text(text.into())).await,
                    None => Ok(()),
                },
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
                self.running.complete(&id);
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
        if id.is_empty() || id.len() > LONGEST_ID {
            return Err(Some(Close::BadMessage("An id has 1 to 128 bytes")));
        }
        if self.running.has(&id) {
            return Err(Some(Close::SubscriberExists(id)));
        }
        let limits = &self.edge.limits;
        if let Err(error) = limits.check_running(self.running.count()) {
            return refuse(socket, &id, error).await;
        }
        self.look_at_clock()?;
        // The session may have ended, and the role may have changed, since the socket was opened.
        let actor = match &self.caller.signed_in {
            None => Actor::anonymous(Arc::clone(&self.client)),
            Some((token, _)) => authenticate(&self.edge, token, &self.client).await?.actor,
        };
        let (mut operation, charge) = match self.read_and_charge(payload, &actor).await {
            Ok(charged) => charged,
            Err(error) => return refuse(socket, &id, error).await,
        };
        let services = operation.services(&self.edge, &actor).await;
        let context = RequestContext::new(services, actor.clone(), None);
        operation.request = operation.request.data(Arc::new(context));
        let job = Job {
            id,
            operation,
            actor,
            charge,
            accepted: None,
        };
        self.running.start::<Messages>(&self.edge, job);
        Ok(())
    }

    /// Reads an operation, and charges what it costs; one that is refused has cost a look.
    async fn read_and_charge(
        &self,
        payload: Parameters,
        actor: &Actor,
    ) -> Result<(Operation, Option<Charge>), ServerError> {
        let rates = &self.edge.rates;
        let network = self.client.network();
        let (network, now) = (network.as_deref(), self.edge.clock.now());
        rates.let_in(actor, network, now)?;
        let is_signed_in = self.caller.signed_in.is_some();
        match Operation::read(&self.edge, payload, is_signed_in).await {
            Ok(operation) => {
                let charge = rates.charge(actor, network, operation.cost, now).await?;
                Ok((operation, charge))
            }
            Err(error) => {
                rates.charge(actor, network, 1, now).await?;
                Err(error)
            }
        }
    }
}

async fn refuse(socket: &mut WebSocket, id: &str, error: ServerError) -> Result<(), Option<Close>> {
    let refused = finish(Response::from_errors(vec![error]));
    let payload = &refused.errors;
    send(socket, &FromServer::Error { id, payload }).await
}

/// The protocol's messages.
struct Messages;

impl Wire for Messages {
    fn next(id: &str, payload: &Response) -> Option<String> {
        json::text(&FromServer::Next { id, payload })
    }

    fn failed(id: &str, payload: &[ServerError]) -> Option<String> {
        json::text(&FromServer::Error { id, payload })
    }

    fn complete(id: &str) -> Option<String> {
        json::text(&FromServer::Complete { id })
    }
}

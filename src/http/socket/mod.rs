//! GraphQL over WebSocket: one task a socket, one more for each operation that runs on it.
//!
//! What operations answer goes through one bounded queue, so that a client which does not read holds up its own operations and nothing
//! else.

mod connection;

use std::{sync::Arc, time::Duration};

use async_graphql::ServerError;
use axum::{
    extract::ws::{Message, WebSocket, WebSocketUpgrade},
    http::StatusCode,
    response::Response,
};
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    Edge, auth, card_numbers,
    connections::Place,
    failed::failed,
    json::{self, Object},
    protocol::{Close, FromClient, FromServer, NAME},
};
use crate::{
    domain::actor::{Actor, Client},
    service::{error::Error, sessions::Admitted},
};

/// How long a client may take to read one message.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// How many bytes are read at once. Each socket keeps a buffer of this size, and most messages have some hundred bytes; longer ones take several reads.
const READ_AT_ONCE: usize = 2 << 10;

/// Takes a socket over.
///
/// # Errors
/// `RATE_LIMITED` when its network has too many that belong to nobody.
pub(super) fn accept(
    edge: Edge,
    upgrade: WebSocketUpgrade,
    client: Arc<Client>,
) -> Result<Response, ServerError> {
    let stranger = Actor::anonymous(Arc::clone(&client));
    let network = client.network();
    let place = edge
        .connections
        .enter(&edge.limits, &stranger, network.as_deref())?;
    Ok(upgrade
        .protocols([NAME])
        .max_message_size(edge.limits.body)
        .max_frame_size(edge.limits.body)
        .read_buffer_size(READ_AT_ONCE)
        .on_upgrade(move |socket| {
            let tracker = edge.tasks.clone();
            tracker.track_future(serve(edge, socket, client, place))
        }))
}

async fn serve(edge: Edge, mut socket: WebSocket, client: Arc<Client>, mut place: Place) {
    let stopping = edge.stopping.clone();
    let close = if socket.protocol().is_none_or(|name| name != NAME) {
        Some(Close::SubprotocolNotAcceptable)
    } else {
        let introduced = tokio::select! {
            // Apart, so that its room is free again once it is done.
            introduced = Box::pin(introduce(&edge, &mut socket, &client, &mut place)) => introduced,
            () = stopping.cancelled() => Err(Some(Close::GoingAway)),
        };
        match introduced {
            Ok(caller) => {
                let ended = ended(edge.clone(), caller.clone());
                let mut connection = connection::Connection::new(edge, client, caller);
                tokio::select! {
                    close = connection.run(&mut socket) => close,
                    () = ended => Some(Close::Forbidden),
                    () = stopping.cancelled() => Some(Close::GoingAway),
                }
            }
            Err(close) => close,
        }
    };
    if let Some(close) = close {
        let _ = timeout(
            READ_WITHIN,
            socket.send(Message::Close(Some(close.frame()))),
        )
        .await;
    }
}

/// Whom a socket belongs to: somebody who is signed in, or nobody.
#[derive(Clone)]
struct Caller {
    /// The access token that was given last, and whom it lets in.
    signed_in: Option<(String, Admitted)>,
}

/// Waits until the caller's session has ended; for ever when nobody is signed in.
async fn ended(edge: Edge, caller: Caller) {
    match caller.signed_in {
        Some((_, admitted)) => edge.services.sessions.ended(&admitted).await,
        None => std::future::pending().await,
    }
}

/// Waits for `connection_init` and acknowledges it. Gives whoever introduced themselves by it.
async fn introduce(
    edge: &Edge,
    socket: &mut WebSocket,
    client: &Arc<Client>,
    place: &mut Place,
) -> Result<Caller, Option<Close>> {
    let deadline = Instant::now() + edge.limits.init;
    loop {
        let message = timeout_at(deadline, socket.recv())
            .await
            .map_err(|_| Close::InitTimeout)?;
        let Some(Ok(message)) = message else {
            return Err(None);
        };
        match read(&message)? {
            None | Some(FromClient::Pong {} | FromClient::Complete { .. }) => {}
            Some(FromClient::ConnectionInit { payload }) => {
                let signed_in = match token_of(payload.as_ref())? {
                    Some(token) => {
                        let admitted = authenticate(edge, &token, client).await?;
                        // It is its person's from now on, and not its network's.
                        let theirs = edge.connections.enter(&edge.limits, &admitted.actor, None);
                        *place = theirs.map_err(|_| Close::TooManyConnections)?;
                        Some((token, admitted))
                    }
                    None => None,
                };
                send(socket, &FromServer::ConnectionAck).await?;
                return Ok(Caller { signed_in });
            }
            Some(FromClient::Ping { payload }) => {
                send(socket, &FromServer::Pong { payload }).await?;
            }
            Some(FromClient::Subscribe { .. }) => return Err(Some(Close::Unauthorized)),
        }
    }
}

async fn authenticate(edge: &Edge, token: &str, client: &Arc<Client>) -> Result<Admitted, Close> {
    edge.services
        .sessions
        .authenticate(token, client)
        .await
        .map_err(|error| match error {
            Error::Unauthenticated => Close::Forbidden,
            error => match failed(&error, "could not check an access token") {
                StatusCode::SERVICE_UNAVAILABLE => Close::Away,
                _ => Close::Internal,
            },
        })
}

/// The bearer token of a payload such as `{"authorization": "Bearer …"}`. Null and a missing value are a signed-out client.
pub(super) fn token_of(
    payload: Option<&serde_json::Map<String, serde_json::Value>>,
) -> Result<Option<String>, Close> {
    let value = payload
        .into_iter()
        .flatten()
        .find(|(key, _)| key.eq_ignore_ascii_case("authorization"));
    match value {
        None | Some((_, serde_json::Value::Null)) => Ok(None),
        Some((_, serde_json::Value::String(text))) => auth::bearer(text)
            .map(|token| Some(token.to_owned()))
            .ok_or(Close::Forbidden),
        Some(_) => Err(Close::Forbidden),
    }
}

/// Reads a message; none for frames that WebSocket itself needs.
pub(super) fn read(message: &Message) -> Result<Option<FromClient>, Option<Close>> {
    match message {
        Message::Text(text) if card_numbers::in_json(text.as_bytes()) => {
            Err(Some(Close::BadMessage("Never send a card number")))
        }
        Message::Text(text) => serde_json::from_str(text)
            .map(|Object(message)| Some(message))
            .map_err(|_| Some(Close::BadMessage("Invalid message received"))),
        Message::Binary(_) => Err(Some(Close::BadMessage("Messages are text"))),
        Message::Ping(_) | Message::Pong(_) => Ok(None),
        Message::Close(_) => Err(None),
    }
}

async fn send(socket: &mut WebSocket, message: &FromServer<'_>) -> Result<(), Option<Close>> {
    let text = json::text(message).ok_or(Close::Internal)?;
    deliver(socket, Message::Text(text.into())).await
}

async fn deliver(socket: &mut WebSocket, message: Message) -> Result<(), Option<Close>> {
    match timeout(READ_WITHIN, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        // Gone, or not reading: there is nobody to say goodbye to.
        Ok(Err(_)) | Err(_) => Err(None),
    }
}

//! A client over WebSocket, by `graphql-transport-ws`.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _, protocol::CloseFrame},
};

/// How long anything may take that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open socket.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Opens a socket that speaks the subprotocol.
    pub async fn open(base: &str) -> Self {
        Self::open_as(base, Some("graphql-transport-ws")).await
    }

    /// Opens a socket.
    pub async fn open_as(base: &str, subprotocol: Option<&str>) -> Self {
        let url = format!("{}/graphql", base.replace("http://", "ws://"));
        let mut request = url.into_client_request().expect("a request");
        if let Some(subprotocol) = subprotocol {
            request.headers_mut().insert(
                "sec-websocket-protocol",
                subprotocol.parse().expect("a header"),
            );
        }
        Self(connect_async(request).await.expect("the server upgrades").0)
    }

    /// Opens a socket and introduces itself.
    pub async fn introduced(base: &str, token: Option<&str>) -> Self {
        let mut socket = Self::open(base).await;
        let payload = token.map(|token| json!({ "authorization": format!("Bearer {token}") }));
        socket
            .say(json!({ "type": "connection_init", "payload": payload }))
            .await;
        assert_eq!(socket.hears().await["type"], "connection_ack");
        socket
    }

    pub async fn say(&mut self, message: Value) {
        self.0
            .send(Message::text(message.to_string()))
            .await
            .expect("the socket is open");
    }

    pub async fn say_raw(&mut self, message: Message) {
        self.0.send(message).await.expect("the socket is open");
    }

    /// Begins an operation.
    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.say(json!({ "type": "subscribe", "id": id, "payload": payload }))
            .await;
    }

    /// The next message of the protocol.
    pub async fn hears(&mut self) -> Value {
        loop {
            match self.frame().await {
                Message::Text(text) => {
                    return serde_json::from_str(&text).expect("a message in JSON");
                }
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("heard {other:?}"),
            }
        }
    }

    /// The data of the next event of a subscription.
    pub async fn next_event(&mut self) -> Value {
        let mut message = self.hears().await;
        assert_eq!(message["type"], "next", "{message}");
        assert_eq!(message["payload"].get("errors"), None, "{message}");
        message["payload"]["data"].take()
    }

    /// The next message, unless none comes in this time.
    pub async fn hears_within(&mut self, time: Duration) -> Option<Value> {
        timeout(time, self.hears()).await.ok()
    }

    /// The code and reason with which the server closes.
    pub async fn is_closed(&mut self) -> (u16, String) {
        let closing = async {
            loop {
                match self.frame().await {
                    Message::Close(Some(CloseFrame { code, reason })) => {
                        return (code.into(), reason.to_string());
                    }
                    Message::Close(None) => panic!("closed without a code"),
                    _ => {}
                }
            }
        };
        timeout(PATIENCE, closing)
            .await
            .expect("the server closes in time")
    }

    /// Waits until the server hangs up, with a code or without one. Gives what it said before.
    pub async fn hangs_up(&mut self) -> Vec<Value> {
        let listening = async {
            let mut heard = Vec::new();
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => {
                        heard.push(serde_json::from_str(&text).expect("a message in JSON"));
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(_) | Err(_)) | None => return heard,
                }
            }
        };
        timeout(PATIENCE, listening)
            .await
            .expect("the server hangs up in time")
    }

    async fn frame(&mut self) -> Message {
        let frame = timeout(PATIENCE, self.0.next())
            .await
            .expect("something is heard in time");
        frame.expect("the socket is open").expect("a good frame")
    }
}

//! Sockets that subscribe, by `graphql-transport-ws`.

use std::net::Ipv4Addr;

use anyhow::{Context as _, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Message, client::IntoClientRequest as _, http::HeaderValue, protocol::WebSocketConfig,
    },
};

/// As many of one network as may open a socket without signing in, at most 100, and some room.
const OF_A_NETWORK: u32 = 50;
/// What is read at once: ten thousand of them are in one process.
const BUFFER: usize = 4 << 10;

/// A subscription on a socket of its own.
pub(super) struct Subscription(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Subscription {
    /// Opens one, the `number`th, signed in by a token or not at all.
    pub(super) async fn open(
        url: &str,
        number: u32,
        token: Option<&str>,
        query: &str,
    ) -> anyhow::Result<Self> {
        let mut request = url.replacen("http", "ws", 1).into_client_request()?;
        let from = Ipv4Addr::new(198, 19, 0, 0).to_bits() + number / OF_A_NETWORK;
        let headers = request.headers_mut();
        let protocol = HeaderValue::from_static("graphql-transport-ws");
        headers.insert("sec-websocket-protocol", protocol);
        headers.insert(
            "x-forwarded-for",
            Ipv4Addr::from_bits(from).to_string().parse()?,
        );
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(0);
        let (socket, _) = connect_async_with_config(request, Some(config), true).await?;
        let mut subscription = Self(socket);
        let payload = token.map(|token| json!({ "authorization": format!("Bearer {token}") }));
        let hello = json!({ "type": "connection_init", "payload": payload });
        subscription.say(&hello).await?;
        let answer = subscription.hear().await?.context("it was closed")?;
        if answer["type"] != "connection_ack" {
            bail!("it answers {answer}");
        }
        let subscribe = json!({ "type": "subscribe", "id": "1", "payload": { "query": query } });
        subscription.say(&subscribe).await?;
        Ok(subscription)
    }

    /// What it is told next; none when it was closed.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Value>> {
        while let Some(mut message) = self.hear().await? {
            if message["type"] == "next" {
                return Ok(Some(message["payload"].take()));
            }
            if message["type"] == "ping" {
                self.say(&json!({ "type": "pong" })).await?;
            } else if message["type"] != "pong" {
                bail!("it says {message}");
            }
        }
        Ok(None)
    }

    async fn say(&mut self, message: &Value) -> anyhow::Result<()> {
        Ok(self.0.send(Message::text(message.to_string())).await?)
    }

    async fn hear(&mut self) -> anyhow::Result<Option<Value>> {
        while let Some(message) = self.0.next().await {
            match message? {
                Message::Text(text) => return Ok(Some(serde_json::from_str(&text)?)),
                Message::Ping(_) => self.0.flush().await?,
                Message::Close(_) => return Ok(None),
                _ => {}
            }
        }
        Ok(None)
    }
}

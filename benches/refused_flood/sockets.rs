//! A socket that does not get far.

use anyhow::{Context as _, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue},
};

/// Opens a socket, says this, and reads to its end. Gives the code that it was closed with.
pub(super) async fn say(url: &str, from: &str, text: &str) -> anyhow::Result<u16> {
    let mut request = url.replacen("http", "ws", 1).into_client_request()?;
    let headers = request.headers_mut();
    let protocol = HeaderValue::from_static("graphql-transport-ws");
    headers.insert("sec-websocket-protocol", protocol);
    headers.insert("x-forwarded-for", from.parse()?);
    let (mut socket, _) = connect_async(request).await?;
    socket.send(Message::text(text)).await?;
    let mut closed = None;
    while let Some(message) = socket.next().await {
        match message? {
            Message::Close(frame) => closed = frame,
            other => ensure!(closed.is_none(), "it said {other} after its goodbye"),
        }
    }
    let frame = closed.context("it was closed without a word")?;
    Ok(frame.code.into())
}

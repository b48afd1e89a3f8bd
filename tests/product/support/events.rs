//! A client of server-sent events, as a browser's `EventSource` is one: it keeps the id that it heard last.

use std::time::Duration;

use reqwest::{Method, Response, header};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::Client;

/// How long anything may take that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open stream.
pub struct EventStream {
    answer: Response,
    read: Vec<u8>,
    /// The id that was heard last.
    pub last_event_id: Option<String>,
}

/// One message: its event's name, and its data.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub event: String,
    pub id: Option<String>,
    pub data: Value,
}

impl EventStream {
    /// Opens a stream by POST; after the event with this id, if there is one.
    pub async fn open(
        client: &Client,
        query: &str,
        variables: Value,
        last_event_id: Option<&str>,
    ) -> Self {
        let mut request = client
            .request(Method::POST, "/graphql")
            .header(header::ACCEPT, "text/event-stream")
            .json(&json!({ "query": query, "variables": variables }));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        Self::of(request.send().await.expect("an answer"))
    }

    /// Reads an answer as a stream.
    pub fn of(answer: Response) -> Self {
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
        Self {
            answer,
            read: vec![],
            last_event_id: None,
        }
    }

    pub fn headers(&self) -> &header::HeaderMap {
        self.answer.headers()
    }

    /// The next message that has an event; none once the stream is over.
    pub async fn hears(&mut self) -> Option<Message> {
        loop {
            let message = self.block().await?;
            if !message.event.is_empty() {
                return Some(message);
            }
        }
    }

    /// The next message, even if it says only where the stream stands.
    pub async fn block(&mut self) -> Option<Message> {
        loop {
            while let Some(end) = self.read.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.read.drain(..end + 2).collect();
                if let Some(message) = self.parse(&String::from_utf8(block).expect("text")) {
                    return Some(message);
                }
            }
            let chunk = timeout(PATIENCE, self.answer.chunk()).await;
            match chunk.expect("something is heard in time") {
                Ok(Some(chunk)) => self.read.extend_from_slice(&chunk),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// A message; none of a comment.
    fn parse(&mut self, block: &str) -> Option<Message> {
        let mut message = Message::default();
        let mut says_something = false;
        for line in block.lines() {
            let Some((field, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut message.event),
                "id" => {
                    message.id = Some(value.to_owned());
                    self.last_event_id.clone_from(&message.id);
                }
                "data" if value.is_empty() => {}
                "data" => message.data = serde_json::from_str(value).expect("data in JSON"),
                _ => continue,
            }
            says_something = true;
        }
        says_something.then_some(message)
    }

    /// The data of the next event of a subscription.
    pub async fn next_event(&mut self) -> Value {
        let mut message = self.hears().await.expect("the stream goes on");
        assert_eq!(message.event, "next", "{message:?}");
        assert_eq!(message.data.get("errors"), None, "{message:?}");
        message.data["data"].take()
    }

    /// Says why, completes and ends.
    pub async fn is_over_because(&mut self) -> String {
        let refused = self.hears().await.expect("a last result");
        assert_eq!(refused.event, "next");
        let code = refused
            .data
            .pointer("/errors/0/extensions/code")
            .and_then(Value::as_str);
        let code = code.unwrap_or_else(|| panic!("no error in {refused:?}"));
        self.completes().await;
        code.to_owned()
    }

    /// Completes and ends.
    pub async fn completes(&mut self) {
        let last = self.hears().await.expect("an end");
        assert_eq!((last.event.as_str(), last.data), ("complete", Value::Null));
        assert_eq!(self.hears().await, None, "the stream has ended");
    }
}

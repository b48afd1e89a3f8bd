//! What the edge refuses, and what it saves: limits, rates, batches, persisted and trusted documents, answers that are known already.

mod attacks;
mod batches;
mod conditional;
mod connections;
mod limits;
mod persisted;
mod rates;
mod shared_stream;

use reqwest::Method;
use serde_json::Value;

use crate::support::Client;

/// The answer to a body of JSON: its status, its headers, and what it says.
async fn posts(who: &Client, body: &Value) -> (u16, reqwest::header::HeaderMap, Value) {
    let sent = who.request(Method::POST, "/graphql").json(body).send();
    let answer = sent.await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    (status, headers, answer.json().await.expect("JSON"))
}

/// A header's text; empty where it is missing.
fn text<'a>(headers: &'a reqwest::header::HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .map_or("", |value| value.to_str().expect("text"))
}

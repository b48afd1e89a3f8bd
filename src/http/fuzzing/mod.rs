//! What strangers send is read by on this floor, for fuzzers: each reader with what it promises.

mod document;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use async_graphql::{Response, ServerError, Value};
use axum::{
    body::Body,
    extract::{Query, Request, ws::Message},
    http::{HeaderValue, Uri, header},
};
use futures_util::FutureExt as _;

use super::{
    card_numbers,
    documents::{Library, TrustedOnly},
    json::{self, Object},
    limits::Limits,
    operation::{Operation, Rules},
    parameters::{self, Parameters, Sent, UrlParameters},
    protocol::{Close, FromClient, FromServer},
    socket,
};
use crate::graphql::finish;

/// What may be said of a request that is refused before it runs. Nothing of it is our mistake.
const CODES: [&str; 3] = [
    "BAD_USER_INPUT",
    "QUERY_TOO_COMPLEX",
    "PERSISTED_QUERY_NOT_FOUND",
];
/// The most bytes of the reason for which a socket is closed (RFC 6455, 5.5).
const REASON: usize = 123;

static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::of(&crate::graphql::sdl()));

/// The body of a POST: what is read of it is an object or a list, and each operation may be run or is refused with a code.
///
/// # Panics
/// When that is not so.
pub fn body(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let with_card = serde_json::json!([{ "a": format!("{text} 4242 4242 4242 4242") }]);
    assert!(card_numbers::in_json(with_card.to_string().as_bytes()));
    let _ = card_numbers::in_json(data);
    let json = serde_json::from_slice::<serde_json::Value>(data);
    match parameters::read(data) {
        Ok(Sent::One(one)) => {
            assert!(json.is_err() || json.is_ok_and(|json| json.is_object()));
            examine(&one);
        }
        Ok(Sent::Several(several)) => {
            let most = Limits::default().batch;
            several.iter().take(most).for_each(examine);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// The address of a GET, and a header of it: as [`body`].
///
/// # Panics
/// When that is not so.
pub fn address(data: &[u8]) {
    let path = [b"/graphql?", data].concat();
    let Ok(uri) = Uri::builder().path_and_query(path).build() else {
        return;
    };
    let mut request = Request::new(Body::empty());
    if let Ok(value) = HeaderValue::from_bytes(data) {
        request.headers_mut().insert(header::USER_AGENT, value);
    }
    if let Ok(Query(given)) = Query::<UrlParameters>::try_from_uri(&uri) {
        match parameters::read_url(given) {
            Ok(parameters) => examine(&parameters),
            Err(sentence) => assert!(!sentence.is_empty()),
        }
    }
    *request.uri_mut() = uri;
    let _ = card_numbers::in_head(&request);
}

/// A message on a socket: as [`body`], or it closes the socket by the protocol.
///
/// # Panics
/// When that is not so.
pub fn message(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match socket::read(&Message::Text(text.into())) {
        Ok(Some(FromClient::ConnectionInit { payload })) => {
            match socket::token_of(payload.as_ref()) {
                Ok(token) => assert!(token.is_none_or(|token| !token.is_empty())),
                Err(close) => assert_eq!(close, Close::Forbidden),
            }
        }
        Ok(Some(FromClient::Ping { payload })) => {
            assert!(json::text(&FromServer::Pong { payload }).is_some());
        }
        Ok(Some(FromClient::Subscribe {
            id,
            payload: Object(parameters),
        })) => {
            assert!(json::text(&FromServer::Complete { id: &id }).is_some());
            assert!(Close::SubscriberExists(id).frame().reason.len() <= REASON);
            examine(&parameters);
        }
        Ok(Some(FromClient::Pong {} | FromClient::Complete { .. })) => {}
        Err(Some(close @ Close::BadMessage(_))) => assert!(close.frame().reason.len() <= REASON),
        Ok(None) | Err(_) => panic!("a text is a message of the protocol, or a bad one"),
    }
}

/// A document: the parser reads no more of it than there are tokens, and it may be run or is refused with a code.
///
/// # Panics
/// When that is not so.
pub fn document(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        document::reads_no_more_than_its_tokens(text);
        prepare(text, None, None);
    }
}

/// Does with parameters what is done before anything of them runs.
fn examine(parameters: &Parameters) {
    let library = Library {
        sent: None,
        trusted: Arc::default(),
        only: TrustedOnly::Nobody,
    };
    let found = parameters.named().and_then(|named| {
        let found = library.find(named, false).now_or_never();
        found.expect("nothing is waited for where nothing is kept")
    });
    match found {
        Ok(document) => prepare(
            &document,
            parameters.operation_name(),
            parameters.variables(),
        ),
        Err(error) => is_a_mistake(error),
    }
}

fn prepare(
    document: &str,
    name: Option<&str>,
    variables: Option<&serde_json::Map<String, serde_json::Value>>,
) {
    let limits = Limits::default();
    match Operation::prepare(&limits, &RULES, document, name, variables) {
        Ok(operation) => {
            assert!((1..=limits.cost).contains(&operation.cost));
            document::is_within_limits(document, name, &limits);
        }
        Err(error) => is_a_mistake(error),
    }
}

/// Whether an error is the client's, and says so.
fn is_a_mistake(error: ServerError) {
    let answer = finish(Response::from_errors(vec![error]));
    for error in answer.errors {
        let code = error.extensions.as_ref().and_then(|them| them.get("code"));
        let is_known = |code: &Value| CODES.iter().any(|known| *code == Value::from(*known));
        assert!(code.is_some_and(is_known), "{error:?}");
        assert!(!error.message.is_empty());
    }
}

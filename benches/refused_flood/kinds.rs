//! The kinds of requests that are refused, and how.

use axum::body::Bytes;
use serde_json::json;

/// One kind.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) sent: Sent,
}

/// What is sent, and what it gets.
pub(super) enum Sent {
    /// By POST; with an access token that is not good, where it has one.
    Post {
        body: Bytes,
        token: Option<String>,
        refusal: Refusal,
    },
    /// This message on a socket of its own, which is closed with this code.
    Message { text: String, close: u16 },
}

/// How a request is refused.
pub(super) struct Refusal {
    pub(super) status: u16,
    /// The code of its first error.
    pub(super) code: &'static str,
    /// Which limit it was over.
    pub(super) limit: Option<&'static str>,
}

/// Of each kind one. The token looks as a good one does, and another key signed it.
pub(super) fn all(forged: &str) -> Vec<Kind> {
    let step = |n: usize| format!("fragment F{n} on Query {{ ...F{m} ...F{m} }} ", m = n + 1);
    let steps: String = (0..25).map(step).collect();
    let doubling = format!("{{ ...F0 }} {steps} fragment F25 on Query {{ __typename }}");
    let aliases: Vec<_> = (0..18).map(|n| format!("a{n}: __typename")).collect();
    let dear =
        "{ properties(first: 100) { nodes { host { properties(first: 100) { nodes { id } } } } } }";
    let batch = vec![json!({ "query": "{ __typename }" }); 30];
    let book = "mutation { createBooking(input: { propertyId: \"1\", checkIn: \"2030-01-01\", checkOut: \"2030-01-02\" }) { userErrors { code } } }";
    let init = json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {forged}") } });
    let early = json!({ "type": "subscribe", "id": "1", "payload": { "query": "{ __typename }" } });
    vec![
        over(
            "depth",
            &format!("{} {}", "{ a ".repeat(30), "}".repeat(30)),
        ),
        over("tokens", &format!("{{ {} }}", "a ".repeat(5_000))),
        // As large as a body may be, and with a letter that makes every look at it a long one.
        over(
            "tokens, 250 KiB",
            &format!("{{ {} }} # é", "a ".repeat(125 << 10)),
        ),
        over("aliases", &format!("{{ {} }}", aliases.join(" "))),
        over("fields", &doubling),
        over("cost", dear),
        post(
            "batch",
            &json!(batch),
            400,
            "QUERY_TOO_COMPLEX",
            Some("batch"),
        ),
        asked(
            "no such field",
            "{ nothing { at { all } } }",
            400,
            "BAD_USER_INPUT",
        ),
        asked("no document", "{ properties(first: ", 400, "BAD_USER_INPUT"),
        asked("signed out", book, 200, "UNAUTHENTICATED"),
        Kind {
            name: "forged token",
            sent: Sent::Post {
                body: json!({ "query": "{ __typename }" }).to_string().into(),
                token: Some(forged.to_owned()),
                refusal: Refusal {
                    status: 401,
                    code: "UNAUTHENTICATED",
                    limit: None,
                },
            },
        },
        post(
            "no JSON",
            &"{\"query\": \"{ __typename }\"",
            400,
            "BAD_USER_INPUT",
            None,
        ),
        post(
            "300 KiB",
            &json!({ "query": " ".repeat(300 << 10) }),
            413,
            "BAD_USER_INPUT",
            None,
        ),
        message("socket: no message", "{\"type\": \"anything\"}", 4400),
        message("socket: forged token", &init.to_string(), 4403),
        message("socket: no introduction", &early.to_string(), 4401),
    ]
}

/// A document that is over a limit, which is the first word of the name.
fn over(name: &'static str, query: &str) -> Kind {
    let limit = name.split(',').next();
    post(
        name,
        &json!({ "query": query }),
        400,
        "QUERY_TOO_COMPLEX",
        limit,
    )
}

fn asked(name: &'static str, query: &str, status: u16, code: &'static str) -> Kind {
    post(name, &json!({ "query": query }), status, code, None)
}

fn post(
    name: &'static str,
    body: &impl ToString,
    status: u16,
    code: &'static str,
    limit: Option<&'static str>,
) -> Kind {
    let refusal = Refusal {
        status,
        code,
        limit,
    };
    let body = body.to_string().into();
    Kind {
        name,
        sent: Sent::Post {
            body,
            token: None,
            refusal,
        },
    }
}

fn message(name: &'static str, text: &str, close: u16) -> Kind {
    let text = text.to_owned();
    Kind {
        name,
        sent: Sent::Message { text, close },
    }
}

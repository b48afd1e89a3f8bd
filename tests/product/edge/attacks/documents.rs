//! Documents that are made to keep a machine busy, or to bring it down.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::super::posts;
use crate::support::{Client, World};

/// How long an answer may take that costs a look.
const SOON: Duration = Duration::from_secs(5);

/// The error's extensions and message.
async fn refusal(who: &Client, what: &str, body: &Value) -> (Value, String) {
    let answer = timeout(SOON, posts(who, body)).await;
    let (_, _, answer) = answer.unwrap_or_else(|_| panic!("{what} holds the server up"));
    let error = answer
        .pointer("/errors/0")
        .or(answer.pointer("/0/errors/0"));
    let error = error.unwrap_or_else(|| panic!("{what} is answered: {answer}"));
    let message = error["message"].as_str().expect("a sentence").to_owned();
    (error["extensions"].clone(), message)
}

/// Fragments of which each has the next one twice, down to this selection.
fn doubling(steps: usize, last: &str) -> String {
    let step = |n: usize| format!("fragment f{n} on Query {{...f{m} ...f{m}}} ", m = n + 1);
    let all: String = (0..steps).map(step).collect();
    format!("{all} fragment f{steps} on Query {{{last}}}")
}

/// The executor walks through every operation of a document before it runs one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_that_is_not_meant_is_counted_like_the_one_that_is() {
    let world = World::on_sqlite().await;
    let stranger = world.stranger();
    for other in [
        "query B { ...f0 }",
        "mutation B { ...f0 }",
        "query B { ...f0 @skip(if: true) }",
    ] {
        let query = format!(
            "query A {{ __typename }} {other} {}",
            doubling(11, "__typename")
        );
        let body = json!({ "query": query, "operationName": "A" });
        for body in [json!([body]), body.clone()] {
            let (told, _) = refusal(&stranger, other, &body).await;
            let limit = json!({ "name": "fields", "most": 1_000, "found": 2_049 });
            assert_eq!(
                (&told["code"], &told["limit"]),
                (&json!("QUERY_TOO_COMPLEX"), &limit)
            );
        }
        let mut socket = stranger.opens_a_socket().await;
        socket
            .say(json!({ "type": "subscribe", "id": "a", "payload": body }))
            .await;
        assert_eq!(
            socket.hears().await["payload"][0]["extensions"]["limit"]["name"],
            "fields"
        );
    }
    let operations: Vec<_> = (0..12)
        .map(|n| format!("query Q{n} {{ ...f0 }} "))
        .collect();
    let operations = operations.concat();
    let body = json!({ "query": format!("{operations} {}", doubling(7, "__typename")), "operationName": "Q1" });
    let (told, _) = refusal(&stranger, "many", &body).await;
    assert_eq!(told["limit"]["found"], 12 * 128, "all of them together");
    let few = "query A { __typename } query B { ...F } fragment F on Query { __typename }";
    let (_, _, fine) = posts(&stranger, &json!({ "query": few, "operationName": "A" })).await;
    assert_eq!(fine, json!({ "data": { "__typename": "Query" } }));
}

/// Where nothing is at the end, there are no fields to count on the way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fragments_that_double_and_end_in_one_that_is_not_there_do_not_hold_the_server_up() {
    let world = World::on_sqlite().await;
    for query in [
        "query A { ...f0 }",
        "query A { __typename } query B { ...f0 }",
    ] {
        let query = format!("{query} {}", doubling(30, "...nothing"));
        let body = json!({ "query": query, "operationName": "A" });
        let (told, message) = refusal(&world.stranger(), &query, &body).await;
        assert_eq!(
            (&told["code"], message.as_str()),
            (&json!("BAD_USER_INPUT"), "There is no fragment nothing.")
        );
    }
    for (steps, limit) in [(25, "fields"), (100, "levels")] {
        let most = doubling(steps, "a: __typename @include(if: true)");
        let wrapped = json!({ "query": format!("{{ b: __typename @include(if: true) ...f0 @include(if: true) }} {most}") });
        let (told, _) = refusal(&world.stranger(), "more than can be counted", &wrapped).await;
        assert_eq!(told["limit"]["name"], limit);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_circle_of_fragments_is_refused_wherever_it_stands() {
    let world = World::on_sqlite().await;
    let circle = "fragment F on Query { ...G } fragment G on Query { ... on Query { ...F } }";
    for operations in [
        "{ ...F }",
        "query A { __typename } query B { ...F }",
        "{ __typename }",
        "{ ...F @skip(if: true) }",
        "{ ... @include(if: false) { ...G } }",
    ] {
        let body = json!({ "query": format!("{operations} {circle}"), "operationName": operations.contains('A').then_some("A") });
        let (told, _) = refusal(&world.stranger(), operations, &body).await;
        assert_eq!(told["code"], "BAD_USER_INPUT", "{operations}");
    }
}

/// As deep as the tokens of one document go: nothing of it may run out of stack.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_nested_as_deep_as_a_document_is_long_is_refused() {
    let world = World::on_sqlite().await;
    let nested = |open: &str, within: &str, close: &str, times: usize| {
        format!("{}{within}{}", open.repeat(times), close.repeat(times))
    };
    for (what, query) in [
        (
            "lists",
            format!(
                "{{ properties(filter: {{ amenities: {} }}) {{ totalCount }} }}",
                nested("[", "", "]", 970)
            ),
        ),
        (
            "open lists",
            format!("{{ properties(filter: {{ amenities: {}", "[".repeat(1_950)),
        ),
        (
            "objects",
            format!(
                "{{ properties(filter: {}) {{ totalCount }} }}",
                nested("{a:", "1", "}", 490)
            ),
        ),
        (
            "defaults",
            format!(
                "query($x: [String] = {}) {{ __typename }}",
                nested("[", "", "]", 970)
            ),
        ),
        (
            "types",
            format!(
                "query($x: {}) {{ __typename }}",
                nested("[", "Int", "]", 970)
            ),
        ),
        ("fields", format!("{{ {} }}", nested("a{", "a", "}", 660))),
        (
            "fragments without a name",
            format!("{{ {} }}", nested("...{", "nothing", "}", 390)),
        ),
        (
            "host and properties in a circle",
            format!(
                "{{ {} }}",
                nested("properties { nodes { host { ", "id", "} } }", 220)
            ),
        ),
    ] {
        let (told, _) = refusal(&world.stranger(), what, &json!({ "query": query })).await;
        assert!(
            ["BAD_USER_INPUT", "QUERY_TOO_COMPLEX"]
                .iter()
                .any(|code| told["code"] == *code),
            "{what}: {told}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn variables_are_bounded_in_depth_and_length_before_they_are_used() {
    let world = World::on_sqlite().await;
    let nodes = "query($x: [ID!]!) { nodes(ids: $x) { id } }";
    let find = "query($x: PropertyFilter) { properties(filter: $x) { totalCount } }";
    let deep = |times: usize| -> Value {
        (0..times).fold(json!(1), |value, n| {
            if n % 2 == 0 {
                json!([value])
            } else {
                json!({ "text": value })
            }
        })
    };
    for (what, query, value, code) in [
        (
            "many ids",
            nodes,
            json!(vec!["x"; 20_000]),
            "QUERY_TOO_COMPLEX",
        ),
        (
            "many words",
            find,
            json!({ "amenities": vec!["wifi"; 20_000] }),
            "BAD_USER_INPUT",
        ),
        (
            "a long text",
            find,
            json!({ "text": "x".repeat(250_000) }),
            "BAD_USER_INPUT",
        ),
        ("as deep as is read", find, deep(120), "BAD_USER_INPUT"),
        ("deeper than is read", find, deep(130), "BAD_USER_INPUT"),
        (
            "a list in place of an id",
            nodes,
            deep(120),
            "BAD_USER_INPUT",
        ),
    ] {
        let body = json!({ "query": query, "variables": { "x": value } });
        let (told, message) = refusal(&world.stranger(), what, &body).await;
        assert_eq!(told["code"], code, "{what}: {message}");
    }
    let unused = json!({ "query": "{ __typename }", "variables": { "x": deep(120), "__proto__": { "constructor": 1 }, "": null } });
    assert_eq!(
        posts(&world.stranger(), &unused).await.2,
        json!({ "data": { "__typename": "Query" } })
    );
}

/// Whoever looks at a request on its way here may take the other of two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_twice_in_a_request_is_refused() {
    let world = World::on_sqlite().await;
    for body in [
        r#"{"query":"{ __typename }","query":"{ viewer { email } }"}"#,
        r#"{"query":"query($x: Int) { __typename @skip(if: false) }","variables":{},"variables":{"x":1}}"#,
        r#"{"query":"query A { __typename }","operationName":"B","operationName":"A"}"#,
        r#"[{"query":"{ __typename }","query":"{ __typename }"}]"#,
    ] {
        let request = world.stranger().request(reqwest::Method::POST, "/graphql");
        let sent = request
            .header("content-type", "application/json")
            .body(body)
            .send();
        assert_eq!(sent.await.expect("an answer").status(), 400, "{body}");
    }
    for path in [
        "query=%7B__typename%7D&query=%7B__typename%7D",
        "query=%7B__typename%7D&operationName=A&operationName=",
    ] {
        let sent = world
            .stranger()
            .request(reqwest::Method::GET, &format!("/graphql?{path}"))
            .send();
        assert_eq!(sent.await.expect("an answer").status(), 400, "{path}");
    }
}

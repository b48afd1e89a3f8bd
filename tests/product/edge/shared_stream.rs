//! One stream of events for all that a client runs: reserved, opened, used, and closed.

use std::time::Instant;

use chrono::Duration;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{Client, EventStream, World, on_both_engines};

const EVENTS: &str = "subscription { viewerBookingStatusChanged { to } }";
const TOKEN: &str = "x-graphql-event-stream-token";

async fn reserves(who: &Client) -> String {
    let answer = who.request(Method::PUT, "/graphql").send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 201);
    answer.text().await.expect("a token")
}

/// As a browser's `EventSource` does, which can't send a header of its own.
async fn opens(world: &World, token: &str) -> Response {
    let path = format!("/graphql?token={token}");
    let request = world.stranger().request(Method::GET, &path);
    let request = request.header("accept", "text/event-stream");
    request.send().await.expect("an answer")
}

async fn has_a_stream(world: &World, who: &Client) -> (String, EventStream) {
    let token = reserves(who).await;
    let stream = EventStream::of(opens(world, &token).await);
    (token, stream)
}

/// Asks for an operation; gives the status, and the code of what was refused.
async fn asks(who: &Client, token: &str, id: &str, query: &str) -> (u16, Value) {
    let body = json!({ "query": query, "extensions": { "operationId": id } });
    let request = who.request(Method::POST, "/graphql").header(TOKEN, token);
    let answer = request.json(&body).send().await.expect("an answer");
    let status = answer.status().as_u16();
    let answer: Value = answer.json().await.unwrap_or_default();
    (status, answer["errors"][0]["extensions"]["code"].clone())
}

async fn ends(who: &Client, token: &str, id: &str) -> u16 {
    let path = format!("/graphql?operationId={id}");
    let request = who.request(Method::DELETE, &path).header(TOKEN, token);
    request.send().await.expect("an answer").status().as_u16()
}

/// The next event: its name, the operation's id, and what it was told.
async fn next(stream: &mut EventStream) -> (String, String, Value) {
    let mut message = stream.hears().await.expect("the stream goes on");
    let id = message.data["id"].as_str().expect("an id").to_owned();
    (message.event, id, message.data["payload"].take())
}

async fn is_complete(stream: &mut EventStream, id: &str) {
    let (event, of, payload) = next(stream).await;
    assert_eq!(
        (event.as_str(), of.as_str(), payload),
        ("complete", id, Value::Null)
    );
}

on_both_engines! {
    async fn all_that_a_client_runs_comes_over_one_stream(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let (token, mut stream) = has_a_stream(&world, &host).await;
        assert_eq!(asks(&host, &token, "events", EVENTS).await, (202, Value::Null));
        assert_eq!(asks(&host, &token, "who", "{ viewer { email } }").await.0, 202);
        let (event, id, payload) = next(&mut stream).await;
        assert_eq!((event.as_str(), id.as_str(), &payload["data"]["viewer"]["email"]), ("next", "who", &json!("hana@example.com")));
        is_complete(&mut stream, "who").await;
        let rename = "mutation { updateProfile(input: { fullName: \"Hana B\" }) { viewer { user { fullName } } } }";
        assert_eq!(asks(&host, &token, "rename", rename).await.0, 202);
        assert_eq!(next(&mut stream).await.2["data"]["updateProfile"]["viewer"]["user"]["fullName"], "Hana B");
        is_complete(&mut stream, "rename").await;
        guest.books(&property, &world.day(1), &world.day(2)).await;
        let (_, id, payload) = next(&mut stream).await;
        assert_eq!((id.as_str(), &payload["data"]["viewerBookingStatusChanged"]["to"]), ("events", &json!("PENDING")));
        // Who has ended an operation hears no more of it, and may use its id again.
        assert_eq!(ends(&host, &token, "events").await, 200);
        guest.books(&property, &world.day(3), &world.day(4)).await;
        assert_eq!(asks(&host, &token, "events", "{ __typename }").await.0, 202);
        assert_eq!(next(&mut stream).await.2["data"]["__typename"], "Query");
        is_complete(&mut stream, "events").await;
    }

    async fn what_was_asked_for_before_the_stream_is_opened_is_told_when_it_is(world: World) {
        let guest = world.guest("gus").await;
        let token = reserves(&guest).await;
        assert_eq!(asks(&guest, &token, "early", "{ viewer { email } }").await.0, 202);
        let mut stream = EventStream::of(opens(&world, &token).await);
        assert_eq!(next(&mut stream).await.2["data"]["viewer"]["email"], "gus@example.com");
        is_complete(&mut stream, "early").await;
    }

    async fn what_cannot_be_run_is_refused_where_it_was_asked_for(world: World) {
        let guest = world.guest("gus").await;
        let (token, mut stream) = has_a_stream(&world, &guest).await;
        let deep = format!("{{ {} }}", "nodes(ids: []) { id } ".repeat(21));
        for (query, code) in [
            ("{", "BAD_USER_INPUT"),
            ("{ nothing }", "BAD_USER_INPUT"),
            ("subscription { nothing }", "BAD_USER_INPUT"),
            (&deep, "QUERY_TOO_COMPLEX"),
        ] {
            let (status, told) = asks(&guest, &token, "wrong", query).await;
            assert_eq!((status, told), (200, json!(code)), "{query}");
        }
        for id in ["", &"i".repeat(129)] {
            assert_eq!(asks(&guest, &token, id, "{ __typename }").await, (400, json!("BAD_USER_INPUT")), "{id}");
        }
        let list = json!([{ "query": "{ __typename }", "extensions": { "operationId": "listed" } }]);
        let request = guest.request(Method::POST, "/graphql").header(TOKEN, &token).json(&list);
        assert_eq!(request.send().await.expect("an answer").status(), 400, "a list");
        assert_eq!(asks(&guest, &token, "events", EVENTS).await.0, 202);
        assert_eq!(asks(&guest, &token, "events", EVENTS).await, (409, json!("BAD_USER_INPUT")));
        assert_eq!(opens(&world, &token).await.status(), 409, "it is open already");
        for number in 1..20 {
            assert_eq!(asks(&guest, &token, &number.to_string(), EVENTS).await.0, 202);
        }
        assert_eq!(asks(&guest, &token, "one too many", EVENTS).await, (429, json!("RATE_LIMITED")));
        // What was refused is not told on the stream.
        assert_eq!(ends(&guest, &token, "1").await, 200);
        assert_eq!(asks(&guest, &token, "fine", "{ __typename }").await.0, 202);
        assert_eq!(next(&mut stream).await.1, "fine");
    }

    async fn a_stream_is_its_callers_alone(world: World) {
        let guest = world.guest("gus").await;
        let (token, mut stream) = has_a_stream(&world, &guest).await;
        let other = world.guest("nora").await;
        for who in [&other, &world.stranger()] {
            assert_eq!(asks(who, &token, "mine", "{ __typename }").await, (404, json!("NOT_FOUND")));
            assert_eq!(ends(who, &token, "mine").await, 404);
        }
        let unopened = reserves(&guest).await;
        let request = other.request(Method::GET, "/graphql").header(TOKEN, &unopened).header("accept", "text/event-stream");
        assert_eq!(request.send().await.expect("an answer").status(), 404, "somebody else's token is not good there");
        for token in ["", "nobody-was-given-this"] {
            assert_eq!(opens(&world, token).await.status(), 404, "{token}");
            assert_eq!(asks(&guest, token, "lost", "{ __typename }").await.0, 404, "{token}");
            assert_eq!(ends(&guest, token, "lost").await, 404, "{token}");
        }
        assert_eq!(asks(&guest, &token, "mine", "{ __typename }").await.0, 202);
        assert_eq!(next(&mut stream).await.1, "mine");
    }

    async fn a_stream_ends_with_its_session_and_says_why(world: World) {
        let guest = world.guest("gus").await;
        let (token, mut stream) = has_a_stream(&world, &guest).await;
        assert_eq!(asks(&guest, &token, "events", EVENTS).await.0, 202);
        guest.get("mutation { signOut { userErrors { code } } }", json!({})).await;
        let (event, id, payload) = next(&mut stream).await;
        assert_eq!((event.as_str(), id.as_str()), ("next", "events"));
        assert_eq!(payload["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        is_complete(&mut stream, "events").await;
        assert_eq!(stream.hears().await, None, "the stream has ended");
    }

    async fn a_reservation_that_nobody_comes_for_is_given_up(world: World) {
        let guest = world.guest("gus").await;
        let token = reserves(&guest).await;
        world.clock.advance(Duration::seconds(31));
        assert_eq!(opens(&world, &token).await.status(), 404);
        assert_eq!(asks(&guest, &token, "late", "{ __typename }").await.0, 404);
    }

    async fn a_stream_that_its_client_closed_is_gone(world: World) {
        let guest = world.guest("gus").await;
        let (token, stream) = has_a_stream(&world, &guest).await;
        assert_eq!(asks(&guest, &token, "events", EVENTS).await.0, 202);
        drop(stream);
        // The server hears of it in its own time.
        for number in 0.. {
            assert!(number < 1_000, "it was never found gone");
            if asks(&guest, &token, &number.to_string(), "{ __typename }").await.0 == 404 {
                break;
            }
        }
    }
}

#[tokio::test]
async fn who_reads_nothing_is_cut_off_before_much_waits_for_them() {
    let world = World::on_sqlite().await;
    let host = world.host("hana").await;
    let description = "quiet ".repeat(800);
    for _ in 0..20 {
        host.lists(json!({ "description": description })).await;
    }
    // About a megabyte.
    let page = |n| format!("a{n}: properties(first: 20) {{ nodes {{ description }} }} ");
    let pages: String = (0..10).map(page).collect();
    let (token, _unread) = has_a_stream(&world, &host).await;
    let begun = Instant::now();
    for number in 0.. {
        let id = number.to_string();
        assert!(begun.elapsed().as_secs() < 60, "it goes on for ever");
        match asks(&host, &token, &id, &format!("{{ {pages} }}")).await.0 {
            202 | 429 => {}
            status => {
                assert_eq!(status, 404, "the stream is gone");
                break;
            }
        }
    }
}

//! GraphQL over WebSocket, by `graphql-transport-ws`.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, Socket, World, on_both_engines};

const EVENTS: &str =
    "subscription($after: String) { viewerBookingStatusChanged(after: $after) { cursor to } }";

/// The code with which a socket is closed that says this right after it was opened.
async fn closes(world: &World, message: Message) -> u16 {
    let mut socket = world.stranger().opens_a_raw_socket().await;
    socket.say_raw(message).await;
    socket.is_closed().await.0
}

/// The same for a socket that was acknowledged.
async fn closes_later(world: &World, message: Message) -> u16 {
    let mut socket = world.stranger().opens_a_socket().await;
    socket.say_raw(message).await;
    socket.is_closed().await.0
}

fn text(message: &Value) -> Message {
    Message::text(message.to_string())
}

fn subscribe(id: &str, query: &str) -> Message {
    text(&json!({ "type": "subscribe", "id": id, "payload": { "query": query } }))
}

/// What was heard comes after everything that the server had to say before.
async fn is_quiet(socket: &mut Socket) {
    socket
        .say(json!({ "type": "ping", "payload": { "are you": "there" } }))
        .await;
    assert_eq!(
        socket.hears().await,
        json!({ "type": "pong", "payload": { "are you": "there" } })
    );
}

/// A guest with a booking, and the cursor of the event that made it.
async fn a_booking(world: &World) -> (Client, Value, Value) {
    let property = world.host("hana").await.lists(json!({})).await;
    let guest = world.guest("gus").await;
    let booking = guest.books(&property, &world.day(1), &world.day(2)).await;
    let cursor = booking["events"][0]["cursor"].clone();
    (guest, booking, cursor)
}

on_both_engines! {
    async fn queries_and_mutations_run_over_the_socket(world: World) {
        let guest = world.guest("gus").await;
        let mut socket = guest.opens_a_socket().await;
        let query = "query Who($skip: Boolean!) { viewer { email @skip(if: $skip) user { id } } } query Other { __typename }";
        let payload = json!({ "query": query, "operationName": "Who", "variables": { "skip": false }, "extensions": {} });
        socket.say(json!({ "type": "subscribe", "id": "q", "payload": payload })).await;
        assert_eq!(socket.hears().await, json!({
            "type": "next", "id": "q", "payload": { "data": { "viewer": { "email": "gus@example.com", "user": { "id": guest.id } } } },
        }));
        assert_eq!(socket.hears().await, json!({ "type": "complete", "id": "q" }));
        socket.subscribe("m", "mutation { becomeHost { viewer { user { role } } } }", json!({})).await;
        assert_eq!(socket.hears().await["payload"]["data"]["becomeHost"]["viewer"]["user"]["role"], "HOST");
        assert_eq!(socket.hears().await, json!({ "type": "complete", "id": "m" }));
        let mut anonymous = world.stranger().opens_a_socket().await;
        anonymous.subscribe("q", "{ viewer { email } }", json!({})).await;
        assert_eq!(anonymous.hears().await["payload"], json!({ "data": { "viewer": null } }));
    }

    async fn what_can_not_run_is_answered_with_error_and_its_id_can_be_used_again(world: World) {
        let mut socket = world.stranger().opens_a_socket().await;
        for query in ["{", "{ nothing }", "query A { __typename } query B { __typename }", r#"{ property(id: "\uD800") { id } }"#] {
            socket.subscribe("same", query, json!({})).await;
            let refused = socket.hears().await;
            assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("same")), "{refused}");
            assert_eq!(refused["payload"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused}");
        }
        socket.subscribe("same", "{ __typename }", json!({})).await;
        assert_eq!(socket.hears().await["type"], "next", "error ends an operation, no complete comes after it");
        assert_eq!(socket.hears().await, json!({ "type": "complete", "id": "same" }));
        socket.subscribe("same", "{ __typename property(id: \"x\") { id } }", json!({})).await;
        let partly = socket.hears().await;
        assert_eq!((&partly["type"], &partly["payload"]["data"]["__typename"]), (&json!("next"), &json!("Query")), "a field failed, not the operation");
    }

    async fn complete_stops_a_subscription_and_its_id_can_be_used_again(world: World) {
        let (guest, booking, cursor) = a_booking(&world).await;
        guest.pays(&booking).await;
        let mut socket = guest.opens_a_socket().await;
        for id in ["stops", "goes on"] {
            socket.subscribe(id, EVENTS, json!({ "after": cursor })).await;
            assert_eq!(socket.next_event().await["viewerBookingStatusChanged"]["to"], "CONFIRMED");
        }
        socket.say(json!({ "type": "complete", "id": "stops" })).await;
        socket.say(json!({ "type": "complete", "id": "never was" })).await;
        is_quiet(&mut socket).await;
        guest.mutate_by_id("cancelBooking", booking["id"].as_str().expect("an id"), "booking { id }").await;
        let heard = socket.hears().await;
        assert_eq!((&heard["type"], &heard["id"]), (&json!("next"), &json!("goes on")));
        let cancelled = heard["payload"]["data"]["viewerBookingStatusChanged"].clone();
        assert_eq!(cancelled["to"], "CANCELLED");
        is_quiet(&mut socket).await;
        socket.subscribe("stops", EVENTS, json!({ "after": cursor })).await;
        for to in ["CONFIRMED", "CANCELLED"] {
            let heard = socket.hears().await;
            assert_eq!((&heard["id"], &heard["payload"]["data"]["viewerBookingStatusChanged"]["to"]), (&json!("stops"), &json!(to)));
        }
    }

    async fn the_twenty_first_operation_is_refused_and_the_others_go_on(world: World) {
        let (guest, booking, cursor) = a_booking(&world).await;
        guest.pays(&booking).await;
        let mut socket = guest.opens_a_socket().await;
        for number in 0..20 {
            socket.subscribe(&number.to_string(), EVENTS, json!({ "after": cursor })).await;
            assert_eq!(socket.next_event().await["viewerBookingStatusChanged"]["to"], "CONFIRMED");
        }
        socket.subscribe("one too many", EVENTS, json!({})).await;
        let refused = socket.hears().await;
        assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("one too many")));
        assert_eq!(refused["payload"][0]["extensions"]["code"], "RATE_LIMITED", "{refused}");
        guest.mutate_by_id("cancelBooking", booking["id"].as_str().expect("an id"), "booking { id }").await;
        let mut heard: Vec<String> = Vec::new();
        for _ in 0..20 {
            let event = socket.hears().await;
            assert_eq!(event["payload"]["data"]["viewerBookingStatusChanged"]["to"], "CANCELLED");
            heard.push(event["id"].as_str().expect("an id").to_owned());
        }
        heard.sort();
        heard.dedup();
        assert_eq!(heard.len(), 20, "each once");
        socket.say(json!({ "type": "complete", "id": "7" })).await;
        socket.subscribe("one too many", "{ __typename }", json!({})).await;
        assert_eq!(socket.hears().await["type"], "next", "there is room again");
    }

    async fn a_socket_is_as_good_as_its_token(world: World) {
        let guest = world.guest("gus").await;
        let token = guest.token.clone().expect("a token");
        for value in [json!("Bearer garbage"), json!(format!("Bearer {token}x")), json!(format!("Basic {token}")), json!(token), json!(""), json!(7), json!({})] {
            let init = json!({ "type": "connection_init", "payload": { "authorization": value } });
            assert_eq!(closes(&world, text(&init)).await, 4403, "{value}");
        }
        for payload in [json!({ "Authorization": format!("bearer {token}") }), json!({ "authorization": format!("Bearer {token}"), "other": [1] })] {
            let mut socket = world.stranger().opens_a_raw_socket().await;
            socket.say(json!({ "type": "connection_init", "payload": payload })).await;
            assert_eq!(socket.hears().await, json!({ "type": "connection_ack" }));
            socket.subscribe("q", "{ viewer { email } }", json!({})).await;
            assert_eq!(socket.next_event().await["viewer"]["email"], "gus@example.com");
        }
    }

    async fn signing_out_closes_the_sockets_of_the_session(world: World) {
        let guest = world.guest("gus").await;
        let (mut own, mut other) = (guest.opens_a_socket().await, world.guest("olga").await.opens_a_socket().await);
        guest.get("mutation { signOut { userErrors { code } } }", json!({})).await;
        let token = guest.token.clone().expect("a token");
        let init = json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } });
        assert_eq!(closes(&world, text(&init)).await, 4403, "no new one is opened");
        assert_eq!(own.is_closed().await.0, 4403);
        is_quiet(&mut other).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_breaks_the_protocol_is_told_how_by_the_close_code() {
    let world = World::on_sqlite().await;
    let mut mute = world.stranger().opens_a_socket_without_subprotocol().await;
    assert_eq!(mute.is_closed().await.0, 4406, "no subprotocol");
    let init = text(&json!({ "type": "connection_init" }));
    assert_eq!(closes_later(&world, init).await, 4429, "a second init");
    assert_eq!(
        closes(&world, subscribe("a", "{ __typename }")).await,
        4401,
        "an operation before the init"
    );
    let wrong = [
        Message::text(""),
        Message::text("garbage"),
        Message::text("null"),
        Message::text("[]"),
        Message::text("{}"),
        Message::text(r#"["ping"]"#),
        Message::text(r#"["ping",{}]"#),
        Message::text(r#"{"type":"pong""#),
        Message::binary(br#"{"type":"ping"}"#.to_vec()),
        text(&json!({ "type": "unknown" })),
        text(&json!({ "type": "connection_ack" })),
        text(&json!({ "type": "next", "id": "a", "payload": {} })),
        text(&json!({ "type": "start", "id": "a", "payload": { "query": "{ __typename }" } })),
        text(&json!({ "type": "ping", "payload": "text" })),
        text(&json!({ "type": "ping", "payload": [] })),
        text(&json!({ "type": "subscribe" })),
        text(&json!({ "type": "subscribe", "id": "a" })),
        text(&json!({ "type": "subscribe", "payload": { "query": "{ __typename }" } })),
        text(&json!({ "type": "subscribe", "id": 1, "payload": { "query": "{ __typename }" } })),
        text(&json!({ "type": "subscribe", "id": "a", "payload": {} })),
        text(&json!({ "type": "subscribe", "id": "a", "payload": { "query": 1 } })),
        text(&json!({ "type": "subscribe", "id": "a", "payload": ["{ __typename }", null, null] })),
        text(
            &json!({ "type": "subscribe", "id": "a", "payload": { "query": "{ __typename }", "variables": [] } }),
        ),
        text(&json!({ "type": "complete" })),
    ];
    for message in wrong {
        assert_eq!(
            closes(&world, message.clone()).await,
            4400,
            "before the init: {message}"
        );
        assert_eq!(
            closes_later(&world, message.clone()).await,
            4400,
            "after it: {message}"
        );
    }
    let init = text(&json!({ "type": "connection_init", "payload": "Bearer" }));
    assert_eq!(closes(&world, init).await, 4400, "a payload is an object");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_is_empty_or_very_long_closes_the_socket() {
    let world = World::on_sqlite().await;
    let guest = world.guest("gus").await;
    for id in [String::new(), "i".repeat(129)] {
        let mut socket = guest.opens_a_socket().await;
        socket.subscribe(&id, EVENTS, json!({})).await;
        assert_eq!(socket.is_closed().await.0, 4400);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_is_in_use_closes_the_socket() {
    let world = World::on_sqlite().await;
    let mut socket = world.guest("gus").await.opens_a_socket().await;
    let long = "界".repeat(42);
    for _ in 0..2 {
        socket.subscribe(&long, EVENTS, json!({})).await;
    }
    let (code, reason) = socket.is_closed().await;
    assert_eq!(code, 4409);
    assert!(
        reason.starts_with("Subscriber for 界") && reason.ends_with("already exists"),
        "{reason}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_introduce_itself_is_closed_after_three_seconds() {
    let world = World::on_sqlite().await;
    let mut socket = world.stranger().opens_a_raw_socket().await;
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(
        socket.hears().await,
        json!({ "type": "pong" }),
        "a ping is no introduction"
    );
    let begun = tokio::time::Instant::now();
    assert_eq!(socket.is_closed().await.0, 4408);
    let waited = begun.elapsed();
    assert!(waited > Duration::from_millis(2_500), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ping_is_answered_with_its_own_payload_before_and_after_the_introduction() {
    let world = World::on_sqlite().await;
    let mut early = world.stranger().opens_a_raw_socket().await;
    let mut late = world.stranger().opens_a_socket().await;
    for socket in [&mut early, &mut late] {
        is_quiet(socket).await;
        for message in [
            json!({ "type": "pong" }),
            json!({ "type": "pong", "payload": { "n": 1 } }),
        ] {
            socket.say(message).await;
        }
        socket
            .say(json!({ "type": "ping", "payload": { "深": [1, { "x": null }] } }))
            .await;
        assert_eq!(
            socket.hears().await,
            json!({ "type": "pong", "payload": { "深": [1, { "x": null }] } })
        );
        socket.say(json!({ "type": "ping" })).await;
        assert_eq!(socket.hears().await, json!({ "type": "pong" }));
    }
    early.say(json!({ "type": "connection_init" })).await;
    assert_eq!(early.hears().await, json!({ "type": "connection_ack" }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_over_256_kib_closes_the_socket_and_is_not_run() {
    let world = World::on_sqlite().await;
    let padding = |bytes: usize| format!("{{ __typename }} #{}", "x".repeat(bytes));
    let mut socket = world.stranger().opens_a_socket().await;
    socket
        .subscribe("fits", &padding(255 * 1024), json!({}))
        .await;
    assert_eq!(socket.next_event().await["__typename"], "Query");
    assert_eq!(
        socket.hears().await,
        json!({ "type": "complete", "id": "fits" })
    );
    socket
        .subscribe("too large", &padding(256 * 1024), json!({}))
        .await;
    assert_eq!(socket.hangs_up().await, [json!(null); 0]);
    let still = world.stranger().get("{ __typename }", json!({})).await;
    assert_eq!(still["__typename"], "Query");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_closes_its_sockets() {
    let mut world = World::on_sqlite().await;
    let (guest, booking, cursor) = a_booking(&world).await;
    guest.pays(&booking).await;
    let mut busy = guest.opens_a_socket().await;
    busy.subscribe("w", EVENTS, json!({ "after": cursor }))
        .await;
    busy.next_event().await;
    let mut idle = world.stranger().opens_a_socket().await;
    let mut silent = world.stranger().opens_a_raw_socket().await;
    is_quiet(&mut silent).await;
    world.stop();
    for socket in [&mut busy, &mut idle, &mut silent] {
        assert_eq!(socket.is_closed().await.0, 1001);
    }
}

//! Server-sent events: what a client hears, how it goes on after it was cut off, and how a stream ends.

use std::time::{Duration, Instant};

use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::support::{Client, EventStream, on_both_engines};

const VIEWER: &str = "subscription($after: String) { viewerBookingStatusChanged(after: $after) {
    cursor from to booking { id status } } }";
const ONE: &str = "subscription($id: ID!, $after: String) { bookingStatusChanged(bookingId: $id, after: $after) { cursor to } }";
const NIGHTS: &str = "subscription($id: ID!) { availabilityChanged(propertyId: $id) { date } }";

/// Asks with this `Accept`.
async fn asks(client: &Client, accept: &str, query: &str) -> reqwest::Response {
    let request = client
        .request(Method::POST, "/graphql")
        .header(header::ACCEPT, accept)
        .json(&json!({ "query": query }));
    request.send().await.expect("an answer")
}

/// Begins to watch, and waits until it is so.
async fn watches(client: &Client, query: &str, variables: Value) -> EventStream {
    let mut stream = client.streams(query, variables).await;
    let place = stream.block().await.expect("where it begins");
    assert!(place.event.is_empty() && place.id.is_some(), "{place:?}");
    stream
}

on_both_engines! {
    async fn a_client_that_was_cut_off_goes_on_after_the_last_event_that_it_heard(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let mut stream = watches(&host, VIEWER, json!({})).await;
        let booking = guest.books(&property, &world.day(1), &world.day(2)).await;
        let heard = stream.hears().await.expect("an event");
        let event = heard.data["data"]["viewerBookingStatusChanged"].clone();
        assert_eq!((&event["to"], &event["booking"]["id"]), (&json!("PENDING"), &booking["id"]));
        assert_eq!(json!(heard.id), event["cursor"], "the id is the cursor");
        drop(stream);

        guest.pays(&booking).await;
        let last = heard.id.expect("an id");
        // A browser sends the same address again: what it heard last counts, not what its operation says.
        let begin = booking["events"][0]["cursor"].clone();
        for after in [json!(null), begin, json!("garbage")] {
            let mut stream = host.streams_after(&last, VIEWER, json!({ "after": after })).await;
            let event = stream.next_event().await["viewerBookingStatusChanged"].take();
            assert_eq!((&event["from"], &event["to"]), (&json!("PENDING"), &json!("CONFIRMED")));
        }
        let mut stream = host.streams_after("garbage", VIEWER, json!({})).await;
        assert_eq!(stream.is_over_because().await, "BAD_USER_INPUT");
        let mut stream = host.streams_after("", ONE, json!({ "id": booking["id"], "after": last })).await;
        assert_eq!(stream.next_event().await["bookingStatusChanged"]["to"], "CONFIRMED");
    }

    async fn a_client_that_was_cut_off_before_its_first_event_misses_none(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let stream = watches(&host, VIEWER, json!({})).await;
        let begun = stream.last_event_id.clone().expect("where it began");
        drop(stream);
        let booking = guest.books(&property, &world.day(1), &world.day(2)).await;
        let mut stream = host.streams_after(&begun, VIEWER, json!({})).await;
        let event = stream.next_event().await["viewerBookingStatusChanged"].take();
        assert_eq!(event["booking"]["id"], booking["id"]);
    }

    async fn an_operation_of_any_kind_runs_over_a_stream_and_is_checked_like_any_other(world: World) {
        let guest = world.guest("gus").await;
        let mut stream = guest.streams("{ viewer { email } }", json!({})).await;
        assert_eq!(stream.next_event().await, json!({ "viewer": { "email": "gus@example.com" } }));
        stream.completes().await;
        let mut stream = guest.streams("mutation { becomeHost { viewer { user { role } } } }", json!({})).await;
        assert_eq!(stream.next_event().await["becomeHost"]["viewer"]["user"]["role"], "HOST");
        stream.completes().await;

        let two = "subscription { a: viewerBookingStatusChanged { to } b: viewerBookingStatusChanged { to } }";
        let deep = format!("{{ {} }}", "nodes(ids: []) { id } ".repeat(21));
        for (query, code) in [("{", "BAD_USER_INPUT"), ("{ nothing }", "BAD_USER_INPUT"), (two, "BAD_USER_INPUT"), (&deep, "QUERY_TOO_COMPLEX")] {
            assert_eq!(guest.streams(query, json!({})).await.is_over_because().await, code, "{query}");
        }
        let mut stream = world.stranger().streams(VIEWER, json!({})).await;
        assert_eq!(stream.is_over_because().await, "UNAUTHENTICATED");

        let by_get = |operation: &str| guest.request(Method::GET, &format!("/graphql?query={}", operation.replace(' ', "%20"))).header(header::ACCEPT, "text/event-stream");
        let mut stream = EventStream::of(by_get("{ __typename }").send().await.expect("an answer"));
        assert_eq!(stream.next_event().await, json!({ "__typename": "Query" }));
        let refused = by_get("mutation { becomeHost { viewer { email } } }").send().await.expect("an answer");
        assert_eq!(refused.status(), 405, "a mutation by GET");
        let mut watching = EventStream::of(by_get("subscription { viewerBookingStatusChanged { to } }").send().await.expect("an answer"));
        assert!(watching.block().await.is_some_and(|place| place.id.is_some()));
    }

    async fn who_takes_json_too_gets_it_but_for_subscriptions(world: World) {
        let guest = world.guest("gus").await;
        for accept in ["application/json, text/event-stream", "text/event-stream, */*", "application/graphql-response+json, text/event-stream;q=0.5"] {
            let answer = asks(&guest, accept, "{ __typename }").await;
            assert!(answer.headers()[header::CONTENT_TYPE].to_str().is_ok_and(|media| media.contains("json")), "{accept}");
            let answer = asks(&guest, accept, "subscription { viewerBookingStatusChanged { to } }").await;
            assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream", "{accept}");
        }
        let refused = asks(&guest, "application/json", "subscription { viewerBookingStatusChanged { to } }").await;
        assert_eq!(refused.status(), 400);
        let message = refused.text().await.expect("an answer");
        assert!(message.contains("WebSocket") && message.contains("text/event-stream"), "{message}");
    }

    async fn a_stream_is_neither_compressed_nor_kept_by_anybody_on_the_way(world: World) {
        let guest = world.guest("gus").await;
        let request = guest.request(Method::POST, "/graphql").header(header::ACCEPT, "text/event-stream").header(header::ACCEPT_ENCODING, "gzip");
        let answer = request.json(&json!({ "query": "subscription { viewerBookingStatusChanged { to } }" })).send().await.expect("an answer");
        let mut stream = EventStream::of(answer);
        assert_eq!(stream.headers().get(header::CONTENT_ENCODING), None);
        assert!(stream.headers()[header::CACHE_CONTROL].to_str().is_ok_and(|value| value.contains("no-cache")));
        assert!(stream.block().await.is_some(), "it is heard before the stream ends");
    }

    async fn a_stream_ends_with_its_session(world: World) {
        let guest = world.guest("gus").await;
        let mut stream = watches(&guest, VIEWER, json!({})).await;
        let mut other = watches(&world.stranger().signs_in("gus@example.com").await, VIEWER, json!({})).await;
        guest.signs_out(false).await;
        let began = Instant::now();
        assert_eq!(stream.is_over_because().await, "UNAUTHENTICATED");
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        let refused = asks(&guest, "text/event-stream", VIEWER).await;
        assert_eq!(refused.status(), 401, "and can't begin again");
        let (done, said) = world.runs(&["admin", "suspend", "gus@example.com"], "").await;
        assert!(done, "{said}");
        assert_eq!(other.is_over_because().await, "UNAUTHENTICATED");
    }

    async fn a_stream_ends_when_its_access_token_lapses(world: World) {
        let world = world.instance_with(&[("STAYGATE_ACCESS_TOKEN_TTL", "300")]).await;
        let guest = world.guest("gus").await;
        let mut stream = watches(&guest, VIEWER, json!({})).await;
        world.clock.advance(chrono::Duration::seconds(300));
        assert_eq!(stream.is_over_because().await, "UNAUTHENTICATED");
    }

    async fn a_server_that_stops_ends_its_streams_without_completing_them(world: World) {
        let mut world = world;
        let guest = world.guest("gus").await;
        let mut stream = watches(&guest, VIEWER, json!({})).await;
        world.stop();
        assert_eq!(stream.hears().await, None, "a client that was not told of an end connects again");
    }

    async fn nights_of_a_property_that_was_unlisted_are_told_no_more(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let mut stream = world.stranger().streams(NIGHTS, json!({ "id": property })).await;
        // Nothing tells a client that this subscription is live but its first event.
        let mut booked = vec![];
        let first = loop {
            let day = i64::try_from(booked.len()).expect("few") + 10;
            booked.push(guest.books(&property, &world.day(day), &world.day(day + 1)).await);
            if let Ok(heard) = tokio::time::timeout(Duration::from_millis(200), stream.hears()).await {
                break heard;
            }
            assert!(booked.len() < 100, "no event in a hundred bookings");
        };
        assert!(first.is_some_and(|heard| heard.id.is_none()), "these can't be resumed");
        let change = json!({ "id": property, "status": "UNLISTED" });
        host.mutate("updateProperty", "UpdatePropertyInput!", change, "").await;
        guest.mutate_by_id("cancelBooking", booked[0]["id"].as_str().expect("an id"), "").await;
        loop {
            let heard = stream.hears().await.expect("a reason");
            if heard.data.get("errors").is_some() {
                assert_eq!(heard.data["errors"][0]["extensions"]["code"], "NOT_FOUND");
                break;
            }
        }
        stream.completes().await;
    }
}

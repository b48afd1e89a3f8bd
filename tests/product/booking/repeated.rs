//! The same idempotency key does a thing once.

use chrono::Duration;
use serde_json::{Value, json};

use crate::support::{Client, on_both_engines};

/// Sends a request with the header `Idempotency-Key`.
async fn with_key(who: &Client, key: &str, query: &str, variables: Value) -> Value {
    let body = json!({ "query": query, "variables": variables });
    let request = who.request(reqwest::Method::POST, "/graphql");
    let answer = request.header("Idempotency-Key", key).json(&body).send();
    answer.await.expect("an answer").json().await.expect("JSON")
}

const BOOK: &str = "mutation($a: CreateBookingInput!, $b: CreateBookingInput!) {
    first: createBooking(input: $a) { booking { id } userErrors { code } }
    second: createBooking(input: $b) { booking { id } userErrors { code } } }";
const CANCEL: &str =
    "mutation($id: ID!) { cancelBooking(id: $id) { booking { status } userErrors { code } } }";
const ACCEPT: &str =
    "mutation($id: ID!) { acceptBooking(id: $id) { booking { status } userErrors { code } } }";

on_both_engines! {
    async fn the_header_makes_every_mutation_of_a_request_repeatable(world: World) {
        let property = world.host("hana").await.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let stay = |from, to| json!({ "propertyId": property, "checkIn": world.day(from), "checkOut": world.day(to) });
        let variables = json!({ "a": stay(1, 2), "b": stay(3, 4) });
        let first = with_key(&guest, "\"k\"", BOOK, variables.clone()).await;
        assert_eq!(first["data"]["first"]["userErrors"], json!([]));
        assert_eq!(first["data"]["second"]["userErrors"], json!([]));
        assert_eq!(with_key(&guest, "k", BOOK, variables).await, first);
        assert_eq!(world.number("SELECT count(*) FROM bookings").await, 2);
        let other = json!({ "a": stay(1, 2), "b": stay(5, 6) });
        let answer = with_key(&guest, "k", BOOK, other).await;
        assert_eq!(answer["data"]["second"]["userErrors"][0]["code"], "IDEMPOTENCY_CONFLICT");
        let empty = with_key(&guest, "", BOOK, json!({ "a": stay(7, 8), "b": stay(9, 10) })).await;
        assert_eq!(empty["data"]["first"]["userErrors"][0]["code"], "INVALID");
    }

    async fn a_move_that_is_sent_again_with_its_key_gives_its_answer_and_without_one_is_refused(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({ "instantBook": false })).await;
        let guest = world.guest("gus").await;
        let booking = guest.books(&property, &world.day(3), &world.day(4)).await;
        let id = json!({ "id": booking["id"] });
        let early = with_key(&host, "accept", ACCEPT, id.clone()).await;
        assert_eq!(early["data"]["acceptBooking"]["userErrors"][0]["code"], "WRONG_STATE");
        guest.pays(&booking).await;
        for _ in 0..2 {
            let accepted = with_key(&host, "accept", ACCEPT, id.clone()).await;
            assert_eq!(accepted["data"]["acceptBooking"], json!({ "booking": { "status": "CONFIRMED" }, "userErrors": [] }));
        }
        for _ in 0..2 {
            let cancelled = with_key(&guest, "cancel", CANCEL, id.clone()).await;
            assert_eq!(cancelled["data"]["cancelBooking"], json!({ "booking": { "status": "CANCELLED" }, "userErrors": [] }));
        }
        let again = guest.get(CANCEL, id).await;
        assert_eq!(again["cancelBooking"]["userErrors"][0]["code"], "WRONG_STATE");
        assert_eq!(guest.sees(&booking).await["events"].as_array().map(Vec::len), Some(3));
    }

    async fn a_key_is_forgotten_after_a_day(world: World) {
        let property = world.host("hana").await.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let book = async |from: i64| {
            let input = json!({ "propertyId": property, "checkIn": world.day(from), "checkOut": world.day(from + 1), "idempotencyKey": "k" });
            guest.mutate("createBooking", "CreateBookingInput!", input, "booking { id }").await
        };
        let first = book(5).await;
        world.clock.advance(Duration::hours(24) - Duration::seconds(1));
        world.background_round().await;
        assert_eq!(book(4).await["booking"], first["booking"], "the same stay, a day later");
        world.clock.advance(Duration::seconds(1));
        assert_ne!(book(10).await["booking"], first["booking"]);
        world.clock.advance(Duration::hours(24));
        world.background_round().await;
        assert_eq!(world.number("SELECT count(*) FROM idempotency_keys").await, 0);
    }

    async fn a_stay_is_changed_once_by_one_key(world: World) {
        let property = world.host("hana").await.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let booking = guest.books(&property, &world.day(3), &world.day(6)).await;
        guest.pays(&booking).await;
        let input = json!({ "id": booking["id"], "checkOut": world.day(5), "idempotencyKey": "k" });
        for _ in 0..2 {
            let changed = guest.mutate("updateBooking", "UpdateBookingInput!", input.clone(), "booking { checkOut }").await;
            assert_eq!(changed["booking"]["checkOut"], json!(world.day(5)));
        }
        assert_eq!(guest.sees(&booking).await["payment"]["refundedAmount"]["amount"], "100.00");
        assert_eq!(world.number("SELECT count(*) FROM audit_entries WHERE action = 'booking.changed'").await, 1);
    }
}

//! What a host does to the calendar, and what a host asks of a stay.

use chrono::Duration;
use futures_util::future::join;
use serde_json::{Value, json};

use crate::support::{Client, World, on_both_engines};

async fn updates(host: &Client, property: &str, change: Value) -> Value {
    let mut input = change;
    input["propertyId"] = json!(property);
    host.mutate(
        "updateCalendar",
        "UpdateCalendarInput!",
        input,
        "property { id }",
    )
    .await
}

async fn quote(who: &Client, property: &str, check_in: &str, check_out: &str) -> Value {
    let query = "query($id: ID!, $in: Date!, $out: Date!) { property(id: $id) {
        quote(checkIn: $in, checkOut: $out, guests: 2) { available nights problems { field code message } total { amount } } } }";
    let stay = json!({ "id": property, "in": check_in, "out": check_out });
    who.get(query, stay).await["property"]["quote"].take()
}

/// Whether search finds anything for a stay. It refuses dates that can be booked nowhere.
async fn found(who: &Client, check_in: &str, check_out: &str) -> bool {
    let query = "query($filter: PropertyFilter) { properties(filter: $filter) { nodes { id } } }";
    let filter = json!({ "filter": { "checkIn": check_in, "checkOut": check_out, "guests": 2 } });
    let answer = who.ask(query, filter).await;
    let nodes = answer["data"]["properties"]["nodes"].as_array();
    nodes.is_some_and(|nodes| !nodes.is_empty())
}

/// Quote, search and booking say the same of a stay; gives the first problem.
async fn asks(world: &World, guest: &Client, property: &str, from: i64, to: i64) -> Value {
    let (check_in, check_out) = (world.day(from), world.day(to));
    let quote = quote(guest, property, &check_in, &check_out).await;
    let found = found(guest, &check_in, &check_out).await;
    assert_eq!(
        quote["available"],
        json!(found),
        "search and quote of {check_in} to {check_out}"
    );
    let booked = guest.tries_to_book(property, &check_in, &check_out).await;
    assert_eq!(
        booked["booking"].is_null(),
        !found,
        "booking {check_in} to {check_out}"
    );
    assert_eq!(booked["userErrors"], quote["problems"]);
    if let Some(id) = booked["booking"]["id"].as_str() {
        guest
            .mutate_by_id("cancelBooking", id, "booking { id }")
            .await;
    }
    booked["userErrors"][0].clone()
}

on_both_engines! {
    async fn a_blocked_night_is_not_booked_until_it_is_opened(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let range = |available: bool| json!({ "from": world.day(5), "to": world.day(8), "available": available });
        for _ in 0..2 {
            assert_eq!(updates(&host, &property, range(false)).await["userErrors"], json!([]));
        }
        assert_eq!(asks(&world, &guest, &property, 7, 9).await["code"], "DATES_UNAVAILABLE");
        assert_eq!(asks(&world, &guest, &property, 8, 9).await, json!(null));
        assert_eq!(asks(&world, &guest, &property, 3, 5).await, json!(null));
        updates(&host, &property, json!({ "from": world.day(6), "to": world.day(7), "available": true })).await;
        assert_eq!(asks(&world, &guest, &property, 6, 7).await, json!(null));
        assert_eq!(asks(&world, &guest, &property, 6, 8).await["code"], "DATES_UNAVAILABLE");
    }

    async fn nights_that_a_booking_holds_are_not_blocked_and_are_named(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let guest = world.guest("gus").await;
        guest.books(&property, &world.day(5), &world.day(7)).await;
        let month = json!({ "from": world.day(0), "to": world.day(30), "available": false, "pricePerNight": "150" });
        let refused = updates(&host, &property, month.clone()).await;
        assert_eq!(refused["userErrors"][0]["code"], "DATES_UNAVAILABLE");
        assert_eq!(refused["userErrors"][0]["message"], "Bookings hold these nights: 2027-03-15 to 2027-03-16.");
        assert_eq!(world.number("SELECT count(*) FROM nights").await, 2, "nothing of it was done");
        assert_eq!(world.number("SELECT count(*) FROM night_prices").await, 0);
        // A hold that has lapsed is in nobody's way.
        world.clock.advance(Duration::minutes(15));
        assert_eq!(updates(&host, &property, month).await["userErrors"], json!([]));
        assert_eq!(world.number("SELECT count(*) FROM nights WHERE kind = 'BLOCK'").await, 30);
    }

    async fn a_night_has_its_own_price_until_it_is_taken_away(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let price = |price: Value| json!({ "from": world.day(5), "to": world.day(6), "pricePerNight": price });
        for (own, total) in [(json!("150"), "270.00"), (json!("99.50"), "219.50"), (json!(null), "220.00")] {
            assert_eq!(updates(&host, &property, price(own)).await["userErrors"], json!([]));
            let quote = quote(&guest, &property, &world.day(4), &world.day(6)).await;
            assert_eq!(quote["total"]["amount"], total);
        }
    }

    async fn what_is_wrong_with_a_change_of_the_calendar_is_said(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let change = |from: i64, to: i64| json!({ "from": world.day(from), "to": world.day(to), "available": false });
        let with = |price: &str| json!({ "from": world.day(1), "to": world.day(2), "pricePerNight": price });
        for (change, field, code) in [
            (change(5, 5), json!(["to"]), "INVALID"),
            (change(0, 367), json!(["to"]), "INVALID"),
            (change(-1, 2), json!(["from"]), "INVALID"),
            (with("0.99"), json!(["pricePerNight"]), "INVALID"),
            (with("10.001"), json!(["pricePerNight"]), "INVALID"),
            (json!({ "from": world.day(1), "to": world.day(2) }), json!([]), "REQUIRED"),
        ] {
            let refused = updates(&host, &property, change).await;
            assert_eq!((&refused["userErrors"][0]["field"], &refused["userErrors"][0]["code"]), (&field, &json!(code)), "{refused}");
        }
        for other in [world.host("otto").await, world.admin("ada").await] {
            let refused = updates(&other, &property, change(1, 2)).await;
            assert_eq!(refused["userErrors"][0]["code"], "NOT_FOUND");
        }
    }

    async fn of_a_booking_and_a_block_at_once_one_has_the_nights(world: World) {
        let host = world.host("hana").await;
        let guest = world.guest("gus").await;
        for _ in 0..6 {
            let property = host.lists(json!({})).await;
            let (check_in, check_out) = (world.day(5), world.day(8));
            let block = json!({ "from": check_in, "to": check_out, "available": false });
            let (booked, blocked) = join(guest.tries_to_book(&property, &check_in, &check_out), updates(&host, &property, block)).await;
            let (booked, blocked) = (booked["userErrors"] == json!([]), blocked["userErrors"] == json!([]));
            assert!(booked != blocked, "booked {booked}, blocked {blocked}");
        }
        let mixed = "SELECT count(*) FROM (SELECT property_id FROM nights GROUP BY property_id HAVING count(DISTINCT kind) > 1) AS mixed";
        assert_eq!(world.number(mixed).await, 0);
    }

    async fn the_length_and_the_notice_that_a_host_asks_for_hold_in_search_quote_and_booking(world: World) {
        let host = world.host("hana").await;
        let rules = json!({ "minNights": 2, "maxNights": 4, "advanceNoticeDays": 3, "timeZone": "Pacific/Kiritimati" });
        let property = host.lists(rules).await;
        let guest = world.guest("gus").await;
        // At noon in London it is tomorrow there.
        for (from, to, problem) in [
            (4, 6, None),
            (4, 8, None),
            (4, 5, Some("A stay here has at least 2 nights.")),
            (4, 9, Some("A stay here has at most 4 nights.")),
            (3, 5, Some("This host asks for notice: the first check-in is on 2027-03-14.")),
            (729, 731, None),
            (730, 732, Some("A stay ends at most 730 days ahead.")),
        ] {
            assert_eq!(asks(&world, &guest, &property, from, to).await["message"], json!(problem), "{from} to {to}");
        }
    }

    async fn nights_between_two_bookings_are_kept_free_where_the_host_wants_to_prepare(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({ "preparationDays": 2 })).await;
        let guest = world.guest("gus").await;
        let standing = guest.books(&property, &world.day(10), &world.day(12)).await;
        guest.pays(&standing).await;
        for (from, to, free) in [(7, 8, true), (7, 9, false), (12, 13, false), (13, 15, false), (14, 15, true)] {
            assert_eq!(asks(&world, &guest, &property, from, to).await.is_null(), free, "{from} to {to}");
        }
        // Nights that the host has blocked need no preparing.
        updates(&host, &property, json!({ "from": world.day(20), "to": world.day(21), "available": false })).await;
        assert_eq!(asks(&world, &guest, &property, 21, 22).await, json!(null));
        let input = json!({ "id": property, "preparationDays": 0 });
        host.mutate("updateProperty", "UpdatePropertyInput!", input, "property { preparationDays }").await;
        assert_eq!(asks(&world, &guest, &property, 12, 13).await, json!(null));
        let longer = json!({ "id": standing["id"], "checkIn": world.day(11), "checkOut": world.day(13) });
        let moved = guest.mutate("updateBooking", "UpdateBookingInput!", longer, "booking { id }").await;
        assert_eq!(moved["userErrors"], json!([]), "its own nights are not in its way");
    }

    async fn a_hold_that_is_paid_too_late_gets_no_stay_beside_one_that_was_booked_meanwhile(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({ "preparationDays": 1 })).await;
        let (gus, olga) = (world.guest("gus").await, world.guest("olga").await);
        let held = gus.books(&property, &world.day(5), &world.day(7)).await;
        let payment = gus.tries_to_pay(&held, "tok_threeDSecure").await["payment"].take();
        world.clock.advance(chrono::Duration::minutes(15));
        let next = olga.books(&property, &world.day(7), &world.day(8)).await;
        let form = format!("/sandbox/payments/{}/confirm", payment["clientSecret"].as_str().expect("a secret"));
        world.stranger().request(reqwest::Method::POST, &form).send().await.expect("an answer");
        let held = gus.sees(&held).await;
        assert_eq!((&held["status"], &held["payment"]["status"]), (&json!("CANCELLED"), &json!("REFUNDED")));
        assert_eq!(olga.pays(&next).await["booking"]["status"], "CONFIRMED");
    }

    async fn two_stays_that_are_booked_at_once_leave_the_nights_between_them_free(world: World) {
        let host = world.host("hana").await;
        for _ in 0..6 {
            let property = host.lists(json!({ "preparationDays": 1 })).await;
            let guest = world.guest(&property).await;
            let book = async |from, to| {
                let (check_in, check_out) = (world.day(from), world.day(to));
                guest.tries_to_book(&property, &check_in, &check_out).await
            };
            let (one, two) = join(book(5, 7), book(7, 9)).await;
            let made = [one, two].iter().filter(|answer| answer["userErrors"] == json!([])).count();
            assert_eq!(made, 1);
        }
    }

    async fn the_rules_of_a_stay_are_shown_and_are_checked(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let rules = "minNights maxNights advanceNoticeDays preparationDays";
        let shown = host.get(&format!("query($id: ID!) {{ property(id: $id) {{ {rules} }} }}"), json!({ "id": property })).await;
        assert_eq!(shown["property"], json!({ "minNights": 1, "maxNights": 365, "advanceNoticeDays": 0, "preparationDays": 0 }));
        for (field, value) in [("minNights", 0), ("maxNights", 366), ("advanceNoticeDays", -1), ("advanceNoticeDays", 366), ("preparationDays", 31)] {
            let refused = host.mutate("updateProperty", "UpdatePropertyInput!", json!({ "id": property, field: value }), "property { id }").await;
            assert_eq!(refused["userErrors"][0]["field"], json!([field]));
        }
        let change = json!({ "id": property, "maxNights": 5 });
        host.mutate("updateProperty", "UpdatePropertyInput!", change, "property { id }").await;
        let refused = host.mutate("updateProperty", "UpdatePropertyInput!", json!({ "id": property, "minNights": 6 }), "property { id }").await;
        assert_eq!(refused["userErrors"][0]["field"], json!(["minNights"]), "it is more than the most that stands");
    }
}

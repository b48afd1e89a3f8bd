//! Other dates and guests for a booking that stands.

use chrono::Duration;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{BOOKING_FIELDS, Client, World, on_both_engines};

async fn a_listing(world: &World, changes: Value) -> (Client, Client, String) {
    let host = world.host("hana").await;
    let property = host.lists(changes).await;
    (host, world.guest("gus").await, property)
}

async fn changes(guest: &Client, booking: &Value, change: Value) -> Value {
    let mut input = change;
    input["id"] = booking["id"].clone();
    let selection = format!("booking {{ {BOOKING_FIELDS} }}");
    guest
        .mutate("updateBooking", "UpdateBookingInput!", input, &selection)
        .await
}

/// The nights that a host sees taken among the first days from now.
async fn taken(world: &World, who: &Client, property: &str) -> Vec<i64> {
    let query = "query($id: ID!, $from: Date!, $to: Date!) {
        property(id: $id) { calendar(from: $from, to: $to) { available } } }";
    let range = json!({ "id": property, "from": world.day(0), "to": world.day(40) });
    let nights = who.get(query, range).await["property"]["calendar"].take();
    let nights = nights.as_array().expect("nights").iter().enumerate();
    nights
        .filter(|(_, night)| night["available"] == false)
        .filter_map(|(day, _)| i64::try_from(day).ok())
        .collect()
}

on_both_engines! {
    async fn an_unpaid_booking_moves_is_priced_anew_and_is_held_no_longer_for_it(world: World) {
        let (host, guest, property) = a_listing(&world, json!({})).await;
        let booking = guest.books(&property, &world.day(10), &world.day(12)).await;
        world.clock.advance(Duration::minutes(5));
        let change = json!({ "checkIn": world.day(11), "checkOut": world.day(15), "guests": 3 });
        let changed = changes(&guest, &booking, change).await["booking"].take();
        assert_eq!((&changed["checkIn"], &changed["checkOut"]), (&json!(world.day(11)), &json!(world.day(15))));
        assert_eq!((&changed["guests"], &changed["totalPrice"]["amount"]), (&json!(3), &json!("420.00")));
        assert_eq!(changed["expiresAt"], booking["expiresAt"]);
        assert_eq!(taken(&world, &host, &property).await, [11, 12, 13, 14]);
        let paid = guest.pays(&changed).await;
        assert_eq!(paid["amount"]["amount"], "420.00");
        world.background_round().await;
        assert_eq!(world.number("SELECT count(*) FROM nights").await, 4);
    }

    async fn a_paid_booking_becomes_a_cheaper_one_and_the_difference_comes_back(world: World) {
        let (host, guest, property) = a_listing(&world, json!({})).await;
        let booking = guest.books(&property, &world.day(10), &world.day(13)).await;
        guest.pays(&booking).await;
        let changed = changes(&guest, &booking, json!({ "checkOut": world.day(12) })).await["booking"].take();
        assert_eq!(changed["status"], "CONFIRMED");
        assert_eq!(changed["totalPrice"]["amount"], "220.00");
        let payment = guest.sees(&booking).await["payment"].take();
        assert_eq!(payment["status"], "PARTIALLY_REFUNDED");
        assert_eq!(payment["refundedAmount"]["amount"], "100.00");
        assert_eq!(taken(&world, &host, &property).await, [10, 11]);
        let id = booking["id"].as_str().expect("an id");
        assert_eq!(guest.sees(&booking).await["refundPreview"]["amount"], "220.00");
        guest.mutate_by_id("cancelBooking", id, "booking { id }").await;
        let payment = guest.sees(&booking).await["payment"].take();
        assert_eq!((&payment["status"], &payment["refundedAmount"]), (&json!("REFUNDED"), &payment["amount"]));
    }

    async fn a_paid_booking_does_not_become_a_dearer_one(world: World) {
        let (host, guest, property) = a_listing(&world, json!({})).await;
        let booking = guest.books(&property, &world.day(10), &world.day(12)).await;
        guest.pays(&booking).await;
        let refused = changes(&guest, &booking, json!({ "checkOut": world.day(13) })).await;
        assert_eq!(refused["booking"], json!(null));
        assert_eq!(refused["userErrors"][0]["code"], "WRONG_STATE");
        assert!(refused["userErrors"][0]["message"].as_str().is_some_and(|m| m.contains("book anew")));
        assert_eq!(taken(&world, &host, &property).await, [10, 11], "nothing of it was done");
    }

    async fn nobody_gets_around_the_policy_by_booking_fewer_nights_the_day_before(world: World) {
        let (host, guest, property) = a_listing(&world, json!({ "cancellationPolicy": "STRICT" })).await;
        let booking = guest.books(&property, &world.day(3), &world.day(7)).await;
        guest.pays(&booking).await;
        assert_eq!(guest.sees(&booking).await["refundPreview"]["amount"], "20.00", "the cleaning fee alone");
        let changed = changes(&guest, &booking, json!({ "checkOut": world.day(4) })).await;
        assert_eq!(changed["userErrors"], json!([]));
        world.background_round().await;
        assert_eq!(guest.sees(&booking).await["payment"]["refundedAmount"]["amount"], "0.00");
        // A host who cancels gives back all that was paid.
        host.mutate_by_id("cancelBooking", booking["id"].as_str().expect("an id"), "booking { id }").await;
        assert_eq!(guest.sees(&booking).await["payment"]["refundedAmount"]["amount"], "420.00");
    }

    async fn nobody_gets_a_kinder_deadline_by_moving_a_stay_away(world: World) {
        let (_, guest, property) = a_listing(&world, json!({ "cancellationPolicy": "MODERATE" })).await;
        let booking = guest.books(&property, &world.day(3), &world.day(5)).await;
        guest.pays(&booking).await;
        assert_eq!(guest.sees(&booking).await["refundPreview"]["amount"], "120.00", "half of the nights, and cleaning");
        let away = json!({ "checkIn": world.day(30), "checkOut": world.day(32) });
        assert_eq!(changes(&guest, &booking, away).await["userErrors"], json!([]));
        assert_eq!(guest.sees(&booking).await["refundPreview"]["amount"], "120.00");
        // Who moves it while all would come back has the deadline of the new dates.
        let other = guest.books(&property, &world.day(20), &world.day(22)).await;
        guest.pays(&other).await;
        let away = json!({ "checkIn": world.day(35), "checkOut": world.day(37) });
        changes(&guest, &other, away).await;
        world.clock.advance(Duration::days(18));
        assert_eq!(guest.sees(&other).await["refundPreview"]["amount"], "220.00");
        assert_eq!(guest.sees(&booking).await["refundPreview"]["amount"], "120.00");
    }

    async fn nobody_swaps_the_night_that_is_kept_for_a_cheap_one(world: World) {
        let (host, guest, property) = a_listing(&world, json!({ "cancellationPolicy": "FLEXIBLE" })).await;
        let dear = json!({ "propertyId": property, "from": world.day(0), "to": world.day(1), "pricePerNight": "400.00" });
        host.mutate("updateCalendar", "UpdateCalendarInput!", dear, "property { id }").await;
        let booking = guest.books(&property, &world.day(0), &world.day(3)).await;
        guest.pays(&booking).await;
        assert_eq!(guest.sees(&booking).await["refundPreview"]["amount"], "220.00", "all but the first night");
        assert_eq!(changes(&guest, &booking, json!({ "checkIn": world.day(1) })).await["userErrors"], json!([]));
        let seen = guest.sees(&booking).await;
        assert_eq!(seen["payment"]["refundedAmount"]["amount"], "200.00", "the cleaning fee stays with the stay");
        assert_eq!(seen["refundPreview"]["amount"], "20.00", "and no more than cancelling would have given back");
    }

    async fn a_stay_may_be_shortened_after_the_hosts_notice_and_beside_a_neighbour(world: World) {
        let (host, guest, property) = a_listing(&world, json!({})).await;
        let booking = guest.books(&property, &world.day(3), &world.day(6)).await;
        guest.pays(&booking).await;
        let next = world.guest("nina").await;
        next.pays(&next.books(&property, &world.day(6), &world.day(8)).await).await;
        let rules = json!({ "id": property, "advanceNoticeDays": 7, "preparationDays": 1 });
        host.mutate("updateProperty", "UpdatePropertyInput!", rules, "property { id }").await;
        let later = json!({ "checkIn": world.day(4) });
        assert_eq!(changes(&guest, &booking, later).await["userErrors"], json!([]));
        let sooner = changes(&guest, &booking, json!({ "checkIn": world.day(3) })).await;
        assert_eq!(sooner["userErrors"][0]["field"], json!(["checkIn"]), "{sooner}");
        let nearer = changes(&next, &booking, json!({})).await;
        assert_eq!(nearer["userErrors"][0]["code"], "NOT_FOUND");
        let free = json!({ "id": property, "advanceNoticeDays": 0 });
        host.mutate("updateProperty", "UpdatePropertyInput!", free, "property { id }").await;
        let away = json!({ "checkIn": world.day(8), "checkOut": world.day(10) });
        let refused = changes(&guest, &booking, away).await;
        assert_eq!(refused["userErrors"][0]["message"], format!("These nights are taken: {}.", world.day(8)));
    }

    async fn a_change_of_nothing_is_remembered_by_its_key(world: World) {
        let (_, guest, property) = a_listing(&world, json!({})).await;
        let booking = guest.books(&property, &world.day(3), &world.day(6)).await;
        let two = json!({ "guests": booking["guests"], "idempotencyKey": "same" });
        assert_eq!(changes(&guest, &booking, two.clone()).await["userErrors"], json!([]));
        assert_eq!(changes(&guest, &booking, json!({ "guests": 3 })).await["userErrors"], json!([]));
        let again = changes(&guest, &booking, two).await;
        assert_eq!((&again["userErrors"], &again["booking"]["guests"]), (&json!([]), &json!(3)), "it is not done once more");
    }

    async fn a_paid_request_is_changed_before_its_host_answers_and_costs_what_it_then_is(world: World) {
        let (host, guest, property) = a_listing(&world, json!({ "instantBook": false })).await;
        let booking = guest.books(&property, &world.day(10), &world.day(13)).await;
        guest.pays(&booking).await;
        let change = json!({ "checkIn": world.day(1), "checkOut": world.day(2) });
        let changed = changes(&guest, &booking, change).await["booking"].take();
        assert_eq!(changed["status"], "PENDING");
        assert_eq!(changed["refundPreview"]["amount"], "320.00", "all that was set aside");
        assert_eq!(changed["expiresAt"], "2027-03-11T12:00:00Z", "the host has as long as before");
        host.mutate_by_id("acceptBooking", booking["id"].as_str().expect("an id"), "booking { id }").await;
        world.background_round().await;
        let booking = guest.sees(&booking).await;
        assert_eq!(booking["status"], "CONFIRMED");
        assert_eq!(booking["totalPrice"]["amount"], "120.00");
        assert_eq!(booking["payment"]["refundedAmount"]["amount"], "200.00");
    }

    async fn a_host_answers_a_request_that_moved_nearer_no_later_than_its_check_in(world: World) {
        let (_, guest, property) = a_listing(&world, json!({ "instantBook": false })).await;
        let booking = guest.books(&property, &world.day(10), &world.day(11)).await;
        guest.pays(&booking).await;
        let change = json!({ "checkIn": world.day(0), "checkOut": world.day(1) });
        let changed = changes(&guest, &booking, change).await["booking"].take();
        assert_eq!(changed["expiresAt"], "2027-03-10T15:00:00Z");
    }

    async fn a_booking_may_move_into_its_own_nights_and_not_into_others(world: World) {
        let (host, guest, property) = a_listing(&world, json!({})).await;
        let other = world.guest("olga").await;
        other.books(&property, &world.day(14), &world.day(16)).await;
        let booking = guest.books(&property, &world.day(10), &world.day(13)).await;
        let change = json!({ "checkIn": world.day(11), "checkOut": world.day(14) });
        assert_eq!(changes(&guest, &booking, change).await["userErrors"], json!([]));
        let change = json!({ "checkOut": world.day(15), "checkIn": world.day(12) });
        let refused = changes(&guest, &booking, change).await;
        assert_eq!(refused["userErrors"][0]["code"], "DATES_UNAVAILABLE");
        assert_eq!(refused["userErrors"][0]["message"], "These nights are taken: 2027-03-24.");
        assert_eq!(taken(&world, &host, &property).await, [11, 12, 13, 14, 15]);
    }

    async fn what_can_not_be_changed_says_why(world: World) {
        let (host, guest, property) = a_listing(&world, json!({})).await;
        let code = |answer: Value| answer["userErrors"][0]["code"].as_str().unwrap_or("none").to_owned();
        let later = json!({ "checkIn": world.day(20), "checkOut": world.day(21) });
        let booking = guest.books(&property, &world.day(1), &world.day(3)).await;
        for who in [&host, &world.guest("olga").await] {
            assert_eq!(code(changes(who, &booking, later.clone()).await), "NOT_FOUND");
        }
        let empty = json!({ "checkOut": world.day(1) });
        assert_eq!(code(changes(&guest, &booking, empty).await), "INVALID");
        assert_eq!(code(changes(&guest, &booking, json!({ "guests": 5 })).await), "TOO_MANY_GUESTS");
        assert_eq!(code(changes(&guest, &booking, json!({ "guests": 0 })).await), "INVALID");
        let past = json!({ "checkIn": world.day(-1) });
        assert_eq!(code(changes(&guest, &booking, past).await), "INVALID");
        guest.tries_to_pay(&booking, "tok_threeDSecure").await;
        assert_eq!(code(changes(&guest, &booking, later.clone()).await), "WRONG_STATE", "its payment is under way");
        let lapsed = guest.books(&property, &world.day(5), &world.day(6)).await;
        world.clock.advance(Duration::minutes(15));
        assert_eq!(code(changes(&guest, &lapsed, later.clone()).await), "WRONG_STATE");
        let paid = guest.books(&property, &world.day(8), &world.day(9)).await;
        guest.pays(&paid).await;
        host.mutate("updateProperty", "UpdatePropertyInput!", json!({ "id": property, "status": "UNLISTED" }), "property { id }").await;
        assert_eq!(code(changes(&guest, &paid, later.clone()).await), "WRONG_STATE", "unlisted");
        assert_eq!(changes(&guest, &paid, json!({ "guests": 1 })).await["userErrors"], json!([]), "the dates stay");
        world.clock.advance(Duration::days(8) + Duration::hours(3));
        assert_eq!(code(changes(&guest, &paid, later).await), "WRONG_STATE", "begun");
    }

    async fn of_many_changes_into_the_same_nights_at_once_one_is_made(world: World) {
        let (host, _, property) = a_listing(&world, json!({})).await;
        let mut bookings = Vec::new();
        for n in 0..8 {
            let guest = world.guest(&format!("guest{n}")).await;
            let booking = guest.books(&property, &world.day(n * 2), &world.day(n * 2 + 1)).await;
            bookings.push((guest, booking));
        }
        let change = json!({ "checkIn": world.day(30), "checkOut": world.day(33) });
        let answers = join_all(bookings.iter().map(|(guest, booking)| changes(guest, booking, change.clone()))).await;
        let made = answers.iter().filter(|answer| !answer["booking"].is_null()).count();
        assert_eq!(made, 1, "{answers:?}");
        assert_eq!(taken(&world, &host, &property).await.len(), 10);
        let lost = "SELECT count(*) FROM nights n JOIN bookings b ON b.booking_id = n.booking_id
            WHERE n.night < b.check_in_date OR n.night >= b.check_out_date";
        assert_eq!(world.number(lost).await, 0);
    }
}

//! The life of a booking: held, lapsed, requested, accepted, declined, cancelled.

mod changes;
mod repeated;

use chrono::Duration;
use serde_json::{Value, json};

use crate::support::{Client, World, on_both_engines};

async fn a_listing(world: &World, changes: Value) -> (Client, Client, String) {
    let host = world.host("hana").await;
    let property = host.lists(changes).await;
    (host, world.guest("gus").await, property)
}

on_both_engines! {
    async fn a_night_that_is_held_can_not_be_booked_and_the_next_one_can(world: World) {
        let (_, guest, property) = a_listing(&world, json!({})).await;
        guest.books(&property, &world.day(10), &world.day(12)).await;
        let other = world.guest("olga").await;
        let refused = other.tries_to_book(&property, &world.day(11), &world.day(13)).await;
        assert_eq!(refused["booking"], json!(null));
        assert_eq!(refused["userErrors"][0]["code"], "DATES_UNAVAILABLE");
        assert_eq!(refused["userErrors"][0]["message"], "These nights are taken: 2027-03-21.");
        other.books(&property, &world.day(12), &world.day(13)).await;
        other.books(&property, &world.day(9), &world.day(10)).await;
    }

    async fn a_lapsed_hold_frees_its_nights_at_once_before_any_job_has_run(world: World) {
        let (_, guest, property) = a_listing(&world, json!({})).await;
        let held = guest.books(&property, &world.day(10), &world.day(12)).await;
        world.clock.advance(Duration::minutes(15));
        let late = guest.tries_to_pay(&held, "tok_visa").await;
        assert_eq!(late["userErrors"][0]["code"], "WRONG_STATE");
        let other = world.guest("olga").await;
        other.books(&property, &world.day(11), &world.day(13)).await;
        let lapsed = guest.sees(&held).await;
        assert_eq!(lapsed["status"], "CANCELLED");
        assert_eq!(lapsed["cancellationReason"], "PAYMENT_EXPIRED");
    }

    async fn the_background_work_lapses_a_hold_that_nobody_wants(world: World) {
        let (_, guest, property) = a_listing(&world, json!({})).await;
        let held = guest.books(&property, &world.day(10), &world.day(12)).await;
        world.background_round().await;
        assert_eq!(guest.sees(&held).await["status"], "PENDING");
        world.clock.advance(Duration::minutes(15));
        world.background_round().await;
        let lapsed = guest.sees(&held).await;
        assert_eq!(lapsed["cancellationReason"], "PAYMENT_EXPIRED");
        assert_eq!(lapsed["events"].as_array().map(Vec::len), Some(2));
        assert_eq!(world.number("SELECT count(*) FROM nights").await, 0);
    }

    async fn a_declined_card_leaves_the_hold_and_another_card_pays(world: World) {
        let (_, guest, property) = a_listing(&world, json!({})).await;
        let booking = guest.books(&property, &world.day(10), &world.day(12)).await;
        let declined = guest.tries_to_pay(&booking, "tok_chargeDeclined").await;
        assert_eq!(declined["userErrors"][0], json!({
            "field": ["paymentToken"], "code": "PAYMENT_DECLINED", "message": "The card was declined.",
        }));
        assert_eq!(guest.sees(&booking).await["status"], "PENDING");
        guest.pays(&booking).await;
        assert_eq!(guest.sees(&booking).await["status"], "CONFIRMED");
        let twice = guest.tries_to_pay(&booking, "tok_visa").await;
        assert_eq!(twice["userErrors"][0]["code"], "WRONG_STATE");
    }

    async fn a_card_that_asks_for_3d_secure_waits_for_the_guest(world: World) {
        let (host, guest, property) = a_listing(&world, json!({})).await;
        let booking = guest.books(&property, &world.day(10), &world.day(12)).await;
        let payment = guest.tries_to_pay(&booking, "tok_threeDSecure").await["payment"].take();
        assert_eq!(payment["status"], "PENDING");
        let secret = payment["clientSecret"].as_str().expect("a client secret");
        assert_eq!(host.sees(&booking).await["payment"]["clientSecret"], json!(null), "it is the guest's alone");
        let second = guest.tries_to_pay(&booking, "tok_visa").await;
        assert_eq!(second["userErrors"][0]["code"], "WRONG_STATE", "one payment is under way");
        let form = format!("/sandbox/payments/{secret}/confirm");
        let confirmed = world.stranger().request(reqwest::Method::POST, &form).send().await.expect("an answer");
        assert_eq!(confirmed.status(), 204);
        let booking = guest.sees(&booking).await;
        assert_eq!(booking["status"], "CONFIRMED");
        assert_eq!(booking["payment"]["clientSecret"], json!(null));
        let again = world.stranger().request(reqwest::Method::POST, &form).send().await.expect("an answer");
        assert_eq!(again.status(), 404);
    }

    async fn who_pays_a_request_after_its_nights_went_to_somebody_else_is_told_so_at_once(world: World) {
        let (_, guest, property) = a_listing(&world, json!({ "instantBook": false })).await;
        let other = world.guest("olga").await;
        let booking = guest.books(&property, &world.day(10), &world.day(12)).await;
        let payment = guest.tries_to_pay(&booking, "tok_threeDSecure").await["payment"].take();
        world.clock.advance(Duration::minutes(16));
        other.books(&property, &world.day(11), &world.day(13)).await;
        let form = format!("/sandbox/payments/{}/confirm", payment["clientSecret"].as_str().expect("a secret"));
        let confirmed = world.stranger().request(reqwest::Method::POST, &form).send().await.expect("an answer");
        assert_eq!(confirmed.status(), 204);
        let seen = guest.sees(&booking).await;
        assert_eq!((&seen["status"], &seen["payment"]["status"]), (&json!("CANCELLED"), &json!("FAILED")), "nothing waits for the host");
    }

    async fn a_confirmation_that_comes_after_the_hold_lapsed_gives_the_money_back(world: World) {
        let (_, guest, property) = a_listing(&world, json!({})).await;
        let booking = guest.books(&property, &world.day(10), &world.day(12)).await;
        let payment = guest.tries_to_pay(&booking, "tok_threeDSecure").await["payment"].take();
        world.clock.advance(Duration::minutes(15));
        // Somebody else takes the nights before any job has let go of the payment.
        world.guest("olga").await.books(&property, &world.day(10), &world.day(12)).await;
        let form = format!("/sandbox/payments/{}/confirm", payment["clientSecret"].as_str().expect("a secret"));
        world.stranger().request(reqwest::Method::POST, &form).send().await.expect("an answer");
        let booking = guest.sees(&booking).await;
        assert_eq!(booking["status"], "CANCELLED");
        assert_eq!(booking["payment"]["status"], "REFUNDED");
        assert_eq!(booking["payment"]["refundedAmount"], booking["totalPrice"]);
    }

    async fn a_request_waits_for_its_host_who_accepts_it_once_it_is_paid(world: World) {
        let (host, guest, property) = a_listing(&world, json!({ "instantBook": false })).await;
        let booking = guest.books(&property, &world.day(10), &world.day(12)).await;
        let id = booking["id"].as_str().expect("an id");
        let early = host.mutate_by_id("acceptBooking", id, "booking { id }").await;
        assert_eq!(early["userErrors"][0]["code"], "WRONG_STATE", "it is not paid");
        let payment = guest.pays(&booking).await;
        assert_eq!((&payment["status"], &payment["booking"]["status"]), (&json!("PENDING"), &json!("PENDING")));
        assert_eq!(guest.sees(&booking).await["expiresAt"], "2027-03-11T12:00:00Z", "the host has a day to answer");
        let own = guest.mutate_by_id("acceptBooking", id, "booking { id }").await;
        assert_eq!(own["userErrors"][0]["code"], "NOT_FOUND", "a guest does not accept");
        let accepted = host.mutate_by_id("acceptBooking", id, "booking { status payment { status } }").await;
        assert_eq!(accepted["booking"], json!({ "status": "CONFIRMED", "payment": { "status": "PAID" } }));
        let twice = host.mutate_by_id("acceptBooking", id, "booking { id }").await;
        assert_eq!(twice["userErrors"][0]["code"], "WRONG_STATE");
    }

    async fn a_declined_or_unanswered_request_costs_nothing_and_frees_its_nights(world: World) {
        let (host, guest, property) = a_listing(&world, json!({ "instantBook": false })).await;
        let declined = guest.books(&property, &world.day(10), &world.day(12)).await;
        guest.pays(&declined).await;
        let answer = host.mutate_by_id("declineBooking", declined["id"].as_str().expect("an id"), "booking { status }").await;
        assert_eq!(answer["booking"]["status"], "CANCELLED");
        let unanswered = guest.books(&property, &world.day(10), &world.day(12)).await;
        guest.pays(&unanswered).await;
        world.clock.advance(Duration::hours(24));
        world.background_round().await;
        for booking in [declined, unanswered] {
            let booking = guest.sees(&booking).await;
            assert_eq!(booking["cancellationReason"], "DECLINED_BY_HOST");
            assert_eq!(booking["payment"]["status"], "FAILED");
            assert_eq!(booking["payment"]["refundedAmount"]["amount"], "0.00");
        }
        assert_eq!(world.number("SELECT count(*) FROM nights").await, 0);
    }

    async fn a_guest_who_cancels_gets_back_what_the_preview_says(world: World) {
        let (_, guest, property) = a_listing(&world, json!({ "cancellationPolicy": "MODERATE" })).await;
        let booking = guest.books(&property, &world.day(10), &world.day(12)).await;
        assert_eq!(booking["refundPreview"]["amount"], "0.00", "nothing is paid");
        guest.pays(&booking).await;
        assert_eq!(guest.sees(&booking).await["refundPreview"]["amount"], "220.00");
        world.clock.advance(Duration::days(6));
        let preview = guest.sees(&booking).await["refundPreview"]["amount"].clone();
        assert_eq!(preview, "120.00", "half of the nights, and the cleaning fee");
        let id = booking["id"].as_str().expect("an id");
        let selection = "booking { status cancellationReason payment { status refundedAmount { amount } } }";
        let cancelled = guest.mutate_by_id("cancelBooking", id, selection).await;
        assert_eq!(cancelled["booking"], json!({
            "status": "CANCELLED", "cancellationReason": "CANCELLED_BY_GUEST",
            "payment": { "status": "PARTIALLY_REFUNDED", "refundedAmount": { "amount": preview } },
        }));
        let twice = guest.mutate_by_id("cancelBooking", id, "booking { id }").await;
        assert_eq!(twice["userErrors"][0]["code"], "WRONG_STATE");
        world.guest("olga").await.books(&property, &world.day(4), &world.day(6)).await;
    }

    async fn a_host_or_an_admin_who_cancels_gives_everything_back(world: World) {
        let (host, guest, property) = a_listing(&world, json!({ "cancellationPolicy": "STRICT" })).await;
        let admin = world.admin("ada").await;
        for (who, nights) in [(host, (1, 2)), (admin, (3, 4))] {
            let booking = guest.books(&property, &world.day(nights.0), &world.day(nights.1)).await;
            guest.pays(&booking).await;
            let id = booking["id"].as_str().expect("an id");
            let selection = "booking { cancellationReason payment { status refundedAmount { amount } } }";
            let cancelled = who.mutate_by_id("cancelBooking", id, selection).await;
            assert_eq!(cancelled["booking"], json!({
                "cancellationReason": "CANCELLED_BY_HOST",
                "payment": { "status": "REFUNDED", "refundedAmount": { "amount": "120.00" } },
            }));
        }
    }

    async fn a_stay_that_has_begun_can_not_be_cancelled(world: World) {
        let (host, guest, property) = a_listing(&world, json!({ "timeZone": "Asia/Tokyo" })).await;
        let booking = guest.books(&property, &world.day(1), &world.day(3)).await;
        guest.pays(&booking).await;
        // 15:00 in Tokyo is 06:00 in London.
        world.clock.advance(Duration::hours(18));
        for who in [guest, host] {
            let refused = who.mutate_by_id("cancelBooking", booking["id"].as_str().expect("an id"), "booking { id }").await;
            assert_eq!(refused["userErrors"][0]["code"], "WRONG_STATE");
        }
    }

    async fn the_same_key_gives_the_same_booking_and_the_same_payment(world: World) {
        let (_, guest, property) = a_listing(&world, json!({})).await;
        let mut input = json!({ "propertyId": property, "checkIn": world.day(5), "checkOut": world.day(7), "idempotencyKey": "one" });
        let books = async |input: Value| guest.mutate("createBooking", "CreateBookingInput!", input, "booking { id }").await;
        let first = books(input.clone()).await;
        assert_eq!(books(input.clone()).await, first);
        input["checkOut"] = json!(world.day(8));
        assert_eq!(books(input).await["userErrors"][0]["code"], "IDEMPOTENCY_CONFLICT");

        let pay = |token: &str, key: &str| json!({ "bookingId": first["booking"]["id"], "paymentToken": token, "idempotencyKey": key });
        let pays = async |input: Value| guest.mutate("createPayment", "CreatePaymentInput!", input, "payment { id status }").await;
        let declined = pays(pay("tok_chargeDeclined", "two")).await;
        assert_eq!(pays(pay("tok_chargeDeclined", "two")).await, declined, "the first answer again");
        let paid = pays(pay("tok_visa", "three")).await;
        assert_eq!(paid["payment"]["status"], "PAID");
        assert_eq!(pays(pay("tok_visa", "three")).await, paid);
        assert_eq!(world.number("SELECT count(*) FROM payments").await, 2);
    }

    async fn price_and_policy_stay_as_they_were_when_the_booking_was_made(world: World) {
        let (host, guest, property) = a_listing(&world, json!({})).await;
        let booking = guest.books(&property, &world.day(10), &world.day(12)).await;
        guest.pays(&booking).await;
        let dearer = json!({ "id": property, "pricePerNight": "500.00", "cancellationPolicy": "STRICT" });
        host.mutate("updateProperty", "UpdatePropertyInput!", dearer, "property { id }").await;
        let booking = guest.sees(&booking).await;
        assert_eq!(booking["totalPrice"]["amount"], "220.00");
        assert_eq!(booking["refundPreview"]["amount"], "220.00");
    }
}

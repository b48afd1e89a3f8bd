//! What goes wrong at the provider, and what guests try.

use chrono::Duration;
use serde_json::json;

use super::{
    DECLINED, VISA, a_market, a_waiting_payment, books_are_right, collected, paying,
    proves_who_it_is,
};
use crate::support::{BadLine, Stripe, on_both_engines};

on_both_engines! {
    async fn a_failure_that_the_provider_repeats_under_one_key_does_not_stop_a_payment(world: World) {
        let stripe = Stripe::start();
        let line = BadLine::to(&stripe, 1).await;
        line.is_mended();
        let (_near, host, guest, property) = a_market(&world, &stripe, json!({ "instantBook": false })).await;
        let shop = paying(&world, line.base()).await;
        let (host, guest) = (shop.as_seen_by(&host), shop.as_seen_by(&guest));
        let booking = guest.books(&property, &shop.day(10), &shop.day(12)).await;
        line.fails_what_has_a_key();
        assert_eq!(guest.tries_to_pay(&booking, VISA).await["payment"]["status"], "PENDING");
        line.is_mended();
        shop.clock.advance(Duration::seconds(15));
        shop.background_round().await;
        let id = booking["id"].as_str().expect("an id");
        let accepted = host.mutate_by_id("acceptBooking", id, "booking { status }").await;
        assert_eq!(accepted["booking"]["status"], "CONFIRMED", "{accepted}");
        assert_eq!(collected(&stripe).await, [22_000]);
        books_are_right(&world).await;
    }

    async fn a_capture_that_was_made_and_whose_answer_failed_is_found_by_looking(world: World) {
        let stripe = Stripe::start();
        let line = BadLine::to(&stripe, 1).await;
        line.is_mended();
        let (_near, host, guest, property) = a_market(&world, &stripe, json!({ "instantBook": false })).await;
        let shop = paying(&world, line.base()).await;
        let (host, guest) = (shop.as_seen_by(&host), shop.as_seen_by(&guest));
        let booking = guest.books(&property, &shop.day(10), &shop.day(12)).await;
        guest.tries_to_pay(&booking, VISA).await;
        line.loses_answers();
        let id = booking["id"].as_str().expect("an id");
        let refused = host.mutate_by_id("acceptBooking", id, "booking { status }").await;
        assert_eq!(refused["userErrors"][0]["code"], "WRONG_STATE", "{refused}");
        assert_eq!(collected(&stripe).await, [22_000], "it was made");
        line.is_mended();
        shop.clock.advance(Duration::seconds(15));
        shop.background_round().await;
        let seen = guest.sees(&booking).await;
        assert_eq!((&seen["status"], &seen["payment"]["status"]), (&json!("CONFIRMED"), &json!("PAID")));
        books_are_right(&world).await;
    }

    async fn a_key_of_another_account_fails_no_payment(world: World) {
        let (stripe, another) = (Stripe::start(), Stripe::start());
        let (shop, _, guest, property) = a_market(&world, &stripe, json!({})).await;
        let waiting = a_waiting_payment(&shop, &stripe, &guest, &property, 10).await;
        let misled = paying(&world, &another.base()).await;
        shop.clock.advance(Duration::seconds(15));
        misled.background_round().await;
        assert_eq!(guest.sees(&waiting.booking).await["payment"]["status"], "PENDING");
        proves_who_it_is(&stripe, &waiting.secret).await;
        shop.clock.advance(Duration::seconds(15));
        shop.background_round().await;
        assert_eq!(guest.sees(&waiting.booking).await["status"], "CONFIRMED");
    }

    async fn a_payment_that_is_found_after_its_stay_confirms_nothing_and_goes_back(world: World) {
        let stripe = Stripe::start();
        let (shop, _, guest, property) = a_market(&world, &stripe, json!({})).await;
        let waiting = a_waiting_payment(&shop, &stripe, &guest, &property, 1).await;
        proves_who_it_is(&stripe, &waiting.secret).await;
        shop.clock.advance(Duration::days(4));
        shop.background_round().await;
        let seen = guest.sees(&waiting.booking).await;
        assert_eq!((&seen["status"], &seen["payment"]["status"]), (&json!("CANCELLED"), &json!("REFUNDED")));
        assert_eq!(stripe.all("refunds").await.len(), 1);
        books_are_right(&world).await;
    }

    async fn who_tries_one_declined_card_after_the_other_is_noticed_and_slowed_down(world: World) {
        let stripe = Stripe::start();
        let (_, _, guest, property) = a_market(&world, &stripe, json!({})).await;
        let provider = crate::support::stripe_settings(&stripe.base());
        let mut settings: Vec<_> = provider.iter().map(|(name, value)| (*name, value.as_str())).collect();
        settings.push(("STAYGATE_RATE_LIMITS", "on"));
        let shop = world.instance_with(&settings).await;
        let guest = shop.as_seen_by(&guest);
        let booking = guest.books(&property, &shop.day(10), &shop.day(12)).await;
        for tried in 1..=10 {
            let refused = guest.tries_to_pay(&booking, DECLINED).await;
            assert_eq!(refused["userErrors"][0]["code"], "PAYMENT_DECLINED", "{tried}: {refused}");
        }
        let query = "mutation($input: CreatePaymentInput!) { createPayment(input: $input) { payment { id } } }";
        let another = json!({ "input": { "bookingId": booking["id"], "paymentToken": DECLINED } });
        assert_eq!(guest.refusal(query, another).await, "RATE_LIMITED");
        assert_eq!(world.number("SELECT count(*) FROM alerts WHERE cause = 'declined cards'").await, 1);
        shop.clock.advance(Duration::minutes(1));
        assert_eq!(guest.tries_to_pay(&booking, VISA).await["payment"]["status"], "PAID");
        let another = guest.books(&property, &shop.day(20), &shop.day(22)).await;
        assert_eq!(guest.tries_to_pay(&another, VISA).await["payment"]["status"], "PAID", "a good one is not counted");
    }
}

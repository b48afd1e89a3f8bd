//! Money that goes back.

use chrono::Duration;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{VISA, a_market, books_are_right};
use crate::support::{BadLine, Client, Stripe, on_both_engines};

async fn refunds(who: &Client, payment: &Value, amount: Option<&str>) -> Value {
    let input = json!({ "id": payment["id"], "amount": amount });
    let selection = "payment { status refundedAmount { amount } }";
    who.mutate("refundPayment", "RefundPaymentInput!", input, selection)
        .await
}

on_both_engines! {
    async fn a_host_gives_back_some_and_then_the_rest_and_never_more(world: World) {
        let stripe = Stripe::start();
        let (shop, host, guest, property) = a_market(&world, &stripe, json!({})).await;
        let booking = guest.books(&property, &shop.day(10), &shop.day(12)).await;
        let payment = guest.tries_to_pay(&booking, VISA).await["payment"].take();
        for (who, amount, code) in [
            (&guest, Some("10.00"), "NOT_FOUND"), (&shop.as_seen_by(&world.host("otto").await), None, "NOT_FOUND"),
            (&host, Some("220.01"), "INVALID"), (&host, Some("0"), "INVALID"), (&host, Some("-5"), "INVALID"), (&host, Some("1.001"), "INVALID"),
        ] {
            let refused = refunds(who, &payment, amount).await;
            assert_eq!(refused["userErrors"][0]["code"], code, "{amount:?} {refused}");
        }
        let some = refunds(&host, &payment, Some("20.00")).await;
        assert_eq!(some["payment"], json!({ "status": "PARTIALLY_REFUNDED", "refundedAmount": { "amount": "20.00" } }));
        // Twice at once: there is only so much.
        let both = join_all([refunds(&host, &payment, Some("150.00")), refunds(&host, &payment, Some("150.00"))]).await;
        let refused: Vec<_> = both.iter().filter(|answer| answer["userErrors"] != json!([])).collect();
        assert_eq!(refused.len(), 1, "{both:?}");
        assert_eq!(refused[0]["userErrors"][0]["message"], "At most 50.00 is left of this payment.");
        let admin = shop.as_seen_by(&world.admin("ada").await);
        assert_eq!(refunds(&admin, &payment, None).await["payment"]["status"], "REFUNDED");
        assert_eq!(refunds(&admin, &payment, None).await["userErrors"][0]["code"], "WRONG_STATE");
        let there: i64 = stripe.all("refunds").await.iter().filter_map(|refund| refund["amount"].as_i64()).sum();
        assert_eq!(there, 22_000);
        assert_eq!(guest.sees(&booking).await["status"], "CONFIRMED", "the nights stay the guest's");
        books_are_right(&world).await;
    }

    async fn the_same_key_gives_money_back_once(world: World) {
        let stripe = Stripe::start();
        let (shop, host, guest, property) = a_market(&world, &stripe, json!({})).await;
        let booking = guest.books(&property, &shop.day(10), &shop.day(12)).await;
        let payment = guest.tries_to_pay(&booking, VISA).await["payment"].take();
        let input = json!({ "id": payment["id"], "amount": "30.00", "idempotencyKey": "thirty" });
        for _ in 0..3 {
            let answer = host.mutate("refundPayment", "RefundPaymentInput!", input.clone(), "payment { refundedAmount { amount } }").await;
            assert_eq!(answer["payment"]["refundedAmount"]["amount"], "30.00");
        }
        assert_eq!(stripe.all("refunds").await.len(), 1);
    }

    async fn what_a_host_gave_back_does_not_come_back_again_by_cancelling(world: World) {
        let stripe = Stripe::start();
        let (shop, host, guest, property) = a_market(&world, &stripe, json!({})).await;
        let booking = guest.books(&property, &shop.day(10), &shop.day(12)).await;
        let payment = guest.tries_to_pay(&booking, VISA).await["payment"].take();
        refunds(&host, &payment, Some("200.00")).await;
        assert_eq!(guest.sees(&booking).await["refundPreview"]["amount"], "20.00");
        guest.mutate_by_id("cancelBooking", booking["id"].as_str().expect("an id"), "booking { id }").await;
        let seen = guest.sees(&booking).await;
        assert_eq!((&seen["payment"]["status"], &seen["payment"]["refundedAmount"]["amount"]), (&json!("REFUNDED"), &json!("220.00")));
        books_are_right(&world).await;
    }

    async fn a_refund_that_the_provider_keeps_refusing_under_one_key_is_made_under_another_in_the_end(world: World) {
        let stripe = Stripe::start();
        let line = BadLine::to(&stripe, 1).await;
        line.is_mended();
        let (_near, _, guest, property) = a_market(&world, &stripe, json!({})).await;
        let shop = super::paying(&world, line.base()).await;
        let guest = shop.as_seen_by(&guest);
        let booking = guest.books(&property, &shop.day(10), &shop.day(12)).await;
        guest.tries_to_pay(&booking, VISA).await;
        line.fails_what_has_a_key();
        guest.mutate_by_id("cancelBooking", booking["id"].as_str().expect("an id"), "booking { id }").await;
        line.is_mended();
        for minutes in [1, 1, 1, 1, 2, 2, 3, 4, 8] {
            shop.clock.advance(Duration::minutes(minutes));
            shop.background_round().await;
        }
        assert_eq!(stripe.all("refunds").await.len(), 0, "the key has that answer for a day");
        shop.clock.advance(Duration::minutes(25));
        shop.background_round().await;
        assert_eq!(stripe.all("refunds").await.len(), 1);
        assert_eq!(guest.sees(&booking).await["payment"]["status"], "REFUNDED");
        books_are_right(&world).await;
    }
}

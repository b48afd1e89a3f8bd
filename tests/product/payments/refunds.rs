//! Money that goes back apart from cancelling, and what hosts earn.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{VISA, a_market, books_are_right};
use crate::support::{Client, Stripe, on_both_engines};

async fn refunds(who: &Client, payment: &Value, amount: Option<&str>) -> Value {
    let input = json!({ "id": payment["id"], "amount": amount });
    let selection = "payment { status refundedAmount { amount } }";
    who.mutate("refundPayment", "RefundPaymentInput!", input, selection)
        .await
}

const EARNINGS: &str = "query($from: Date!, $to: Date!) { viewer { earnings(from: $from, to: $to) {
    gross { amount } fees { amount } refunds { amount } net { amount } properties { property { id } net { amount } } } } }";

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

    async fn a_host_sees_what_was_earned_by_property(world: World) {
        let shop = world.instance_with(&[("STAYGATE_SERVICE_FEE_PERCENT", "10"), ("STAYGATE_TAX_PERCENT", "5")]).await;
        let host = shop.as_seen_by(&world.host("hana").await);
        let guest = shop.as_seen_by(&world.guest("gus").await);
        let (first, second) = (host.lists(json!({ "cancellationPolicy": "MODERATE" })).await, host.lists(json!({})).await);
        for (property, day) in [(&first, 10), (&first, 20), (&second, 10)] {
            let booking = guest.books(property, &shop.day(day), &shop.day(day + 2)).await;
            guest.pays(&booking).await;
            if day == 20 {
                guest.mutate_by_id("cancelBooking", booking["id"].as_str().expect("an id"), "booking { id }").await;
            }
        }
        let range = json!({ "from": shop.day(0), "to": shop.day(1) });
        let earned = host.get(EARNINGS, range.clone()).await["viewer"]["earnings"].take();
        // 220.00 and 10 % are 242.00, and 5 % of that 12.10; one of three went back.
        let amount = |field: &str| earned[field]["amount"].as_str().map(str::to_owned);
        let all = ["gross", "fees", "refunds", "net"].map(|field| amount(field).unwrap_or_default());
        assert_eq!(all, ["762.30", "68.20", "254.10", "440.00"]);
        assert_eq!(earned["properties"], json!([
            { "property": { "id": first }, "net": { "amount": "220.00" } }, { "property": { "id": second }, "net": { "amount": "220.00" } },
        ]));
        assert_eq!(guest.get(EARNINGS, range).await["viewer"]["earnings"]["properties"], json!([]));
        let yesterday = json!({ "from": shop.day(-1), "to": shop.day(0) });
        assert_eq!(host.get(EARNINGS, yesterday).await["viewer"]["earnings"]["net"]["amount"], "0.00");
        books_are_right(&world).await;
    }

    async fn books_that_differ_from_the_providers_raise_an_alert(world: World) {
        let stripe = Stripe::start();
        // The provider's clock can't be turned.
        let now = staygate::domain::clock::Clock::now(&staygate::domain::clock::SystemClock);
        let here = staygate::domain::clock::Clock::now(&world.clock);
        world.clock.advance(now - here);
        let (shop, _, guest, property) = a_market(&world, &stripe, json!({})).await;
        let mut paid = vec![];
        for day in [10, 20, 30] {
            let booking = guest.books(&property, &shop.day(day), &shop.day(day + 2)).await;
            guest.tries_to_pay(&booking, VISA).await;
            paid.push(booking);
        }
        shop.clock.advance(chrono::Duration::minutes(20));
        let compare = async || shop.app.services.payments.compare().await.expect("compared");
        assert_eq!(compare().await, 0);
        let charges = stripe.all("charges").await;
        let charge = charges[0]["id"].as_str().expect("an id");
        stripe.does("refunds", &[("charge", charge), ("amount", "500")]).await;
        assert_eq!(compare().await, 1, "somebody gave money back over there");
        world.meddles("UPDATE payments SET payment_status = 'FAILED' WHERE payment_id = 2").await.expect("meddled");
        assert_eq!(compare().await, 2, "it was collected there, and not here");
        world.meddles("UPDATE payments SET reference_digest = NULL WHERE payment_id = 3").await.expect("meddled");
        assert_eq!(compare().await, 4, "theirs is not known here, and ours not there");
        assert_eq!(world.number("SELECT count(*) FROM alerts WHERE cause = 'payments differ'").await, 1);
        let verdict = world.app.services.ledger.verify().await.expect("the books");
        assert!(verdict.wrong.iter().any(|wrong| wrong.contains("payment 2 has 220.00 with the provider")), "{verdict:?}");
    }
}

//! What hosts earn, and whether the books agree with the provider's.

use chrono::Duration;
use serde_json::json;
use staygate::domain::clock::{Clock as _, SystemClock};

use super::{VISA, a_market, books_are_right};
use crate::support::{Stripe, on_both_engines};

const EARNINGS: &str = "query($from: Date!, $to: Date!) { viewer { earnings(from: $from, to: $to) {
    gross { amount } fees { amount } refunds { amount } net { amount } properties { property { id } net { amount } } } } }";

on_both_engines! {
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
        world.clock.advance(SystemClock.now() - world.clock.now());
        let (shop, _, guest, property) = a_market(&world, &stripe, json!({})).await;
        let mut paid = vec![];
        for day in [10, 20, 30] {
            let booking = guest.books(&property, &shop.day(day), &shop.day(day + 2)).await;
            guest.tries_to_pay(&booking, VISA).await;
            paid.push(booking);
        }
        shop.clock.advance(Duration::minutes(20));
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
        let (right, said) = world.runs(&["ledger", "verify"], "").await;
        assert!(!right && said.contains("payment 2: the books have 220.00 with the provider"), "{said}");
    }

    async fn an_alert_about_many_differences_is_raised_too(world: World) {
        let stripe = Stripe::start();
        world.clock.advance(SystemClock.now() - world.clock.now());
        let (shop, _, guest, property) = a_market(&world, &stripe, json!({})).await;
        for day in 1..=6 {
            let booking = guest.books(&property, &shop.day(day * 3), &shop.day(day * 3 + 2)).await;
            guest.tries_to_pay(&booking, VISA).await;
        }
        world.meddles("UPDATE payments SET reference_digest = NULL").await.expect("meddled");
        shop.clock.advance(Duration::minutes(20));
        assert_eq!(shop.app.services.payments.compare().await.expect("compared"), 12);
        assert_eq!(world.number("SELECT count(*) FROM audit_entries WHERE action = 'alert.raised'").await, 1);
        assert!(!world.has_kept("pi_").await, "without the names of payments");
    }
}

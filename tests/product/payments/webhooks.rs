//! Notices of the provider's: only Stripe's are taken, each once, and in whatever order they come.

use chrono::Duration;
use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use ring::hmac;
use serde_json::json;
use staygate::domain::clock::Clock as _;

use super::{a_market, a_waiting_payment, collected, proves_who_it_is};
use crate::support::{Stripe, WEBHOOK_SECRET, World, on_both_engines};

fn signature(secret: &str, at: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{at}.{body}").as_bytes());
    let hex = tag.as_ref().iter().map(|byte| format!("{byte:02x}"));
    let hex = hex.collect::<Vec<_>>().concat();
    format!("t={at},v1={hex}")
}

fn event(id: &str, kind: &str, payment: &str) -> String {
    json!({ "id": id, "object": "event", "type": kind, "data": { "object": { "id": payment, "object": "payment_intent" } } }).to_string()
}

async fn send(shop: &World, body: String, signature: &str) -> StatusCode {
    let request = shop.stranger().request(Method::POST, "/webhooks/stripe");
    let sent = request
        .header("stripe-signature", signature)
        .body(body)
        .send()
        .await;
    sent.expect("an answer").status()
}

async fn tell(shop: &World, body: String) -> StatusCode {
    let signature = signature(WEBHOOK_SECRET, shop.clock.now().timestamp(), &body);
    send(shop, body, &signature).await
}

on_both_engines! {
    async fn a_notice_has_its_effect_once_however_often_and_in_whatever_order_it_comes(world: World) {
        let stripe = Stripe::start();
        let (shop, _, guest, property) = a_market(&world, &stripe, json!({})).await;
        let waiting = a_waiting_payment(&shop, &stripe, &guest, &property, 10).await;
        proves_who_it_is(&stripe, &waiting.secret).await;
        // The last one first.
        let kinds = ["payment_intent.succeeded", "payment_intent.processing", "payment_intent.created", "something.unheard"];
        for (number, kind) in kinds.into_iter().enumerate() {
            let same = join_all((0..50).map(|_| tell(&shop, event(&format!("evt_{number}"), kind, &waiting.reference)))).await;
            assert!(same.iter().all(|status| *status == StatusCode::OK), "{same:?}");
            shop.background_round().await;
        }
        let seen = guest.sees(&waiting.booking).await;
        assert_eq!((&seen["status"], &seen["payment"]["status"]), (&json!("CONFIRMED"), &json!("PAID")));
        assert_eq!(seen["events"].as_array().map(Vec::len), Some(2));
        assert_eq!(collected(&stripe).await, [22_000]);
        assert_eq!(world.number("SELECT count(*) FROM provider_events").await, 4);
        assert_eq!(world.number("SELECT count(*) FROM ledger_entries WHERE account = 'PROVIDER'").await, 1);
        shop.clock.advance(Duration::days(31));
        shop.background_round().await;
        assert_eq!(world.number("SELECT count(*) FROM provider_events").await, 0, "they are forgotten in the end");
    }

    async fn a_refund_that_failed_after_all_and_a_dispute_are_told_to_people(world: World) {
        let stripe = Stripe::start();
        let (shop, _, guest, property) = a_market(&world, &stripe, json!({})).await;
        let waiting = a_waiting_payment(&shop, &stripe, &guest, &property, 10).await;
        let alerts = "SELECT count(*) FROM audit_entries WHERE action = 'alert.raised' AND detail LIKE 'payment provider: % payment:1'";
        for (number, kind, object) in [(1, "refund.failed", "refund"), (2, "charge.dispute.created", "dispute")] {
            let body = json!({ "id": format!("evt_{number}"), "type": kind, "data": { "object": { "id": "x_1", "object": object, "payment_intent": waiting.reference } } }).to_string();
            assert_eq!(tell(&shop, body.clone()).await, StatusCode::OK);
            assert_eq!(tell(&shop, body).await, StatusCode::OK);
            assert_eq!(world.number(alerts).await, number, "once: {kind}");
            shop.clock.advance(Duration::minutes(15));
        }
    }

    async fn what_stripe_did_not_send_or_sent_long_ago_is_refused(world: World) {
        let stripe = Stripe::start();
        let shop = super::paying(&world, &stripe.base()).await;
        let now = shop.clock.now().timestamp();
        let body = || event("evt_1", "payment_intent.succeeded", "pi_1");
        let good = signature(WEBHOOK_SECRET, now, &body());
        for (what, body, signature) in [
            ("forged", body(), signature("whsec_guessed", now, &body())),
            ("another body", event("evt_2", "payment_intent.succeeded", "pi_1"), good.clone()),
            ("old", body(), signature(WEBHOOK_SECRET, now - 301, &body())),
            ("of tomorrow", body(), signature(WEBHOOK_SECRET, now + 301, &body())),
            ("unsigned", body(), String::new()),
            ("no event", "{}".into(), signature(WEBHOOK_SECRET, now, "{}")),
        ] {
            assert_eq!(send(&shop, body, &signature).await, StatusCode::BAD_REQUEST, "{what}");
        }
        let large = format!("{{\"id\":\"{}\"}}", "x".repeat(257 << 10));
        assert_eq!(tell(&shop, large).await, StatusCode::PAYLOAD_TOO_LARGE);
        let huge = shop.stranger().request(Method::POST, "/webhooks/stripe").body("x".repeat(5 << 20));
        // Who goes on sending finds the line cut.
        let refused = huge.send().await.map(|answer| answer.status());
        assert!(refused.is_err() || refused.is_ok_and(|status| status == StatusCode::PAYLOAD_TOO_LARGE));
        assert_eq!(world.number("SELECT count(*) FROM provider_events").await, 0);
        assert_eq!(tell(&shop, body()).await, StatusCode::OK, "of a payment that nobody knows");
        assert_eq!(send(&shop, body(), &good).await, StatusCode::OK, "again");
        assert_eq!(world.number("SELECT count(*) FROM provider_events").await, 1);
        let elsewhere = world.stranger().request(Method::POST, "/webhooks/stripe").send().await.expect("an answer");
        assert_eq!(elsewhere.status(), StatusCode::NOT_FOUND, "where payments are not Stripe's");
    }
}

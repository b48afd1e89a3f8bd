//! Paying at Stripe, played by localstripe: each test has a provider of its own, and looks at what it knows in the end.

mod books;
mod refunds;
mod secrets;
mod troubles;
mod webhooks;

use chrono::Duration;
use serde_json::{Value, json};

use crate::support::{BadLine, Client, Stripe, World, on_both_engines};

/// Visa, which pays; and one that is accepted at first and declined when it is charged (<https://docs.stripe.com/testing>).
const VISA: &str = "pm_card_visa";
const DECLINED: &str = "pm_card_chargeCustomerFail";
/// A card whose bank wants to see its owner.
const SECURE: &str = "4000002500003155";

/// A server that takes its payments at a provider, beside the world's own on the same database.
async fn paying(world: &World, base: &str) -> World {
    let settings = crate::support::stripe_settings(base);
    let settings: Vec<_> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    world.instance_with(&settings).await
}

/// A server whose payments are made at the provider, a host, a guest, and the host's property.
async fn a_market(
    world: &World,
    stripe: &Stripe,
    changes: Value,
) -> (World, Client, Client, String) {
    let shop = paying(world, &stripe.base()).await;
    let host = shop.as_seen_by(&world.host("hana").await);
    let property = host.lists(changes).await;
    let guest = shop.as_seen_by(&world.guest("gus").await);
    (shop, host, guest, property)
}

/// The charges that moved money, as sums in cents.
async fn collected(stripe: &Stripe) -> Vec<i64> {
    let charges = stripe.all("charges").await;
    let moved = charges
        .iter()
        .filter(|charge| charge["status"] == "succeeded" && charge["captured"] == true);
    moved
        .filter_map(|charge| charge["amount"].as_i64())
        .collect()
}

async fn books_are_right(world: &World) {
    let (right, said) = world.runs(&["ledger", "verify"], "").await;
    assert!(right && !said.contains("before there were books"), "{said}");
}

async fn a_secure_card(stripe: &Stripe) -> String {
    let card = [
        ("type", "card"),
        ("card[number]", SECURE),
        ("card[exp_month]", "12"),
        ("card[exp_year]", "2030"),
        ("card[cvc]", "123"),
    ];
    stripe.does("payment_methods", &card).await["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

/// A payment that waits for its guest to do something.
struct Waiting {
    booking: Value,
    /// The card's name at the provider.
    card: String,
    /// What the payment form has.
    secret: String,
    /// The payment's name at the provider.
    reference: String,
}

/// A booking of two nights, and a payment for it whose bank wants to see its owner.
async fn a_waiting_payment(
    shop: &World,
    stripe: &Stripe,
    guest: &Client,
    property: &str,
    day: i64,
) -> Waiting {
    let booking = guest
        .books(property, &shop.day(day), &shop.day(day + 2))
        .await;
    let card = a_secure_card(stripe).await;
    let made = guest.tries_to_pay(&booking, &card).await["payment"].take();
    assert_eq!(made["status"], "PENDING");
    let secret = made["clientSecret"].as_str().expect("a secret").to_owned();
    let (reference, _) = secret.split_once("_secret_").expect("a secret");
    Waiting {
        booking,
        card,
        reference: reference.to_owned(),
        secret,
    }
}

/// What a guest does at the bank's page.
async fn proves_who_it_is(stripe: &Stripe, client_secret: &str) {
    let (payment, _) = client_secret.split_once("_secret_").expect("a secret");
    let form = [("client_secret", client_secret), ("success", "true")];
    let done = stripe
        .does(&format!("payment_intents/{payment}/_authenticate"), &form)
        .await;
    assert_eq!(done["id"], payment, "{done}");
}

on_both_engines! {
    async fn a_stay_is_paid_at_the_provider_once_and_cancelling_it_gives_the_money_back_there(world: World) {
        let stripe = Stripe::start();
        let (shop, _, guest, property) = a_market(&world, &stripe, json!({})).await;
        let booking = guest.books(&property, &shop.day(10), &shop.day(12)).await;
        let paid = guest.tries_to_pay(&booking, VISA).await;
        assert_eq!(paid["userErrors"], json!([]));
        assert_eq!((&paid["payment"]["status"], &paid["payment"]["booking"]["status"]), (&json!("PAID"), &json!("CONFIRMED")));
        assert_eq!(paid["payment"]["clientSecret"], Value::Null);
        assert_eq!(collected(&stripe).await, [22_000]);
        guest.mutate_by_id("cancelBooking", booking["id"].as_str().expect("an id"), "booking { id }").await;
        assert_eq!(guest.sees(&booking).await["payment"]["status"], "REFUNDED");
        let refunds = stripe.all("refunds").await;
        assert_eq!((refunds.len(), &refunds[0]["amount"]), (1, &json!(22_000)));
        books_are_right(&world).await;
    }

    async fn a_request_is_set_aside_and_collected_or_let_go_as_its_host_says(world: World) {
        let stripe = Stripe::start();
        let (shop, host, guest, property) = a_market(&world, &stripe, json!({ "instantBook": false })).await;
        let mut bookings = vec![];
        for day in [10, 20] {
            let booking = guest.books(&property, &shop.day(day), &shop.day(day + 2)).await;
            let paid = guest.tries_to_pay(&booking, VISA).await;
            assert_eq!((&paid["payment"]["status"], &paid["payment"]["booking"]["status"]), (&json!("PENDING"), &json!("PENDING")), "{paid}");
            bookings.push(booking);
        }
        assert_eq!(collected(&stripe).await, [0_i64; 0], "nothing has moved");
        let id = |booking: &Value| booking["id"].as_str().expect("an id").to_owned();
        let accepted = host.mutate_by_id("acceptBooking", &id(&bookings[0]), "booking { status }").await;
        assert_eq!(accepted["booking"]["status"], "CONFIRMED", "{accepted}");
        host.mutate_by_id("declineBooking", &id(&bookings[1]), "booking { id }").await;
        assert_eq!(guest.sees(&bookings[1]).await["payment"]["status"], "FAILED");
        let intents = stripe.all("payment_intents").await;
        let statuses: Vec<_> = intents.iter().map(|intent| intent["status"].as_str().unwrap_or_default()).collect();
        assert_eq!((statuses, collected(&stripe).await), (vec!["succeeded", "canceled"], vec![22_000]));
        books_are_right(&world).await;
    }

    async fn a_declined_card_is_said_and_another_one_pays(world: World) {
        let stripe = Stripe::start();
        let (shop, _, guest, property) = a_market(&world, &stripe, json!({})).await;
        let booking = guest.books(&property, &shop.day(10), &shop.day(12)).await;
        let refused = guest.tries_to_pay(&booking, DECLINED).await;
        assert_eq!(refused["userErrors"][0]["code"], "PAYMENT_DECLINED", "{refused}");
        assert_eq!(refused["userErrors"][0]["message"], "Your card was declined.");
        let unknown = guest.tries_to_pay(&booking, "pm_nobody_has").await;
        assert_eq!(unknown["userErrors"][0]["code"], "PAYMENT_DECLINED", "{unknown}");
        assert_eq!(guest.tries_to_pay(&booking, VISA).await["payment"]["status"], "PAID");
        assert_eq!(collected(&stripe).await, [22_000]);
        let declined = stripe.all("payment_intents").await;
        assert_eq!(declined[0]["status"], "canceled", "nobody pays it in a form that is still open");
    }

    async fn a_bank_that_wants_to_see_its_customer_is_waited_for(world: World) {
        let stripe = Stripe::start();
        let (shop, _, guest, property) = a_market(&world, &stripe, json!({})).await;
        let waiting = a_waiting_payment(&shop, &stripe, &guest, &property, 10).await;
        proves_who_it_is(&stripe, &waiting.secret).await;
        shop.clock.advance(Duration::seconds(15));
        shop.background_round().await;
        let seen = guest.sees(&waiting.booking).await;
        assert_eq!((&seen["status"], &seen["payment"]["status"], &seen["payment"]["clientSecret"]), (&json!("CONFIRMED"), &json!("PAID"), &Value::Null));
    }

    async fn without_a_token_a_card_or_a_wallet_waits_for_the_guests_form(world: World) {
        let stripe = Stripe::start();
        let (shop, _, guest, property) = a_market(&world, &stripe, json!({})).await;
        for (day, method) in [(10, "CARD"), (20, "PAYPAL")] {
            let booking = guest.books(&property, &shop.day(day), &shop.day(day + 2)).await;
            let input = json!({ "bookingId": booking["id"], "method": method });
            let made = guest.mutate("createPayment", "CreatePaymentInput!", input, "payment { status method clientSecret }").await;
            let payment = &made["payment"];
            assert_eq!((&payment["status"], &payment["method"]), (&json!("PENDING"), &json!(method)), "{made}");
            let secret = payment["clientSecret"].as_str().expect("a secret");
            let (reference, _) = secret.split_once("_secret_").expect("a secret");
            assert_eq!(stripe.knows(&format!("payment_intents/{reference}")).await["amount"], 22_000);
        }
        shop.clock.advance(Duration::minutes(5));
        shop.background_round().await;
        assert_eq!(world.number("SELECT count(*) FROM payments WHERE payment_status = 'PENDING'").await, 2, "the guests have time");
    }

    async fn a_provider_that_can_not_be_reached_makes_no_error_and_is_asked_later(world: World) {
        let stripe = Stripe::start();
        let line = BadLine::to(&stripe, 1).await;
        let (_, _, guest, property) = a_market(&world, &stripe, json!({})).await;
        let far = paying(&world, line.base()).await;
        let guest = far.as_seen_by(&guest);
        let booking = guest.books(&property, &far.day(10), &far.day(12)).await;
        line.is_cut();
        let made = guest.tries_to_pay(&booking, VISA).await;
        assert_eq!((&made["userErrors"], &made["payment"]["status"]), (&json!([]), &json!("PENDING")));
        let again = guest.tries_to_pay(&booking, VISA).await;
        assert_eq!(again["userErrors"][0]["code"], "WRONG_STATE", "one is under way: {again}");
        line.is_mended();
        far.background_round().await;
        assert_eq!(guest.sees(&booking).await["status"], "PENDING", "whoever began it may still be at it");
        far.clock.advance(Duration::seconds(15));
        far.background_round().await;
        let seen = guest.sees(&booking).await;
        assert_eq!((&seen["status"], &seen["payment"]["status"]), (&json!("CONFIRMED"), &json!("PAID")));
        assert_eq!(collected(&stripe).await, [22_000]);
        books_are_right(&world).await;
    }

    async fn who_pays_too_late_gets_the_stay_if_its_nights_are_free_and_else_the_money_and_a_letter(world: World) {
        let stripe = Stripe::start();
        let (shop, _, _, property) = a_market(&world, &stripe, json!({})).await;
        let address = world.address("gus");
        let guest = shop.stranger().sign_up(json!({ "fullName": "Gus Guest", "email": address, "password": "a good password" })).await;
        let late = [
            a_waiting_payment(&shop, &stripe, &guest, &property, 10).await,
            a_waiting_payment(&shop, &stripe, &guest, &property, 20).await,
        ];
        shop.clock.advance(Duration::minutes(16));
        let other = shop.as_seen_by(&world.guest("olga").await);
        other.books(&property, &shop.day(20), &shop.day(22)).await;
        for waiting in &late {
            proves_who_it_is(&stripe, &waiting.secret).await;
        }
        shop.background_round().await;
        let (lucky, unlucky) = (guest.sees(&late[0].booking).await, guest.sees(&late[1].booking).await);
        assert_eq!((&lucky["status"], &lucky["payment"]["status"]), (&json!("CONFIRMED"), &json!("PAID")));
        assert_eq!((&unlucky["status"], &unlucky["payment"]["status"]), (&json!("CANCELLED"), &json!("REFUNDED")));
        let mails = shop.mails_to(&address).await;
        let letters: Vec<_> = mails.iter().filter(|mail| mail.subject.ends_with("came too late")).collect();
        assert_eq!(letters.len(), 1, "{mails:?}");
        books_are_right(&world).await;
    }

    async fn a_hold_that_lapses_lets_go_of_its_payment_before_its_nights_are_free(world: World) {
        let stripe = Stripe::start();
        let line = BadLine::to(&stripe, 1).await;
        line.is_mended();
        let (near, _, guest, property) = a_market(&world, &stripe, json!({})).await;
        let shop = paying(&world, line.base()).await;
        let guest = shop.as_seen_by(&guest);
        let waiting = a_waiting_payment(&shop, &stripe, &guest, &property, 10).await;
        shop.clock.advance(Duration::minutes(16));
        line.is_cut();
        shop.background_round().await;
        let seen = guest.sees(&waiting.booking).await;
        assert_eq!((&seen["status"], &seen["payment"]["status"]), (&json!("PENDING"), &json!("PENDING")), "it may still be paid over there");
        line.is_mended();
        shop.clock.advance(Duration::minutes(5));
        shop.background_round().await;
        let seen = guest.sees(&waiting.booking).await;
        assert_eq!((&seen["status"], &seen["cancellationReason"], &seen["payment"]["status"]), (&json!("CANCELLED"), &json!("PAYMENT_EXPIRED"), &json!("FAILED")));
        assert_eq!(stripe.knows(&format!("payment_intents/{}", waiting.reference)).await["status"], "canceled");
        drop(near);
    }

    async fn a_sum_that_is_another_at_the_provider_confirms_nothing_and_raises_an_alert(world: World) {
        let stripe = Stripe::start();
        let (shop, _, guest, property) = a_market(&world, &stripe, json!({})).await;
        let waiting = a_waiting_payment(&shop, &stripe, &guest, &property, 10).await;
        proves_who_it_is(&stripe, &waiting.secret).await;
        // Somebody has meddled with what was to be paid.
        world.meddles("UPDATE payments SET amount = 1").await.expect("meddled");
        shop.clock.advance(Duration::seconds(15));
        shop.background_round().await;
        assert_eq!(guest.sees(&waiting.booking).await["status"], "PENDING");
        assert_eq!(world.number("SELECT count(*) FROM alerts WHERE cause = 'payments differ'").await, 1);
    }
}

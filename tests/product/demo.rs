//! The demo marketplace and bulk data: rows as the services would have written them.

use serde_json::{Value, json};
use staygate::cli::{demo, seed};

use crate::support::{Client, World, on_both_engines};

async fn sign_in(world: &World, email: &str) -> Client {
    let input = json!({ "email": email, "password": "demo-password" });
    let stranger = world.stranger();
    let session = stranger
        .mutate("signIn", "SignInInput!", input, crate::support::SESSION)
        .await;
    stranger.with_session(&session)
}

/// What must hold of bookings, nights, events, payments and reviews however they came there; each query counts what is wrong.
const WRONG: &[(&str, &str)] = &[
    ("a live booking without each of its nights",
     "SELECT count(*) FROM bookings b WHERE status <> 'CANCELLED' AND DAYS <>
        (SELECT count(*) FROM nights n WHERE n.booking_id = b.booking_id AND n.property_id = b.property_id
         AND n.night >= b.check_in_date AND n.night < b.check_out_date)"),
    ("a night of a cancelled booking",
     "SELECT count(*) FROM nights n JOIN bookings b ON b.booking_id = n.booking_id WHERE b.status = 'CANCELLED'"),
    ("a booking whose last event is not its status",
     "SELECT count(*) FROM bookings b WHERE status <> (SELECT to_status FROM booking_events e
        WHERE e.booking_id = b.booking_id ORDER BY event_id DESC LIMIT 1)"),
    ("a review of a stay that is not over",
     "SELECT count(*) FROM reviews r JOIN bookings b ON b.booking_id = r.booking_id WHERE b.status <> 'COMPLETED'"),
    ("a rating that its reviews do not make",
     "SELECT count(*) FROM properties p WHERE review_count <> (SELECT count(*) FROM reviews r WHERE r.property_id = p.property_id)
        OR rating_sum <> (SELECT coalesce(sum(rating), 0) FROM reviews r WHERE r.property_id = p.property_id)"),
    ("a confirmed booking that is not paid",
     "SELECT count(*) FROM bookings b WHERE status IN ('CONFIRMED', 'COMPLETED') AND NOT EXISTS
        (SELECT 1 FROM payments p WHERE p.booking_id = b.booking_id AND p.payment_status = 'PAID' AND p.amount = b.total_price)"),
];

async fn nothing_is_wrong(world: &World) {
    let days = if world.is_postgres() {
        "(check_out_date - check_in_date)"
    } else {
        "CAST(julianday(check_out_date) - julianday(check_in_date) AS INTEGER)"
    };
    for (what, sql) in WRONG {
        assert_eq!(world.number(&sql.replace("DAYS", days)).await, 0, "{what}");
    }
}

on_both_engines! {
    async fn the_demo_fills_an_empty_database_once_with_a_consistent_marketplace(world: World) {
        let app = &world.app;
        assert!(demo::fill(&app.db, &app.passwords, &*app.clock).await.expect("it fills"));
        assert!(!demo::fill(&app.db, &app.passwords, &*app.clock).await.expect("it looks"), "there is data already");
        assert!(world.number("SELECT count(*) FROM properties").await >= 60);
        nothing_is_wrong(&world).await;

        let guest = sign_in(&world, "guest@example.com").await;
        let mine = guest.get("{ viewer { bookings { nodes { id status review { rating } property { id } } } } }", json!({})).await;
        let bookings = mine["viewer"]["bookings"]["nodes"].as_array().expect("bookings").clone();
        let mut kinds: Vec<_> = bookings.iter().map(|booking| {
            (booking["status"].as_str().expect("a status").to_owned(), !booking["review"].is_null())
        }).collect();
        kinds.sort();
        let kind = |status: &str, reviewed| (status.to_owned(), reviewed);
        assert_eq!(kinds, [
            kind("CANCELLED", false), kind("COMPLETED", false), kind("COMPLETED", true), kind("CONFIRMED", false), kind("PENDING", false),
        ]);
        let admin = sign_in(&world, "admin@example.com").await;
        let viewer = admin.get("{ viewer { user { role } } }", json!({})).await;
        assert_eq!(viewer["viewer"]["user"]["role"], "ADMIN");

        let pending: &Value = bookings.iter().find(|booking| booking["status"] == "PENDING").expect("a request");
        let host = sign_in(&world, "host@example.com").await;
        let accepted = host.mutate_by_id("acceptBooking", pending["id"].as_str().expect("an id"), "booking { status }").await;
        assert_eq!(accepted["booking"]["status"], "CONFIRMED");
        // The database goes on numbering where the demo ended.
        guest.pays(&guest.books("UHJvcGVydHk6MQ", &world.day(60), &world.day(63)).await).await;
        nothing_is_wrong(&world).await;
    }

    async fn bulk_data_is_consistent_and_the_server_goes_on_from_it(world: World) {
        let app = &world.app;
        let summary = seed::seed(&app.db, &app.passwords, &*app.clock, 150, 7, |_, _| {}).await.expect("it seeds");
        assert_eq!(summary.properties, 150);
        assert_eq!(world.number("SELECT count(*) FROM properties").await, 150);
        nothing_is_wrong(&world).await;
        let again = seed::seed(&app.db, &app.passwords, &*app.clock, 150, 7, |_, _| {}).await.unwrap_err();
        assert!(again.to_string().contains("seed 7"), "{again}");
        let property = world.host("hana").await.lists(json!({})).await;
        let guest = world.guest("gus").await;
        guest.pays(&guest.books(&property, &world.day(1), &world.day(2)).await).await;
        nothing_is_wrong(&world).await;
    }
}

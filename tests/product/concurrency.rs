//! Many clients at once: nobody shares a night, and nobody gets an answer that is not one.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::support::{World, nights_of, on_both_engines};

on_both_engines! {
    async fn of_64_clients_who_book_overlapping_stays_at_once_nobody_shares_a_night(world: World) {
        nobody_shares_a_night(&world).await;
    }

    async fn of_two_clients_with_one_key_at_once_both_get_the_same_booking(world: World) {
        let property = world.host("hana").await.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let input = json!({ "propertyId": property, "checkIn": world.day(5), "checkOut": world.day(7), "idempotencyKey": "k" });
        let attempts = (0..8).map(|_| guest.mutate("createBooking", "CreateBookingInput!", input.clone(), "booking { id }"));
        let answers = join_all(attempts).await;
        for answer in &answers {
            assert_eq!(answer, &answers[0]);
        }
        assert_eq!(world.number("SELECT count(*) FROM bookings").await, 1);
    }

    async fn a_booking_paid_for_eight_times_at_once_is_paid_once(world: World) {
        let property = world.host("hana").await.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let booking = guest.books(&property, &world.day(5), &world.day(7)).await;
        let answers = join_all((0..8).map(|_| guest.tries_to_pay(&booking, "tok_visa"))).await;
        let paid = answers.iter().filter(|answer| answer["payment"]["status"] == "PAID").count();
        assert_eq!(paid, 1, "{answers:?}");
        assert_eq!(world.number("SELECT count(*) FROM payments").await, 1);
    }

    async fn a_request_accepted_and_cancelled_at_once_ends_one_way_with_its_money_right(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({ "instantBook": false })).await;
        let guest = world.guest("gus").await;
        for day in 1..9 {
            let booking = guest.books(&property, &world.day(day * 2), &world.day(day * 2 + 1)).await;
            guest.pays(&booking).await;
            let id = booking["id"].as_str().expect("an id");
            tokio::join!(
                host.mutate_by_id("acceptBooking", id, "booking { id }"),
                host.mutate_by_id("acceptBooking", id, "booking { id }"),
                guest.mutate_by_id("cancelBooking", id, "booking { id }"),
            );
            world.background_round().await;
            let booking = guest.sees(&booking).await;
            let payment = &booking["payment"];
            match booking["status"].as_str().expect("a status") {
                "CONFIRMED" => assert_eq!(payment["status"], "PAID"),
                "CANCELLED" => {
                    let whole = payment["status"] == "REFUNDED" && payment["refundedAmount"] == payment["amount"];
                    assert!(whole || payment["status"] == "FAILED", "{booking}");
                }
                other => panic!("{other}"),
            }
        }
    }

    async fn concurrent_reviews_all_count(world: World) {
        let property = world.host("hana").await.lists(json!({})).await;
        let mut reviews = Vec::new();
        for n in 0..10_i64 {
            let guest = world.guest(&format!("guest{n}")).await;
            let booking = guest.books(&property, &world.day(n + 1), &world.day(n + 2)).await;
            guest.pays(&booking).await;
            reviews.push((guest, json!({ "bookingId": booking["id"], "rating": 1 + n % 5 })));
        }
        world.clock.advance(chrono::Duration::days(13));
        world.background_round().await;
        let written = reviews.into_iter().map(|(guest, input)| async move {
            guest.mutate("createReview", "CreateReviewInput!", input, "review { id }").await
        });
        for answer in join_all(written).await {
            assert_eq!(answer["userErrors"], json!([]));
        }
        let query = "query($id: ID!) { property(id: $id) { averageRating reviewCount } }";
        let rated = world.stranger().get(query, json!({ "id": property })).await;
        assert_eq!(rated["property"], json!({ "averageRating": 3.0, "reviewCount": 10 }));
    }
}

/// 64 guests book overlapping stays at one home at once.
async fn nobody_shares_a_night(world: &World) {
    let property = world.host("hana").await.lists(json!({})).await;
    let guests = join_all((0..64).map(|n| world.guest_owned(format!("guest{n}")))).await;
    let attempts = guests.iter().enumerate().map(|(n, guest)| {
        let start = i64::try_from(n % 10).expect("small");
        let length = i64::try_from(1 + n % 4).expect("small");
        let (check_in, check_out) = (world.day(10 + start), world.day(10 + start + length));
        let property = property.clone();
        async move { guest.tries_to_book(&property, &check_in, &check_out).await }
    });
    let answers: Vec<Value> = join_all(attempts).await;

    let (mut booked, mut nights) = (0, 0);
    for answer in &answers {
        if answer["booking"].is_null() {
            assert_eq!(
                answer["userErrors"][0]["code"], "DATES_UNAVAILABLE",
                "{answer}"
            );
        } else {
            booked += 1;
            nights += nights_of(&answer["booking"]);
        }
    }
    assert!(booked > 0, "somebody must win");
    assert_eq!(
        world.number("SELECT count(*) FROM bookings").await,
        booked,
        "no refused attempt left a row"
    );
    assert_eq!(
        world.number("SELECT count(*) FROM nights").await,
        nights,
        "each booking has each of its nights"
    );
    assert_eq!(
        world.number("SELECT count(*) FROM booking_events").await,
        booked
    );
}

/// What a database that is spread over many machines does with the table: all nights of a home are in one part, whose key is its own to keep.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_shares_a_night_where_homes_are_spread_over_parts_of_the_table() {
    let world = World::on_postgres().await;
    let spread = "ALTER TABLE nights RENAME TO nights_whole;
        CREATE TABLE nights (LIKE nights_whole, PRIMARY KEY (property_id, night)) PARTITION BY HASH (property_id);
        CREATE TABLE nights_a PARTITION OF nights FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE nights_b PARTITION OF nights FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        DROP TABLE nights_whole";
    world.meddles(spread).await.expect("it is spread");
    nobody_shares_a_night(&world).await;
}

/// An instance that hangs, or that the network has cut off, while it writes, holds the end of the audit log, which every write needs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_hangs_holds_up_the_others_for_some_seconds_only() {
    let world = World::on_postgres().await;
    let hung = world.another_instance().await;
    let tx = hung.app.db.begin().await.expect("a write");
    tx.execute_unprepared("SELECT * FROM audit_head FOR UPDATE")
        .await
        .expect("the end of the log");
    let sign_up = "mutation($input: SignUpInput!) { signUp(input: $input) { accessToken } }";
    let input =
        json!({ "fullName": "gus", "email": "gus@example.com", "password": "a good password" });
    let began = Instant::now();
    loop {
        let answer = world
            .stranger()
            .ask(sign_up, json!({ "input": input }))
            .await;
        if answer.get("errors").is_none() {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(15), "{answer}");
    }
    assert!(tx.commit().await.is_err(), "what hung is not written");
}

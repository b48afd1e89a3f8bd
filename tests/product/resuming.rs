//! Watching loses nothing: not when Redis or the database is away, not when a client reads slowly; and it goes on after any cursor.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Client, Redis, Socket, World, on_both_engines};

const VIEWER: &str = "subscription($after: String) { viewerBookingStatusChanged(after: $after) { cursor to booking { id } } }";
const ONE: &str = "subscription($id: ID!, $after: String) { bookingStatusChanged(bookingId: $id, after: $after) { cursor to } }";

/// The cursor of the event with this key.
fn cursor(event: i64) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(format!("e:0:{event}"))
}

async fn hears_of(socket: &mut Socket, booking: &Value, to: &str) {
    let event = socket.next_event().await["viewerBookingStatusChanged"].take();
    assert_eq!(
        (&event["booking"]["id"], &event["to"]),
        (&booking["id"], &json!(to))
    );
}

async fn cancels(guest: &Client, booking: &Value) {
    let id = booking["id"].as_str().expect("an id");
    let answer = guest.mutate_by_id("cancelBooking", id, "").await;
    assert_eq!(answer["userErrors"], json!([]));
}

on_both_engines! {
    async fn somebody_who_is_guest_and_host_hears_of_both_once(world: World) {
        let hana = world.host("hana").await;
        let other = world.host("olga").await;
        let (own, others) = (hana.lists(json!({})).await, other.lists(json!({})).await);
        let guest = world.guest("gus").await;
        let first = hana.books(&others, &world.day(1), &world.day(2)).await;
        let mut socket = hana.opens_a_socket().await;
        socket.subscribe("w", VIEWER, json!({ "after": cursor(0) })).await;
        hears_of(&mut socket, &first, "PENDING").await;
        guest.books(&others, &world.day(5), &world.day(6)).await;
        let second = guest.books(&own, &world.day(1), &world.day(2)).await;
        hears_of(&mut socket, &second, "PENDING").await;
        cancels(&hana, &first).await;
        hears_of(&mut socket, &first, "CANCELLED").await;
    }

    async fn any_event_is_a_place_to_go_on_from_and_one_that_is_not_there_yet_is_refused(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let own = guest.books(&property, &world.day(1), &world.day(2)).await;
        let foreign = world.guest("olga").await.books(&property, &world.day(3), &world.day(4)).await;
        guest.pays(&own).await;
        for (after, expected) in [(cursor(0), "PENDING"), (cursor(-7), "PENDING"), (foreign["events"][0]["cursor"].as_str().expect("a cursor").to_owned(), "CONFIRMED")] {
            let mut socket = guest.opens_a_socket().await;
            socket.subscribe("w", ONE, json!({ "id": own["id"], "after": after })).await;
            assert_eq!(socket.next_event().await["bookingStatusChanged"]["to"], expected);
        }
        let newest = world.number("SELECT max(event_id) FROM booking_events").await;
        for after in [newest + 1, i64::MAX] {
            let mut socket = guest.opens_a_socket().await;
            socket.subscribe("w", VIEWER, json!({ "after": cursor(after) })).await;
            let refused = socket.hears().await;
            assert_eq!(refused.pointer("/payload/errors/0/extensions/code"), Some(&json!("BAD_USER_INPUT")), "{refused}");
        }
    }

    async fn a_database_that_is_away_for_a_while_ends_no_watch(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let first = guest.books(&property, &world.day(1), &world.day(2)).await;
        let mut socket = host.opens_a_socket().await;
        socket.subscribe("w", VIEWER, json!({ "after": cursor(0) })).await;
        hears_of(&mut socket, &first, "PENDING").await;
        world.meddles("ALTER TABLE booking_events RENAME TO away").await.expect("away");
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(1_500) {
            let input = json!({ "propertyId": property, "checkIn": world.day(5), "checkOut": world.day(6) });
            let book = "mutation($input: CreateBookingInput!) { createBooking(input: $input) { booking { id } } }";
            assert_eq!(guest.refusal(book, json!({ "input": input })).await, "INTERNAL");
        }
        world.meddles("ALTER TABLE away RENAME TO booking_events").await.expect("back");
        let second = guest.books(&property, &world.day(3), &world.day(4)).await;
        hears_of(&mut socket, &second, "PENDING").await;
    }

    async fn an_event_that_could_not_be_told_is_not_passed_over(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let broken = "subscription($after: String) { viewerBookingStatusChanged(after: $after) { to booking { payment { id } } } }";
        let booking = guest.books(&property, &world.day(1), &world.day(2)).await;
        let begun = booking["events"][0]["cursor"].as_str().expect("a cursor");
        cancels(&guest, &booking).await;
        world.meddles("ALTER TABLE payments RENAME TO away").await.expect("away");
        let mut socket = host.opens_a_socket().await;
        socket.subscribe("w", broken, json!({ "after": begun })).await;
        let told = socket.hears().await;
        assert_eq!((&told["type"], told.pointer("/payload/0/extensions/code")), (&json!("error"), Some(&json!("INTERNAL"))), "{told}");
        let mut stream = host.streams(broken, json!({ "after": begun })).await;
        let told = stream.hears().await.expect("a result");
        assert_eq!((told.id, told.data.pointer("/errors/0/extensions/code")), (None, Some(&json!("INTERNAL"))));
        assert_eq!(stream.hears().await, None, "it ends without completing, so that the client comes again");
        world.meddles("ALTER TABLE away RENAME TO payments").await.expect("back");
        let mut stream = host.streams(broken, json!({ "after": begun })).await;
        assert_eq!(stream.next_event().await["viewerBookingStatusChanged"]["to"], "CANCELLED");
    }

    async fn who_reads_slowly_gets_all_of_it_and_holds_nobody_up(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({ "description": "x".repeat(4_000) })).await;
        let guest = world.guest("gus").await;
        // More than the buffers between here and there hold.
        let fat: Vec<_> = (0..14).map(|n| format!("d{n}: description")).collect();
        let fat = format!("subscription($after: String) {{ viewerBookingStatusChanged(after: $after) {{ cursor to booking {{ id property {{ {} }} }} }} }}", fat.join(" "));
        let mut slow = host.streams(&fat, json!({ "after": cursor(0) })).await;
        let mut quick = host.opens_a_socket().await;
        quick.subscribe("w", VIEWER, json!({ "after": cursor(0) })).await;
        let mut expected = vec![];
        for day in 1..=150 {
            let booking = guest.books(&property, &world.day(day), &world.day(day + 1)).await;
            cancels(&guest, &booking).await;
            for to in ["PENDING", "CANCELLED"] {
                hears_of(&mut quick, &booking, to).await;
                expected.push(json!([booking["id"], to]));
            }
        }
        for expected in expected {
            let event = slow.next_event().await["viewerBookingStatusChanged"].take();
            assert_eq!(json!([event["booking"]["id"], event["to"]]), expected);
        }
    }
}

/// Redis goes and comes back while two instances move bookings: each watcher hears of each event, in order, from either instance.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_cross_instances_while_redis_is_away() {
    let mut redis = Redis::start();
    let url = redis.url();
    let here = World::on_postgres_with(&[("REDIS_URL", &url)]).await;
    let there = here.another_instance().await;
    redis.is_heard_by(2, &here.channel()).await;
    let host = here.host("hana").await;
    let property = host.lists(json!({})).await;
    let guest = here.guest("gus").await;
    let mut sockets = join_all([&here, &there].map(async |world| {
        let mut socket = world.as_seen_by(&host).opens_a_socket().await;
        let after = json!({ "after": cursor(0) });
        socket.subscribe("w", VIEWER, after).await;
        socket
    }))
    .await;
    for day in 1..=12 {
        match day {
            4 => redis.is_killed(),
            9 => redis.starts_again(),
            _ => {}
        }
        let at = if day % 2 == 0 { &here } else { &there };
        let booking = at
            .as_seen_by(&guest)
            .books(&property, &here.day(day), &here.day(day + 1))
            .await;
        let began = Instant::now();
        for socket in &mut sockets {
            hears_of(socket, &booking, "PENDING").await;
        }
        let took = began.elapsed();
        assert!(took < Duration::from_secs(3), "{took:?}");
    }
}

/// Two processes without Redis hear of each other by looking.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_cross_processes_that_have_no_redis() {
    let here = World::on_sqlite().await;
    let there = here.another_instance().await;
    let host = here.host("hana").await;
    let property = host.lists(json!({})).await;
    let guest = here.guest("gus").await;
    let mut socket = there.as_seen_by(&host).opens_a_socket().await;
    socket
        .subscribe("w", VIEWER, json!({ "after": cursor(0) }))
        .await;
    for day in 1..=3 {
        let booking = guest
            .books(&property, &here.day(day), &here.day(day + 1))
            .await;
        let began = Instant::now();
        hears_of(&mut socket, &booking, "PENDING").await;
        let took = began.elapsed();
        assert!(took < Duration::from_secs(3), "{took:?}");
    }
}

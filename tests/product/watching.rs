//! Watching bookings and calendars change.

use serde_json::{Value, json};

use crate::support::{World, on_both_engines};

const VIEWER: &str = "subscription($after: String) { viewerBookingStatusChanged(after: $after) {
    cursor from to booking { id status } } }";
const ONE: &str = "subscription($id: ID!, $after: String) { bookingStatusChanged(bookingId: $id, after: $after) { cursor from to } }";
const NIGHTS: &str =
    "subscription($id: ID!) { availabilityChanged(propertyId: $id) { date available } }";

fn moves(event: &Value) -> (Option<&str>, Option<&str>) {
    (event["from"].as_str(), event["to"].as_str())
}

on_both_engines! {
    async fn a_host_hears_of_every_change_in_order_and_after_a_reconnect_of_what_was_missed(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let first = guest.books(&property, &world.day(1), &world.day(2)).await;
        let mut after = first["events"][0]["cursor"].clone();

        let mut socket = host.opens_a_socket().await;
        socket.subscribe("w", VIEWER, json!({ "after": after })).await;
        guest.pays(&first).await;
        let second = guest.books(&property, &world.day(3), &world.day(4)).await;
        for expected in [(Some("PENDING"), Some("CONFIRMED")), (None, Some("PENDING"))] {
            let event = socket.next_event().await["viewerBookingStatusChanged"].take();
            assert_eq!(moves(&event), expected);
            after = event["cursor"].clone();
        }
        drop(socket);

        guest.pays(&second).await;
        guest.mutate_by_id("cancelBooking", second["id"].as_str().expect("an id"), "booking { id }").await;
        let mut socket = host.opens_a_socket().await;
        socket.subscribe("w", VIEWER, json!({ "after": after })).await;
        for expected in [(Some("PENDING"), Some("CONFIRMED")), (Some("CONFIRMED"), Some("CANCELLED"))] {
            let event = socket.next_event().await["viewerBookingStatusChanged"].take();
            assert_eq!(moves(&event), expected);
            assert_eq!(event["booking"]["status"], "CANCELLED", "the booking is shown as it is now");
        }
    }

    async fn one_booking_is_watched_by_its_guest_its_host_and_admins_and_by_nobody_else(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let booking = guest.books(&property, &world.day(1), &world.day(2)).await;
        let variables = json!({ "id": booking["id"], "after": booking["events"][0]["cursor"] });
        let mut sockets = Vec::new();
        for who in [&guest, &host, &world.admin("ada").await] {
            let mut socket = who.opens_a_socket().await;
            socket.subscribe("w", ONE, variables.clone()).await;
            sockets.push(socket);
        }
        for (who, code) in [(world.guest("nosy").await, "NOT_FOUND"), (world.stranger(), "UNAUTHENTICATED")] {
            let mut socket = who.opens_a_socket().await;
            socket.subscribe("w", ONE, variables.clone()).await;
            let refused = socket.hears().await;
            assert_eq!(refused.pointer("/payload/errors/0/extensions/code"), Some(&json!(code)), "{refused}");
            assert_eq!(socket.hears().await["type"], "complete");
        }
        guest.pays(&booking).await;
        for socket in &mut sockets {
            let event = socket.next_event().await["bookingStatusChanged"].take();
            assert_eq!(moves(&event), (Some("PENDING"), Some("CONFIRMED")));
        }
    }

    async fn anyone_sees_nights_taken_and_freed(world: World) {
        let property = world.host("hana").await.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let mut socket = world.stranger().opens_a_socket().await;
        socket.subscribe("w", NIGHTS, json!({ "id": property })).await;
        // Nothing tells a client that its subscription is live but its first event.
        let mut live = false;
        for day in 100..200 {
            guest.books(&property, &world.day(day), &world.day(day + 1)).await;
            if socket.hears_within(std::time::Duration::from_millis(200)).await.is_some() {
                live = true;
                break;
            }
        }
        assert!(live, "no event in a hundred bookings");
        let booking = guest.books(&property, &world.day(5), &world.day(7)).await;
        let heard = async |socket: &mut crate::support::Socket| loop {
            let event = socket.next_event().await["availabilityChanged"].take();
            if event[0]["date"] == json!(world.day(5)) {
                return event;
            }
        };
        let night = |day, available| json!({ "date": world.day(day), "available": available });
        assert_eq!(heard(&mut socket).await, json!([night(5, false), night(6, false)]));
        guest.mutate_by_id("cancelBooking", booking["id"].as_str().expect("an id"), "booking { id }").await;
        assert_eq!(heard(&mut socket).await, json!([night(5, true), night(6, true)]));
    }
}

/// What is booked on one instance is heard on the other. Instances share PostgreSQL and Redis; SQLite has one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_hear_each_other() {
    let here = World::on_postgres().await;
    let there = here.another_instance().await;
    let host = here.host("hana").await;
    let property = host.lists(json!({})).await;
    let guest = here.guest("gus").await;
    let first = guest.books(&property, &here.day(1), &here.day(2)).await;
    let mut socket = there.as_seen_by(&host).opens_a_socket().await;
    socket
        .subscribe(
            "w",
            VIEWER,
            json!({ "after": first["events"][0]["cursor"] }),
        )
        .await;
    guest.pays(&first).await;
    let event = socket.next_event().await["viewerBookingStatusChanged"].take();
    assert_eq!(moves(&event), (Some("PENDING"), Some("CONFIRMED")));
    for day in 3..20 {
        let booking = guest
            .books(&property, &here.day(day), &here.day(day + 1))
            .await;
        let event = socket.next_event().await["viewerBookingStatusChanged"].take();
        assert_eq!(event["booking"]["id"], booking["id"]);
    }
}

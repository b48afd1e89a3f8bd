//! How each row of Subscription is tried.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    cast::text,
    cell::{Cell, Probe},
};

pub const PROBES: &[(&str, Probe)] = &[
    ("Subscription.bookingStatusChanged", |cell| {
        Box::pin(async {
            let watch = "subscription($id: ID!, $after: String) {
                probe: bookingStatusChanged(bookingId: $id, after: $after) { cursor } }";
            let stage = cell.stage;
            let variables = json!({ "id": stage.reviewed.booking, "after": stage.begun });
            vec![first_of(cell, watch, variables).await]
        })
    }),
    ("Subscription.viewerBookingStatusChanged", |cell| {
        Box::pin(hears_of_own(cell))
    }),
    ("Subscription.availabilityChanged", |cell| {
        Box::pin(hears_of_nights(cell, false))
    }),
    (
        "Subscription.availabilityChanged of an unlisted one",
        |cell| Box::pin(hears_of_nights(cell, true)),
    ),
];

/// The first that a subscription says.
pub async fn first_of(cell: &Cell<'_>, document: &str, variables: Value) -> Value {
    let mut socket = cell.caller().opens_a_socket().await;
    socket.subscribe("w", document, variables).await;
    socket.hears().await["payload"].take()
}

/// Hears every event since the beginning, until the caller's newest comes. Nothing of anybody else's may be among them.
async fn hears_of_own(cell: &Cell<'_>) -> Vec<Value> {
    let watch = "subscription($after: String) { viewerBookingStatusChanged(after: $after) {
        booking { id guest { id } property { host { id } } } } }";
    let mut socket = cell.caller().opens_a_socket().await;
    socket
        .subscribe("w", watch, json!({ "after": cell.stage.begun }))
        .await;
    let Some(newest) = cell.stage.newest_of(cell.who) else {
        return vec![socket.hears().await["payload"].take()];
    };
    let mut heard = vec![];
    loop {
        let event = socket.next_event().await["viewerBookingStatusChanged"].take();
        let booking = &event["booking"];
        let parties = [&booking["guest"]["id"], &booking["property"]["host"]["id"]];
        let caller = &json!(cell.caller().id);
        let party = if parties.contains(&caller) {
            caller
        } else {
            parties[0]
        };
        heard.push(json!({ "owner": party }));
        if booking["id"] == newest {
            return vec![json!({ "data": { "probe": heard } })];
        }
    }
}

/// Nothing tells a client that its subscription is live but its first event, so nights are taken or freed until it comes. Where the property
/// is unlisted they can only be freed.
async fn hears_of_nights(cell: &Cell<'_>, unlisted: bool) -> Vec<Value> {
    let cast = &cell.cast;
    let property = cast.host.lists(json!({})).await;
    let mut taken = vec![];
    if unlisted {
        for day in 10..30 {
            let booking = takes(cell, &property, day).await;
            taken.push(text(&booking["id"]));
        }
        let change = json!({ "id": property, "status": "UNLISTED" });
        let unlisted = cast
            .host
            .mutate("updateProperty", "UpdatePropertyInput!", change, "");
        assert_eq!(unlisted.await["userErrors"], json!([]));
    }
    let watch = "subscription($id: ID!) { probe: availabilityChanged(propertyId: $id) { date } }";
    let mut socket = cell.caller().opens_a_socket().await;
    socket
        .subscribe("w", watch, json!({ "id": property }))
        .await;
    for day in 100..200 {
        if !unlisted {
            takes(cell, &property, day).await;
        } else if let Some(booking) = taken.pop() {
            cast.guest.mutate_by_id("cancelBooking", &booking, "").await;
        }
        if let Some(mut message) = socket.hears_within(Duration::from_millis(200)).await {
            return vec![message["payload"].take()];
        }
    }
    panic!("no event in a hundred bookings");
}

async fn takes(cell: &Cell<'_>, property: &str, day: i64) -> Value {
    let (check_in, check_out) = (cell.world.day(day), cell.world.day(day + 1));
    cell.cast.guest.books(property, &check_in, &check_out).await
}

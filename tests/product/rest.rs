//! The resources: the same marketplace for those who want plain addresses.

mod alike;
mod conventions;
mod document;
mod events;
mod input;
mod main_way;
mod versions;

use serde_json::{Value, json};

use crate::support::{Client, World, a_property};

/// A property that a host has listed by REST.
async fn listed(host: &Client, changes: Value) -> Value {
    host.posts("/properties/", a_property(&changes))
        .await
        .thing(201)
}

/// A stay of two nights, booked by REST.
async fn booked(world: &World, guest: &Client, property: &Value, day: i64) -> Value {
    let stay = json!({ "propertyId": property["id"], "checkIn": world.day(day), "checkOut": world.day(day + 2), "guests": 2 });
    guest.posts("/bookings/", stay).await.thing(201)
}

/// Pays for a booking by REST.
async fn paid(guest: &Client, booking: &Value) -> Value {
    let body = json!({ "bookingId": booking["id"], "paymentToken": "tok_visa" });
    guest.posts("/payments/", body).await.thing(201)
}

fn at(resource: &str, thing: &Value) -> String {
    format!("/{resource}/{}/", thing["id"])
}

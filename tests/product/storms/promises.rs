//! Whether clients find what they were told before a crash, and what becomes of what they had asked for without an answer.

use std::collections::HashMap;

use futures_util::future::join_all;
use sea_orm::EntityTrait as _;
use serde_json::{Value, json};
use staygate::{entity::booking, store::db::Db};

use super::{
    key_of,
    market::{Deed, Known, Market},
    trader::Trader,
};
use crate::support::Client;

/// By whom what is booked, and from when to when.
type Wish = (i64, i64, String, String);

/// Asks the server at this address for everything that clients know, and again for all that it had not answered.
pub async fn are_kept(db: &Db, market: &Market, traders: &[Trader], base: &str) {
    let known = market.known().clone();
    let asks = traders.iter().enumerate().map(async |(number, trader)| {
        let client = trader.clients[0].at(base);
        for (id, known) in known.iter().filter(|(_, known)| known.trader == number) {
            is_as_told(&client, id, known).await;
            if !known.input["idempotencyKey"].is_null() {
                let again = market.repeats(&client, known.input.clone()).await;
                assert_eq!(
                    again.as_ref(),
                    Some(id),
                    "the same key gives the same booking"
                );
            }
        }
        let mut repeated = vec![];
        for input in &trader.unanswered {
            let made = if input["idempotencyKey"].is_null() {
                // It can't be told from a new one, so nobody sends it again: its guest looks among the bookings.
                None
            } else {
                // Whether it was made before the crash or not: from now on it is this one.
                let made = market.repeats(&client, input.clone()).await;
                if made.is_some() {
                    assert_eq!(market.repeats(&client, input.clone()).await, made);
                }
                Some(made.iter().map(|id| key_of(id)).collect())
            };
            repeated.push((wish(&client, input), made));
        }
        repeated
    });
    let repeated = join_all(asks).await.concat();
    nothing_else_is_booked(db, &known, repeated).await;
}

/// Each booking is one that its client knows, or was asked for without an answer. With a key that is the one which the key gives from now
/// on; where the key was refused there is none, or else it was booked without its key and keeps its own guest out.
async fn nothing_else_is_booked(
    db: &Db,
    known: &HashMap<String, Known>,
    repeated: Vec<(Wish, Option<Vec<i64>>)>,
) {
    let known: Vec<_> = known.keys().map(|id| key_of(id)).collect();
    let bookings = booking::Entity::find().all(db.read()).await;
    let mut unknown: HashMap<Wish, Vec<i64>> = HashMap::new();
    for booking in bookings.expect("bookings") {
        let key = i64::from(booking.booking_id.0);
        if !known.contains(&key) {
            let wish = (
                booking.guest_id.0.into(),
                booking.property_id.0.into(),
                booking.check_in_date.to_string(),
                booking.check_out_date.to_string(),
            );
            unknown.entry(wish).or_default().push(key);
        }
    }
    for (wish, made) in repeated {
        let there = unknown.remove(&wish).unwrap_or_default();
        match made {
            Some(made) => assert_eq!(there, made, "what {wish:?} made, and what its key gives"),
            None => assert!(there.len() <= 1, "{wish:?} was asked for once: {there:?}"),
        }
    }
    assert!(unknown.is_empty(), "nobody waits for these: {unknown:?}");
}

fn wish(client: &Client, input: &Value) -> Wish {
    let text = |field: &str| input[field].as_str().expect("a text").to_owned();
    let (guest, home) = (key_of(&client.id), key_of(&text("propertyId")));
    (guest, home, text("checkIn"), text("checkOut"))
}

/// What clients were told of a booking is so.
async fn is_as_told(client: &Client, id: &str, known: &Known) {
    let query = "query($id: ID!) { booking(id: $id) { status checkIn checkOut guests payment { status } } }";
    let booking = client.get(query, json!({ "id": id })).await["booking"].take();
    let (status, paid) = (&booking["status"], &booking["payment"]["status"]);
    if !known.asked.contains(&Deed::Changed) {
        for field in ["checkIn", "checkOut", "guests"] {
            assert_eq!(booking[field], known.stay[field], "{id} {known:?}");
        }
    }
    let was_told = |deed| known.told.contains(&deed);
    let may_have_ended = [Deed::Cancelled, Deed::Declined]
        .iter()
        .any(|deed| known.asked.contains(deed));
    if was_told(Deed::Cancelled) || was_told(Deed::Declined) {
        assert_eq!(status, "CANCELLED", "{id} {known:?}");
        return;
    }
    let confirmed = was_told(Deed::Accepted) || known.instant && was_told(Deed::Paid);
    if confirmed && !may_have_ended {
        // Something may have come back of a stay that became a cheaper one.
        let kept = paid == "PAID"
            || paid == "PARTIALLY_REFUNDED"
                && (was_told(Deed::Changed) || known.asked.contains(&Deed::Changed));
        assert!(status == "CONFIRMED" && kept, "{id} {known:?} {booking}");
    } else if was_told(Deed::Paid) {
        assert!(
            !paid.is_null() && paid != "FAILED" || may_have_ended,
            "{id} {known:?} {booking}"
        );
    } else {
        assert!(status.is_string(), "{id} is gone: {known:?}");
    }
}

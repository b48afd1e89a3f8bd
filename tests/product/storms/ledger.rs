//! Whether the tables are right, read straight from them: nights, prices, histories, payments, keys.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Duration, NaiveDate, Utc};
use sea_orm::{EntityTrait as _, QueryOrder as _};
use staygate::{
    domain::{
        booking::BookingStatus::{Cancelled, Completed, Confirmed, Pending},
        cancellation::{self, CancelledBy},
        ids::{BookingId, PropertyId},
        money::Money,
        payment::PaymentStatus,
        price::{Rates, Tariff, price_stay},
        stay::Stay,
    },
    entity::{booking, booking_event, idempotency_key, night, night_price, payment, property},
    store::db::Db,
};

/// What was found that is neither right nor wrong.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub bookings: BTreeMap<&'static str, usize>,
    /// Payments that wait for the provider's answer and have no name there: the process died between two steps.
    pub left_between_two_steps: usize,
}

/// How far the market has come to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Nothing is under way: what lapsed has ended, what is owed has been given back.
    Settled,
    /// A crash may have left work for later.
    Crashed,
}

/// Looks into every row. `rates` are those of the market; `turned` is the longest step by which its clock was turned.
pub async fn check(
    db: &Db,
    now: DateTime<Utc>,
    rates: Rates,
    turned: Duration,
    rest: Rest,
) -> Found {
    let db = db.read();
    let bookings = booking::Entity::find().all(db).await.expect("bookings");
    let nights = night::Entity::find().all(db).await.expect("nights");
    let events = booking_event::Entity::find().order_by_asc(booking_event::Column::EventId);
    let events = events.all(db).await.expect("events");
    let payments = payment::Entity::find().order_by_asc(payment::Column::PaymentId);
    let payments = payments.all(db).await.expect("payments");
    let keys = idempotency_key::Entity::find().all(db).await.expect("keys");
    let homes = property::Entity::find().all(db).await.expect("properties");
    let own_prices = night_price::Entity::find().all(db).await.expect("prices");

    let mut taken: HashMap<BookingId, BTreeSet<NaiveDate>> = HashMap::new();
    let mut seen = HashSet::new();
    let by_id: HashMap<_, _> = bookings.iter().map(|row| (row.booking_id, row)).collect();
    for night in &nights {
        assert!(
            seen.insert((night.property_id, night.night)),
            "twice: {night:?}"
        );
        let Some(id) = night.booking_id else { continue };
        assert_eq!(by_id[&id].property_id, night.property_id, "{night:?}");
        taken.entry(id).or_default().insert(night.night);
    }
    let mut prices: HashMap<PropertyId, HashMap<NaiveDate, Money>> = HashMap::new();
    for row in own_prices {
        let of_home = prices.entry(row.property_id).or_default();
        of_home.insert(row.night, row.price);
    }
    let homes: HashMap<_, _> = homes
        .into_iter()
        .map(|row| (row.property_id, row))
        .collect();
    let mut histories: HashMap<BookingId, Vec<&booking_event::Model>> = HashMap::new();
    for event in &events {
        histories.entry(event.booking_id).or_default().push(event);
    }
    let mut paid: HashMap<BookingId, Vec<&payment::Model>> = HashMap::new();
    for payment in &payments {
        assert!(by_id.contains_key(&payment.booking_id), "{payment:?}");
        paid.entry(payment.booking_id).or_default().push(payment);
    }

    let mut found = Found::default();
    for booking in &bookings {
        let stay = Stay::between(booking.check_in_date, booking.check_out_date).expect("a stay");
        let held = taken.remove(&booking.booking_id).unwrap_or_default();
        if booking.status.holds_nights() {
            assert_eq!(held, stay.nights().collect(), "the nights of {booking:?}");
        } else {
            assert!(held.is_empty(), "{booking:?} keeps {held:?}");
        }
        if rest == Rest::Settled && booking.status == Pending {
            assert!(
                booking.expires_at.is_some_and(|at| at > now),
                "{booking:?} has lapsed"
            );
        }
        let home = &homes[&booking.property_id];
        let none = HashMap::new();
        let tariff = Tariff {
            per_night: home.price_per_night,
            cleaning_fee: home.cleaning_fee,
            own_prices: prices.get(&booking.property_id).unwrap_or(&none),
        };
        assert_eq!(
            booking.price,
            price_stay(stay, tariff, rates),
            "{booking:?}"
        );
        assert_eq!(booking.total_price, booking.price.total(), "{booking:?}");
        assert!(booking.guests <= home.max_guests, "{booking:?}");
        let history = histories.remove(&booking.booking_id).unwrap_or_default();
        is_legal(booking, &history);
        let payments = paid.remove(&booking.booking_id).unwrap_or_default();
        money_is_right(booking, &history, &payments, turned, rest, &mut found);
        *found
            .bookings
            .entry(booking.status.as_column())
            .or_default() += 1;
    }
    assert!(
        taken.is_empty() && histories.is_empty(),
        "rows of no booking: {taken:?} {histories:?}"
    );
    let payments: HashSet<_> = payments.iter().map(|row| row.payment_id.0).collect();
    for key in keys {
        let is_there =
            by_id.contains_key(&BookingId(key.subject_id)) || payments.contains(&key.subject_id);
        assert!(is_there, "a key of nothing: {key:?}");
    }
    found
}

fn is_legal(booking: &booking::Model, history: &[&booking_event::Model]) {
    let first = history.first().expect("every booking has a beginning");
    assert_eq!(
        (first.from_status, first.to_status),
        (None, Pending),
        "{booking:?}"
    );
    for pair in history.windows(2) {
        assert_eq!(pair[1].from_status, Some(pair[0].to_status), "{history:?}");
        assert!(
            pair[0].to_status.may_become(pair[1].to_status),
            "{history:?}"
        );
    }
    for event in history {
        assert_eq!(
            (event.guest_id, event.host_id),
            (booking.guest_id, booking.host_id)
        );
    }
    assert_eq!(
        history.last().map(|event| event.to_status),
        Some(booking.status),
        "{booking:?}"
    );
}

fn money_is_right(
    booking: &booking::Model,
    history: &[&booking_event::Model],
    payments: &[&payment::Model],
    turned: Duration,
    rest: Rest,
    found: &mut Found,
) {
    let standing: Vec<_> = payments
        .iter()
        .filter(|payment| payment.payment_status != PaymentStatus::Failed)
        .collect();
    assert!(
        standing.len() <= 1,
        "{booking:?} is paid twice: {standing:?}"
    );
    let was_confirmed = history.iter().any(|event| event.to_status == Confirmed);
    let Some(payment) = standing.first() else {
        assert!(!was_confirmed, "{booking:?} was confirmed unpaid");
        return;
    };
    if payment.payment_status == PaymentStatus::Pending {
        assert!(
            !was_confirmed,
            "{booking:?} was confirmed before {payment:?} was paid"
        );
        if payment.provider_reference.is_none() {
            assert_eq!(
                rest,
                Rest::Crashed,
                "{payment:?} was left between two steps"
            );
            found.left_between_two_steps += 1;
        } else if rest == Rest::Settled {
            assert_eq!(booking.status, Pending, "{payment:?} was not let go");
        }
        return;
    }
    if rest == Rest::Crashed {
        return;
    }
    let kept = payment.amount - payment.refunded_amount;
    let last = history.last().expect("a last event");
    match booking.status {
        Pending => panic!("{booking:?} waits though {payment:?}"),
        Confirmed | Completed => assert!(
            (booking.total_price..=payment.amount).contains(&kept),
            "{booking:?} {payment:?}"
        ),
        Cancelled if !was_confirmed => assert_eq!(kept, Money::ZERO, "{booking:?} {payment:?}"),
        Cancelled => {
            if booking.cancellation_reason.expect("a reason").as_column() != "CANCELLED_BY_GUEST" {
                assert_eq!(kept, Money::ZERO, "{booking:?} {payment:?}");
                return;
            }
            let terms = cancellation::Terms {
                policy: booking.cancellation_policy,
                stay: Stay::between(booking.check_in_date, booking.check_out_date).expect("a stay"),
                limit: booking.refund_limit,
                zone: booking.time_zone.0,
                booked_at: booking.created_at,
                price: &booking.price,
            };
            // The clock may have been turned between the look at it and the event.
            let possible = [last.created_at, last.created_at - turned].map(|at| {
                let back = cancellation::refund(terms, CancelledBy::Guest, at);
                back.map(|back| booking.total_price - back).ok()
            });
            // What a late change to a cheaper stay did not give back stays with the host.
            let unreturned = payment.amount - booking.total_price;
            assert!(
                possible
                    .into_iter()
                    .flatten()
                    .any(|least| (least..=least + unreturned).contains(&kept)),
                "{booking:?} {payment:?} {possible:?}"
            );
        }
    }
}

//! Whether the tables are right, read straight from them: nights, prices, histories, payments, keys.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Duration, NaiveDate, Utc};
use sea_orm::{EntityTrait as _, QueryOrder as _};
use staygate::{
    domain::{
        booking::BookingStatus::Pending,
        ids::{BookingId, PaymentId, PropertyId},
        money::Money,
        price::{Rates, Tariff, price_stay},
        stay::Stay,
    },
    entity::{
        booking, booking_event, idempotency_key, night, night_price, payment, property, refund,
    },
    store::db::Db,
};

use super::money;

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
    /// A process was killed, and nobody has come since. What it wrote is whole, as every step is one transaction; what follows from a
    /// step is still to do.
    Killed,
    /// Others have done what the killed one left, except for what they can't know to be lost yet.
    Recovered,
}

/// Looks into every row. `rates` are those of the market; `turned` is the most by which its clock went on between a look at it and the
/// event that was written then.
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
    let refunds = refund::Entity::find().all(db).await.expect("refunds");
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
    let mut debts: HashMap<PaymentId, Vec<refund::Model>> = HashMap::new();
    for refund in refunds {
        debts.entry(refund.payment_id).or_default().push(refund);
    }

    let mut found = Found::default();
    for booking in &bookings {
        let held = taken.remove(&booking.booking_id).unwrap_or_default();
        if booking.status.holds_nights() {
            assert_eq!(
                held,
                nights_of(booking).collect(),
                "the nights of {booking:?}"
            );
        } else {
            assert!(held.is_empty(), "{booking:?} keeps {held:?}");
        }
        // What has lapsed while nobody was there is ended by whoever comes next.
        if rest != Rest::Killed && booking.status == Pending {
            assert!(
                booking.expires_at.is_some_and(|at| at > now),
                "{booking:?} has lapsed"
            );
        }
        let home = &homes[&booking.property_id];
        price_is_right(booking, home, prices.get(&booking.property_id), rates);
        assert!(booking.guests <= home.max_guests, "{booking:?}");
        let history = histories.remove(&booking.booking_id).unwrap_or_default();
        is_legal(booking, &history);
        let payments = paid.remove(&booking.booking_id).unwrap_or_default();
        let payments = payments.into_iter().map(|payment| {
            let debts = debts.remove(&payment.payment_id);
            (payment, debts.unwrap_or_default())
        });
        let payments: Vec<_> = payments.collect();
        let left_over = money::is_right(booking, &history, &payments, now, turned, rest);
        found.left_between_two_steps += usize::from(left_over);
        *found
            .bookings
            .entry(booking.status.as_column())
            .or_default() += 1;
    }
    assert!(
        taken.is_empty() && histories.is_empty() && debts.is_empty(),
        "rows of no booking: {taken:?} {histories:?} {debts:?}"
    );
    let payments: HashSet<_> = payments.iter().map(|row| row.payment_id.0).collect();
    for key in keys {
        let is_there =
            by_id.contains_key(&BookingId(key.subject_id)) || payments.contains(&key.subject_id);
        assert!(is_there, "a key of nothing: {key:?}");
    }
    found
}

/// The nights of a booking; not by the product's own count of them.
fn nights_of(booking: &booking::Model) -> impl Iterator<Item = NaiveDate> {
    let days = booking.check_in_date.iter_days();
    days.take_while(|night| *night < booking.check_out_date)
}

fn price_is_right(
    booking: &booking::Model,
    home: &property::Model,
    own_prices: Option<&HashMap<NaiveDate, Money>>,
    rates: Rates,
) {
    let none = HashMap::new();
    let own_prices = own_prices.unwrap_or(&none);
    let asked = nights_of(booking).map(|night| {
        let own_price = own_prices.get(&night);
        own_price.copied().unwrap_or(home.price_per_night)
    });
    let asked: Vec<_> = asked.collect();
    assert_eq!(booking.price.nights, asked, "{booking:?}");
    let tariff = Tariff {
        per_night: home.price_per_night,
        cleaning_fee: home.cleaning_fee,
        own_prices,
    };
    let stay = Stay::between(booking.check_in_date, booking.check_out_date).expect("a stay");
    assert_eq!(
        booking.price,
        price_stay(stay, tariff, rates),
        "{booking:?}"
    );
    assert_eq!(booking.total_price, booking.price.total(), "{booking:?}");
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

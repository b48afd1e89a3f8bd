//! Made-up people, homes and bookings for load.

use std::collections::HashMap;

use chrono::{DateTime, Days, Duration, Utc};
use chrono_tz::Tz;
use rand::{Rng, RngExt as _, seq::IndexedRandom as _};

use super::{
    Batch,
    bulk::Keys,
    cities::CITIES,
    rows::Rows,
    stays::{Booked, Outcome, Said, stays_between},
    words,
};
use crate::{
    domain::{
        booking::CancellationReason,
        cancellation::CancellationPolicy,
        clock::local_date,
        ids::{PropertyId, UserId},
        listing::PropertyStatus,
        money::Money,
        people::Role,
        price::{Rates, Tariff, price_stay},
        stay::Stay,
    },
    entity::{
        property::{self, TimeZone},
        property_amenity, user,
    },
};

/// Properties of one host.
const HOMES_OF_A_HOST: u32 = 10;
/// Properties for each guest.
const HOMES_FOR_A_GUEST: u32 = 4;

/// How many days ago the last of the homes was listed: before the first stay was booked.
const HOMES_LISTED: i64 = 420;
/// How many days ago the last of the people joined: before the first home was listed.
const PEOPLE_JOINED: i64 = HOMES_LISTED + 370;

/// The people of one transaction.
pub(super) struct People {
    hosts: Vec<UserId>,
    guests: Vec<UserId>,
}

/// The mail address of a seed's `number`th host (`h`) or guest (`g`).
pub(super) fn email(seed: u64, part: char, number: u32) -> String {
    format!("seed-{seed}-{part}{number}@example.com")
}

/// Adds the hosts and guests of the properties `start` to `end`.
pub(super) fn people(
    batch: &Batch,
    start: u32,
    end: u32,
    keys: Keys,
    rows: &mut Rows,
    rng: &mut impl Rng,
) -> People {
    let mut keys = (keys.user + 1..).map(UserId);
    let mut some = |role, part, homes: u32| {
        let numbers = start / homes + 1..=start / homes + (end - start).div_ceil(homes);
        let people: Vec<_> = numbers
            .zip(&mut keys)
            .map(|(number, user_id)| {
                let created_at = batch.moment(PEOPLE_JOINED, (number - 1) * homes);
                user::Model {
                    user_id,
                    full_name: words::full_name(rng),
                    email: email(batch.seed, part, number),
                    password_hash: batch.password_hash.clone(),
                    role,
                    created_at,
                    email_verified_at: Some(created_at),
                    pending_email: None,
                    suspended_at: None,
                    token_version: 0,
                    erased_at: None,
                }
            })
            .collect();
        let ids = people.iter().map(|person| person.user_id).collect();
        rows.users.extend(people);
        ids
    };
    People {
        hosts: some(Role::Host, 'h', HOMES_OF_A_HOST),
        guests: some(Role::Guest, 'g', HOMES_FOR_A_GUEST),
    }
}

/// Adds the properties `start` to `end` and what they offer.
pub(super) fn furnish(
    batch: &Batch,
    start: u32,
    end: u32,
    keys: Keys,
    people: &People,
    rows: &mut Rows,
    rng: &mut impl Rng,
) {
    for (number, key) in (start..end).zip(keys.property + 1..) {
        let (city, country, latitude, longitude, zone) = CITIES[rng.random_range(0..CITIES.len())];
        let property_id = PropertyId(key);
        let created_at = batch.moment(HOMES_LISTED, number);
        let (kind, sleeps) = words::kind(rng);
        let area = words::area(rng);
        let amenities = words::amenities(rng);
        let price = rng.random_range(30..=400);
        rows.properties.push(property::Model {
            property_id,
            host_id: people.hosts[((number - start) / HOMES_OF_A_HOST) as usize],
            title: words::title(kind, area, rng),
            description: words::description(kind, city, &amenities, rng),
            location: format!("{area}, {city}, {country}"),
            latitude: Some(near(latitude, rng)),
            longitude: Some(near(longitude, rng)),
            price_per_night: Money::from_cents(price * 100),
            cleaning_fee: Money::from_cents(rng.random_range(0..=16) * 500),
            max_guests: rng.random_range(sleeps),
            min_nights: 1,
            max_nights: 365,
            advance_notice_days: 0,
            preparation_days: 0,
            status: PropertyStatus::Listed,
            instant_book: rng.random_bool(0.7),
            cancellation_policy: match rng.random_range(0..10) {
                0..5 => CancellationPolicy::Flexible,
                5..8 => CancellationPolicy::Moderate,
                _ => CancellationPolicy::Strict,
            },
            time_zone: TimeZone(zone.parse().unwrap_or(Tz::UTC)),
            rating_sum: 0,
            review_count: 0,
            rating_hundredths: 0,
            created_at,
            updated_at: created_at,
            deleted_at: None,
        });
        rows.amenities
            .extend(amenities.into_iter().map(|word| property_amenity::Model {
                property_id,
                amenity: word.to_owned(),
            }));
    }
}

/// Makes up about five bookings for each property of `rows`: three to five of the past year, and up to two of the next half.
pub(super) fn bookings(
    batch: &Batch,
    people: &People,
    rows: &Rows,
    rng: &mut impl Rng,
) -> Vec<Booked> {
    let mut booked = Vec::with_capacity(rows.properties.len() * 6);
    for (place, home) in rows.properties.iter().enumerate() {
        let today = local_date(batch.now, home.time_zone.0);
        let count = rng.random_range(3..=5);
        for stay in stays_between(rng, today - Days::new(350), today - Days::new(6), count, 5) {
            let at = before(home, stay, rng);
            let outcome = past(at, rng);
            booked.extend(book(place, home, people, stay, at, outcome, rng));
        }
        let count = rng.random_range(0..=2);
        for stay in stays_between(rng, today + Days::new(1), today + Days::new(180), count, 5) {
            let at = batch.now - Duration::seconds(rng.random_range(100_000..2_000_000));
            booked.extend(book(place, home, people, stay, at, Outcome::Confirmed, rng));
        }
    }
    booked
}

fn book(
    place: usize,
    home: &property::Model,
    people: &People,
    stay: Stay,
    at: DateTime<Utc>,
    outcome: Outcome,
    rng: &mut impl Rng,
) -> Option<Booked> {
    let tariff = Tariff {
        per_night: home.price_per_night,
        cleaning_fee: home.cleaning_fee,
        own_prices: &HashMap::new(),
    };
    Some(Booked {
        property: place,
        guest_id: *people.guests.choose(rng)?,
        stay,
        guests: rng.random_range(1..=home.max_guests),
        price: price_stay(stay, tariff, Rates::default()),
        at,
        outcome,
    })
}

/// What became of a booking whose dates have passed: most were stays, most of those have a review.
fn past(at: DateTime<Utc>, rng: &mut impl Rng) -> Outcome {
    if rng.random_bool(0.08) {
        let after = Duration::minutes(rng.random_range(1_600..4_000));
        return Outcome::Cancelled(CancellationReason::CancelledByGuest, at + after);
    }
    let said = rng.random_bool(0.7).then(|| {
        let (rating, comment) = words::opinion(rng);
        Said {
            rating,
            comment,
            response: rng.random_bool(0.2).then(|| words::response(rng)),
            after: Duration::minutes(rng.random_range(300..6_000)),
        }
    });
    Outcome::Completed(said)
}

/// Five to sixty days before check-in.
fn before(home: &property::Model, stay: Stay, rng: &mut impl Rng) -> DateTime<Utc> {
    let lead = Duration::seconds(rng.random_range(5 * 86_400..60 * 86_400));
    stay.begins_at(home.time_zone.0) - lead
}

/// Within some kilometres, in steps of about ten metres.
fn near(degrees: f64, rng: &mut impl Rng) -> f64 {
    let offset = f64::from(rng.random_range(-900..=900)) / 10_000.0;
    ((degrees + offset) * 10_000.0).round() / 10_000.0
}

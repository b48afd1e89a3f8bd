//! What a host says of a property.

use std::ops::RangeInclusive;

use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::{
    cancellation::CancellationPolicy,
    money::Money,
    price::{MAX_PRICE, MIN_PRICE},
    problem::{Problem, Problems},
    stay_rules::{LONGEST, MAX_NOTICE, MAX_PREPARATION, check_lengths},
    text::{self, Lines},
};

/// Whether guests find a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PropertyStatus {
    /// Not finished; only its host and admins see it.
    Draft,
    /// In search, and open for booking.
    Listed,
    /// Taken out of search; standing bookings keep it.
    Unlisted,
}

/// Everything a host may say of a property; `None` leaves a value as it is, or to its default for a new one.
#[derive(Debug, Clone, Default)]
pub struct ListingInput {
    /// 3 to 120 characters.
    pub title: Option<String>,
    /// 10 to 8,000 characters.
    pub description: Option<String>,
    /// 2 to 200 characters, such as `Alfama, Lisbon, Portugal`.
    pub location: Option<String>,
    /// Degrees north; goes with `longitude`.
    pub latitude: Option<f64>,
    /// Degrees east; goes with `latitude`.
    pub longitude: Option<f64>,
    /// From 1.00 to [`MAX_PRICE`].
    pub price_per_night: Option<Decimal>,
    /// From 0 to [`MAX_PRICE`].
    pub cleaning_fee: Option<Decimal>,
    /// 1 to 50.
    pub max_guests: Option<i32>,
    /// From 1 to `max_nights`.
    pub min_nights: Option<i32>,
    /// From `min_nights` to 365.
    pub max_nights: Option<i32>,
    /// 0 to 365.
    pub advance_notice_days: Option<i32>,
    /// 0 to 30.
    pub preparation_days: Option<i32>,
    /// At most 50 lower-case words such as `air_conditioning`.
    pub amenities: Option<Vec<String>>,
    /// Whether a paid booking is confirmed at once.
    pub instant_book: Option<bool>,
    /// What comes back when a guest cancels.
    pub cancellation_policy: Option<CancellationPolicy>,
    /// IANA name.
    pub time_zone: Option<String>,
    /// Whether guests find it.
    pub status: Option<PropertyStatus>,
}

/// A checked change to a property: `Some` for what is to be set.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "each field is described on `ListingInput`")]
pub struct ListingChange {
    pub title: Option<String>,
    pub description: Option<String>,
    pub location: Option<String>,
    pub coordinates: Option<(f64, f64)>,
    pub price_per_night: Option<Money>,
    pub cleaning_fee: Option<Money>,
    pub max_guests: Option<i32>,
    pub min_nights: Option<i32>,
    pub max_nights: Option<i32>,
    pub advance_notice_days: Option<i32>,
    pub preparation_days: Option<i32>,
    pub amenities: Option<Vec<String>>,
    pub instant_book: Option<bool>,
    pub cancellation_policy: Option<CancellationPolicy>,
    pub time_zone: Option<Tz>,
    pub status: Option<PropertyStatus>,
}

/// A checked new property.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each field is described on `ListingInput`")]
pub struct NewListing {
    pub title: String,
    pub description: String,
    pub location: String,
    pub coordinates: Option<(f64, f64)>,
    pub price_per_night: Money,
    pub cleaning_fee: Money,
    pub max_guests: i32,
    pub min_nights: i32,
    pub max_nights: i32,
    pub advance_notice_days: i32,
    pub preparation_days: i32,
    pub amenities: Vec<String>,
    pub instant_book: bool,
    pub cancellation_policy: CancellationPolicy,
    pub time_zone: Tz,
    pub status: PropertyStatus,
}

impl ListingInput {
    /// Parses a change to a property.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse_change(self) -> Result<ListingChange, Vec<Problem>> {
        let (change, problems) = self.check();
        problems.done()?;
        Ok(change)
    }

    /// Parses a new property. Without a value of their own, the cleaning fee is 0, amenities are none, it is instant book, FLEXIBLE,
    /// in UTC and LISTED, and takes stays of any length, from today on, one right after the other.
    ///
    /// # Errors
    /// Every mistake in it; title, description, location, price and the number of guests are needed.
    pub fn parse_new(self) -> Result<NewListing, Vec<Problem>> {
        let (change, mut problems) = self.clone().check();
        for (field, missing) in [
            ("title", self.title.is_none()),
            ("description", self.description.is_none()),
            ("location", self.location.is_none()),
            ("pricePerNight", self.price_per_night.is_none()),
            ("maxGuests", self.max_guests.is_none()),
        ] {
            if missing {
                problems.add(Problem::new(
                    field,
                    super::problem::ProblemCode::Required,
                    "This is needed.",
                ));
            }
        }
        let min_nights = change.min_nights.unwrap_or(1);
        let max_nights = change.max_nights.unwrap_or(LONGEST);
        if change.min_nights.is_some() || change.max_nights.is_some() {
            problems.take(check_lengths(min_nights, max_nights));
        }
        problems.finish(|| {
            Some(NewListing {
                title: change.title?,
                description: change.description?,
                location: change.location?,
                coordinates: change.coordinates,
                price_per_night: change.price_per_night?,
                cleaning_fee: change.cleaning_fee.unwrap_or(Money::ZERO),
                max_guests: change.max_guests?,
                min_nights,
                max_nights,
                advance_notice_days: change.advance_notice_days.unwrap_or(0),
                preparation_days: change.preparation_days.unwrap_or(0),
                amenities: change.amenities.unwrap_or_default(),
                instant_book: change.instant_book.unwrap_or(true),
                cancellation_policy: change
                    .cancellation_policy
                    .unwrap_or(CancellationPolicy::Flexible),
                time_zone: change.time_zone.unwrap_or(Tz::UTC),
                status: change.status.unwrap_or(PropertyStatus::Listed),
            })
        })
    }

    fn check(self) -> (ListingChange, Problems) {
        let mut problems = Problems::default();
        let mut text = |field: &str, raw: Option<String>, lengths, lines| {
            raw.and_then(|raw| problems.take(text::parse(field, &raw, lengths, lines)))
        };
        let title = text("title", self.title, 3..=120, Lines::One);
        let description = text("description", self.description, 10..=8_000, Lines::Many);
        let location = text("location", self.location, 2..=200, Lines::One);
        let coordinates = problems
            .take(parse_coordinates(self.latitude, self.longitude))
            .flatten();
        let mut money = |field: &str, amount: Option<Decimal>, min| {
            amount.and_then(|amount| problems.take(Money::parse(field, amount, min, MAX_PRICE)))
        };
        let price_per_night = money("pricePerNight", self.price_per_night, MIN_PRICE);
        let cleaning_fee = money("cleaningFee", self.cleaning_fee, Money::ZERO);
        let mut number = |field: &str, value: Option<i32>, range| {
            value.and_then(|value| problems.take(parse_number(field, value, range)))
        };
        let max_guests = number("maxGuests", self.max_guests, 1..=50);
        let min_nights = number("minNights", self.min_nights, 1..=LONGEST);
        let max_nights = number("maxNights", self.max_nights, 1..=LONGEST);
        let advance_notice_days = number(
            "advanceNoticeDays",
            self.advance_notice_days,
            0..=MAX_NOTICE,
        );
        let preparation_days = number(
            "preparationDays",
            self.preparation_days,
            0..=MAX_PREPARATION,
        );
        let amenities = self
            .amenities
            .and_then(|words| problems.take(parse_amenities(&words)));
        let time_zone = self
            .time_zone
            .and_then(|name| problems.take(parse_time_zone(&name)));
        let change = ListingChange {
            title,
            description,
            location,
            coordinates,
            price_per_night,
            cleaning_fee,
            max_guests,
            min_nights,
            max_nights,
            advance_notice_days,
            preparation_days,
            amenities,
            instant_book: self.instant_book,
            cancellation_policy: self.cancellation_policy,
            time_zone,
            status: self.status,
        };
        (change, problems)
    }
}

fn parse_coordinates(
    latitude: Option<f64>,
    longitude: Option<f64>,
) -> Result<Option<(f64, f64)>, Problem> {
    match (latitude, longitude) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(Problem::invalid(
            "longitude",
            "Give latitude and longitude together.",
        )),
        (None, Some(_)) => Err(Problem::invalid(
            "latitude",
            "Give latitude and longitude together.",
        )),
        (Some(latitude), Some(_)) if !(-90.0..=90.0).contains(&latitude) => Err(Problem::invalid(
            "latitude",
            "A latitude lies between -90 and 90.",
        )),
        (Some(_), Some(longitude)) if !(-180.0..=180.0).contains(&longitude) => Err(
            Problem::invalid("longitude", "A longitude lies between -180 and 180."),
        ),
        (Some(latitude), Some(longitude)) => Ok(Some((latitude, longitude))),
    }
}

fn parse_number(field: &str, value: i32, range: RangeInclusive<i32>) -> Result<i32, Problem> {
    if range.contains(&value) {
        return Ok(value);
    }
    let (first, last) = (range.start(), range.end());
    let message = format!("Give a number from {first} to {last}.");
    Err(Problem::invalid(field, message))
}

/// Checks a list of amenities: sorted, each once.
///
/// # Errors
/// `INVALID` for more than 50, or a word that is not 1 to 40 lower-case letters, digits and underscores.
pub fn parse_amenities(words: &[String]) -> Result<Vec<String>, Problem> {
    let word = |w: &String| {
        (1..=40).contains(&w.len())
            && w.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    if words.len() > 50 || !words.iter().all(word) {
        return Err(Problem::invalid(
            "amenities",
            "Give at most 50 lower-case words such as wifi or air_conditioning.",
        ));
    }
    let mut words = words.to_vec();
    words.sort_unstable();
    words.dedup();
    Ok(words)
}

fn parse_time_zone(name: &str) -> Result<Tz, Problem> {
    name.parse().map_err(|_| {
        Problem::invalid(
            "timeZone",
            "Give the IANA name of a time zone, such as Europe/Lisbon.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> ListingInput {
        ListingInput {
            title: Some("A room with a view".into()),
            description: Some("Above the river, quiet at night.".into()),
            location: Some("Lisbon".into()),
            price_per_night: Some(Decimal::new(12_050, 2)),
            max_guests: Some(2),
            ..ListingInput::default()
        }
    }

    #[test]
    fn a_new_listing_has_sensible_defaults() {
        let listing = good().parse_new().unwrap();
        assert_eq!(listing.price_per_night, Money::from_cents(12_050));
        assert!(listing.instant_book);
        assert_eq!(
            (listing.cleaning_fee, listing.time_zone),
            (Money::ZERO, Tz::UTC)
        );
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let input = ListingInput {
            title: None,
            latitude: Some(10.0),
            price_per_night: Some(Decimal::new(12_0505, 4)),
            max_guests: Some(0),
            amenities: Some(vec!["Hot Tub!".into()]),
            time_zone: Some("Mars/Olympus".into()),
            ..good()
        };
        let fields: Vec<_> = input
            .parse_new()
            .unwrap_err()
            .iter()
            .map(|p| p.field.join("."))
            .collect();
        assert_eq!(
            fields,
            [
                "longitude",
                "pricePerNight",
                "maxGuests",
                "amenities",
                "timeZone",
                "title"
            ]
        );
    }

    #[test]
    fn not_a_number_is_no_coordinate() {
        let input = ListingInput {
            latitude: Some(f64::NAN),
            longitude: Some(0.0),
            ..good()
        };
        assert!(input.parse_new().is_err());
    }
}

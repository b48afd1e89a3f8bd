//! A property, as it is shown and as it is written.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::listing::ListingInput,
    entity::property::Model,
    rest::{
        asked::{OrNull, Whole, present},
        money::{Amount, Money},
        words::{CancellationPolicy, PropertyStatus},
    },
    service::Services,
};

/// A home to stay in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct Property {
    /// The key.
    #[schema(example = 42, minimum = 1)]
    id: i32,
    /// Whose it is.
    #[schema(example = 7, minimum = 1)]
    host_id: i32,
    /// One line.
    #[schema(example = "A room with a view")]
    title: String,
    /// Paragraphs.
    #[schema(example = "Above the river, quiet at night.")]
    description: String,
    /// Where it is, in words.
    #[schema(example = "Alfama, Lisbon, Portugal")]
    location: String,
    /// Degrees north.
    #[schema(required, example = 38.71)]
    latitude: Option<f64>,
    /// Degrees east.
    #[schema(required, example = -9.13)]
    longitude: Option<f64>,
    /// For a night without a price of its own.
    price_per_night: Money,
    /// Once a stay.
    cleaning_fee: Money,
    /// How many it sleeps.
    #[schema(example = 4)]
    max_guests: i32,
    /// The fewest nights of a stay.
    #[schema(example = 1)]
    min_nights: i32,
    /// The most nights of a stay.
    #[schema(example = 365)]
    max_nights: i32,
    /// How many days before check-in a stay must be booked; 0 allows today.
    #[schema(example = 0)]
    advance_notice_days: i32,
    /// How many nights stay free between two bookings.
    #[schema(example = 0)]
    preparation_days: i32,
    /// What it offers: lower-case words, sorted.
    #[schema(example = json!(["kitchen", "wifi"]))]
    amenities: Vec<String>,
    status: PropertyStatus,
    /// When true a paid booking is confirmed at once; when false the host accepts or declines it.
    #[schema(example = true)]
    instant_book: bool,
    cancellation_policy: CancellationPolicy,
    /// IANA name; dates and deadlines of a stay are local to it.
    #[schema(example = "Europe/Lisbon")]
    time_zone: String,
    /// From 1 to 5, to the hundredth; null without a review.
    #[schema(required, example = 4.75)]
    average_rating: Option<f64>,
    /// How many reviews.
    #[schema(example = 12)]
    review_count: i32,
    /// When it was made.
    #[schema(example = "2026-11-01T12:00:00Z")]
    created_at: DateTime<Utc>,
    /// When its host last changed it.
    #[schema(example = "2026-11-01T12:00:00Z")]
    updated_at: DateTime<Utc>,
}

impl Property {
    pub(in crate::rest) fn of(services: &Services, row: Model, amenities: Vec<String>) -> Self {
        let rating = f64::from(row.rating_hundredths) / 100.0;
        Self {
            id: row.property_id.0,
            host_id: row.host_id.0,
            title: row.title,
            description: row.description,
            location: row.location,
            latitude: row.latitude,
            longitude: row.longitude,
            price_per_night: Money::of(services, row.price_per_night),
            cleaning_fee: Money::of(services, row.cleaning_fee),
            max_guests: row.max_guests,
            min_nights: row.min_nights,
            max_nights: row.max_nights,
            advance_notice_days: row.advance_notice_days,
            preparation_days: row.preparation_days,
            amenities,
            status: row.status.into(),
            instant_book: row.instant_book,
            cancellation_policy: row.cancellation_policy.into(),
            time_zone: row.time_zone.0.name().to_owned(),
            average_rating: (row.review_count > 0).then_some(rating),
            review_count: row.review_count,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }

    pub(super) const fn id(&self) -> i32 {
        self.id
    }
}

/// What tells one version of a property from another: its row, whose `updatedAt` moves with its amenities.
pub(super) fn version(services: &Services, row: &Model) -> impl Serialize + use<> {
    Property::of(services, row.clone(), vec![])
}

/// A property to list.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewProperty {
    /// One line.
    #[schema(example = "A room with a view", min_length = 3, max_length = 120)]
    title: String,
    /// Paragraphs.
    #[schema(
        example = "Above the river, quiet at night.",
        min_length = 10,
        max_length = 8000
    )]
    description: String,
    /// Where it is, in words.
    #[schema(example = "Alfama, Lisbon, Portugal", min_length = 2, max_length = 200)]
    location: String,
    /// Degrees north; goes with `longitude`.
    #[schema(example = 38.71, minimum = -90, maximum = 90)]
    latitude: Option<f64>,
    /// Degrees east; goes with `latitude`.
    #[schema(example = -9.13, minimum = -180, maximum = 180)]
    longitude: Option<f64>,
    /// From 1.00 to 100,000.00.
    price_per_night: Amount,
    /// Once a stay, up to 100,000.00; nothing when left out.
    cleaning_fee: Option<Amount>,
    /// How many it sleeps.
    #[schema(value_type = i32, example = 4, minimum = 1, maximum = 50)]
    max_guests: Whole,
    /// The fewest nights of a stay; 1 when left out.
    #[schema(value_type = Option<i32>, example = 1, minimum = 1, maximum = 365)]
    min_nights: Option<Whole>,
    /// The most nights of a stay; 365 when left out.
    #[schema(value_type = Option<i32>, example = 365, minimum = 1, maximum = 365)]
    max_nights: Option<Whole>,
    /// How many days before check-in a stay must be booked; 0, which allows today, when left out.
    #[schema(value_type = Option<i32>, example = 0, minimum = 0, maximum = 365)]
    advance_notice_days: Option<Whole>,
    /// How many nights stay free between two bookings; 0 when left out.
    #[schema(value_type = Option<i32>, example = 0, minimum = 0, maximum = 30)]
    preparation_days: Option<Whole>,
    /// Lower-case words.
    #[schema(example = json!(["kitchen", "wifi"]), max_items = 50)]
    amenities: Option<Vec<String>>,
    /// Whether a paid booking is confirmed at once, as it is when left out; otherwise the host accepts or declines it.
    #[schema(example = true)]
    instant_book: Option<bool>,
    /// FLEXIBLE when left out.
    cancellation_policy: Option<CancellationPolicy>,
    /// IANA name; dates of a stay are local to it. UTC when left out.
    #[schema(example = "Europe/Lisbon", max_length = 100)]
    time_zone: Option<String>,
    /// LISTED when left out.
    status: Option<PropertyStatus>,
}

/// A change to a property (RFC 7396); what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PropertyChange {
    /// One line.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false, example = "A room with a view", min_length = 3, max_length = 120)]
    title: Option<String>,
    /// Paragraphs.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false, example = "Above the river, quiet at night.", min_length = 10, max_length = 8000)]
    description: Option<String>,
    /// Where it is, in words.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false, example = "Alfama, Lisbon, Portugal", min_length = 2, max_length = 200)]
    location: Option<String>,
    /// Degrees north; goes with `longitude`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = f64, required = false, example = 38.71, minimum = -90, maximum = 90)]
    latitude: Option<f64>,
    /// Degrees east; goes with `latitude`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = f64, required = false, example = -9.13, minimum = -180, maximum = 180)]
    longitude: Option<f64>,
    /// From 1.00 to 100,000.00.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Amount, required = false)]
    price_per_night: Option<Amount>,
    /// Once a stay, up to 100,000.00; null takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Amount>, required = false)]
    cleaning_fee: Option<OrNull<Amount>>,
    /// How many it sleeps.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = i32, required = false, example = 4, minimum = 1, maximum = 50)]
    max_guests: Option<Whole>,
    /// The fewest nights of a stay.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = i32, required = false, example = 1, minimum = 1, maximum = 365)]
    min_nights: Option<Whole>,
    /// The most nights of a stay.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = i32, required = false, example = 365, minimum = 1, maximum = 365)]
    max_nights: Option<Whole>,
    /// How many days before check-in a stay must be booked; 0 allows today.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = i32, required = false, example = 0, minimum = 0, maximum = 365)]
    advance_notice_days: Option<Whole>,
    /// How many nights stay free between two bookings; between standing ones too, as far as they are free.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = i32, required = false, example = 0, minimum = 0, maximum = 30)]
    preparation_days: Option<Whole>,
    /// All of them: lower-case words. Null takes them away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>, required = false, example = json!(["kitchen", "wifi"]), max_items = 50)]
    amenities: Option<OrNull<Vec<String>>>,
    /// Whether a paid booking is confirmed at once; otherwise the host accepts or declines it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = bool, required = false, example = true)]
    instant_book: Option<bool>,
    /// What comes back when a guest cancels; standing bookings keep theirs.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = CancellationPolicy, required = false)]
    cancellation_policy: Option<CancellationPolicy>,
    /// IANA name; standing bookings keep theirs.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false, example = "Europe/Lisbon", max_length = 100)]
    time_zone: Option<String>,
    /// Whether guests find it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = PropertyStatus, required = false)]
    status: Option<PropertyStatus>,
}

impl From<NewProperty> for ListingInput {
    fn from(new: NewProperty) -> Self {
        Self {
            title: Some(new.title),
            description: Some(new.description),
            location: Some(new.location),
            latitude: new.latitude,
            longitude: new.longitude,
            price_per_night: Some(new.price_per_night.0),
            cleaning_fee: new.cleaning_fee.map(|fee| fee.0),
            max_guests: Some(new.max_guests.0),
            min_nights: new.min_nights.map(|number| number.0),
            max_nights: new.max_nights.map(|number| number.0),
            advance_notice_days: new.advance_notice_days.map(|number| number.0),
            preparation_days: new.preparation_days.map(|number| number.0),
            amenities: new.amenities,
            instant_book: new.instant_book,
            cancellation_policy: new.cancellation_policy.map(Into::into),
            time_zone: new.time_zone,
            status: new.status.map(Into::into),
        }
    }
}

impl From<PropertyChange> for ListingInput {
    fn from(change: PropertyChange) -> Self {
        let no_fee = rust_decimal::Decimal::ZERO;
        Self {
            title: change.title,
            description: change.description,
            location: change.location,
            latitude: change.latitude,
            longitude: change.longitude,
            price_per_night: change.price_per_night.map(|price| price.0),
            cleaning_fee: change
                .cleaning_fee
                .map(|fee| fee.0.map_or(no_fee, |fee| fee.0)),
            max_guests: change.max_guests.map(|number| number.0),
            min_nights: change.min_nights.map(|number| number.0),
            max_nights: change.max_nights.map(|number| number.0),
            advance_notice_days: change.advance_notice_days.map(|number| number.0),
            preparation_days: change.preparation_days.map(|number| number.0),
            amenities: change.amenities.map(|words| words.0.unwrap_or_default()),
            instant_book: change.instant_book,
            cancellation_policy: change.cancellation_policy.map(Into::into),
            time_zone: change.time_zone,
            status: change.status.map(Into::into),
        }
    }
}

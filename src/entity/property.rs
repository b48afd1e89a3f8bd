//! `properties`: homes to stay in.

use sea_orm::entity::prelude::*;

pub use super::columns::TimeZone;
use crate::domain::{
    cancellation::CancellationPolicy,
    ids::{PropertyId, UserId},
    listing::PropertyStatus,
    money::Money,
};

/// A home.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "properties")]
pub struct Model {
    /// Key.
    #[sea_orm(primary_key)]
    pub property_id: PropertyId,
    /// Whose.
    pub host_id: UserId,
    /// One line.
    pub title: String,
    /// Paragraphs.
    pub description: String,
    /// Where it is, in words.
    pub location: String,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// For a night without a price of its own.
    pub price_per_night: Money,
    /// Once a stay.
    pub cleaning_fee: Money,
    /// How many it sleeps.
    pub max_guests: i32,
    /// Whether guests find it.
    pub status: PropertyStatus,
    /// Whether a paid booking is confirmed at once.
    pub instant_book: bool,
    /// What comes back when a guest cancels.
    pub cancellation_policy: CancellationPolicy,
    /// The fewest nights of a stay.
    pub min_nights: i32,
    /// The most nights of a stay.
    pub max_nights: i32,
    /// How many days before check-in a stay must be booked.
    pub advance_notice_days: i32,
    /// How many nights stay free between two bookings.
    pub preparation_days: i32,
    /// Dates of a stay are local to it.
    pub time_zone: TimeZone,
    /// Sum of all ratings.
    pub rating_sum: i32,
    /// How many reviews.
    pub review_count: i32,
    /// Average rating in hundredths; 0 without a review. What the list by rating is ordered by.
    pub rating_hundredths: i32,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When its host last changed it.
    pub updated_at: DateTimeUtc,
    /// When it was deleted; past bookings keep showing it.
    pub deleted_at: Option<DateTimeUtc>,
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

super::part::part! {
    property_id: PropertyId,
    host_id: HostId,
    title: Title,
    description: Description,
    location: Location,
    latitude: Latitude,
    longitude: Longitude,
    price_per_night: PricePerNight,
    cleaning_fee: CleaningFee,
    max_guests: MaxGuests,
    status: Status,
    instant_book: InstantBook,
    cancellation_policy: CancellationPolicy,
    min_nights: MinNights,
    max_nights: MaxNights,
    advance_notice_days: AdvanceNoticeDays,
    preparation_days: PreparationDays,
    time_zone: TimeZone,
    rating_sum: RatingSum,
    review_count: ReviewCount,
    rating_hundredths: RatingHundredths,
    created_at: CreatedAt,
    updated_at: UpdatedAt,
    deleted_at: DeletedAt,
}

//! `reviews`: what guests said of finished stays; one a booking.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{BookingId, PropertyId, ReviewId, UserId};

/// A review.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reviews")]
pub struct Model {
    /// Key.
    #[sea_orm(primary_key)]
    pub review_id: ReviewId,
    /// Of which property.
    pub property_id: PropertyId,
    /// By whom.
    pub guest_id: UserId,
    /// After which stay.
    #[sea_orm(unique)]
    pub booking_id: BookingId,
    /// 1 to 5.
    pub rating: i32,
    /// Paragraphs.
    #[sea_orm(column_type = "Text", nullable)]
    pub comment: Option<String>,
    /// The host's answer.
    #[sea_orm(column_type = "Text", nullable)]
    pub host_response: Option<String>,
    /// When it was written.
    pub created_at: DateTimeUtc,
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

super::part::part! {
    review_id: ReviewId,
    property_id: PropertyId,
    guest_id: GuestId,
    booking_id: BookingId,
    rating: Rating,
    comment: Comment,
    host_response: HostResponse,
    created_at: CreatedAt,
}

//! `bookings`: stays that were asked for.

use sea_orm::entity::prelude::*;

pub use super::columns::TimeZone;
use crate::domain::{
    booking::{BookingStatus, CancellationReason},
    cancellation::CancellationPolicy,
    ids::{BookingId, PropertyId, UserId},
    money::Money,
    price::Price,
};

/// A booking. Price, policy, time zone and instant booking are frozen as they were when it was made.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bookings")]
pub struct Model {
    /// Key.
    #[sea_orm(primary_key)]
    pub booking_id: BookingId,
    /// Which property.
    pub property_id: PropertyId,
    /// Who stays.
    pub guest_id: UserId,
    /// Whose property it is.
    pub host_id: UserId,
    /// The local date of the first night.
    pub check_in_date: Date,
    /// The local date after the last night.
    pub check_out_date: Date,
    /// How many stay.
    pub guests: i32,
    /// The sum of the price's lines.
    pub total_price: Money,
    /// Night by night and line by line.
    pub price: Price,
    /// Where it stands.
    pub status: BookingStatus,
    /// Why it was cancelled, if it was.
    pub cancellation_reason: Option<CancellationReason>,
    /// Whether payment alone confirms it.
    pub instant_book: bool,
    /// What comes back when the guest cancels.
    pub cancellation_policy: CancellationPolicy,
    /// The property's.
    pub time_zone: TimeZone,
    /// While pending: when the unpaid hold, or the host's time to answer, runs out.
    pub expires_at: Option<DateTimeUtc>,
    /// The most that may still come back to a guest who cancels, once the paid stay was changed: see [`crate::domain::cancellation`].
    pub refund_limit: Option<Money>,
    /// When an admin took its review away: no other is written.
    pub review_removed_at: Option<DateTimeUtc>,
    /// When it was made.
    pub created_at: DateTimeUtc,
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

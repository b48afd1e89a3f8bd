//! `booking_events`: every change of every booking's status, append-only. What subscriptions replay from.

use sea_orm::entity::prelude::*;

use crate::domain::{
    booking::BookingStatus,
    ids::{BookingEventId, BookingId, UserId},
};

/// One change. Who may see it stands in the row, so that one index serves each watcher.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "booking_events")]
pub struct Model {
    /// Key; what a subscription's cursor holds.
    #[sea_orm(primary_key)]
    pub event_id: BookingEventId,
    /// Of which booking.
    pub booking_id: BookingId,
    /// The booking's guest.
    pub guest_id: UserId,
    /// The property's host.
    pub host_id: UserId,
    /// None for the first.
    pub from_status: Option<BookingStatus>,
    /// The status from then on.
    pub to_status: BookingStatus,
    /// When.
    pub created_at: DateTimeUtc,
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! `nights`: the ledger of taken nights. Its primary key decides who gets a night.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{BookingId, PropertyId};

/// What takes a night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NightKind {
    /// A hold or a booking.
    Booking,
    /// The host keeps it closed.
    Block,
    /// Another calendar of the host's has taken it.
    Feed,
}

/// A taken night.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "nights")]
pub struct Model {
    /// Which property.
    #[sea_orm(primary_key, auto_increment = false)]
    pub property_id: PropertyId,
    /// The local date on which the night begins.
    #[sea_orm(primary_key, auto_increment = false)]
    pub night: Date,
    /// Which booking, unless the host blocked it.
    pub booking_id: Option<BookingId>,
    /// What takes it.
    pub kind: NightKind,
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

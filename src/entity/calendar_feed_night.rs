//! `calendar_feed_nights`: the nights that each imported calendar takes, whoever has them here.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{FeedId, PropertyId};

/// A night of an imported calendar.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "calendar_feed_nights")]
pub struct Model {
    /// Which calendar.
    #[sea_orm(primary_key, auto_increment = false)]
    pub feed_id: FeedId,
    /// The local date on which the night begins.
    #[sea_orm(primary_key, auto_increment = false)]
    pub night: Date,
    /// The calendar's property.
    pub property_id: PropertyId,
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

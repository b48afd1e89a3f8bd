//! `night_prices`: nights with a price of their own.

use sea_orm::entity::prelude::*;

use crate::domain::{ids::PropertyId, money::Money};

/// One night's own price.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "night_prices")]
pub struct Model {
    /// Which property.
    #[sea_orm(primary_key, auto_increment = false)]
    pub property_id: PropertyId,
    /// Which night.
    #[sea_orm(primary_key, auto_increment = false)]
    pub night: Date,
    /// What it costs.
    pub price: Money,
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

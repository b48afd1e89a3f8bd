//! `property_amenities`: what a property offers, a row a word.

use sea_orm::entity::prelude::*;

use crate::domain::ids::PropertyId;

/// One amenity of one property.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "property_amenities")]
pub struct Model {
    /// Which property.
    #[sea_orm(primary_key, auto_increment = false)]
    pub property_id: PropertyId,
    /// A lower-case word such as `wifi`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub amenity: String,
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

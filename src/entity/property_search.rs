//! `property_search`: what a search for words looks into. In lower case in every script, which `SQLite` alone can't do.

use sea_orm::entity::prelude::*;

use super::property;
use crate::domain::ids::PropertyId;

/// The words of one property.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "property_search")]
pub struct Model {
    /// Which property.
    #[sea_orm(primary_key, auto_increment = false)]
    pub property_id: PropertyId,
    /// Its title, description and location.
    #[sea_orm(column_type = "Text")]
    pub words: String,
    /// Its location.
    #[sea_orm(column_type = "Text")]
    pub place: String,
}

impl Model {
    /// What is searched of a property.
    #[must_use]
    pub fn of(property: &property::Model) -> Self {
        let property::Model {
            property_id,
            title,
            description,
            location,
            ..
        } = property;
        Self {
            property_id: *property_id,
            words: format!("{title}\n{description}\n{location}").to_lowercase(),
            place: location.to_lowercase(),
        }
    }
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

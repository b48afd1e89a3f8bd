//! `property_search`: what a search for words looks into.
//!
//! The words are folded by [`fold`], the same in both engines, and stand between spaces: whether one begins with some letters can be seen in
//! the text as well as in an index. `PostgreSQL` keeps a text-search vector of `terms` in the row; `SQLite` keeps `property_terms` and
//! `property_trigrams` beside it, by triggers.

use std::collections::BTreeSet;

use sea_orm::entity::prelude::*;

use super::property;
use crate::domain::{fold, ids::PropertyId};

/// What begins the term of a word of the location. No word has it.
pub const PLACE: char = '@';
/// What begins the term of an amenity.
pub const AMENITY: char = '#';

/// The words of one property.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "property_search")]
pub struct Model {
    /// Which property.
    #[sea_orm(primary_key, auto_increment = false)]
    pub property_id: PropertyId,
    /// Each word of title, description and location, each word of the location again after [`PLACE`], and each amenity after [`AMENITY`].
    #[sea_orm(column_type = "Text")]
    pub terms: String,
    /// The words of title and location, in their order.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The words of the location, in their order.
    #[sea_orm(column_type = "Text")]
    pub place: String,
}

impl Model {
    /// What is searched of a property.
    #[must_use]
    pub fn of(property: &property::Model, amenities: &[String]) -> Self {
        let property::Model {
            property_id,
            title,
            description,
            location,
            ..
        } = property;
        let (title, location) = (fold::words(title), fold::words(location));
        let mut terms: BTreeSet<String> = fold::words(description).into_iter().collect();
        terms.extend(title.iter().chain(&location).cloned());
        terms.extend(location.iter().map(|word| format!("{PLACE}{word}")));
        terms.extend(amenities.iter().map(|word| format!("{AMENITY}{word}")));
        Self {
            property_id: *property_id,
            terms: spaced(&terms.into_iter().collect::<Vec<_>>()),
            name: spaced(&[title, location.clone()].concat()),
            place: spaced(&location),
        }
    }
}

/// Words between spaces, with a space at both ends.
fn spaced(words: &[String]) -> String {
    format!(" {} ", words.join(" "))
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

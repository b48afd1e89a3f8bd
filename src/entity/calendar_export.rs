//! `calendar_exports`: the secret address at which a property's calendar can be had.

use sea_orm::entity::prelude::*;

use crate::domain::ids::PropertyId;

/// A property's calendar for others.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "calendar_exports")]
pub struct Model {
    /// Which property.
    #[sea_orm(primary_key, auto_increment = false)]
    pub property_id: PropertyId,
    /// What its address has that nobody guesses, sealed. It is shown to its host again, so it is no hash.
    pub token: String,
    /// What the token is looked up by.
    pub token_digest: Option<String>,
    /// What its events are known by wherever they go. It stays when the token changes.
    pub calendar_id: Uuid,
    /// When this token was made.
    pub created_at: DateTimeUtc,
}

/// It is read by its keys alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! `provider_events`: what the payment provider told of itself, so that nothing is told twice.

use sea_orm::entity::prelude::*;

/// An event of the provider's.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_events")]
pub struct Model {
    /// The provider's name for it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: String,
    /// What kind it is of, in the provider's words.
    pub kind: String,
    /// When it first came.
    pub received_at: DateTimeUtc,
}

/// It relates to nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

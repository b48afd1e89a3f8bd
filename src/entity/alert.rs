//! `alerts`: when each cause last raised one.

use sea_orm::entity::prelude::*;

/// The last alert of a cause.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alerts")]
pub struct Model {
    /// What it was raised for.
    #[sea_orm(primary_key, auto_increment = false)]
    pub cause: String,
    /// When.
    pub raised_at: DateTimeUtc,
    /// What was seen.
    pub detail: Option<String>,
}

/// It relates to nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! `schedules`: what is done again and again.

use sea_orm::entity::prelude::*;

/// One kind of work that has a schedule.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedules")]
pub struct Model {
    /// What is done.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The moment of the schedule for which it was begun last.
    pub begun_for: DateTimeUtc,
    /// When it was last done well.
    pub succeeded_at: Option<DateTimeUtc>,
}

/// It relates to nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

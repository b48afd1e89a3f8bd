//! `jobs`: work that a transaction left for later.

use sea_orm::entity::prelude::*;

/// A piece of work.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    /// Key.
    #[sea_orm(primary_key)]
    pub job_id: i64,
    /// Which worker it is for.
    pub kind: String,
    /// What that worker needs to know. No secret stands here.
    pub payload: Json,
    /// How often it was begun.
    pub attempts: i32,
    /// When it may be begun, or begun again.
    pub due_at: DateTimeUtc,
    /// When it was left.
    pub created_at: DateTimeUtc,
    /// When it was given up.
    pub given_up_at: Option<DateTimeUtc>,
    /// Why its last attempt failed.
    pub failure: Option<String>,
}

/// It relates to nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! `session_changes`: the feed by which every instance learns whose sessions changed. Append-only; old rows are swept.

use sea_orm::entity::prelude::*;

use crate::domain::ids::UserId;

/// Something changed about a person's sessions: some ended, or the person may do other things now.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session_changes")]
pub struct Model {
    /// Key; a larger one was committed later.
    #[sea_orm(primary_key)]
    pub change_id: i64,
    /// Whose.
    pub user_id: UserId,
    /// When.
    pub created_at: DateTimeUtc,
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! `idempotency_keys`: what was answered to a key, written in the transaction that it made repeatable.

use sea_orm::entity::prelude::*;

use crate::domain::ids::UserId;

/// An answered key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_keys")]
pub struct Model {
    /// Whose; keys of two people never meet.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// The client's key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub idempotency_key: String,
    /// SHA-256 of the operation and its input, in hex.
    pub request_hash: String,
    /// The key of what was made.
    pub subject_id: i32,
    /// When.
    pub created_at: DateTimeUtc,
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

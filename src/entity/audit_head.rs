//! `audit_head`: the end of the audit log's chain, in one row.

use sea_orm::entity::prelude::*;

/// The end of the chain. Whoever adds a line locks it, so that the chain has no branches.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_head")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub head_id: i32,
    /// The newest line; 0 before the first.
    pub audit_id: i64,
    /// Its hash; empty before the first.
    pub hash: String,
}

/// It relates to nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

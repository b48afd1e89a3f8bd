//! `encryption_keys`: the key that seals secrets where none is configured, shared by the instances on one database.

use sea_orm::entity::prelude::*;

/// A key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "encryption_keys")]
pub struct Model {
    /// Its name in the ring.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// 32 bytes.
    #[sea_orm(column_type = "Blob")]
    pub key: Vec<u8>,
    /// When it was made.
    pub created_at: DateTimeUtc,
}

/// It relates to nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

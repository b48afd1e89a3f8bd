//! `signing_keys`: keys that sign access tokens where none is configured, shared by the instances on one database.

use sea_orm::entity::prelude::*;

/// A key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub struct Model {
    /// The `kid` of the tokens that it signs.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_id: String,
    /// An Ed25519 key pair, PKCS #8.
    #[sea_orm(column_type = "Blob")]
    pub pkcs8: Vec<u8>,
    /// When it was made.
    pub created_at: DateTimeUtc,
}

/// It relates to nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

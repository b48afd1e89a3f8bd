//! `sessions`: one signed-in device each.

use sea_orm::entity::prelude::*;

use crate::domain::ids::UserId;

/// A signed-in device.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// Key; the `sid` of its access tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub session_id: Uuid,
    /// Whose.
    pub user_id: UserId,
    /// SHA-256 of the refresh token that is good now, in hex.
    pub refresh_hash: String,
    /// When it was signed in.
    pub created_at: DateTimeUtc,
    /// When it last took new tokens.
    pub last_used_at: DateTimeUtc,
    /// When its refresh token lapses.
    pub expires_at: DateTimeUtc,
    /// When it was signed out.
    pub ended_at: Option<DateTimeUtc>,
    /// What the device calls itself.
    pub user_agent: Option<String>,
    /// Where it signed in from.
    pub ip_address: Option<String>,
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

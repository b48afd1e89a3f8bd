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
    /// SHA-256 of what all of its refresh tokens share, in hex. None in those of the first days, which can't be refreshed.
    pub family_hash: Option<String>,
    /// SHA-256 of the refresh token that is good now, in hex.
    pub refresh_hash: String,
    /// SHA-256 of the one before it.
    pub previous_hash: Option<String>,
    /// The one that is good now, sealed so that only who has the one before can read it.
    pub sealed_successor: Option<String>,
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
    /// Where it took its last tokens from.
    pub ip_address: Option<String>,
}

/// Whose a session is: read with it, to know whether it stands.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The person.
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::UserId",
        to = "super::user::Column::UserId"
    )]
    User,
}

impl ActiveModelBehavior for ActiveModel {}

//! `users`: everyone with an account.

use sea_orm::entity::prelude::*;

use crate::domain::{ids::UserId, people::Role};

/// A person.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Key.
    #[sea_orm(primary_key)]
    pub user_id: UserId,
    /// Shown to everyone.
    pub full_name: String,
    /// In lower case; private.
    pub email: String,
    /// Argon2id in PHC string format.
    pub password_hash: String,
    /// What the person may do.
    pub role: Role,
    /// When the account was made.
    pub created_at: DateTimeUtc,
    /// When its owner showed to read `email`.
    pub email_verified_at: Option<DateTimeUtc>,
    /// The mail address that is to take the place of `email` once its owner shows to read it.
    pub pending_email: Option<String>,
    /// Since when nobody is let in.
    pub suspended_at: Option<DateTimeUtc>,
    /// Access tokens that carry another number are refused.
    pub token_version: i32,
    /// When the account was deleted: nothing that says who it was is left then.
    pub erased_at: Option<DateTimeUtc>,
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

super::part::part! {
    user_id: UserId,
    full_name: FullName,
    email: Email,
    password_hash: PasswordHash,
    role: Role,
    created_at: CreatedAt,
    email_verified_at: EmailVerifiedAt,
    pending_email: PendingEmail,
    suspended_at: SuspendedAt,
    token_version: TokenVersion,
    erased_at: ErasedAt,
}

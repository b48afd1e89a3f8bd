//! `mailed_tokens`: secrets that were sent to a mail address, to show that who has them reads its mail.

use sea_orm::entity::prelude::*;

use crate::domain::{ids::UserId, people::MailedFor};

/// A secret that was mailed. The secret itself is in the mail alone.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mailed_tokens")]
pub struct Model {
    /// SHA-256 of the secret, in hex.
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_hash: String,
    /// Whose.
    pub user_id: UserId,
    /// What it may be used for.
    pub purpose: MailedFor,
    /// Where it was sent.
    pub email: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it lapses.
    pub expires_at: DateTimeUtc,
    /// When it was used; each is good once.
    pub used_at: Option<DateTimeUtc>,
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

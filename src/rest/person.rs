//! A person, as everyone sees them and as they see themselves.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::words::Role;
use crate::{domain::actor::Actor, entity::user};

/// A person.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    /// The key.
    #[schema(example = 7, minimum = 1)]
    id: i32,
    /// The name shown to everyone.
    #[schema(example = "Hana Novak")]
    full_name: String,
    role: Role,
    /// When the account was made.
    #[schema(example = "2026-11-01T12:00:00Z")]
    created_at: DateTime<Utc>,
    /// What is private: null for all but the person and admins.
    #[schema(required)]
    account: Option<Account>,
}

/// What of a person is private.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Account {
    /// What one signs in with.
    #[schema(example = "hana@example.com")]
    email: String,
    /// Whether its owner has shown to read it.
    #[schema(example = true)]
    email_verified: bool,
    /// The mail address that takes the place of `email` once it is verified.
    #[schema(required, example = "hana@example.org")]
    pending_email: Option<String>,
}

impl User {
    /// A person as this caller sees them.
    pub(super) fn seen_by(actor: &Actor, user: user::Model) -> Self {
        let is_private = actor.is(user.user_id) || actor.is_admin();
        Self {
            id: user.user_id.0,
            full_name: user.full_name,
            role: user.role.into(),
            created_at: user.created_at,
            account: is_private.then_some(Account {
                email: user.email,
                email_verified: user.email_verified_at.is_some(),
                pending_email: user.pending_email,
            }),
        }
    }
}

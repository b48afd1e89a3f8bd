//! The audit log.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::person::User;
use crate::{
    entity::audit_entry,
    graphql::{context::ContextExt as _, scalars::DateTime},
};

/// One line of the append-only audit log.
#[derive(Clone)]
pub(in crate::graphql) struct AuditEntry(Arc<audit_entry::Model>);

impl From<audit_entry::Model> for AuditEntry {
    fn from(row: audit_entry::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// One line of the append-only audit log.
#[Object]
impl AuditEntry {
    /// The line's id.
    async fn id(&self) -> ID {
        URL_SAFE_NO_PAD
            .encode(format!("AuditEntry:{}", self.0.audit_id))
            .into()
    }

    /// The line's number, from 1, without gaps; `staygate audit verify` names it.
    async fn number(&self) -> i64 {
        self.0.audit_id
    }

    /// When.
    async fn at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// By whom. None for what happens by itself, for the command line, and for those who were not signed in.
    async fn actor(&self, ctx: &Context<'_>) -> Option<Result<User>> {
        let actor = self.0.actor_id?;
        let found = ctx.loaders().users.get(actor).await;
        found.map(|row| row.map(Into::into)).transpose()
    }

    /// What was done, such as `booking.created`.
    async fn action(&self) -> &str {
        &self.0.action
    }

    /// To what, such as `booking:42`.
    async fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// From where.
    async fn ip_address(&self) -> Option<&str> {
        self.0.ip_address.as_deref()
    }

    /// By which program.
    async fn user_agent(&self) -> Option<&str> {
        self.0.user_agent.as_deref()
    }

    /// In which request; the server's log has the same.
    async fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// DONE or REFUSED.
    async fn outcome(&self) -> &str {
        &self.0.outcome
    }

    /// What else there is to say.
    async fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// SHA-256 of this line and the one before it.
    async fn hash(&self) -> &str {
        &self.0.hash
    }
}

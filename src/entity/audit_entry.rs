//! `audit_entries`: what was done, by whom, from where. Written once: the database itself refuses to change or delete a line.

use sea_orm::entity::prelude::*;

use crate::domain::{audit::Line, ids::UserId};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entries")]
pub struct Model {
    /// Its place in the chain, from 1, without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub audit_id: i64,
    /// When.
    pub created_at: DateTimeUtc,
    /// By whom; nobody for what happens by itself, and for those who are not signed in.
    pub actor_id: Option<UserId>,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: Option<String>,
    /// What became of it.
    pub outcome: String,
    /// What else there is to say.
    pub detail: Option<String>,
    /// From where.
    pub ip_address: Option<String>,
    /// By which program.
    pub user_agent: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// Of this line and the one before it.
    pub hash: String,
}

impl Model {
    /// The hash that this line must have after one with the hash `before`.
    #[must_use]
    pub fn hash_after(&self, before: &str) -> String {
        let line = Line {
            number: self.audit_id,
            at: self.created_at,
            actor: self.actor_id,
            action: &self.action,
            subject: self.subject.as_deref(),
            outcome: &self.outcome,
            detail: self.detail.as_deref(),
            ip_address: self.ip_address.as_deref(),
            user_agent: self.user_agent.as_deref(),
            request_id: self.request_id.as_deref(),
        };
        line.hash(before)
    }
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! The audit log's chain: how lines are added to its end.
//!
//! Each line carries the hash of itself and of the one before, so that one that was changed, put in or taken out shows. The row of the chain's
//! end is locked from then until the commit: it is the last lock that a transaction takes.

use chrono::{DateTime, Utc};
use sea_orm::{EntityTrait as _, IntoActiveModel as _, QuerySelect as _, sea_query::Expr};

use super::error::Result;
use crate::{
    domain::{
        actor::Actor,
        audit::{Action, Outcome, Subject},
    },
    entity::{
        audit_entry::{Entity, Model},
        audit_head,
    },
    store::db::Tx,
};

/// An act that is to stand in the log.
#[derive(Debug)]
pub(super) struct Act {
    pub(super) action: Action,
    pub(super) subject: Subject,
    pub(super) outcome: Outcome,
    pub(super) detail: Option<String>,
}

/// Adds lines to the end of the chain, in the caller's transaction, which must commit next.
pub(super) async fn append(tx: &Tx, actor: &Actor, acts: &[Act], now: DateTime<Utc>) -> Result<()> {
    let head = audit_head::Entity::find_by_id(1)
        .lock_exclusive()
        .one(&**tx)
        .await?
        .ok_or_else(|| anyhow::anyhow!("the end of the audit log is gone"))?;
    let (mut number, mut hash) = (head.audit_id, head.hash);
    let client = actor.client();
    let mut lines = Vec::with_capacity(acts.len());
    for act in acts {
        number += 1;
        let mut line = Model {
            audit_id: number,
            created_at: now,
            actor_id: actor.user_id(),
            action: act.action.as_str().to_owned(),
            subject: (act.subject != Subject::None).then(|| act.subject.to_string()),
            outcome: act.outcome.as_str().to_owned(),
            detail: act.detail.clone(),
            ip_address: client.ip_address.map(|address| address.to_string()),
            user_agent: client.user_agent.clone(),
            request_id: client.request_id.clone(),
            hash: String::new(),
        };
        line.hash = line.hash_after(&hash);
        hash.clone_from(&line.hash);
        lines.push(line.into_active_model());
    }
    Entity::insert_many(lines)
        .exec_without_returning(&**tx)
        .await?;
    audit_head::Entity::update_many()
        .col_expr(audit_head::Column::AuditId, Expr::val(number))
        .col_expr(audit_head::Column::Hash, Expr::val(hash))
        .exec(&**tx)
        .await?;
    Ok(())
}

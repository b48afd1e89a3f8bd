//! The audit log: who did what, from where, and what became of it. Each line is written in the transaction of the act, by
//! [`super::audit_chain`]; here it is read, and proven whole.

use std::sync::Arc;

use sea_orm::{
    ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Select,
};

use super::{
    Parts,
    changes::Changes,
    error::{Result, must_be_admin},
    paging::{self, Keyset},
};
use crate::{
    domain::{
        actor::Actor,
        audit::{Action, Subject},
        ids::UserId,
        page::{Cursor, Page, PageRequest},
    },
    entity::{
        audit_entry::{Column, Entity, Model},
        audit_head,
    },
};

/// The audit log.
#[derive(Clone)]
pub struct Audit(pub(super) Arc<Parts>);

/// What others are told.
const ADMINS_READ: &str = "Only admins read the audit log.";

/// The mark of the log, newest first.
pub const NEWEST: char = 'a';

const BY_KEY: Keyset<Column> = Keyset {
    rank: None,
    id: Column::AuditId,
    copy: None,
    descending: true,
};

/// How many lines are read at a time when the log is verified.
const BATCH: u64 = 1_000;

/// Which lines are asked for; every part narrows it.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Of this person's acts.
    pub actor_id: Option<UserId>,
    /// Of this action.
    pub action: Option<String>,
}

/// What became of verifying the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is whole.
    Whole {
        /// How many lines it has.
        lines: i64,
        /// The hash of the last; empty when it has none.
        hash: String,
    },
    /// It is not whole.
    Broken {
        /// The first line that is wrong.
        line: i64,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Audit {
    /// Lines of the log, newest first. That an admin read them is itself a line.
    ///
    /// # Errors
    /// [`super::error::Error::Unauthenticated`] when nobody is signed in, [`super::error::Error::Forbidden`] for anyone but an admin.
    pub async fn list(
        &self,
        actor: &Actor,
        filter: &AuditFilter,
        request: PageRequest,
    ) -> Result<Page<Model>> {
        must_be_admin(actor, ADMINS_READ)?;
        let rows = paging::page(matching(filter), &BY_KEY, request);
        let page = Page::from_rows(request, rows.all(self.0.db.read()).await?, place);
        admin_reads(&self.0, actor, vec![Subject::AuditLog]).await?;
        Ok(page)
    }

    /// How many lines there are.
    ///
    /// # Errors
    /// The same.
    pub async fn count(&self, actor: &Actor, filter: &AuditFilter) -> Result<u64> {
        must_be_admin(actor, ADMINS_READ)?;
        Ok(matching(filter).count(self.0.db.read()).await?)
    }

    /// Reads the whole log and looks whether it is as it was written. `tell` hears of each line on the way.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verify(&self, mut tell: impl FnMut(&Model)) -> Result<Verdict> {
        let head = self.head().await?;
        let (mut number, mut hash) = (0, String::new());
        while number < head.audit_id {
            let lines = Entity::find()
                .filter(Column::AuditId.gt(number))
                .filter(Column::AuditId.lte(head.audit_id))
                .order_by_asc(Column::AuditId)
                .limit(BATCH)
                .all(self.0.db.read())
                .await?;
            if lines.is_empty() {
                return Ok(broken(number + 1, "it is missing, and all after it"));
            }
            for line in lines {
                number += 1;
                if line.audit_id != number {
                    return Ok(broken(number, "it is missing"));
                }
                if line.hash_after(&hash) != line.hash {
                    return Ok(broken(number, "it is not as it was written"));
                }
                tell(&line);
                hash = line.hash;
            }
        }
        if hash != head.hash {
            return Ok(broken(number, "it is not the line that the log ended with"));
        }
        if let Some(stray) = self.stray().await? {
            return Ok(broken(stray, "it stands outside of the chain"));
        }
        Ok(Verdict::Whole {
            lines: number,
            hash,
        })
    }

    /// A line before the first or behind the last.
    async fn stray(&self) -> Result<Option<i64>> {
        let ends: Option<(Option<i64>, Option<i64>)> = Entity::find()
            .select_only()
            .column_as(Column::AuditId.min(), "first")
            .column_as(Column::AuditId.max(), "last")
            .into_tuple()
            .one(self.0.db.read())
            .await?;
        let (first, last) = ends.unwrap_or_default();
        // Read after the lines, so that none of them was added since.
        let head = self.head().await?;
        let before = first.filter(|number| *number < 1);
        Ok(before.or(last.filter(|number| *number > head.audit_id)))
    }

    async fn head(&self) -> Result<audit_head::Model> {
        let head = audit_head::Entity::find_by_id(1).one(self.0.db.read());
        let gone = || anyhow::anyhow!("the end of the audit log is gone");
        Ok(head.await?.ok_or_else(gone)?)
    }
}

/// Writes down what an admin is about to be shown of other people's. Nothing is written of what anybody else reads.
///
/// # Errors
/// When it can't be written: then nothing is to be shown.
pub(super) async fn admin_reads(parts: &Parts, actor: &Actor, seen: Vec<Subject>) -> Result<()> {
    if !actor.is_admin() || seen.is_empty() {
        return Ok(());
    }
    let mut changes = Changes::by(actor);
    for subject in seen {
        changes.record(Action::AdminRead, subject);
    }
    changes.commit(parts.db.begin().await?, parts).await
}

const fn broken(line: i64, why: &'static str) -> Verdict {
    Verdict::Broken { line, why }
}

fn matching(filter: &AuditFilter) -> Select<Entity> {
    let mut lines = Entity::find();
    if let Some(actor) = filter.actor_id {
        lines = lines.filter(Column::ActorId.eq(actor));
    }
    if let Some(action) = &filter.action {
        lines = lines.filter(Column::Action.eq(action.as_str()));
    }
    lines
}

fn place(line: &Model) -> Cursor {
    Cursor {
        order: NEWEST,
        rank: 0,
        id: line.audit_id,
    }
}

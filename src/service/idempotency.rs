//! The same key from the same person gives the same answer, however often it is sent in 24 hours. What was refused is not an answer: it may be
//! sent again.

use chrono::{DateTime, Duration, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, QueryFilter as _,
    sea_query::{Expr, ExprTrait as _, OnConflict},
};

use super::{Parts, error::Result};
use crate::{
    domain::{
        digest::sha256_hex,
        ids::UserId,
        problem::{Problem, ProblemCode},
    },
    entity::idempotency_key::{ActiveModel, Column, Entity},
    store::db::{Db, Tx},
};

/// Where a key stands in an input.
const FIELD: &str = "idempotencyKey";

/// A key that came with a request.
#[derive(Debug, Clone)]
pub(super) struct Key {
    user_id: UserId,
    text: String,
    request_hash: String,
}

impl Key {
    /// Parses a key. `request` is everything that must be the same when the key comes again.
    pub(super) fn parse(
        user_id: UserId,
        raw: Option<&str>,
        request: &str,
    ) -> std::result::Result<Option<Self>, Problem> {
        let Some(raw) = raw else { return Ok(None) };
        if !(1..=255).contains(&raw.len()) || raw.chars().any(char::is_control) {
            return Err(Problem::invalid(
                FIELD,
                "A key has 1 to 255 bytes and no control characters.",
            ));
        }
        let request_hash = sha256_hex(request);
        Ok(Some(Self {
            user_id,
            text: raw.to_owned(),
            request_hash,
        }))
    }
}

/// A write that may have been made before.
pub(super) enum Begun {
    /// It is new; write it in this transaction.
    New(Tx),
    /// It was made before, and this is its key.
    Answered(i32),
}

/// Stands in the place of an answer until there is one. Left behind by a write that went another way than asked for, it is as good as no key.
const UNANSWERED: i32 = 0;
/// How long a key is remembered.
const REMEMBERED: Duration = Duration::hours(24);

/// Begins a write that its key makes repeatable. Of several at once the first one writes; the others wait for it and get its answer. A key
/// that is no longer remembered is a new one.
pub(super) async fn begin(db: &Db, key: Option<&Key>, now: DateTime<Utc>) -> Result<Begun> {
    let tx = db.begin().await?;
    let Some(key) = key else {
        return Ok(Begun::New(tx));
    };
    let claim = ActiveModel {
        user_id: Set(key.user_id),
        idempotency_key: Set(key.text.clone()),
        request_hash: Set(key.request_hash.clone()),
        subject_id: Set(UNANSWERED),
        created_at: Set(now),
    };
    let unless_remembered = OnConflict::columns([Column::UserId, Column::IdempotencyKey])
        .update_columns([Column::RequestHash, Column::SubjectId, Column::CreatedAt])
        .action_and_where(
            Expr::col((Entity, Column::CreatedAt))
                .lte(now - REMEMBERED)
                .or(Expr::col((Entity, Column::SubjectId)).eq(UNANSWERED)),
        )
        .to_owned();
    let claimed = Entity::insert(claim)
        .on_conflict(unless_remembered)
        .exec_without_returning(&*tx)
        .await?;
    if claimed == 1 {
        return Ok(Begun::New(tx));
    }
    drop(tx);
    answered(db, key, now)
        .await?
        .map(Begun::Answered)
        .ok_or_else(|| {
            // The one that was first gave up in the meantime.
            let message = "A request with this key was just refused; send it again.";
            Problem::new(FIELD, ProblemCode::IdempotencyConflict, message).into()
        })
}

/// Writes down what the key made, in its own transaction.
pub(super) async fn remember(tx: &Tx, key: Option<&Key>, subject_id: i32) -> Result<()> {
    if let Some(key) = key {
        Entity::update_many()
            .col_expr(Column::SubjectId, Expr::val(subject_id))
            .filter(Column::UserId.eq(key.user_id))
            .filter(Column::IdempotencyKey.eq(&key.text))
            .exec(&**tx)
            .await?;
    }
    Ok(())
}

/// What a key made before, where it is remembered.
///
/// # Errors
/// `IDEMPOTENCY_CONFLICT` when it came with another request.
pub(super) async fn answered(db: &Db, key: &Key, now: DateTime<Utc>) -> Result<Option<i32>> {
    let found = Entity::find_by_id((key.user_id, key.text.clone()))
        .filter(Column::CreatedAt.gt(now - REMEMBERED))
        .filter(Column::SubjectId.ne(UNANSWERED))
        .one(db.read())
        .await?;
    match found {
        Some(found) if found.request_hash != key.request_hash => {
            let message =
                "This key came before with another input; use a new key for a new request.";
            Err(Problem::new(FIELD, ProblemCode::IdempotencyConflict, message).into())
        }
        found => Ok(found.map(|found| found.subject_id)),
    }
}

/// Forgets keys whose time is over. Gives how many.
pub(super) async fn sweep(parts: &Parts) -> Result<u64> {
    let tx = parts.db.begin().await?;
    let swept = Entity::delete_many()
        .filter(Column::CreatedAt.lte(parts.clock.now() - REMEMBERED))
        .exec(&*tx)
        .await?;
    tx.commit().await?;
    Ok(swept.rows_affected)
}

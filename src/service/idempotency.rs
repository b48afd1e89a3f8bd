//! The same key from the same person gives the same answer, however often it is sent.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, sea_query::Expr,
};

use super::error::Result;
use crate::{
    domain::{
        digest::sha256_hex,
        ids::UserId,
        problem::{Problem, ProblemCode},
    },
    entity::idempotency_key::{ActiveModel, Column, Entity, Model},
    store::db::{Db, Tx, is_unique_violation},
};

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
                "idempotencyKey",
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

/// Begins a write that its key makes repeatable. Of several at once the first one writes; the others wait for it and get its answer.
pub(super) async fn begin(db: &Db, key: Option<&Key>, now: DateTime<Utc>) -> Result<Begun> {
    let tx = db.begin().await?;
    let Some(key) = key else {
        return Ok(Begun::New(tx));
    };
    let claim = ActiveModel {
        user_id: Set(key.user_id),
        idempotency_key: Set(key.text.clone()),
        request_hash: Set(key.request_hash.clone()),
        subject_id: Set(0),
        created_at: Set(now),
    };
    match Entity::insert(claim).exec_without_returning(&*tx).await {
        Ok(_) => Ok(Begun::New(tx)),
        Err(error) if is_unique_violation(&error) => {
            drop(tx);
            answered(db, key).await
        }
        Err(error) => Err(error.into()),
    }
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

async fn answered(db: &Db, key: &Key) -> Result<Begun> {
    let found: Option<Model> = Entity::find_by_id((key.user_id, key.text.clone()))
        .one(db.read())
        .await?;
    match found {
        Some(found) if found.request_hash == key.request_hash => {
            Ok(Begun::Answered(found.subject_id))
        }
        Some(_) => Err(Problem::new(
            "idempotencyKey",
            ProblemCode::IdempotencyConflict,
            "This key came before with another input; use a new key for a new request.",
        )
        .into()),
        // The one that was first gave up in the meantime.
        None => Err(Problem::new(
            "idempotencyKey",
            ProblemCode::IdempotencyConflict,
            "A request with this key was just refused; send it again.",
        )
        .into()),
    }
}

//! Secrets that were mailed: who brings one back has shown to read that address.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, sea_query::Expr};

use crate::{
    domain::{ids::UserId, people::MailedFor, problem::Problem},
    entity::mailed_token::{Column, Entity, Model},
    service::{Parts, error::Result},
    store::{db::Tx, tokens::refresh::hash_mailed_token},
};

/// Spends a secret, in the caller's transaction, which has locked its person.
///
/// # Errors
/// `INVALID` when it was used in the meantime.
pub(super) async fn spend(tx: &Tx, mailed: &Model, now: DateTime<Utc>) -> Result<()> {
    // Of two who bring it at once, one finds it unused.
    let used = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::val(now))
        .filter(Column::TokenHash.eq(&mailed.token_hash))
        .filter(Column::UsedAt.is_null())
        .exec(&**tx)
        .await?;
    if used.rows_affected == 0 {
        return Err(no_good().into());
    }
    Ok(())
}

/// What is known of a secret that may be used now.
///
/// # Errors
/// `INVALID` for one that is none, was used, or has lapsed: in the same words.
pub(super) async fn find(
    parts: &Parts,
    token: &str,
    purpose: MailedFor,
    now: DateTime<Utc>,
) -> Result<Model> {
    let found = Entity::find_by_id(hash_mailed_token(token))
        .filter(Column::Purpose.eq(purpose))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .one(parts.db.read())
        .await?;
    Ok(found.ok_or_else(no_good)?)
}

/// Makes every secret that was mailed to a person useless.
pub(super) async fn spend_all(tx: &Tx, user_id: UserId, now: DateTime<Utc>) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::UsedAt, Expr::val(now))
        .filter(Column::UserId.eq(user_id))
        .filter(Column::UsedAt.is_null())
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Forgets every secret that was mailed to a person, with the addresses that they went to.
pub(super) async fn delete_all(tx: &Tx, user_id: UserId) -> Result<()> {
    let theirs = Entity::delete_many().filter(Column::UserId.eq(user_id));
    theirs.exec(&**tx).await?;
    Ok(())
}

pub(super) fn no_good() -> Problem {
    Problem::invalid(
        "token",
        "This link is not good any more; ask for a new one.",
    )
}

//! The keys of access tokens: given by the operator or, in development, one that is made once and shared through the database.

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, EntityTrait as _, QueryOrder as _};

use crate::{
    entity::signing_key::{ActiveModel, Column, Entity},
    store::{
        db::{Db, is_unique_violation},
        tokens::{Key, Tokens},
    },
};

/// The ring of keys, the one that signs in front.
pub(super) async fn ring(
    db: &Db,
    pem: Option<&str>,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<Key>> {
    match pem {
        Some(pem) => Key::read_pem(pem).context("STAYGATE_JWT_KEY must be Ed25519 keys in PEM"),
        None => Ok(vec![Key::pair(&kept(db, now).await?)?]),
    }
}

/// The key that is kept in the database, in PKCS #8 (DER).
async fn kept(db: &Db, now: DateTime<Utc>) -> anyhow::Result<Vec<u8>> {
    // Two instances may start at once on an empty database; the oldest key is everyone's.
    if let Some(key) = oldest(db).await? {
        return Ok(key);
    }
    let (key_id, pkcs8) = Tokens::generate_key()?;
    let tx = db.begin().await?;
    let row = ActiveModel {
        key_id: Set(key_id),
        pkcs8: Set(pkcs8),
        created_at: Set(now),
    };
    match Entity::insert(row).exec_without_returning(&*tx).await {
        Ok(_) => tx.commit().await?,
        Err(error) if is_unique_violation(&error) => {}
        Err(error) => return Err(error.into()),
    }
    oldest(db)
        .await?
        .context("the key that signs access tokens is gone")
}

async fn oldest(db: &Db) -> anyhow::Result<Option<Vec<u8>>> {
    let keys = Entity::find()
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::KeyId);
    Ok(keys.one(db.read()).await?.map(|key| key.pkcs8))
}

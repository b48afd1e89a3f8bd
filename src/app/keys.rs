//! The key that signs access tokens: given by the operator or, in development, made once and shared through the database.

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, EntityTrait as _, QueryOrder as _};

use crate::{
    entity::signing_key::{ActiveModel, Column, Entity},
    store::{
        db::{Db, is_unique_violation},
        tokens::Tokens,
    },
};

/// The key in PKCS #8 (DER).
pub(super) async fn signing_key(
    db: &Db,
    pem: Option<&str>,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<u8>> {
    if let Some(pem) = pem {
        return read_pem(pem).context("STAYGATE_JWT_KEY must be an Ed25519 key in PKCS #8, as PEM");
    }
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

fn read_pem(pem: &str) -> Option<Vec<u8>> {
    let body = pem
        .split_once("-----BEGIN PRIVATE KEY-----")?
        .1
        .split_once("-----END PRIVATE KEY-----")?
        .0;
    // An environment variable may carry its line breaks as \n.
    let body: String = body.replace("\\n", "").split_whitespace().collect();
    STANDARD.decode(body).ok()
}

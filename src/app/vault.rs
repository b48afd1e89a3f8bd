//! The keys that seal secrets: given by the operator or, in development, one that is made once and shared through the database.

use anyhow::{Context as _, anyhow};
use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, EntityTrait as _};

use crate::{
    entity::encryption_key::{ActiveModel, Entity},
    store::{
        db::{Db, is_unique_violation},
        vault::{KEY_LEN, NamedKey, Vault},
    },
};

/// What the key is called that is kept in the database.
const KEPT: &str = "development";

/// The vault: with the given keys, or else with the one that is kept in the database. That one still opens what it has sealed, once there are others.
pub(super) async fn open(
    db: &Db,
    given: Option<&str>,
    now: DateTime<Utc>,
) -> anyhow::Result<Vault> {
    match look(db, given).await? {
        Some(vault) => Ok(vault),
        None => Vault::new(&[make(db, now).await?]),
    }
}

/// The same without making anything; none where there is no key yet.
pub(super) async fn look(db: &Db, given: Option<&str>) -> anyhow::Result<Option<Vault>> {
    let Some(list) = given else {
        let key = kept(db).await?;
        return key.map(|key| Vault::new(&[key])).transpose();
    };
    let mut keys = NamedKey::read(list)
        .map_err(|error| anyhow!("STAYGATE_ENCRYPTION_KEYS can't be used: {error:#}"))?;
    keys.extend(kept(db).await?);
    let vault = Vault::new(&keys).map_err(|error| {
        anyhow!(
            "STAYGATE_ENCRYPTION_KEYS can't be used ({KEPT} is the one in the database): {error:#}"
        )
    })?;
    Ok(Some(vault))
}

async fn make(db: &Db, now: DateTime<Utc>) -> anyhow::Result<NamedKey> {
    let mut key = [0; KEY_LEN];
    rand::fill(&mut key);
    let tx = db.begin().await?;
    let row = ActiveModel {
        name: Set(KEPT.to_owned()),
        key: Set(key.to_vec()),
        created_at: Set(now),
    };
    match Entity::insert(row).exec_without_returning(&*tx).await {
        Ok(_) => tx.commit().await?,
        // Two instances may start at once on an empty database; the first key is everyone's.
        Err(error) if is_unique_violation(&error) => {}
        Err(error) => return Err(error.into()),
    }
    let key = kept(db).await?;
    key.context("the key that seals secrets is gone")
}

async fn kept(db: &Db) -> anyhow::Result<Option<NamedKey>> {
    let row = Entity::find_by_id(KEPT).one(db.read());
    let Some(row) = row.await? else {
        return Ok(None);
    };
    let key = row.key.try_into();
    let key = key.map_err(|_| anyhow!("the key that is kept in the database is broken"))?;
    Ok(Some(NamedKey {
        name: row.name,
        key,
    }))
}

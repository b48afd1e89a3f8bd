//! The secrets that the tables keep, and sealing them anew: what another key has sealed, and what was kept before secrets were sealed.

use anyhow::Context as _;
use sea_orm::{ConnectionTrait as _, Statement, Value};

use super::error::Result;
use crate::store::{
    db::Db,
    vault::{Place, Vault, fingerprint},
};

/// How many rows are sealed in one transaction.
const BATCH: i64 = 500;
/// How many of the oldest and of the newest are opened to see whether the keys are there.
const PROBED: u32 = 20;
/// How often a column is gone through at most, because others write it meanwhile.
const PASSES: usize = 20;

/// A secret that the tables keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// The provider's name for a payment.
    PaymentReference,
    /// What the guest's payment form needs to finish a payment.
    ClientSecret,
    /// The provider's token for the card that is to be charged.
    PaymentToken,
    /// What the address of a property's own calendar ends with.
    ExportToken,
    /// The address of a calendar of another platform.
    FeedUrl,
}

/// A column of secrets.
struct Column {
    table: &'static str,
    key: &'static str,
    name: &'static str,
    /// The column with what the secret is looked up by, where it is.
    digest: Option<&'static str>,
}

const fn column(
    table: &'static str,
    key: &'static str,
    name: &'static str,
    digest: Option<&'static str>,
) -> Column {
    Column {
        table,
        key,
        name,
        digest,
    }
}

/// What came of sealing a column anew.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// How many secrets were sealed.
    pub sealed: u64,
    /// Which ones could not be opened, and why. They stay as they are.
    pub unopened: Vec<String>,
    /// Whether others kept writing secrets with another key.
    pub unfinished: bool,
}

/// What came of some rows.
#[derive(Default)]
struct Batch {
    /// The last key that was looked at; none at the end.
    last: Option<i64>,
    sealed: u64,
    /// How many had changed meanwhile.
    missed: u64,
    unopened: Vec<String>,
}

impl Secret {
    /// Every one.
    pub const ALL: [Self; 5] = [
        Self::PaymentReference,
        Self::ClientSecret,
        Self::PaymentToken,
        Self::ExportToken,
        Self::FeedUrl,
    ];

    const fn column(self) -> Column {
        match self {
            Self::PaymentReference => column(
                "payments",
                "payment_id",
                "provider_reference",
                Some("reference_digest"),
            ),
            Self::ClientSecret => column("payments", "payment_id", "client_secret", None),
            Self::PaymentToken => column("payments", "payment_id", "token", None),
            Self::ExportToken => column(
                "calendar_exports",
                "property_id",
                "token",
                Some("token_digest"),
            ),
            Self::FeedUrl => column("calendar_feeds", "feed_id", "url", Some("url_digest")),
        }
    }

    /// Where it stands in a row.
    #[must_use]
    pub fn place(self, row: i32) -> Place {
        let Column { table, name, .. } = self.column();
        Place {
            table,
            column: name,
            row: row.into(),
        }
    }

    /// Its table and column.
    #[must_use]
    pub fn name(self) -> String {
        let Column { table, name, .. } = self.column();
        format!("{table}.{name}")
    }

    /// Seals every one that the current key has not, while others read and write. What is stopped goes on from where it was. Tells
    /// `progress` how many more are done. One that can't be opened is left as it is, and told.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rotate(
        self,
        db: &Db,
        vault: &Vault,
        mut progress: impl FnMut(u64),
    ) -> Result<Rotated> {
        let mut rotated = Rotated::default();
        for _ in 0..PASSES {
            let (mut after, mut found) = (i64::MIN, 0);
            rotated.unopened.clear();
            loop {
                let batch = self.batch(db, vault, after).await?;
                progress(batch.sealed);
                rotated.sealed += batch.sealed;
                found += batch.sealed + batch.missed;
                rotated.unopened.extend(batch.unopened);
                match batch.last {
                    Some(last) => after = last,
                    None => break,
                }
            }
            // Whoever has an older ring may have written another one behind: a pass that finds none says that it is done.
            if found == 0 {
                return Ok(rotated);
            }
        }
        rotated.unfinished = true;
        Ok(rotated)
    }

    /// Opens the oldest and the newest of them, and gives what is wrong with the first that can't be opened. Changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn probe(self, db: &Db, vault: &Vault) -> Result<Option<String>> {
        let Column {
            table, key, name, ..
        } = self.column();
        for order in ["ASC", "DESC"] {
            let sql = format!(
                "SELECT CAST({key} AS BIGINT) AS place, {name} AS kept FROM {table} \
                 WHERE {name} <> '' ORDER BY {key} {order} LIMIT {PROBED}"
            );
            let select = Statement::from_string(db.backend(), sql);
            for row in db.read().query_all_raw(select).await? {
                let row_key: i64 = row.try_get("", "place")?;
                let kept: String = row.try_get("", "kept")?;
                let place = self.place(i32::try_from(row_key).context("a key is too large")?);
                if let Err(error) = vault.open_or_unsealed(place, &kept) {
                    return Ok(Some(format!("{error:#}")));
                }
            }
        }
        Ok(None)
    }

    /// Seals some rows after a key.
    async fn batch(self, db: &Db, vault: &Vault, after: i64) -> Result<Batch> {
        let Column {
            table,
            key,
            name,
            digest,
        } = self.column();
        let prefix = vault.current_prefix();
        let length = prefix.len();
        let sql = format!(
            "SELECT CAST({key} AS BIGINT) AS place, {name} AS kept FROM {table} \
             WHERE {key} > $1 AND {name} <> '' AND substr({name}, 1, {length}) <> $2 ORDER BY {key} LIMIT {BATCH}"
        );
        let first = i32::try_from(after).unwrap_or(i32::MIN);
        let values = [Value::from(first), prefix.into()];
        let backend = db.backend();
        let select = Statement::from_sql_and_values(backend, sql, values);
        let tx = db.begin().await?;
        let mut batch = Batch::default();
        for row in tx.query_all_raw(select).await? {
            let row_key: i64 = row.try_get("", "place")?;
            let kept: String = row.try_get("", "kept")?;
            batch.last = Some(row_key);
            let row_key = i32::try_from(row_key).context("a key is too large")?;
            let place = self.place(row_key);
            let secret = match vault.open_or_unsealed(place, &kept) {
                Ok(secret) => secret,
                Err(error) => {
                    batch.unopened.push(format!("{error:#}"));
                    continue;
                }
            };
            let with_digest = digest.map(|digest| format!(", {digest} = $4"));
            let sql = format!(
                "UPDATE {table} SET {name} = $1{} WHERE {key} = $2 AND {name} = $3",
                with_digest.unwrap_or_default()
            );
            let mut values: Vec<Value> = vec![
                vault.seal(place, &secret)?.into(),
                row_key.into(),
                kept.into(),
            ];
            if digest.is_some() {
                values.push(fingerprint(&secret).into());
            }
            let update = Statement::from_sql_and_values(backend, sql, values);
            match tx.execute_raw(update).await?.rows_affected() {
                0 => batch.missed += 1,
                _ => batch.sealed += 1,
            }
        }
        tx.commit().await?;
        Ok(batch)
    }
}

/// Seals what a migration has found unsealed, and leaves no trace of it in the files of SQLite. Any number of instances may do it at once; what is stopped
/// goes on at the next start.
///
/// # Errors
/// When the database fails, or knows of secrets that this version does not.
pub async fn catch_up(db: &Db, vault: &Vault) -> Result<()> {
    let select = Statement::from_string(db.backend(), "SELECT place FROM sealing_backlog");
    let rows = db.read().query_all_raw(select).await?;
    let mut sealed = 0;
    for row in rows {
        let name: String = row.try_get("", "place")?;
        let Some(secret) = Secret::ALL.iter().find(|secret| secret.name() == name) else {
            return Err(anyhow::anyhow!("{name} is no secret that this version knows").into());
        };
        let rotated = secret.rotate(db, vault, |_| {}).await?;
        sealed += rotated.sealed;
        if !rotated.unopened.is_empty() || rotated.unfinished {
            tracing::error!(name, ?rotated, "some secrets are not sealed");
            continue;
        }
        let tx = db.begin().await?;
        let sql = "DELETE FROM sealing_backlog WHERE place = $1";
        let delete = Statement::from_sql_and_values(db.backend(), sql, [name.into()]);
        tx.execute_raw(delete).await?;
        tx.commit().await?;
    }
    if sealed > 0 {
        db.wipe_what_was_deleted().await?;
    }
    Ok(())
}

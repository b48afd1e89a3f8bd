//! Sealing anew what stands in the tables: what another key has sealed, and what was kept before secrets were sealed.

use anyhow::Context as _;
use sea_orm::{ConnectionTrait as _, Statement, Value};

use super::error::Result;
use crate::store::{
    db::Db,
    vault::{Place, Vault, fingerprint},
};

/// How many rows are sealed in one transaction.
const BATCH: i64 = 500;

/// A column of secrets.
#[derive(Debug)]
pub struct Sealed {
    table: &'static str,
    key: &'static str,
    column: &'static str,
    /// The column with what the secret is looked up by, where it is.
    digest: Option<&'static str>,
}

/// Every column of secrets.
pub const COLUMNS: [Sealed; 5] = [
    Sealed {
        table: "payments",
        key: "payment_id",
        column: "provider_reference",
        digest: Some("reference_digest"),
    },
    Sealed {
        table: "payments",
        key: "payment_id",
        column: "client_secret",
        digest: None,
    },
    Sealed {
        table: "payments",
        key: "payment_id",
        column: "token",
        digest: None,
    },
    Sealed {
        table: "calendar_exports",
        key: "property_id",
        column: "token",
        digest: Some("token_digest"),
    },
    Sealed {
        table: "calendar_feeds",
        key: "feed_id",
        column: "url",
        digest: Some("url_digest"),
    },
];

impl Sealed {
    /// The column's name, with its table's.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.table, self.column)
    }

    /// Seals every secret of the column that the current key has not, while others read and write it. What is stopped goes on from where
    /// it was. Tells `progress` how many more are done, and gives how many in all.
    ///
    /// # Errors
    /// When a secret's key is not in the ring, or the database fails.
    pub async fn rotate(
        &self,
        db: &Db,
        vault: &Vault,
        mut progress: impl FnMut(u64),
    ) -> Result<u64> {
        let (mut done, mut after) = (0, i64::MIN);
        loop {
            let (last, sealed) = self.batch(db, vault, after).await?;
            done += sealed;
            progress(sealed);
            match last {
                Some(last) => after = last,
                None => return Ok(done),
            }
        }
    }

    /// Seals some rows after a key. Gives the last key that was looked at, none at the end, and how many were sealed.
    async fn batch(&self, db: &Db, vault: &Vault, after: i64) -> Result<(Option<i64>, u64)> {
        let Self {
            table, key, column, ..
        } = self;
        let prefix = vault.current_prefix();
        let length = prefix.len();
        let sql = format!(
            "SELECT CAST({key} AS BIGINT) AS place, {column} AS kept FROM {table} \
             WHERE {key} > $1 AND {column} <> '' AND substr({column}, 1, {length}) <> $2 ORDER BY {key} LIMIT {BATCH}"
        );
        let first = i32::try_from(after).unwrap_or(i32::MIN);
        let values = [Value::from(first), prefix.into()];
        let backend = db.backend();
        let select = Statement::from_sql_and_values(backend, sql, values);
        let tx = db.begin().await?;
        let (mut last, mut sealed) = (None, 0);
        for row in tx.query_all_raw(select).await? {
            let row_key: i64 = row.try_get("", "place")?;
            let kept: String = row.try_get("", "kept")?;
            last = Some(row_key);
            let place = Place {
                table,
                column,
                row: row_key,
            };
            let secret = vault.open(place, &kept)?;
            let digest = self.digest.map(|digest| format!(", {digest} = $4"));
            let sql = format!(
                "UPDATE {table} SET {column} = $1{} WHERE {key} = $2 AND {column} = $3",
                digest.unwrap_or_default()
            );
            let row_key = i32::try_from(row_key).context("a key is too large")?;
            let mut values: Vec<Value> = vec![
                vault.seal(place, &secret)?.into(),
                row_key.into(),
                kept.into(),
            ];
            if self.digest.is_some() {
                values.push(fingerprint(&secret).into());
            }
            let update = Statement::from_sql_and_values(backend, sql, values);
            sealed += tx.execute_raw(update).await?.rows_affected();
        }
        tx.commit().await?;
        Ok((last, sealed))
    }
}

/// Seals what a migration has found unsealed. Any number of instances may do it at once; what is stopped goes on at the next start.
///
/// # Errors
/// When the database fails.
pub async fn catch_up(db: &Db, vault: &Vault) -> Result<()> {
    let select = "SELECT place FROM sealing_backlog";
    let rows = db
        .read()
        .query_all_raw(Statement::from_string(db.backend(), select));
    for row in rows.await? {
        let name: String = row.try_get("", "place")?;
        if let Some(column) = COLUMNS.iter().find(|column| column.name() == name) {
            column.rotate(db, vault, |_| {}).await?;
        }
        let tx = db.begin().await?;
        let sql = "DELETE FROM sealing_backlog WHERE place = $1";
        let delete = Statement::from_sql_and_values(db.backend(), sql, [name.into()]);
        tx.execute_raw(delete).await?;
        tx.commit().await?;
    }
    Ok(())
}

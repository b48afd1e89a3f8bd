//! A snapshot of PostgreSQL: a transaction of ours exports it, `pg_dump` reads by it, and what is counted is counted in it.

use std::{collections::BTreeMap, str::FromStr as _};

use anyhow::Context as _;
use async_trait::async_trait;
use sea_orm::sqlx::{
    self, AssertSqlSafe, ConnectOptions as _, Connection as _,
    postgres::{PgConnectOptions, PgConnection},
};

use super::{Contents, Snapshot, Table, postgres_tools};
use crate::store::flow::Inlet;

/// An exported snapshot. It stands as long as this does.
pub(super) struct Exported {
    url: String,
    snapshot: String,
    connection: PgConnection,
}

impl Exported {
    pub(super) async fn open(url: &str) -> anyhow::Result<Self> {
        let mut connection = connect(url).await?;
        let version: String = sqlx::query_scalar("SHOW server_version_num")
            .fetch_one(&mut connection)
            .await?;
        let server = version.parse::<u32>().unwrap_or(0) / 10_000;
        postgres_tools::must_reach("pg_dump", "the server", server).await?;
        sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .execute(&mut connection)
            .await?;
        let snapshot = sqlx::query_scalar("SELECT pg_export_snapshot()")
            .fetch_one(&mut connection)
            .await?;
        Ok(Self {
            url: url.to_owned(),
            snapshot,
            connection,
        })
    }
}

#[async_trait]
impl Snapshot for Exported {
    async fn write(mut self: Box<Self>, into: Inlet) -> anyhow::Result<Contents> {
        let dumps = postgres_tools::dump(&self.url, &self.snapshot, into);
        let ((), contents) = tokio::try_join!(dumps, contents(&mut self.connection))?;
        self.connection.close().await?;
        Ok(contents)
    }

    fn size(&self) -> Option<u64> {
        None
    }
}

/// A connection that waits as long as it takes.
pub(super) async fn connect(url: &str) -> anyhow::Result<PgConnection> {
    let options = PgConnectOptions::from_str(url).context("DATABASE_URL can't be read")?;
    // What a row looks like as text must not depend on who asks, nor where.
    let options = options
        .disable_statement_logging()
        .application_name("staygate backup")
        .options([
            ("statement_timeout", "0"),
            ("idle_in_transaction_session_timeout", "0"),
            ("TimeZone", "UTC"),
            ("DateStyle", "ISO"),
            ("IntervalStyle", "iso_8601"),
            ("extra_float_digits", "1"),
            ("bytea_output", "hex"),
        ]);
    let connection = options.connect().await;
    connection.context("the database of DATABASE_URL can't be opened")
}

/// The tables of the connection's own schema, but for those that extensions bring.
async fn tables(connection: &mut PgConnection) -> anyhow::Result<Vec<String>> {
    let sql = "SELECT c.relname::text FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        ORDER BY 1";
    Ok(sqlx::query_scalar(sql).fetch_all(connection).await?)
}

/// How many users there are. None where there is no such table.
pub(super) async fn users(connection: &mut PgConnection) -> anyhow::Result<Option<u64>> {
    if !tables(connection).await?.iter().any(|name| name == "users") {
        return Ok(None);
    }
    let users: i64 = sqlx::query_scalar("SELECT count(*) FROM users")
        .fetch_one(connection)
        .await?;
    Ok(Some(users.unsigned_abs()))
}

/// What is in the database. Each row is hashed by itself, and the sum of the hashes does not depend on their order; so a table is read once,
/// by the server, which needs no memory for it.
pub(super) async fn contents(connection: &mut PgConnection) -> anyhow::Result<Contents> {
    let schema_version = sqlx::query_scalar("SELECT max(version) FROM seaql_migrations")
        .fetch_one(&mut *connection)
        .await
        .context("the database has no tables of Staygate")?;
    let mut found = BTreeMap::new();
    for name in tables(connection).await? {
        let quoted = name.replace('"', "\"\"");
        let sql = format!(
            "SELECT count(*), concat(
                coalesce(sum(('x' || left(hash, 16))::bit(64)::bigint), 0), '/',
                coalesce(sum(('x' || right(hash, 16))::bit(64)::bigint), 0))
            FROM (SELECT md5(the_whole_row::text) AS hash FROM \"{quoted}\" AS the_whole_row) AS hashed"
        );
        let (rows, hash): (i64, String) = sqlx::query_as(AssertSqlSafe(sql))
            .fetch_one(&mut *connection)
            .await?;
        let table = Table {
            rows: rows.unsigned_abs(),
            hash: Some(hash),
        };
        found.insert(name, table);
    }
    Ok(Contents {
        schema_version,
        tables: found,
    })
}

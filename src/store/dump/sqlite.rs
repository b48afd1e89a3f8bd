//! A snapshot of SQLite: the pages of its file, read by one query in one transaction. Writers go on meanwhile; what they write waits in the
//! log (`-wal`), which grows until this is done. No copy is made on the way.

use std::{collections::BTreeMap, path::PathBuf, str::FromStr as _, time::Duration};

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use sea_orm::sqlx::{
    self, AssertSqlSafe, ConnectOptions as _, Connection as _,
    sqlite::{SqliteConnectOptions, SqliteConnection},
};

use super::{Contents, Snapshot, Table};
use crate::store::flow::{Inlet, Outlet};

/// How every file of SQLite begins.
pub(super) const HEADER: &[u8] = b"SQLite format 3\0";

/// The pages of a file as they were at one moment.
pub(super) struct Pages {
    connection: SqliteConnection,
    page_size: u64,
    page_count: u64,
}

impl Pages {
    pub(super) async fn open(url: &str) -> anyhow::Result<Self> {
        let mut connection = connect(url, false).await?;
        let has_pages: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pragma_module_list WHERE name = 'sqlite_dbpage'",
        )
        .fetch_one(&mut connection)
        .await?;
        ensure!(
            has_pages > 0,
            "this staygate was built without what reads the pages of SQLite: build it with LIBSQLITE3_FLAGS=-DSQLITE_ENABLE_DBPAGE_VTAB, as .cargo/config.toml has it"
        );
        sqlx::query("BEGIN").execute(&mut connection).await?;
        // The transaction sees what there is when it first reads.
        number(&mut connection, "SELECT count(*) FROM sqlite_master").await?;
        Ok(Self {
            page_size: number(&mut connection, "PRAGMA page_size").await?,
            page_count: number(&mut connection, "PRAGMA page_count").await?,
            connection,
        })
    }
}

#[async_trait]
impl Snapshot for Pages {
    async fn write(mut self: Box<Self>, mut into: Inlet) -> anyhow::Result<Contents> {
        let contents = contents(&mut self.connection).await?;
        let mut count = 0;
        let mut pages = sqlx::query_scalar::<_, Vec<u8>>(
            "SELECT data FROM sqlite_dbpage('main') ORDER BY pgno",
        )
        .fetch(&mut self.connection);
        while let Some(page) = pages.try_next().await? {
            ensure!(
                page.len() as u64 == self.page_size && (count > 0 || page.starts_with(HEADER)),
                "page {} of the database is none",
                count + 1
            );
            into.send(&page).await?;
            count += 1;
        }
        drop(pages);
        ensure!(
            count == self.page_count,
            "{count} of {} pages could be read",
            self.page_count
        );
        self.connection.close().await?;
        into.finish().await?;
        Ok(contents)
    }

    fn size(&self) -> Option<u64> {
        Some(self.page_size * self.page_count)
    }
}

/// Reads the pages of a file to their end, and holds them against its head.
pub(super) async fn look_through(mut from: Outlet) -> anyhow::Result<()> {
    let (mut head, mut bytes) = (vec![], 0);
    while let Some(piece) = from.next().await? {
        if head.len() < 32 {
            head.extend_from_slice(&piece[..piece.len().min(32)]);
        }
        bytes += piece.len() as u64;
    }
    ensure!(
        head.len() >= 32 && head.starts_with(HEADER),
        "this is no database of SQLite"
    );
    // https://www.sqlite.org/fileformat2.html: two bytes at 16, of which 1 means 65,536; four bytes at 28.
    let page_size = match u64::from(u16::from_be_bytes([head[16], head[17]])) {
        1 => 65_536,
        size => size,
    };
    let page_count = u64::from(u32::from_be_bytes([head[28], head[29], head[30], head[31]]));
    ensure!(
        bytes == page_size * page_count,
        "the database says that it has {page_count} pages of {page_size} bytes, and has {bytes} bytes"
    );
    Ok(())
}

async fn number(connection: &mut SqliteConnection, sql: &'static str) -> anyhow::Result<u64> {
    let number: i64 = sqlx::query_scalar(sql).fetch_one(connection).await?;
    Ok(number.unsigned_abs())
}

/// Where the file is.
pub(super) fn file(url: &str) -> anyhow::Result<PathBuf> {
    let options = SqliteConnectOptions::from_str(url).context("DATABASE_URL can't be read")?;
    let path = options.get_filename().to_path_buf();
    ensure!(
        !url.contains(":memory:") && !url.contains("mode=memory") && !path.as_os_str().is_empty(),
        "a database in memory can't be backed up or restored"
    );
    Ok(path)
}

/// Opens a file that is there; with `alone`, as one that nobody else has open.
pub(super) async fn connect(url: &str, alone: bool) -> anyhow::Result<SqliteConnection> {
    let path = file(url)?;
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(false)
        .disable_statement_logging()
        .busy_timeout(if alone {
            Duration::ZERO
        } else {
            Duration::from_secs(10)
        });
    let connection = options.connect().await;
    connection.with_context(|| format!("the database {} can't be opened", path.display()))
}

/// How many users there are. None where there is no such table.
pub(super) async fn users(connection: &mut SqliteConnection) -> anyhow::Result<Option<u64>> {
    let table: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = 'users'")
        .fetch_one(&mut *connection)
        .await?;
    if table == 0 {
        return Ok(None);
    }
    let users: i64 = sqlx::query_scalar("SELECT count(*) FROM users")
        .fetch_one(connection)
        .await?;
    Ok(Some(users.unsigned_abs()))
}

/// What is in the database. The tables that an index of words is made of are its own, and counted by its words alone.
pub(super) async fn contents(connection: &mut SqliteConnection) -> anyhow::Result<Contents> {
    let schema_version = sqlx::query_scalar("SELECT max(version) FROM seaql_migrations")
        .fetch_one(&mut *connection)
        .await
        .context("the database has no tables of Staygate")?;
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut tables = BTreeMap::new();
    for name in names {
        let sql = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut *connection)
            .await?;
        let table = Table {
            rows: rows.unsigned_abs(),
            hash: None,
        };
        tables.insert(name, table);
    }
    Ok(Contents {
        schema_version,
        tables,
    })
}

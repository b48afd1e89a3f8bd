//! The whole database as a stream, as it was at one moment, while others go on writing; and back again.
//!
//! Of PostgreSQL it is what `pg_dump` writes in its custom format, of SQLite the pages of its file.

mod postgres;
mod postgres_aside;
mod postgres_tools;
mod sqlite;
mod sqlite_restore;

use std::collections::BTreeMap;

use async_trait::async_trait;
use migration::{Migrator, MigratorTrait as _};
use serde::{Deserialize, Serialize};

use super::flow::{Inlet, Outlet};

/// What keeps a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// One file.
    Sqlite,
    /// A server.
    Postgres,
}

impl Engine {
    /// The engine of a database's URL.
    #[must_use]
    pub fn of(url: &str) -> Self {
        if url.starts_with("sqlite:") {
            Self::Sqlite
        } else {
            Self::Postgres
        }
    }

    /// Its name as people write it.
    #[must_use]
    pub const fn shown(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// What is in a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// The last migration that it has seen.
    pub schema_version: String,
    /// Each table by its name.
    pub tables: BTreeMap<String, Table>,
}

/// What is in a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// How many rows.
    pub rows: u64,
    /// A fingerprint of all of them that does not depend on their order. None on `SQLite`: what is restored there is the same file to the last
    /// byte, which the fingerprint of the stream proves.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hash: Option<String>,
}

/// A database as it was when this was opened.
#[async_trait]
pub trait Snapshot: Send {
    /// Writes all of it, and says what was in it.
    ///
    /// # Errors
    /// When the database fails or nobody reads the flow; then the flow is not finished.
    async fn write(self: Box<Self>, into: Inlet) -> anyhow::Result<Contents>;

    /// How many bytes it will write, where that is known.
    fn size(&self) -> Option<u64>;
}

/// A database that is being written. Until it is kept, what was there before is there still.
#[async_trait]
pub trait Restoring: Send {
    /// Writes all that flows in.
    ///
    /// # Errors
    /// When the flow breaks, or the database refuses what flows.
    async fn write(&mut self, from: Outlet) -> anyhow::Result<()>;

    /// What is in it now.
    ///
    /// # Errors
    /// When the database fails.
    async fn contents(&mut self) -> anyhow::Result<Contents>;

    /// Signs everybody out. Gives how many sessions there were.
    ///
    /// # Errors
    /// When the database fails.
    async fn forget_sessions(&mut self) -> anyhow::Result<u64>;

    /// Puts it in the place of what was there before, which is gone then.
    ///
    /// # Errors
    /// When the database fails, or somebody has opened it meanwhile.
    async fn keep(self: Box<Self>) -> anyhow::Result<()>;

    /// Takes it back: what was there before is there again.
    ///
    /// # Errors
    /// When the database fails; the message says where it is.
    async fn give_up(self: Box<Self>) -> anyhow::Result<()>;
}

/// Takes a look at the whole database of a URL that stays as it is.
///
/// # Errors
/// When it can't be opened, or a tool for it is missing; the message says what to install.
pub async fn snapshot(url: &str) -> anyhow::Result<Box<dyn Snapshot>> {
    Ok(match Engine::of(url) {
        Engine::Sqlite => Box::new(sqlite::Pages::open(url).await?),
        Engine::Postgres => Box::new(postgres::Exported::open(url).await?),
    })
}

/// Begins to write a whole database to a URL: into an empty one, one without users or, with `replace`, in the place of any. `tool` is the
/// version of what has made the stream.
///
/// # Errors
/// When there is more than may be replaced, somebody else uses it, or a tool for it is missing.
pub async fn restoring(
    url: &str,
    replace: bool,
    tool: Option<u32>,
) -> anyhow::Result<Box<dyn Restoring>> {
    Ok(match Engine::of(url) {
        Engine::Sqlite => Box::new(sqlite_restore::NewFile::begin(url, replace).await?),
        Engine::Postgres => Box::new(postgres_aside::NewTables::begin(url, replace, tool).await?),
    })
}

/// The version of what makes streams of this engine, where it is a tool apart.
///
/// # Errors
/// When it is missing.
pub async fn tool(engine: Engine) -> anyhow::Result<Option<u32>> {
    Ok(match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some(postgres_tools::major("pg_dump").await?),
    })
}

/// Reads a stream to its end, and looks whether it could be restored: `pg_restore` reads it, or the file's own head says how many pages it has.
///
/// # Errors
/// When the flow breaks, a tool is missing, or something is wrong with it.
pub async fn look_through(engine: Engine, from: Outlet) -> anyhow::Result<()> {
    match engine {
        Engine::Sqlite => sqlite::look_through(from).await,
        Engine::Postgres => postgres_tools::look_through(from).await,
    }
}

/// The version of the tables that this build brings a database to.
#[must_use]
pub fn newest_schema() -> String {
    let last = Migrator::migrations();
    last.last()
        .map_or_else(String::new, |last| last.name().to_owned())
}

/// Whether this build knows how to go on from tables of a version.
#[must_use]
pub fn knows_schema(version: &str) -> bool {
    Migrator::migrations()
        .iter()
        .any(|known| known.name() == version)
}

/// Refuses to write over what people have put there.
fn may_be_replaced(users: Option<u64>, replace: bool) -> anyhow::Result<()> {
    let users = users.unwrap_or(0);
    anyhow::ensure!(
        users == 0 || replace,
        "the database of DATABASE_URL is in use, it has {users} users: restore into an empty one, or say --replace to lose what is in it"
    );
    Ok(())
}

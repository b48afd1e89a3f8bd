//! The database that is asked: its rows by `staygate seed`, and those of them that requests are made of.

use std::{path::Path, process::Command};

use anyhow::{Context as _, ensure};
use sea_orm::{
    ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement, TryGetable,
};
use tokio::runtime::Runtime;

use super::usage::Tree;

/// How many cities, and how many properties, requests are made of by turns. Each is a script of pgbench, which every one of its clients has
/// to prepare: with a hundred of them it does little else for ten seconds.
const SAMPLE: u32 = 20;

/// A password hash as cheap as it may be: many sign in before they are measured, and nobody measures that.
pub(super) const CHEAP_HASHES: [(&str, &str); 2] = [
    ("STAYGATE_PASSWORD_MEMORY_KIB", "1024"),
    ("STAYGATE_PASSWORD_PASSES", "1"),
];

/// A database with properties in it.
pub(super) struct Data {
    pub(super) url: String,
    runtime: Runtime,
    connection: DatabaseConnection,
}

impl Data {
    /// Connects, and seeds the database when it is empty.
    pub(super) fn of(url: &str, properties: u32, folder: &Path) -> anyhow::Result<Self> {
        let runtime = Runtime::new()?;
        let connection = runtime.block_on(Database::connect(url))?;
        let data = Self {
            url: url.to_owned(),
            runtime,
            connection,
        };
        let empty = "SELECT to_regclass('properties') IS NULL";
        if data.one(empty)? || data.one("SELECT NOT EXISTS (SELECT 1 FROM properties)")? {
            data.seed(properties, folder)?;
        }
        Ok(data)
    }

    fn seed(&self, properties: u32, folder: &Path) -> anyhow::Result<()> {
        println!("Seeding {properties} properties");
        let seeding = Command::new(env!("CARGO_BIN_EXE_staygate"))
            .args(["seed", "--seed", "1", "--properties"])
            .arg(properties.to_string())
            .current_dir(folder)
            .env_clear()
            .env("DATABASE_URL", &self.url)
            .envs(CHEAP_HASHES)
            .status()?;
        ensure!(seeding.success(), "seeding ended with {seeding}");
        // The tables are settled, as those of a server that has run for a while: neither rounds nor contenders differ by it.
        self.run("VACUUM ANALYZE")?;
        self.run("CHECKPOINT")
    }

    /// Another database beside it, made when it is not there.
    pub(super) fn beside(
        &self,
        suffix: &str,
        properties: u32,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let (_, name) = self
            .url
            .rsplit_once('/')
            .context("the URL ends with a name")?;
        let exists =
            format!("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = '{name}_{suffix}')");
        if !self.one::<bool>(&exists)? {
            self.run(&format!("CREATE DATABASE \"{name}_{suffix}\""))?;
        }
        Self::of(&format!("{}_{suffix}", self.url), properties, folder)
    }

    /// The first column of all rows.
    pub(super) fn all<T: TryGetable>(&self, sql: &str) -> anyhow::Result<Vec<T>> {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let rows = self
            .runtime
            .block_on(self.connection.query_all_raw(statement))?;
        let first = |row: &sea_orm::QueryResult| row.try_get_by_index(0);
        Ok(rows.iter().map(first).collect::<Result<_, _>>()?)
    }

    /// The first column of the first row.
    pub(super) fn one<T: TryGetable>(&self, sql: &str) -> anyhow::Result<T> {
        let rows = self.all(sql)?;
        rows.into_iter()
            .next()
            .with_context(|| format!("nothing is found by {sql}"))
    }

    pub(super) fn run(&self, sql: &str) -> anyhow::Result<()> {
        self.runtime
            .block_on(self.connection.execute_unprepared(sql))?;
        Ok(())
    }

    /// The cities that searches are for: each has more properties than a page.
    pub(super) fn cities(&self) -> anyhow::Result<Vec<String>> {
        self.all(&format!(
            "SELECT split_part(location, ', ', 2) FROM properties GROUP BY 1 HAVING count(*) > 20 ORDER BY md5(min(location)) LIMIT {SAMPLE}"
        ))
    }

    /// The properties that are looked at, from anywhere among all.
    pub(super) fn properties(&self) -> anyhow::Result<Vec<i32>> {
        self.all(&format!(
            "SELECT property_id FROM properties ORDER BY md5(property_id::text) LIMIT {SAMPLE}"
        ))
    }

    /// The server's processes.
    pub(super) fn processes(&self) -> anyhow::Result<Tree> {
        let id: i32 =
            self.one("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int")?;
        Ok(Tree(u32::try_from(id)?))
    }
}

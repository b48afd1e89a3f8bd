//! Backups and the way back: by the command that operators type, and by the schedule.

mod broken;
mod meanwhile;
mod restoring;
mod scheduled;
mod store;

use std::{path::PathBuf, sync::Arc};

use sea_orm::ConnectionTrait as _;
use staygate::{
    domain::retention::Retention,
    service::backups::{Keeper, Manifest},
    store::{
        archive::{Recipients, new_identity},
        blobs::Blobs,
        db::{Db, DbOptions},
    },
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::support::{World, a_postgres_database, required};

/// A folder for backups, and the keys that open them.
pub struct Safe {
    folder: TempDir,
    public: String,
}

impl Safe {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for backups");
        let (identity, public) = a_key();
        std::fs::write(folder.path().join("key.txt"), identity).expect("the key is written");
        Self { folder, public }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn url(&self) -> String {
        format!("file://{}", self.path("store").display())
    }

    /// The file with the private key.
    pub fn key(&self) -> String {
        self.path("key.txt").display().to_string()
    }

    /// What an operator sets.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("STAYGATE_BACKUP_URL", self.url()),
            ("STAYGATE_BACKUP_RECIPIENTS", self.public.clone()),
            // Where PostgreSQL's tools are.
            ("PATH", required("PATH")),
        ]
    }

    /// The command, on this world's database or another one.
    pub async fn runs(
        &self,
        world: &World,
        url: Option<&str>,
        arguments: &[&str],
    ) -> (bool, String) {
        let mut settings = self.settings();
        settings.extend(url.map(|url| ("DATABASE_URL", url.to_owned())));
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        world.runs_with(&settings, arguments, "").await
    }

    /// The command, which does what it is told.
    pub async fn does(&self, world: &World, url: Option<&str>, arguments: &[&str]) -> String {
        let (done, said) = self.runs(world, url, arguments).await;
        assert!(done, "{arguments:?}: {said}");
        said
    }

    /// The command, which refuses in one line.
    pub async fn refuses(&self, world: &World, url: Option<&str>, arguments: &[&str]) -> String {
        let (done, said) = self.runs(world, url, arguments).await;
        assert!(!done && said.lines().count() == 1, "{arguments:?}: {said}");
        said
    }

    /// What the command works with, by the world's own clock.
    pub fn keeper(&self, world: &World, url: Option<&str>) -> Keeper {
        let own = world.settings()["DATABASE_URL"].clone();
        Keeper {
            database_url: url.map_or(own, str::to_owned),
            blobs: Blobs::open(&self.url(), &[]).expect("a folder"),
            recipients: Recipients::parse(&self.public).expect("a key"),
            retention: Retention {
                daily: 7,
                weekly: 5,
                monthly: 12,
            },
            clock: Arc::new(world.clock.clone()),
        }
    }

    /// What is in the store, by name.
    pub fn objects(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path("store")) else {
            return vec![];
        };
        let mut names: Vec<_> = entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }
}

/// A private key in its file, and the public one.
pub fn a_key() -> (String, String) {
    let identity = new_identity();
    let line = identity.lines().next().expect("the public key");
    let public = line.rsplit(' ').next().expect("a key").to_owned();
    (identity, public)
}

/// A backup of this world, made now.
pub async fn made(keeper: &Keeper) -> Manifest {
    let made = keeper
        .make(&CancellationToken::new(), |_| {}, &|_| {})
        .await;
    made.expect("a backup is made")
}

/// An empty database of the same engine as the world's.
pub async fn elsewhere(world: &World, safe: &Safe) -> String {
    if world.is_postgres() {
        a_postgres_database().await.0
    } else {
        format!("sqlite://{}", safe.path("elsewhere.db").display())
    }
}

/// The single number that a query gives in a database where nobody serves.
pub async fn number_in(url: &str, sql: &str) -> i64 {
    let options = DbOptions {
        url: url.to_owned(),
        max_connections: 1,
        statement_timeout: None,
    };
    let db = Db::connect(&options).await.expect("it opens");
    let statement = sea_orm::Statement::from_string(db.backend(), sql);
    let row = db
        .read()
        .query_one_raw(statement)
        .await
        .expect("the query runs");
    let number = row.expect("a row").try_get_by_index(0).expect("a number");
    db.close().await.expect("it closes");
    number
}

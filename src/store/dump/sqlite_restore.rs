//! Restoring a file of SQLite: written beside the one that is there, and put in its place at the end.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use sea_orm::sqlx::{self, Connection as _, sqlite::SqliteConnection};
use tokio::{fs, io::AsyncWriteExt as _};

use super::{Contents, Restoring, may_be_replaced, sqlite};
use crate::store::flow::Outlet;

/// A file that is being restored.
pub(super) struct NewFile {
    url: String,
    place: PathBuf,
    file: PathBuf,
    connection: Option<SqliteConnection>,
}

impl NewFile {
    pub(super) async fn begin(url: &str, replace: bool) -> anyhow::Result<Self> {
        let place = sqlite::file(url)?;
        if fs::try_exists(&place).await? {
            let mut connection = sqlite::connect(url, false).await?;
            let users = sqlite::users(&mut connection).await?;
            connection.close().await?;
            may_be_replaced(users, replace)?;
            must_be_alone(url).await?;
        } else if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).await?;
        }
        let file = beside(&place, ".restoring");
        remove_with_its_log(&file).await?;
        Ok(Self {
            url: url.to_owned(),
            place,
            file,
            connection: None,
        })
    }

    async fn opened(&mut self) -> anyhow::Result<&mut SqliteConnection> {
        if self.connection.is_none() {
            let url = format!("sqlite://{}", self.file.display());
            self.connection = Some(sqlite::connect(&url, false).await?);
        }
        self.connection.as_mut().context("it was opened")
    }

    async fn close(&mut self) -> anyhow::Result<()> {
        if let Some(mut connection) = self.connection.take() {
            // Nothing stays in a log beside it.
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                .execute(&mut connection)
                .await?;
            connection.close().await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Restoring for NewFile {
    async fn write(&mut self, mut from: Outlet) -> anyhow::Result<()> {
        let mut options = fs::OpenOptions::new();
        // What people have told the marketplace is for nobody else on this machine.
        options.write(true).create_new(true).mode(0o600);
        let opened = options.open(&self.file).await;
        let mut file =
            opened.with_context(|| format!("{} can't be written", self.file.display()))?;
        let mut is_first = true;
        while let Some(piece) = from.next().await? {
            ensure!(
                !is_first || piece.starts_with(sqlite::HEADER),
                "this is no database of SQLite"
            );
            is_first = false;
            file.write_all(&piece).await?;
        }
        file.flush().await?;
        Ok(file.sync_all().await?)
    }

    async fn contents(&mut self) -> anyhow::Result<Contents> {
        sqlite::contents(self.opened().await?).await
    }

    async fn forget_sessions(&mut self) -> anyhow::Result<u64> {
        let gone = sqlx::query("DELETE FROM sessions")
            .execute(self.opened().await?)
            .await?;
        Ok(gone.rows_affected())
    }

    async fn keep(mut self: Box<Self>) -> anyhow::Result<()> {
        self.close().await?;
        if fs::try_exists(&self.place).await? {
            must_be_alone(&self.url).await?;
        }
        for end in ["-wal", "-shm"] {
            remove(&beside(&self.place, end)).await?;
        }
        fs::rename(&self.file, &self.place).await?;
        // The new name is on the disk when the folder is.
        if let Some(folder) = self.place.parent().filter(|path| *path != Path::new("")) {
            fs::File::open(folder).await?.sync_all().await?;
        }
        remove_with_its_log(&self.file).await
    }

    async fn give_up(mut self: Box<Self>) -> anyhow::Result<()> {
        self.close().await?;
        remove_with_its_log(&self.file).await
    }
}

/// Makes sure that nobody else has the file open, and that all of it is in the file: leaving the log behind is for one who is alone.
async fn must_be_alone(url: &str) -> anyhow::Result<()> {
    let mut connection = sqlite::connect(url, true).await?;
    let left = sqlx::query("PRAGMA journal_mode = DELETE")
        .execute(&mut connection)
        .await;
    connection.close().await?;
    left.context("the database is open elsewhere: stop every server and worker first")?;
    Ok(())
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

async fn remove_with_its_log(file: &Path) -> anyhow::Result<()> {
    for end in ["", "-wal", "-shm"] {
        remove(&beside(file, end)).await?;
    }
    Ok(())
}

async fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

//! Where backups are put: a folder, or a bucket of S3 (or what speaks like it), Google Cloud or Azure.
//!
//! A large object is written in parts, and is there once all of it is; what is broken off before leaves no object.

mod place;
mod upload;

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use bytes::Bytes;
use chrono::{DateTime, Duration, Utc};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload, path::Path};
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;

pub use self::upload::STOPPED;
use super::flow::{Inlet, Outlet};

/// How much is asked for at a time. No request takes so long that it would run out of time.
const STEP: u64 = 8 << 20;
/// How many of these are on their way at once.
const AHEAD: usize = 2;

/// A place for objects. Cheap to clone.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    base: Path,
    folder: Option<PathBuf>,
    shown: String,
}

/// What there is of an object, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// What it is called in its place.
    pub name: String,
    /// How large it is.
    pub bytes: u64,
    /// When it was written, by the store's clock.
    pub written_at: DateTime<Utc>,
}

impl Blobs {
    /// The place of a URL: `file:///folder`, `s3://bucket/prefix`, `gs://…` or `az://container/prefix`. Who may use it, and a server other
    /// than the usual one, is said by the variables that the providers' own tools read. Nothing is asked yet.
    ///
    /// # Errors
    /// One line on what is wrong with the URL, or which variable is missing.
    pub fn open(url: &str, variables: &[(String, String)]) -> anyhow::Result<Self> {
        place::open(url, variables)
    }

    /// Where it is, for people.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    fn path(&self, name: &str) -> Path {
        self.base.clone().join(name)
    }

    /// Writes a small object.
    ///
    /// # Errors
    /// When the store refuses or can't be reached.
    pub async fn put(&self, name: &str, bytes: Vec<u8>) -> anyhow::Result<()> {
        let path = self.path(name);
        let written = self.store.put(&path, PutPayload::from(bytes)).await;
        written.with_context(|| format!("{name} can't be written to {}", self.shown))?;
        Ok(())
    }

    /// Writes an object from a flow. It is there when the flow has come to its end; else nothing is. `progress` is told how many bytes
    /// are passed on, each time some are.
    ///
    /// # Errors
    /// When the flow breaks, the store refuses, or it is told to stop ([`STOPPED`]).
    pub async fn upload(
        &self,
        name: &str,
        from: Outlet,
        stopping: &CancellationToken,
        progress: &(dyn Fn(u64) + Sync),
    ) -> anyhow::Result<()> {
        let path = self.path(name);
        let uploaded = upload::upload(&*self.store, &path, from, stopping, progress).await;
        uploaded.with_context(|| format!("{name} can't be written to {}", self.shown))
    }

    /// Reads a small object.
    ///
    /// # Errors
    /// When it is not there, or the store can't be reached.
    pub async fn get(&self, name: &str) -> anyhow::Result<Bytes> {
        let got = async { self.store.get(&self.path(name)).await?.bytes().await };
        got.await
            .with_context(|| format!("{name} can't be read from {}", self.shown))
    }

    /// Reads an object of a known size into a flow.
    ///
    /// # Errors
    /// When it is not there or shorter, the store can't be reached, or nobody reads the flow.
    pub async fn download(
        &self,
        name: &str,
        bytes: u64,
        mut into: Inlet,
        progress: &(dyn Fn(u64) + Sync),
    ) -> anyhow::Result<()> {
        if let Some(folder) = &self.folder {
            let file = folder.join(name);
            let read = read_file(&file, bytes, &mut into, progress).await;
            read.with_context(|| format!("{name} can't be read from {}", self.shown))?;
            return Ok(into.finish().await?);
        }
        let path = self.path(name);
        let steps = (0..bytes.div_ceil(STEP)).map(|step| {
            let from = step * STEP;
            self.store.get_range(&path, from..bytes.min(from + STEP))
        });
        let mut steps = stream::iter(steps).buffered(AHEAD);
        while let Some(piece) = steps.next().await {
            let piece =
                piece.with_context(|| format!("{name} can't be read from {}", self.shown))?;
            into.send(&piece).await?;
            progress(piece.len() as u64);
        }
        Ok(into.finish().await?)
    }

    /// All objects, in the order of their names.
    ///
    /// # Errors
    /// When the store can't be reached.
    pub async fn list(&self) -> anyhow::Result<Vec<Blob>> {
        let found: Vec<_> = self
            .store
            .list(Some(&self.base))
            .try_collect()
            .await
            .with_context(|| format!("{} can't be listed", self.shown))?;
        let mut blobs: Vec<_> = found
            .into_iter()
            .filter_map(|meta| {
                let mut rest = meta.location.prefix_match(&self.base)?;
                let name = rest.next()?.as_ref().to_owned();
                // What lies deeper is somebody else's.
                rest.next().is_none().then_some(Blob {
                    name,
                    bytes: meta.size,
                    written_at: meta.last_modified,
                })
            })
            .collect();
        blobs.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(blobs)
    }

    /// Deletes an object; one that is gone already is fine.
    ///
    /// # Errors
    /// When the store refuses or can't be reached.
    pub async fn delete(&self, name: &str) -> anyhow::Result<()> {
        match self.store.delete(&self.path(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => {
                Err(error).with_context(|| format!("{name} can't be deleted from {}", self.shown))
            }
        }
    }

    /// Deletes what killed writers have left in a folder before this moment: parts of objects, which are in no list. Gives how many.
    /// Buckets do this by a rule of their own for unfinished uploads.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub async fn sweep_parts(&self, before: DateTime<Utc>) -> anyhow::Result<u64> {
        let Some(folder) = &self.folder else {
            return Ok(0);
        };
        let mut swept = 0;
        let mut entries = tokio::fs::read_dir(folder).await?;
        while let Some(entry) = entries.next_entry().await? {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_part = name.rsplit_once('#').is_some_and(|(_, number)| {
                !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
            });
            if is_part && DateTime::<Utc>::from(entry.metadata().await?.modified()?) < before {
                tokio::fs::remove_file(entry.path()).await?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    /// How long after it was written what has no manifest is taken for left behind.
    #[must_use]
    pub fn patience() -> Duration {
        Duration::days(1)
    }
}

/// As [`Blobs::download`] in small steps, which a file is good for.
async fn read_file(
    file: &std::path::Path,
    bytes: u64,
    into: &mut Inlet,
    progress: &(dyn Fn(u64) + Sync),
) -> anyhow::Result<()> {
    let mut file = tokio::fs::File::open(file).await?.take(bytes);
    let mut step = vec![0; 128 << 10];
    let mut read = 0;
    loop {
        let length = file.read(&mut step).await?;
        if length == 0 {
            break;
        }
        into.send(&step[..length]).await?;
        read += length as u64;
        progress(length as u64);
    }
    anyhow::ensure!(read == bytes, "it ends after {read} of {bytes} bytes");
    Ok(())
}

#[cfg(test)]
mod tests;

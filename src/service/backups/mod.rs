//! Copies of the whole database elsewhere: made, listed, verified, pruned and restored.
//!
//! A backup is an archive and, written last, its manifest. What has no manifest is no backup: it was broken off, or is being made.
//! `docs/adr/0017-backups.md` has the reasons.

mod making;
mod manifest;
mod restoring;
pub mod scheduled;

pub use manifest::{Manifest, Part, archive_of, manifest_of};
pub use restoring::Restored;

use std::{collections::HashSet, sync::Arc};

use anyhow::{Context as _, anyhow, ensure};
use futures_util::future::join_all;

use self::manifest::Object;
use crate::{
    domain::{clock::Clock, retention::Retention},
    store::{
        archive::{self, Identities, Recipients, unpack},
        blobs::Blobs,
        dump,
        flow::{flow, reason},
    },
};

/// How many manifests are read at once.
const AT_ONCE: usize = 8;

/// Is told of bytes, each time some have gone through.
pub type Progress<'a> = &'a (dyn Fn(u64) + Sync);

/// Keeps the backups of one database in one place. Cheap to clone.
#[derive(Clone)]
pub struct Keeper {
    /// The database.
    pub database_url: String,
    /// Where backups are put.
    pub blobs: Blobs,
    /// Who can read them. Only making one needs it.
    pub recipients: Recipients,
    /// Which stay.
    pub retention: Retention,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// What was deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Backups, by name.
    pub backups: Vec<String>,
    /// Objects that belonged to no backup.
    pub remains: u64,
}

impl Keeper {
    /// All backups, oldest first; and what is wrong with those whose manifest can't be read.
    ///
    /// # Errors
    /// When the store can't be reached.
    pub async fn list(&self) -> anyhow::Result<(Vec<Manifest>, Vec<anyhow::Error>)> {
        let blobs = self.blobs.list().await?;
        let names = blobs
            .iter()
            .filter_map(|blob| match Object::of(&blob.name) {
                Some(Object::Manifest(name)) => Some(name.to_owned()),
                _ => None,
            });
        let names: Vec<_> = names.collect();
        let (mut manifests, mut unread) = (vec![], vec![]);
        for some in names.chunks(AT_ONCE) {
            let mut reads = vec![];
            for name in some {
                reads.push(self.manifest(name));
            }
            for read in join_all(reads).await {
                match read {
                    Ok(manifest) => manifests.push(manifest),
                    Err(error) => unread.push(error),
                }
            }
        }
        Ok((manifests, unread))
    }

    /// The backup of a name; `latest` is the newest.
    ///
    /// # Errors
    /// When there is none, or the store can't be reached.
    pub async fn find(&self, name: &str) -> anyhow::Result<Manifest> {
        if name == "latest" {
            let blobs = self.blobs.list().await?;
            let last = blobs
                .iter()
                .rev()
                .find_map(|blob| match Object::of(&blob.name) {
                    Some(Object::Manifest(name)) => Some(name),
                    _ => None,
                });
            let last =
                last.with_context(|| format!("there is no backup in {}", self.blobs.shown()))?;
            return self.manifest(last).await;
        }
        let is_one = matches!(Object::of(&manifest_of(name)), Some(Object::Manifest(_)));
        ensure!(
            is_one && !name.contains('/'),
            "{name} is no name of a backup: staygate backup list has them"
        );
        self.manifest(name).await
    }

    async fn manifest(&self, name: &str) -> anyhow::Result<Manifest> {
        let json = self.blobs.get(&manifest_of(name)).await?;
        Manifest::read(name, &json).with_context(|| format!("the manifest of {name} can't be used"))
    }

    /// Reads a backup back from the store, and compares it with its manifest. With a private key it is also decrypted, decompressed, and looked
    /// through.
    ///
    /// # Errors
    /// When it is not what it was, or the store can't be reached.
    pub async fn verify(
        &self,
        of: &Manifest,
        identities: Option<Identities>,
        progress: Progress<'_>,
    ) -> anyhow::Result<()> {
        let Some(identities) = identities else {
            return self.read_back(&of.name, &of.archive, progress).await;
        };
        let ((into, sealed), (opening, plain)) = (flow(), flow());
        let archive = archive_of(&of.name);
        let (downloaded, unpacked, looked) = tokio::join!(
            self.blobs
                .download(&archive, of.archive.bytes, into, progress),
            unpack(identities, sealed, opening),
            dump::look_through(of.engine, plain),
        );
        let unpacked = unpacked.map_err(Into::into).flatten();
        let (unpacked, failed) = split(unpacked);
        if let Some(error) = reason([failed, downloaded.err(), looked.err()]) {
            return Err(error);
        }
        let unpacked = unpacked.context("it was unpacked")?;
        must_be_same(&of.name, "archive", &of.archive, &unpacked.sealed.into())?;
        must_be_same(&of.name, "contents", &of.plain, &unpacked.plain.into())
    }

    /// Reads an archive from the store and compares it with what was written.
    async fn read_back(
        &self,
        name: &str,
        expected: &Part,
        progress: Progress<'_>,
    ) -> anyhow::Result<()> {
        let archive = archive_of(name);
        let listed = self.blobs.list().await?;
        let listed = listed.iter().find(|blob| blob.name == archive);
        let listed =
            listed.with_context(|| format!("{archive} is not in {}", self.blobs.shown()))?;
        ensure!(
            listed.bytes == expected.bytes,
            "{name} is damaged: it has {} bytes and should have {}",
            listed.bytes,
            expected.bytes
        );
        let (into, from) = flow();
        let (downloaded, measured) = tokio::join!(
            self.blobs
                .download(&archive, expected.bytes, into, progress),
            archive::measure(from),
        );
        downloaded?;
        must_be_same(name, "archive", expected, &measured?.into())
    }

    /// Deletes what is no longer kept, each manifest before its archive, and what was broken off more than a day ago. The newest backup
    /// always stays, and one whose manifest can't be read.
    ///
    /// # Errors
    /// When the store refuses or can't be reached; what was deleted before stays so.
    pub async fn prune(&self) -> anyhow::Result<Pruned> {
        let (manifests, _) = self.list().await?;
        let moments: Vec<_> = manifests.iter().map(|manifest| manifest.began_at).collect();
        let keeps = self.retention.keeps(&moments);
        let mut pruned = Pruned::default();
        for (manifest, _) in manifests.into_iter().zip(keeps).filter(|(_, keeps)| !keeps) {
            self.blobs.delete(&manifest_of(&manifest.name)).await?;
            self.blobs.delete(&archive_of(&manifest.name)).await?;
            pruned.backups.push(manifest.name);
        }
        pruned.remains = self.sweep().await?;
        Ok(pruned)
    }

    async fn sweep(&self) -> anyhow::Result<u64> {
        let long_ago = self.clock.now() - Blobs::patience();
        let blobs = self.blobs.list().await?;
        let whole: HashSet<_> = blobs
            .iter()
            .filter_map(|blob| match Object::of(&blob.name) {
                Some(Object::Manifest(name)) => Some(name),
                _ => None,
            })
            .collect();
        let mut swept = 0;
        for blob in &blobs {
            if let Some(Object::Archive(name)) = Object::of(&blob.name)
                && !whole.contains(name)
                && blob.written_at < long_ago
            {
                self.blobs.delete(&blob.name).await?;
                swept += 1;
            }
        }
        Ok(swept + self.blobs.sweep_parts(long_ago).await?)
    }
}

fn must_be_same(name: &str, what: &str, expected: &Part, found: &Part) -> anyhow::Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(anyhow!(
        "{name} is damaged: its {what} has {} bytes with SHA-256 {}, and should have {} with {}",
        found.bytes,
        found.sha256,
        expected.bytes,
        expected.sha256
    ))
}

fn split<T>(result: anyhow::Result<T>) -> (Option<T>, Option<anyhow::Error>) {
    match result {
        Ok(value) => (Some(value), None),
        Err(error) => (None, Some(error)),
    }
}

//! What is written down of a backup, beside it and last: a backup without it is none.

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::store::{
    archive::{Measure, Packed},
    dump::{Contents, Engine},
};

/// Which form this has. One that is higher was written by a newer Staygate.
const FORM: u32 = 1;

/// What all objects of backups are called first.
const PREFIX: &str = "staygate-";
/// What the archive's name ends with.
const ARCHIVE: &str = ".zst.age";
/// What the manifest's name ends with.
const MANIFEST: &str = ".json";

/// What is known of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of this itself.
    pub form: u32,
    /// What the backup is called.
    pub name: String,
    /// What it is of.
    pub engine: Engine,
    /// The major version of `pg_dump`, on `PostgreSQL`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tool: Option<u32>,
    /// The version of Staygate that made it.
    pub product_version: String,
    /// What it was when it began: what was committed before is in it, what was committed after is not.
    pub began_at: DateTime<Utc>,
    /// When it was written and read back.
    pub ended_at: DateTime<Utc>,
    /// What is in it.
    #[serde(flatten)]
    pub contents: Contents,
    /// The stream of the database.
    pub plain: Part,
    /// The object in the store.
    pub archive: Part,
    /// The public keys of those who can read it.
    pub recipients: Vec<String>,
}

/// How large something is, and its fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// In bytes.
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

impl From<Measure> for Part {
    fn from(measure: Measure) -> Self {
        let Measure { bytes, sha256 } = measure;
        Self { bytes, sha256 }
    }
}

/// What is known before and after the stream.
pub(super) struct Circumstances {
    pub(super) name: String,
    pub(super) engine: Engine,
    pub(super) tool: Option<u32>,
    pub(super) began_at: DateTime<Utc>,
    pub(super) ended_at: DateTime<Utc>,
    pub(super) recipients: Vec<String>,
}

impl Manifest {
    pub(super) fn new(of: Circumstances, contents: Contents, packed: Packed) -> Self {
        Self {
            form: FORM,
            name: of.name,
            engine: of.engine,
            tool: of.tool,
            product_version: env!("CARGO_PKG_VERSION").to_owned(),
            began_at: of.began_at,
            ended_at: of.ended_at,
            contents,
            plain: packed.plain.into(),
            archive: packed.sealed.into(),
            recipients: of.recipients,
        }
    }

    /// Reads what is written beside a backup of this name.
    pub(super) fn read(name: &str, json: &[u8]) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        struct Form {
            form: u32,
        }

        let form: Form = serde_json::from_slice(json).context("it is no manifest")?;
        ensure!(
            form.form <= FORM,
            "a newer Staygate has written it: use that one"
        );
        let manifest: Self = serde_json::from_slice(json).context("it is no manifest")?;
        ensure!(
            manifest.name == name,
            "it is of another backup, {}",
            manifest.name
        );
        Ok(manifest)
    }

    /// How many rows there are in all.
    #[must_use]
    pub fn rows(&self) -> u64 {
        let tables = self.contents.tables.values();
        tables.map(|table| table.rows).sum()
    }
}

/// A name that no other backup has; in the order of names they are in the order of time.
pub(super) fn new_name(now: DateTime<Utc>) -> String {
    let number: u16 = rand::random();
    format!("{PREFIX}{}-{number:04x}", now.format("%Y%m%dT%H%M%SZ"))
}

/// What the archive of a backup is called.
#[must_use]
pub fn archive_of(name: &str) -> String {
    format!("{name}{ARCHIVE}")
}

/// What the manifest of a backup is called.
#[must_use]
pub fn manifest_of(name: &str) -> String {
    format!("{name}{MANIFEST}")
}

/// An object of ours.
pub(super) enum Object<'a> {
    Archive(&'a str),
    Manifest(&'a str),
}

impl<'a> Object<'a> {
    /// What an object is, and of which backup. None for what others have put there.
    pub(super) fn of(name: &'a str) -> Option<Self> {
        if !name.starts_with(PREFIX) {
            return None;
        }
        let archive = name.strip_suffix(ARCHIVE).map(Self::Archive);
        archive.or_else(|| name.strip_suffix(MANIFEST).map(Self::Manifest))
    }
}

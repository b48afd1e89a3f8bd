//! Restoring a backup.

use anyhow::{Context as _, anyhow, ensure};
use tokio_util::sync::CancellationToken;

use super::{Keeper, Manifest, Progress, archive_of, must_be_same, split};
use crate::store::{
    archive::{Identities, unpack},
    blobs::STOPPED,
    dump::{self, Contents, Engine, Restoring, Table},
    flow::{flow, reason},
};

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// How many sessions were ended.
    pub sessions: u64,
    /// Whether its tables are of an older version, which the next start brings up to date.
    pub is_older: bool,
}

impl Keeper {
    /// Writes a backup into the database: an empty one, one without users or, with `replace`, any. It is compared with the manifest before it
    /// takes the place of what was there. Then everybody is signed out: a session that was ended since the backup would stand again.
    ///
    /// # Errors
    /// When the backup is of another engine or newer than this build, the database is in use, the key does not open it, what was restored is
    /// not what was backed up, or it is told to stop. What was in the database is there still.
    pub async fn restore(
        &self,
        of: &Manifest,
        identities: Identities,
        replace: bool,
        stopping: &CancellationToken,
        progress: Progress<'_>,
    ) -> anyhow::Result<Restored> {
        let engine = Engine::of(&self.database_url);
        ensure!(
            of.engine == engine,
            "{} is a backup of {}, and DATABASE_URL is of {}: restore it into that engine",
            of.name,
            of.engine.shown(),
            engine.shown()
        );
        let schema = &of.contents.schema_version;
        ensure!(
            dump::knows_schema(schema),
            "{} was made by a newer Staygate ({}, tables of {schema}): restore it with that one",
            of.name,
            of.product_version
        );
        let mut target = dump::restoring(&self.database_url, replace, of.tool).await?;
        let filled = tokio::select! {
            filled = self.fill(&mut *target, of, identities, progress) => filled,
            () = stopping.cancelled() => Err(anyhow!(STOPPED)),
        };
        match filled {
            Ok(sessions) => {
                target.keep().await?;
                Ok(Restored {
                    sessions,
                    is_older: *schema != dump::newest_schema(),
                })
            }
            Err(error) => {
                if let Err(why) = target.give_up().await {
                    return Err(error.context(format!("{why:#}")));
                }
                Err(error)
            }
        }
    }

    async fn fill(
        &self,
        target: &mut dyn Restoring,
        of: &Manifest,
        identities: Identities,
        progress: Progress<'_>,
    ) -> anyhow::Result<u64> {
        let ((into, sealed), (opening, plain)) = (flow(), flow());
        let archive = archive_of(&of.name);
        let (downloaded, unpacked, written) = tokio::join!(
            self.blobs
                .download(&archive, of.archive.bytes, into, progress),
            unpack(identities, sealed, opening),
            target.write(plain),
        );
        let (unpacked, not_unpacked) = split(unpacked.map_err(Into::into).flatten());
        if let Some(error) = reason([not_unpacked, downloaded.err(), written.err()]) {
            return Err(error);
        }
        let unpacked = unpacked.context("it was unpacked")?;
        must_be_same(&of.name, "archive", &of.archive, &unpacked.sealed.into())?;
        must_be_same(&of.name, "contents", &of.plain, &unpacked.plain.into())?;
        let different = differences(&of.contents, &target.contents().await?);
        ensure!(
            different.is_empty(),
            "what was restored is not what was backed up: {}",
            different.join("; ")
        );
        target.forget_sessions().await
    }
}

/// In what two databases differ, in words.
fn differences(expected: &Contents, found: &Contents) -> Vec<String> {
    let mut different = vec![];
    if expected.schema_version != found.schema_version {
        different.push(format!(
            "the tables are of {} and should be of {}",
            found.schema_version, expected.schema_version
        ));
    }
    let names = expected.tables.keys().chain(found.tables.keys());
    let names: std::collections::BTreeSet<_> = names.collect();
    for name in names {
        match (expected.tables.get(name), found.tables.get(name)) {
            (Some(one), Some(other)) if one == other => {}
            (Some(Table { rows, .. }), Some(found)) if found.rows == *rows => {
                different.push(format!("{name} has {rows} rows, and others"));
            }
            (one, other) => {
                let rows = |table: Option<&Table>| {
                    table.map_or("no such table".to_owned(), |table| {
                        format!("{} rows", table.rows)
                    })
                };
                different.push(format!("{name}: {}, should be {}", rows(other), rows(one)));
            }
        }
    }
    different
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(tables: &[(&str, u64, &str)]) -> Contents {
        Contents {
            schema_version: "m1".to_owned(),
            tables: tables
                .iter()
                .map(|(name, rows, hash)| {
                    let hash = Some((*hash).to_owned());
                    ((*name).to_owned(), Table { rows: *rows, hash })
                })
                .collect(),
        }
    }

    #[test]
    fn what_differs_is_named() {
        let one = contents(&[("bookings", 7, "a"), ("nights", 9, "b"), ("users", 1, "c")]);
        assert_eq!(differences(&one, &one), Vec::<String>::new());
        let other = contents(&[("bookings", 7, "x"), ("nights", 8, "y"), ("more", 1, "z")]);
        assert_eq!(
            differences(&one, &other),
            [
                "bookings has 7 rows, and others",
                "more: 1 rows, should be no such table",
                "nights: 8 rows, should be 9 rows",
                "users: no such table, should be 1 rows",
            ]
        );
    }
}

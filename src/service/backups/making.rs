//! Making a backup.

use anyhow::{Context as _, ensure};
use tokio_util::sync::CancellationToken;

use super::{
    Keeper, Manifest, Progress, archive_of,
    manifest::{Circumstances, manifest_of, new_name},
    split,
};
use crate::store::{
    archive::pack,
    dump::{self, Engine},
    flow::{flow, reason},
};

impl Keeper {
    /// Writes a backup of the database as it is now, reads it back from the store, and writes its manifest. `sizes` is told how large the
    /// database is, where that is known; `progress` how many bytes of the archive are written.
    ///
    /// # Errors
    /// When the database, the store or a tool fails, or it is told to stop. Then there is no manifest, and nothing that counts as a backup.
    pub async fn make(
        &self,
        stopping: &CancellationToken,
        sizes: impl FnOnce(Option<u64>),
        progress: Progress<'_>,
    ) -> anyhow::Result<Manifest> {
        ensure!(
            !self.recipients.names().is_empty(),
            "STAYGATE_BACKUP_RECIPIENTS must be given: nobody could read the backup"
        );
        let engine = Engine::of(&self.database_url);
        let tool = dump::tool(engine).await?;
        let began_at = self.clock.now();
        let name = new_name(began_at);
        let archive = archive_of(&name);
        let snapshot = dump::snapshot(&self.database_url).await?;
        sizes(snapshot.size());
        let ((into, plain), (sealing, sealed)) = (flow(), flow());
        let (written, packed, uploaded) = tokio::join!(
            snapshot.write(into),
            pack(self.recipients.clone(), plain, sealing),
            self.blobs.upload(&archive, sealed, stopping, progress),
        );
        let (contents, not_written) = split(written);
        let (packed, not_packed) = split(packed.map_err(Into::into).flatten());
        if let Some(error) = reason([uploaded.err(), not_written, not_packed]) {
            return Err(error);
        }
        let (contents, packed) = contents.zip(packed).context("it was written")?;
        let of = Circumstances {
            name,
            engine,
            tool,
            began_at,
            ended_at: self.clock.now(),
            recipients: self.recipients.names().to_vec(),
        };
        let mut manifest = Manifest::new(of, contents, packed);
        // What can't be read back is no backup.
        let read_back = self.read_back(&manifest.name, &manifest.archive, &|_| {});
        tokio::select! {
            read = read_back => read.context("the backup could not be read back")?,
            () = stopping.cancelled() => anyhow::bail!(crate::store::blobs::STOPPED),
        }
        manifest.ended_at = self.clock.now();
        let json = serde_json::to_vec_pretty(&manifest)?;
        self.blobs.put(&manifest_of(&manifest.name), json).await?;
        Ok(manifest)
    }
}

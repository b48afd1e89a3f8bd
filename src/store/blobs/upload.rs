//! An object that is written in parts.

use anyhow::bail;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream::FuturesOrdered};
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt as _, PutPayload, path::Path};
use tokio_util::sync::CancellationToken;

use crate::store::flow::Outlet;

/// How large the first parts are: S3 takes none under 5 MiB but the last.
const PART: usize = 8 << 20;
/// After so many parts they become twice as large, because S3 takes no more than 10,000. So an object may have 500 GB, and one of less than
/// 16 GB is written with 24 MiB of memory.
const SAME_SIZE: usize = 2_000;
/// How many parts are on their way at once.
const AT_ONCE: usize = 2;

/// Why an upload has ended that was told to.
pub const STOPPED: &str = "it was told to stop";

/// Writes an object from a flow, whole or not at all.
pub(super) async fn upload(
    store: &dyn ObjectStore,
    path: &Path,
    from: Outlet,
    stopping: &CancellationToken,
    progress: &(dyn Fn(u64) + Sync),
) -> anyhow::Result<()> {
    let mut upload = store.put_multipart(path).await?;
    let written = tokio::select! {
        written = parts(&mut *upload, from, progress) => written,
        () = stopping.cancelled() => Err(anyhow::anyhow!(STOPPED)),
    };
    let done = match written {
        Ok(()) => upload.complete().await.map(drop).map_err(Into::into),
        Err(error) => Err(error),
    };
    if let Err(error) = done {
        // What the store keeps of it costs money; but why it failed is of more interest than that this failed too.
        if let Err(why) = upload.abort().await {
            tracing::warn!(error = %why, "an upload that failed could not be taken back");
        }
        return Err(error);
    }
    Ok(())
}

async fn parts(
    upload: &mut dyn MultipartUpload,
    mut from: Outlet,
    progress: &(dyn Fn(u64) + Sync),
) -> anyhow::Result<()> {
    let mut under_way = FuturesOrdered::new();
    let mut count = 0_usize;
    loop {
        let Some(part) = next_part(&mut from, PART << (count / SAME_SIZE).min(4)).await? else {
            break;
        };
        let length: usize = part.iter().map(Bytes::len).sum();
        while under_way.len() >= AT_ONCE
            && let Some(done) = under_way.next().await
        {
            progress(done?);
        }
        let sending = upload.put_part(PutPayload::from_iter(part));
        under_way.push_back(async move { sending.await.map(|()| length as u64) });
        count += 1;
    }
    while let Some(done) = under_way.next().await {
        progress(done?);
    }
    if count == 0 {
        bail!("there was nothing to write");
    }
    Ok(())
}

/// Gathers a part. None at the end.
async fn next_part(from: &mut Outlet, size: usize) -> anyhow::Result<Option<Vec<Bytes>>> {
    let (mut part, mut length) = (vec![], 0);
    while length < size
        && let Some(piece) = from.next().await?
    {
        length += piece.len();
        part.push(piece);
    }
    Ok((length > 0).then_some(part))
}

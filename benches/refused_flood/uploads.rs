//! Uploads that are too large, held half-way.

use std::time::Duration;

use anyhow::Context as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    runtime::Runtime,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::process::Process;

/// How many at a time.
pub(super) const UPLOADS: usize = 64;
/// As much as is still kept of a body.
const FIRST: usize = 255 << 10;
/// What makes it too large.
const REST: usize = 64 << 10;
/// How long they are held.
const HELD: Duration = Duration::from_secs(2);
/// How long one may take, in all.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What came of it.
pub(super) struct Held {
    /// The server's memory while it holds them, in MiB.
    pub(super) memory: f64,
    /// Those that were not refused as they should have been.
    pub(super) wrong: u32,
}

/// Sends the first part of each, looks at the server, and sends the rest.
pub(super) fn hold(runtime: &Runtime, url: &str, process: &Process) -> anyhow::Result<Held> {
    let address = url.split('/').nth(2).context("an address")?;
    runtime.block_on(async {
        let mut uploads = JoinSet::new();
        for _ in 0..UPLOADS {
            let address = address.to_owned();
            uploads.spawn(async move {
                let upload = timeout(TIMEOUT, upload(&address)).await;
                upload.is_ok_and(|answered| answered.is_ok_and(|right| right))
            });
        }
        sleep(HELD / 2).await;
        let memory = process.memory();
        let right = uploads.join_all().await;
        let wrong = right.into_iter().filter(|right| !right).count();
        Ok(Held {
            memory,
            wrong: u32::try_from(wrong)?,
        })
    })
}

/// Whether it is refused for its size.
async fn upload(address: &str) -> anyhow::Result<bool> {
    let mut server = TcpStream::connect(address).await?;
    let length = FIRST + REST;
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    server.write_all(head.as_bytes()).await?;
    server.write_all(&vec![b' '; FIRST]).await?;
    sleep(HELD).await;
    server.write_all(&vec![b' '; REST]).await?;
    let mut answer = String::new();
    server.read_to_string(&mut answer).await?;
    Ok(answer.starts_with("HTTP/1.1 413"))
}

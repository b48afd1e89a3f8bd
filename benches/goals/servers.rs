//! Those who are asked: the built server, the peer, and the bare route.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use anyhow::Context as _;
use axum::body::Bytes;
use tokio::runtime::Runtime;

use super::{
    common::server::{Server, serve_bare},
    data::CHEAP_HASHES,
    usage::Tree,
};

/// Nothing is kept of answers.
pub(super) const UNCACHED: [(&str, &str); 1] = [("STAYGATE_ANSWER_CACHE", "off")];
/// Answers are kept in Redis, and in the process.
pub(super) const CACHED: [(&str, &str); 1] = [("STAYGATE_ANSWER_CACHE", "on")];
/// Answers are kept in Redis alone.
pub(super) const CACHED_IN_REDIS: [(&str, &str); 2] = [
    ("STAYGATE_ANSWER_CACHE", "on"),
    ("STAYGATE_ANSWER_CACHE_LOCAL_BYTES", "0"),
];

/// Rates are on, with buckets from which so few networks can take for so long; whoever asks says where from, as if through a proxy. The
/// background work belongs to nobody's answer.
const SETTINGS: [(&str, &str); 6] = [
    ("STAYGATE_RATE_LIMITS", "on"),
    ("STAYGATE_RATE_BUCKET", "100000"),
    ("STAYGATE_RATE_SIGNED_IN", "1000"),
    ("STAYGATE_TRUSTED_PROXIES", "127.0.0.1"),
    ("STAYGATE_WORKERS", "false"),
    ("STAYGATE_ACCESS_TOKEN_TTL", "3600"),
];

/// Starts the built server; of what others left in Redis it sees nothing.
pub(super) fn start(
    folder: &Path,
    database: &str,
    redis: &str,
    own: &[(&str, &str)],
) -> anyhow::Result<Server> {
    let prefix = format!("bench-{:08x}", rand::random::<u32>());
    let mut settings = vec![("REDIS_URL", redis), ("STAYGATE_REDIS_PREFIX", &prefix)];
    settings.extend(SETTINGS.into_iter().chain(CHEAP_HASHES));
    settings.extend(own);
    Server::start(folder, database, &["serve"], &settings)
}

/// The peer of `benches/peer`; ended when it goes out of scope.
pub(super) struct Peer {
    process: Child,
    /// Where it takes GraphQL.
    pub(super) url: String,
}

impl Peer {
    pub(super) fn start(node: &str, database: &str, caches: bool) -> anyhow::Result<Self> {
        let mut process = Command::new(node)
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/benches/peer/server.mjs"
            ))
            .env_clear()
            .env("NODE_ENV", "production")
            .env("DATABASE_URL", database)
            .env("RESPONSE_CACHE", if caches { "on" } else { "off" })
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("can't start {node} (STAYGATE_BENCH_NODE)"))?;
        let said = process.stdout.take().context("it has an output")?;
        let mut peer = Self {
            process,
            url: String::new(),
        };
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line)?;
        let url = line.trim().strip_prefix("serving on ");
        url.context("the peer did not come up: is `npm ci` done in benches/peer?")?
            .clone_into(&mut peer.url);
        Ok(peer)
    }

    pub(super) fn processes(&self) -> Tree {
        Tree(self.process.id())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Its workers end when it is gone.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The process of a Redis.
pub(super) fn redis_process(url: &str) -> anyhow::Result<Tree> {
    let mut redis = redis::Client::open(url)?.get_connection()?;
    let said: String = redis::cmd("INFO").arg("server").query(&mut redis)?;
    let id = said
        .lines()
        .find_map(|line| line.strip_prefix("process_id:"));
    Ok(Tree(id.context("Redis has no process")?.trim().parse()?))
}

/// A route that gives these bytes, on as many threads as the server has. It lives as long as its runtime.
pub(super) fn bare(body: String) -> anyhow::Result<(Runtime, String)> {
    let threads = thread::available_parallelism()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.get())
        .enable_all()
        .build()?;
    let url = runtime.block_on(serve_bare(Bytes::from(body)))?;
    Ok((runtime, url))
}

//! How soon a server is ready, and what it takes when nobody asks.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::ensure;

use super::{
    common::figures::median,
    readers::address,
    rows::Fact,
    servers::{UNCACHED, start},
    usage::Tree,
};

/// How often it is started.
const STARTS: usize = 5;
/// After this it has nothing left to do.
const SETTLED: Duration = Duration::from_secs(2);

/// Starts servers on a database that has everything.
pub(super) fn facts(folder: &Path, database: &str, redis: &str) -> anyhow::Result<Vec<Fact>> {
    let (mut took, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let before = Instant::now();
        let server = start(folder, database, redis, &UNCACHED)?;
        must_be_ready(&server.url)?;
        took.push(before.elapsed().as_secs_f64() * 1_000.0);
        thread::sleep(SETTLED);
        memory.push(Tree(server.process.id()).memory());
    }
    Ok(vec![
        Fact {
            name: "from the start of `serve` to ready, on an existing database".to_owned(),
            value: median(took.into_iter()),
            unit: "ms",
            most: Some(300.0),
        },
        Fact {
            name: "memory of an idle server".to_owned(),
            value: median(memory.into_iter()),
            unit: "MB",
            most: Some(40.0),
        },
    ])
}

fn must_be_ready(url: &str) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(address(url)?)?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(
        answer.starts_with("HTTP/1.1 200"),
        "it is not ready: {answer}"
    );
    Ok(())
}

//! Those who ask as fast as they are answered, over connections that are kept: HTTP/1.1 by hand, so that asking takes little of the
//! machine that answers.

use std::{
    cell::RefCell,
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use futures_util::future::try_join_all;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// How many ask at a time.
pub(crate) const CONNECTIONS: u32 = 32;
/// From so many networks they come by turns.
const NETWORKS: u32 = 20_000;
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Writes a request to `/graphql` with this body, as a proxy would send it on from one of many networks.
pub(crate) fn write_post(request: &mut Vec<u8>, number: u64, token: Option<&str>, body: &str) {
    let network = u32::try_from(number % u64::from(NETWORKS)).unwrap_or_default();
    // The addresses that are set aside for benchmarks (RFC 2544).
    let from = Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + network);
    let length = body.len();
    let head = "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json";
    // Nothing fails that is written into memory.
    let _ = write!(
        request,
        "{head}\r\nX-Forwarded-For: {from}\r\nContent-Length: {length}\r\n"
    );
    if let Some(token) = token {
        let _ = write!(request, "Authorization: Bearer {token}\r\n");
    }
    let _ = write!(request, "\r\n{body}");
}

/// Writes the request that comes next.
pub(crate) type Next<'a> = dyn FnMut(&mut Vec<u8>) + 'a;

/// What was answered.
pub(crate) struct Loaded {
    pub(crate) answers: u32,
    /// Those that were not as they should be.
    pub(crate) wrong: u32,
    /// The first of those.
    pub(crate) first_wrong: Option<String>,
    pub(crate) took: Duration,
}

/// Asks for a while, on a thread that does nothing else. An answer is right when its body begins so and tells of no error.
pub(crate) fn load(
    address: SocketAddr,
    time: Duration,
    begins: &str,
    next: &mut Next<'_>,
) -> anyhow::Result<Loaded> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let start = Instant::now();
    let shared = RefCell::new((
        next,
        Loaded {
            answers: 0,
            wrong: 0,
            first_wrong: None,
            took: Duration::ZERO,
        },
    ));
    runtime.block_on(try_join_all((0..CONNECTIONS).map(async |_| {
        let mut connection = Connection::open(address).await?;
        let mut request = Vec::new();
        while start.elapsed() < time {
            request.clear();
            (shared.borrow_mut().0)(&mut request);
            let (status, body) = timeout(TIMEOUT, connection.ask(&request))
                .await
                .context("no answer came")??;
            let right = status == 200 && body.starts_with(begins) && !body.contains("\"errors\"");
            let (_, loaded) = &mut *shared.borrow_mut();
            loaded.answers += 1;
            if !right {
                loaded.wrong += 1;
                loaded
                    .first_wrong
                    .get_or_insert_with(|| format!("{status} {body:.500}"));
            }
        }
        anyhow::Ok(())
    })))?;
    let (_, mut loaded) = shared.into_inner();
    loaded.took = start.elapsed();
    Ok(loaded)
}

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    /// What has come; an answer begins at its begin.
    read: Vec<u8>,
    /// How long the last answer was.
    last: usize,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            read: Vec::with_capacity(64 << 10),
            last: 0,
        })
    }

    /// Sends a request, and gives the status and the body of its answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<(u16, &str)> {
        self.stream.write_all(request).await?;
        self.read.drain(..self.last);
        self.last = 0;
        let (status, body) = loop {
            let got = self.stream.read_buf(&mut self.read).await?;
            ensure!(got > 0, "the connection was closed");
            if let Some(end) = find(&self.read, b"\r\n\r\n") {
                let head = str::from_utf8(&self.read[..end])?;
                break (head[..12].trim_start_matches("HTTP/1.1 ").parse()?, {
                    end + 4..end + 4 + length(head)?
                });
            }
        };
        while self.read.len() < body.end {
            let got = self.stream.read_buf(&mut self.read).await?;
            ensure!(got > 0, "the connection was closed in an answer");
        }
        self.last = body.end;
        Ok((status, str::from_utf8(&self.read[body])?))
    }
}

/// How long the body is.
fn length(head: &str) -> anyhow::Result<usize> {
    for line in head.lines() {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            return Ok(value.trim().parse()?);
        }
    }
    bail!("the answer does not say how long it is: {head}")
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

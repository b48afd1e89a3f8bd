//! What is asked: the built server, and the bare route beside it.

use std::{
    env, fmt,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use axum::{Router, body::Bytes, http::header::CONTENT_TYPE, routing::post};
use tokio::net::TcpListener;

/// How long the server may take to come up, with its demo data.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// The built server as a process of its own; ended when it goes out of scope.
pub(crate) struct Server {
    pub(crate) process: Child,
    /// Where it takes GraphQL.
    pub(crate) url: String,
    /// What it said since it serves.
    pub(crate) log: Arc<Log>,
}

/// The lines that a server has logged.
#[derive(Default)]
pub(crate) struct Log {
    lines: AtomicUsize,
    first: OnceLock<String>,
}

impl Server {
    /// Starts it on a free port, by this command and with these settings.
    pub(crate) fn start(
        folder: &Path,
        database: &str,
        command: &[&str],
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let process = Command::new(env!("CARGO_BIN_EXE_staygate"))
            .args(command)
            .current_dir(folder)
            // A developer's own settings must not decide what is measured.
            .env_clear()
            .env("DATABASE_URL", database)
            .env("STAYGATE_LISTEN", "127.0.0.1:0")
            .env("STAYGATE_ADMIN_LISTEN", "off")
            .env("NO_COLOR", "1")
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut server = Self {
            process,
            url: String::new(),
            log: Arc::default(),
        };
        let log = server.process.stderr.take().context("it has a log")?;
        let (tell, lines) = mpsc::channel();
        let kept = Arc::clone(&server.log);
        // Read to its end: a server whose log nobody reads comes to a stand.
        thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                // Nobody waits for more once it serves.
                if let Err(mpsc::SendError(line)) = tell.send(line) {
                    kept.lines.fetch_add(1, Ordering::Relaxed);
                    kept.first.get_or_init(|| line);
                }
            }
        });
        let deadline = Instant::now() + START_TIMEOUT;
        let mut said = String::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = lines.recv_timeout(left) else {
                bail!("the server did not come up:\n{said}");
            };
            if let Some((_, address)) = line.split_once("serving on ") {
                let address = address.split(',').next().unwrap_or_default();
                server.url = format!("{address}/graphql");
                return Ok(server);
            }
            said = said + &line + "\n";
        }
    }
}

impl Log {
    /// How many lines it was.
    pub(crate) fn lines(&self) -> usize {
        self.lines.load(Ordering::Relaxed)
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The server logged {} lines.", self.lines())?;
        match self.first.get() {
            Some(first) => write!(f, " The first: {first}"),
            None => Ok(()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its data is thrown away: nothing is lost by ending it at once.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A setting of the benchmark.
#[expect(clippy::disallowed_methods, reason = "it is not one of the server")]
pub(crate) fn setting(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// Serves nothing but these bytes, and says where.
pub(crate) async fn serve_bare(body: Bytes) -> anyhow::Result<String> {
    let answer = async move || ([(CONTENT_TYPE, "application/json")], body);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/graphql", listener.local_addr()?);
    let router = Router::new().route("/graphql", post(answer));
    tokio::spawn(async { axum::serve(listener, router).await });
    Ok(url)
}

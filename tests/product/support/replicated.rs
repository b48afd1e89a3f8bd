//! A PostgreSQL of a test's own, and a replica that streams from it, which the test may hold up, kill or promote.

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use staygate::store::db::{Db, DbOptions};
use tempfile::TempDir;

/// How long a server may take to come up, or to do what it was told.
const PATIENCE: Duration = Duration::from_mins(1);

/// Both servers; they go down with this handle.
pub struct Replicated {
    pub primary: Server,
    pub replica: Server,
    /// Dropped last.
    _directory: TempDir,
}

/// One of them.
pub struct Server {
    run: Vec<String>,
    process: Option<Child>,
    port: u16,
}

impl Replicated {
    /// Starts both; when it returns, the replica streams.
    pub async fn start() -> Self {
        let directory = tempfile::tempdir().expect("a folder for PostgreSQL");
        let path = |name: &str| directory.path().join(name).display().to_string();
        let (bin, user) = (binaries(), as_somebody(directory.path()));
        let command = |program: &str, arguments: &[&str]| {
            let mut all = user.clone();
            all.push(format!("{bin}/{program}"));
            all.extend(arguments.iter().map(|&argument| argument.to_owned()));
            all
        };
        let (data, copy) = (path("primary"), path("replica"));
        done(&command(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-locale",
                "--no-sync",
            ],
        ));
        let of = |data: &str| {
            command(
                "postgres",
                &[
                    "-D",
                    data,
                    "-c",
                    "listen_addresses=127.0.0.1",
                    "-c",
                    &format!("unix_socket_directories={}", directory.path().display()),
                    "-c",
                    "shared_buffers=16MB",
                    "-c",
                    "fsync=off",
                    "-c",
                    "wal_level=replica",
                    "-c",
                    "max_connections=100",
                    // A replica that was away goes on from where it was.
                    "-c",
                    "wal_keep_size=64MB",
                    "-c",
                    "max_wal_senders=4",
                    "-c",
                    "wal_retrieve_retry_interval=200ms",
                ],
            )
        };
        let primary = Server::start(of(&data)).await;
        let address = format!("host=127.0.0.1 port={} user=postgres", primary.port);
        done(&command(
            "pg_basebackup",
            &[
                "-D",
                &copy,
                "-d",
                &address,
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
                "--no-sync",
            ],
        ));
        let replica = Server::start(of(&copy)).await;
        let streams = async || {
            primary
                .number("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")
                .await
                == 1
        };
        until(streams, "the replica streams").await;
        Self {
            primary,
            replica,
            _directory: directory,
        }
    }

    /// From now on the replica shows what it has, and takes no more.
    pub async fn is_held_up(&self) {
        self.replica.does("SELECT pg_wal_replay_pause()").await;
        let held = "SELECT count(*) WHERE pg_get_wal_replay_pause_state() = 'paused'";
        until(
            async || self.replica.number(held).await == 1,
            "replay is held up",
        )
        .await;
    }

    pub async fn goes_on(&self) {
        self.replica.does("SELECT pg_wal_replay_resume()").await;
    }

    /// Waits until the replica has all that the primary has.
    pub async fn has_caught_up(&self) {
        let end = self.primary.text("SELECT pg_current_wal_lsn()::text").await;
        let has = format!("SELECT count(*) WHERE pg_last_wal_replay_lsn() >= '{end}'");
        until(
            async || self.replica.number(&has).await == 1,
            "the replica has caught up",
        )
        .await;
    }
}

impl Server {
    async fn start(run: Vec<String>) -> Self {
        // Another process may take the port between choice and bind; a server that could not bind gets another one.
        for _ in 0..10 {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let port = listener.local_addr().expect("an address").port();
            drop(listener);
            let mut server = Self {
                run: run.clone(),
                process: None,
                port,
            };
            server.comes_up();
            if server.answers().await {
                return server;
            }
        }
        panic!("PostgreSQL does not come up: {run:?}");
    }

    fn comes_up(&mut self) {
        let mut command = Command::new(&self.run[0]);
        command
            .args(&self.run[1..])
            .args(["-p", &self.port.to_string()]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.process = Some(command.spawn().expect("PostgreSQL starts"));
    }

    /// Whether it comes to answer; not when its process ends.
    async fn answers(&mut self) -> bool {
        let began = Instant::now();
        loop {
            let ended = self
                .process
                .as_mut()
                .is_none_or(|process| !matches!(process.try_wait(), Ok(None)));
            if ended {
                return false;
            }
            if self.connects().await.is_some() {
                return true;
            }
            assert!(began.elapsed() < PATIENCE, "PostgreSQL does not come up");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    async fn connects(&self) -> Option<Db> {
        let options = DbOptions {
            url: self.url(),
            max_connections: 1,
            statement_timeout: None,
        };
        // Whoever does not listen is asked again for seconds by a pool.
        tokio::net::TcpStream::connect(("127.0.0.1", self.port))
            .await
            .ok()?;
        Db::connect(&options).await.ok()
    }

    pub async fn does(&self, sql: &str) {
        let db = self.connects().await.expect("it answers");
        db.read().execute_unprepared(sql).await.expect("it is done");
        db.close().await.expect("closed");
    }

    pub async fn number(&self, sql: &str) -> i64 {
        self.value(sql).await
    }

    pub async fn text(&self, sql: &str) -> String {
        self.value(sql).await
    }

    async fn value<T: sea_orm::TryGetable>(&self, sql: &str) -> T {
        let db = self.connects().await.expect("it answers");
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let row = db
            .read()
            .query_one_raw(statement)
            .await
            .expect("it runs")
            .expect("a row");
        let value = row.try_get_by_index(0).expect("a value");
        db.close().await.expect("closed");
        value
    }

    /// All of its processes are held still: it takes connections and says nothing.
    pub fn hangs(&self) {
        self.signals("-STOP");
    }

    pub fn wakes(&self) {
        self.signals("-CONT");
    }

    /// It is gone in the middle of whatever it does.
    pub fn is_killed(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        // Its other processes end by themselves, and at once, only when it tells them.
        signal("-QUIT", process.id());
        let began = Instant::now();
        while matches!(process.try_wait(), Ok(None)) && began.elapsed() < Duration::from_secs(10) {
            std::thread::yield_now();
        }
        // An error says that it is gone already.
        let _ = process.kill();
        let _ = process.wait();
    }

    /// It is there again, at the same address.
    pub async fn starts_again(&mut self) {
        self.comes_up();
        assert!(self.answers().await, "it comes up again");
    }

    /// Tells the first process, which starts no others from then on, and then those that it has; some may just have ended.
    fn signals(&self, name: &str) {
        let Some(process) = &self.process else { return };
        let main = process.id();
        signal(name, main);
        let children = std::fs::read_to_string(format!("/proc/{main}/task/{main}/children"));
        for child in children.unwrap_or_default().split_whitespace() {
            signal(name, child);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.wakes();
        self.is_killed();
    }
}

fn signal(name: &str, process: impl std::fmt::Display) {
    let mut kill = Command::new("kill");
    let sent = kill.arg(name).arg(process.to_string());
    // An error says that it is gone already.
    let _ = sent.stderr(Stdio::null()).status();
}

/// Where the programs of PostgreSQL are: in PATH, or where Debian has those of its newest version.
fn binaries() -> String {
    let find = "dirname \"$(readlink -f \"$(command -v initdb || ls /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)\")\"";
    let found = output(Command::new("sh").args(["-c", find]));
    String::from_utf8(found.stdout)
        .expect("text")
        .trim()
        .to_owned()
}

/// What starts a program as somebody whom PostgreSQL serves: it refuses root. The folder is theirs then.
fn as_somebody(folder: &Path) -> Vec<String> {
    let ids = "[ \"$(id -u)\" != 0 ] || id -u postgres 2>/dev/null || id -u nobody";
    let user =
        String::from_utf8(output(Command::new("sh").args(["-c", ids])).stdout).expect("text");
    let user = user.trim();
    if user.is_empty() {
        return vec!["env".to_owned()];
    }
    output(Command::new("chown").arg(user).arg(folder));
    let group = format!("--regid={user}");
    let user = format!("--reuid={user}");
    ["setpriv", &user, &group, "--clear-groups"]
        .map(str::to_owned)
        .to_vec()
}

fn done(command: &[String]) {
    output(Command::new(&command[0]).args(&command[1..]));
}

fn output(command: &mut Command) -> Output {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

async fn until(is_so: impl AsyncFn() -> bool, what: &str) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "not in time: {what}");
    }
}

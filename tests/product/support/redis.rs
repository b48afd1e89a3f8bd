//! A Redis of a test's own, which it may kill.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The file in a server's folder that makes a sentinel of it.
pub(super) const SENTINEL: &str = "sentinel.conf";

/// A running Redis; it goes down with this handle.
pub struct Redis {
    server: Child,
    port: u16,
    directory: Option<TempDir>,
}

impl Redis {
    pub fn start() -> Self {
        // Another process may take the port between choice and bind; a server that could not bind gets another one.
        (0..10)
            .find_map(|_| Self::start_on(free_port()))
            .expect("redis-server comes up")
    }

    /// The same with arguments of its own.
    pub fn start_with(arguments: &[&str]) -> Self {
        (0..10)
            .find_map(|_| Self::start_in(tempdir(), free_port(), arguments))
            .expect("redis-server comes up")
    }

    fn start_on(port: u16) -> Option<Self> {
        Self::start_in(tempdir(), port, &[])
    }

    /// A server in a folder, where a file for a sentinel may be.
    pub(super) fn start_in(directory: TempDir, port: u16, arguments: &[&str]) -> Option<Self> {
        let start = |program: &str| {
            let mut command = Command::new(program);
            if directory.path().join(SENTINEL).exists() {
                command
                    .arg(directory.path().join(SENTINEL))
                    .arg("--sentinel");
            } else {
                command.args(["--save", "", "--appendonly", "no"]);
            }
            command
                .args(["--bind", "127.0.0.1", "--port"])
                .arg(port.to_string())
                .arg("--dir")
                .arg(directory.path())
                .args(arguments)
                .stdout(Stdio::piped())
                .spawn()
        };
        let server = start("redis-server").or_else(|_| start("valkey-server"));
        let mut server = server.expect("redis-server is installed: tests/run does that");
        let said = BufReader::new(server.stdout.take().expect("what it says"));
        let is_up = said.lines().map_while(Result::ok).any(|line| {
            line.contains("eady to accept connections") || line.contains("Sentinel ID is")
        });
        let redis = Self {
            server,
            port,
            directory: Some(directory),
        };
        is_up.then_some(redis)
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it answers to a command; none when it does not answer, or with an error.
    pub async fn says<T: redis::FromRedisValue>(&self, command: &str) -> Option<T> {
        let client = redis::Client::open(self.url()).expect("a URL of Redis");
        let mut connection = client.get_multiplexed_async_connection().await.ok()?;
        let mut words = command.split(' ');
        let mut asked = redis::cmd(words.next().unwrap_or_default());
        asked.arg(words.collect::<Vec<_>>());
        asked.query_async(&mut connection).await.ok()
    }

    /// Waits until its answer to a command has these words in it.
    pub async fn comes_to_say(&self, command: &str, words: &[&str]) {
        let has_all = |said: String| words.iter().all(|word| said.contains(word));
        self.answers_so(command, has_all).await;
    }

    /// Waits until its answer to a command is so.
    pub async fn answers_so<T: redis::FromRedisValue>(
        &self,
        command: &str,
        is_so: impl Fn(T) -> bool,
    ) {
        let began = Instant::now();
        let mut looks = tokio::time::interval(Duration::from_millis(50));
        while !self.says(command).await.is_some_and(&is_so) {
            let late = began.elapsed() > Duration::from_secs(40);
            assert!(!late, "{command} is not answered as it should be");
            looks.tick().await;
        }
    }

    /// Waits until so many instances hear what is published on a channel.
    pub async fn is_heard_by(&self, instances: usize, channel: &str) {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await;
        let (answers, mut ask) = stream.expect("Redis answers").into_split();
        let mut answers = tokio::io::BufReader::new(answers).lines();
        let began = Instant::now();
        loop {
            let question = format!("PUBSUB NUMSUB {channel}\r\n");
            ask.write_all(question.as_bytes()).await.expect("asked");
            // A list of two: the channel's length and name, and the number.
            let mut number = String::new();
            for _ in 0..4 {
                let line = answers.next_line().await.expect("an answer");
                number = line.expect("an answer");
            }
            if number == format!(":{instances}") {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{number}");
        }
    }

    /// It is there again, at the same address, with what it had saved.
    pub fn starts_again_as_it_was_saved(&mut self) {
        let directory = self.directory.take().expect("its folder");
        *self = Self::start_in(directory, self.port, &[]).expect("redis-server comes up again");
    }

    /// It is there again, at the same address, and remembers nothing.
    pub fn starts_again(&mut self) {
        *self = Self::start_on(self.port).expect("redis-server comes up again");
    }

    /// It is gone, without a word to anybody.
    pub fn is_killed(&mut self) {
        self.server.kill().expect("it ran until now");
        self.server.wait().expect("it is gone");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // An error says that it is gone already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn tempdir() -> TempDir {
    tempfile::tempdir().expect("a directory for Redis")
}

pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

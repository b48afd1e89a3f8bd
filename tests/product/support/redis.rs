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

/// A running Redis; it goes down with this handle.
pub struct Redis {
    server: Child,
    port: u16,
    _directory: TempDir,
}

impl Redis {
    pub fn start() -> Self {
        // Another process may take the port between choice and bind; a server that could not bind gets another one.
        (0..10)
            .find_map(|_| Self::start_on(free_port()))
            .expect("redis-server comes up")
    }

    fn start_on(port: u16) -> Option<Self> {
        let directory = tempfile::tempdir().expect("a directory for Redis");
        let start = |program: &str| {
            Command::new(program)
                .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
                .arg("--port")
                .arg(port.to_string())
                .arg("--dir")
                .arg(directory.path())
                .stdout(Stdio::piped())
                .spawn()
        };
        let server = start("redis-server").or_else(|_| start("valkey-server"));
        let mut server = server.expect("redis-server is installed: tests/run does that");
        let said = BufReader::new(server.stdout.take().expect("what it says"));
        let is_up = said
            .lines()
            .map_while(Result::ok)
            .any(|line| line.contains("eady to accept connections"));
        let redis = Self {
            server,
            port,
            _directory: directory,
        };
        is_up.then_some(redis)
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
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

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

//! Does a flood of sign-ins slow down those who only look?
//!
//! Starts the built server on a fresh demo and sends a public query at a fixed rate, by turns in quiet and while sign-ins with wrong
//! passwords come in. Fails when the 99th percentile under the flood is more than [`ALLOWED`] times the quiet one, in the median of the
//! rounds. A bare axum route of this process that sends the same bytes is asked at the same rate in the same windows: it shows what the
//! machine itself does then.
//!
//! Requests are sent when they are due, whether or not earlier ones were answered, and their time counts from when they were due: a server
//! that stalls can't hide it by slowing down those who ask.

mod figures;
mod server;

use std::{
    env,
    process::ExitCode,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::ensure;
use axum::{body::Bytes, http::header::CONTENT_TYPE};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio_util::task::TaskTracker;

use self::{
    figures::{Compared, HEAD, Latencies, Round},
    server::{Server, serve_bare},
};

/// How many times the quiet 99th percentile the one under the flood may be.
const ALLOWED: f64 = 3.0;
/// Each is a quiet window and one under the flood.
const ROUNDS: usize = 5;
/// How long a window is.
const WINDOW: Duration = Duration::from_secs(6);
/// How long the flood runs before its window, so that the queue of those who wait for their hash is full.
const FLOODING: Duration = Duration::from_secs(2);
/// Of each, a second: public queries, requests to the bare route, sign-ins in the flood.
const RATE: u32 = 200;
/// How long an answer to a query may take; it counts as this long, and as a wrong one.
const QUERY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer to a sign-in may take; the server gives up after 10 seconds.
const SIGN_IN_TIMEOUT: Duration = Duration::from_secs(15);

const QUERY: &str =
    "{ properties(first: 20) { nodes { id title pricePerNight { amount } host { fullName } } } }";
const SIGN_IN: &str =
    "mutation($input: SignInInput!) { signIn(input: $input) { userErrors { code } } }";
/// Those of the demo.
const KNOWN: [&str; 3] = ["guest@example.com", "host@example.com", "admin@example.com"];

fn main() -> anyhow::Result<ExitCode> {
    // The client asks for one, although it speaks no TLS.
    drop(rustls::crypto::ring::default_provider().install_default());
    let folder = tempfile::tempdir()?;
    #[expect(
        clippy::disallowed_methods,
        reason = "a setting of the benchmark, not of the server"
    )]
    let database = env::var("STAYGATE_BENCH_DATABASE");
    let database = database.unwrap_or_else(|_| "sqlite://bench.db".into());
    let server = Server::start(folder.path(), &database)?;
    let ours = Runtime::new()?;
    // The bare route has threads of its own, as the server has.
    let theirs = Runtime::new()?;
    let mut public = Asker::new(&server.url)?;
    public.expected = ours.block_on(public.ask())?;
    ensure!(
        public.expected.starts_with(br#"{"data":{"properties""#),
        "the server answers {:?}",
        public.expected
    );
    let mut bare = Asker::new(&theirs.block_on(serve_bare(public.expected.clone()))?)?;
    bare.expected = public.expected.clone();
    let bench = Bench {
        runtime: ours,
        public: Arc::new(public),
        bare: Arc::new(bare),
        flood: Arc::new(Flood::new(&server.url)?),
    };

    let engine = database.split(':').next().unwrap_or_default();
    println!("{engine}, {RATE} requests of each kind a second, times in ms{HEAD}");
    // Connections are opened and caches filled.
    bench.window();
    let mut rounds = Vec::new();
    for number in 1..=ROUNDS {
        let round = bench.round();
        println!("{number:<6} {round}");
        rounds.push(round);
    }

    let median = Round::median(&rounds);
    println!("median {median}");
    println!(
        "\nThe flood makes the 99th percentile {:.2} times as long; {ALLOWED} are allowed. {} wrong answers.",
        median.public.ratio, median.wrong
    );
    if let Some(answer) = bench.flood.first_wrong.get() {
        println!("The first sign-in that was answered wrongly: {answer}");
    }
    let good = median.public.ratio <= ALLOWED && median.wrong == 0;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Asks the public query.
struct Asker {
    client: Client,
    url: String,
    body: Bytes,
    expected: Bytes,
}

impl Asker {
    fn new(url: &str) -> anyhow::Result<Self> {
        Ok(Self {
            client: Client::builder().timeout(QUERY_TIMEOUT).build()?,
            url: url.to_owned(),
            body: json!({ "query": QUERY }).to_string().into(),
            expected: Bytes::new(),
        })
    }

    async fn ask(&self) -> reqwest::Result<Bytes> {
        let request = self.client.post(&self.url).body(self.body.clone());
        let request = request.header(CONTENT_TYPE, "application/json");
        request.send().await?.bytes().await
    }

    /// Asks for the length of a window.
    fn window(self: &Arc<Self>, runtime: &Runtime) -> Latencies {
        let (tell, answers) = mpsc::channel();
        let start = Instant::now();
        at_rate(
            || start.elapsed() < WINDOW,
            |_, due| {
                let (asker, tell) = (Arc::clone(self), tell.clone());
                runtime.spawn(async move {
                    let answer = asker.ask().await;
                    let took = due.elapsed().as_secs_f64() * 1_000.0;
                    let good = answer.is_ok_and(|answer| answer == asker.expected);
                    // Listened to until the last has told.
                    let _ = tell.send((took, good));
                });
            },
        );
        drop(tell);
        Latencies::of(answers.into_iter().collect())
    }
}

/// Sends sign-ins with wrong passwords, and counts the answers.
struct Flood {
    client: Client,
    url: String,
    /// The password was hashed, and was wrong.
    hashed: AtomicU32,
    /// Too many waited already.
    refused: AtomicU32,
    /// No answer, or another one.
    wrong: AtomicU32,
    /// The first of those.
    first_wrong: OnceLock<String>,
}

impl Flood {
    fn new(url: &str) -> anyhow::Result<Self> {
        Ok(Self {
            client: Client::builder().timeout(SIGN_IN_TIMEOUT).build()?,
            url: url.to_owned(),
            hashed: AtomicU32::new(0),
            refused: AtomicU32::new(0),
            wrong: AtomicU32::new(0),
            first_wrong: OnceLock::new(),
        })
    }

    /// Every second one is for an address that nobody has.
    async fn sign_in(&self, number: usize) {
        let email = if number.is_multiple_of(2) {
            KNOWN[number / 2 % KNOWN.len()].to_owned()
        } else {
            format!("nobody-{number}@example.com")
        };
        let input = json!({ "email": email, "password": "not the password" });
        let body = json!({ "query": SIGN_IN, "variables": { "input": input } });
        let answer = async {
            let answer = self.client.post(&self.url).json(&body).send().await?;
            answer.json::<Value>().await
        };
        let answer = answer
            .await
            .unwrap_or_else(|error| json!(format!("{error:?}")));
        let problem = answer.pointer("/data/signIn/userErrors/0/code");
        let error = answer.pointer("/errors/0/extensions/code");
        let count = match (problem, error) {
            (Some(code), None) if code == "WRONG_CREDENTIALS" => &self.hashed,
            (None, Some(code)) if code == "RATE_LIMITED" => &self.refused,
            _ => {
                self.first_wrong.get_or_init(|| answer.to_string());
                &self.wrong
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// How many had which answer so far.
    fn counts(&self) -> [u32; 3] {
        [&self.hashed, &self.refused, &self.wrong].map(|count| count.load(Ordering::Relaxed))
    }
}

/// Calls `send` with a number and when it is due, [`RATE`] times a second, as long as it goes on. It takes its thread: the timer of a
/// runtime is too coarse, and late when the runtime is busy.
fn at_rate(goes_on: impl Fn() -> bool, mut send: impl FnMut(usize, Instant)) {
    let start = Instant::now();
    for number in 0.. {
        let due = start + Duration::from_secs(1) / RATE * number;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if !goes_on() {
            return;
        }
        send(number as usize, due);
    }
}

/// All that sends.
struct Bench {
    runtime: Runtime,
    public: Arc<Asker>,
    bare: Arc<Asker>,
    flood: Arc<Flood>,
}

impl Bench {
    /// A window of the public query, and at the same time of the bare route.
    fn window(&self) -> (Latencies, Latencies) {
        thread::scope(|scope| {
            let bare = scope.spawn(|| {
                // Each is due half-way between two of the others.
                thread::sleep(Duration::from_secs(1) / RATE / 2);
                self.bare.window(&self.runtime)
            });
            let public = self.public.window(&self.runtime);
            (public, bare.join().expect("asking does not panic"))
        })
    }

    /// A quiet window and one under the flood. The last sign-in is answered when it returns.
    fn round(&self) -> Round {
        let quiet = self.window();
        let start = self.flood.counts();
        let ending = AtomicBool::new(false);
        let unanswered = TaskTracker::new();
        let (flooded, before, after) = thread::scope(|scope| {
            scope.spawn(|| {
                at_rate(
                    || !ending.load(Ordering::Relaxed),
                    |number, _| {
                        let flood = Arc::clone(&self.flood);
                        let sign_in = async move { flood.sign_in(number).await };
                        unanswered.spawn_on(sign_in, self.runtime.handle());
                    },
                );
            });
            thread::sleep(FLOODING);
            let before = self.flood.counts();
            let flooded = self.window();
            let after = self.flood.counts();
            ending.store(true, Ordering::Relaxed);
            (flooded, before, after)
        });
        unanswered.close();
        self.runtime.block_on(unanswered.wait());
        let end = self.flood.counts();
        let a_second = |kind: usize| f64::from(after[kind] - before[kind]) / WINDOW.as_secs_f64();
        let windows = [&quiet.0, &quiet.1, &flooded.0, &flooded.1];
        Round {
            wrong: windows.map(|window| window.wrong).iter().sum::<u32>() + end[2] - start[2],
            public: Compared::of(&quiet.0, &flooded.0),
            bare: Compared::of(&quiet.1, &flooded.1),
            hashed: a_second(0),
            refused: a_second(1),
        }
    }
}

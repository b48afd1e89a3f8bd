//! Does a flood of sign-ins slow down those who only look?
//!
//! Starts the built server on a fresh demo and sends a public query at a fixed rate, by turns in quiet and while sign-ins with wrong
//! passwords come in. Fails when the 99th percentile under the flood is more than [`ALLOWED`] times the quiet one, in the median of the
//! rounds. A bare axum route of this process that sends the same bytes is asked at the same rate in the same windows: it shows what the
//! machine itself does then.

#[path = "../common/mod.rs"]
mod common;
mod figures;

use std::{
    process::ExitCode,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use reqwest::Client;
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;

use self::{
    common::{
        asking::{Askers, RATE, WINDOW, database},
        compared::Compared,
        pace::at_rate,
        server::Server,
    },
    figures::{HEAD, Round},
};

/// How many times the quiet 99th percentile the one under the flood may be.
const ALLOWED: f64 = 3.0;
/// Each is a quiet window and one under the flood.
const ROUNDS: usize = 5;
/// How long the flood runs before its window, so that the queue of those who wait for their hash is full.
const FLOODING: Duration = Duration::from_secs(2);
/// How long an answer to a sign-in may take; the server gives up after 10 seconds.
const SIGN_IN_TIMEOUT: Duration = Duration::from_secs(15);

const SIGN_IN: &str =
    "mutation($input: SignInInput!) { signIn(input: $input) { userErrors { code } } }";
/// Those of the demo.
const KNOWN: [&str; 3] = ["guest@example.com", "host@example.com", "admin@example.com"];

fn main() -> anyhow::Result<ExitCode> {
    // The client asks for one, although it speaks no TLS.
    drop(rustls::crypto::ring::default_provider().install_default());
    let folder = tempfile::tempdir()?;
    let database = database();
    let off = [("STAYGATE_RATE_LIMITS", "off")];
    let server = Server::start(folder.path(), &database, &["serve", "--demo"], &off)?;
    let bench = Bench {
        askers: Askers::of(&server.url)?,
        flood: Arc::new(Flood::new(&server.url)?),
    };

    let engine = database.split(':').next().unwrap_or_default();
    println!("{engine}, {RATE} requests of each kind a second, times in ms{HEAD}");
    // Connections are opened and caches filled.
    bench.askers.window();
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
    if server.log.lines() > 0 {
        println!("{}", server.log);
    }
    let good = median.public.ratio <= ALLOWED && median.wrong == 0;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
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

/// All that sends.
struct Bench {
    askers: Askers,
    flood: Arc<Flood>,
}

impl Bench {
    /// A quiet window and one under the flood. The last sign-in is answered when it returns.
    fn round(&self) -> Round {
        let quiet = self.askers.window();
        let start = self.flood.counts();
        let ending = AtomicBool::new(false);
        let unanswered = TaskTracker::new();
        let (flooded, before, after) = thread::scope(|scope| {
            scope.spawn(|| {
                at_rate(
                    RATE,
                    || !ending.load(Ordering::Relaxed),
                    |number, _| {
                        let flood = Arc::clone(&self.flood);
                        let sign_in = async move { flood.sign_in(number).await };
                        unanswered.spawn_on(sign_in, self.askers.runtime.handle());
                    },
                );
            });
            thread::sleep(FLOODING);
            let before = self.flood.counts();
            let flooded = self.askers.window();
            let after = self.flood.counts();
            ending.store(true, Ordering::Relaxed);
            (flooded, before, after)
        });
        unanswered.close();
        self.askers.runtime.block_on(unanswered.wait());
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

//! Those who ask in good faith: the public query, and the bare route beside it.
//!
//! Requests are sent when they are due, whether or not earlier ones were answered, and their time counts from when they were due: a server
//! that stalls can't hide it by slowing down those who ask.

use std::{
    net::Ipv4Addr,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use anyhow::ensure;
use axum::{body::Bytes, http::header::CONTENT_TYPE};
use reqwest::Client;
use serde_json::json;
use tokio::runtime::Runtime;

use super::{
    figures::Latencies,
    pace::at_rate,
    server::{serve_bare, setting},
};

/// Of each a second: public queries, and requests to the bare route.
pub(crate) const RATE: u32 = 200;
/// How long a window is.
pub(crate) const WINDOW: Duration = Duration::from_secs(6);
/// How long an answer may take; it counts as this long, and as a wrong one.
const TIMEOUT: Duration = Duration::from_secs(5);
/// From so many networks they come by turns, as a proxy would say it: more than enough that none of them is near its rate.
const NETWORKS: u32 = 2_000;

const QUERY: &str =
    "{ properties(first: 20) { nodes { id title pricePerNight { amount } host { fullName } } } }";

/// The database that is asked for; one of SQLite by default.
pub(crate) fn database() -> String {
    setting("STAYGATE_BENCH_DATABASE").unwrap_or_else(|| "sqlite://bench.db".to_owned())
}

/// Asks for the same thing over and over.
struct Asker {
    client: Client,
    url: String,
    body: Bytes,
    expected: Bytes,
}

impl Asker {
    fn new(url: &str) -> anyhow::Result<Self> {
        Ok(Self {
            client: Client::builder().timeout(TIMEOUT).build()?,
            url: url.to_owned(),
            body: json!({ "query": QUERY }).to_string().into(),
            expected: Bytes::new(),
        })
    }

    async fn ask(&self, number: usize) -> reqwest::Result<Bytes> {
        let network = u32::try_from(number).unwrap_or_default() % NETWORKS;
        // The addresses that are set aside for benchmarks (RFC 2544).
        let from = Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + network);
        let request = self.client.post(&self.url).body(self.body.clone());
        let request = request.header("x-forwarded-for", from.to_string());
        let request = request.header(CONTENT_TYPE, "application/json");
        request.send().await?.bytes().await
    }

    /// Asks for the length of a window.
    fn window(self: &Arc<Self>, runtime: &Runtime) -> Latencies {
        let (tell, answers) = mpsc::channel();
        let start = Instant::now();
        at_rate(
            RATE,
            || start.elapsed() < WINDOW,
            |number, due| {
                let (asker, tell) = (Arc::clone(self), tell.clone());
                runtime.spawn(async move {
                    let answer = asker.ask(number).await;
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

/// Those who ask the server, and those who ask the bare route.
pub(crate) struct Askers {
    pub(crate) runtime: Runtime,
    /// The bare route has threads of its own, as the server has.
    _bare: Runtime,
    public: Arc<Asker>,
    bare: Arc<Asker>,
}

impl Askers {
    /// Asks the server once, and lets the bare route answer the same.
    pub(crate) fn of(url: &str) -> anyhow::Result<Self> {
        let (runtime, theirs) = (Runtime::new()?, Runtime::new()?);
        let mut public = Asker::new(url)?;
        public.expected = runtime.block_on(public.ask(0))?;
        ensure!(
            public.expected.starts_with(br#"{"data":{"properties""#),
            "the server answers {:?}",
            public.expected
        );
        let mut bare = Asker::new(&theirs.block_on(serve_bare(public.expected.clone()))?)?;
        bare.expected = public.expected.clone();
        Ok(Self {
            runtime,
            _bare: theirs,
            public: Arc::new(public),
            bare: Arc::new(bare),
        })
    }

    /// A window of the public query, and at the same time of the bare route.
    pub(crate) fn window(&self) -> (Latencies, Latencies) {
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
}

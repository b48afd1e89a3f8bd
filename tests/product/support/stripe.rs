//! A payment provider of a test's own: localstripe, which knows what it was asked for and speaks as Stripe does; and a bad line to it.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use rand::{RngExt as _, SeedableRng as _, rngs::Xoshiro256PlusPlus};
use reqwest::Client;
use serde_json::Value;
use tokio::{net::TcpListener, sync::Mutex};

use super::required;

/// The secret key that it is asked with; it takes any.
pub const SECRET_KEY: &str = "sk_test_staygate";
/// What its notices are signed with.
pub const WEBHOOK_SECRET: &str = "whsec_staygate";

/// A running localstripe; it goes down with this handle.
pub struct Stripe {
    server: Child,
    port: u16,
    client: Client,
}

impl Stripe {
    pub fn start() -> Self {
        let python = required("STAYGATE_TEST_STRIPE");
        let mut server = Command::new(python)
            .args([
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stripe/server.py"),
                "0",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("localstripe starts: tests/run installs it");
        let said = BufReader::new(server.stdout.take().expect("what it says"));
        let port = said.lines().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("connections on ")?;
            port.parse().ok()
        });
        Self {
            server,
            port: port.expect("localstripe comes up"),
            client: client(),
        }
    }

    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it knows at a path below `/v1/`, such as `payment_intents/pi_1`.
    pub async fn knows(&self, path: &str) -> Value {
        let asked = self.client.get(format!("{}/v1/{path}", self.base()));
        let answer = asked.basic_auth(SECRET_KEY, Some("")).send().await;
        answer.expect("an answer").json().await.expect("JSON")
    }

    /// Everything of a list, such as `charges`.
    pub async fn all(&self, list: &str) -> Vec<Value> {
        let all = self.knows(&format!("{list}?limit=100000")).await;
        all["data"].as_array().expect("a list").clone()
    }

    /// Does something there that no server asked for, such as a click in its dashboard.
    pub async fn does(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let asked = self.client.post(format!("{}/v1/{path}", self.base()));
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let asked = asked
            .basic_auth(SECRET_KEY, Some(""))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await;
        asked.expect("an answer").json().await.expect("JSON")
    }

    /// Has it send its notices to a server.
    pub async fn tells(&self, server: &str) {
        let hook = serde_json::json!({ "url": format!("{server}/webhooks/stripe"), "secret": WEBHOOK_SECRET });
        let asked = self
            .client
            .post(format!("{}/_config/webhooks/test", self.base()));
        let answer = asked.json(&hook).send().await.expect("an answer");
        assert!(answer.status().is_success());
    }
}

fn client() -> Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = Client::builder().timeout(Duration::from_mins(1));
    client.build().expect("a client")
}

impl Drop for Stripe {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// What a server needs to be told to take its payments somewhere.
pub fn settings(base: &str) -> [(&'static str, String); 3] {
    [
        ("STRIPE_API_BASE", base.to_owned()),
        ("STRIPE_SECRET_KEY", SECRET_KEY.to_owned()),
        ("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
    ]
}

/// A bad line to a provider: one call in nine is lost before it gets there, one in nine after it was done, one in nine fails there after it was done, one in nine is
/// slow. As at Stripe, what was answered to a call with a key is answered again to each call with it
/// (<https://docs.stripe.com/api/idempotent_requests>). It goes down with the runtime.
pub struct BadLine {
    base: String,
    line: Arc<Line>,
}

struct Line {
    to: String,
    client: Client,
    calls: AtomicU64,
    seed: u64,
    /// Of nine calls, so many are lost before they get there.
    bad: AtomicU64,
    /// Whether each call with a key fails over there, undone.
    fails_with_a_key: AtomicBool,
    /// Whether each call is done and its answer lost.
    loses_answers: AtomicBool,
    answered: Mutex<HashMap<String, (StatusCode, Bytes)>>,
    /// What came along with each call.
    headers: std::sync::Mutex<Vec<HeaderMap>>,
}

impl BadLine {
    pub async fn to(stripe: &Stripe, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let line = Arc::new(Line {
            to: stripe.base(),
            client: client(),
            calls: AtomicU64::new(0),
            seed,
            bad: AtomicU64::new(1),
            fails_with_a_key: AtomicBool::new(false),
            loses_answers: AtomicBool::new(false),
            answered: Mutex::default(),
            headers: std::sync::Mutex::default(),
        });
        let router = Router::new()
            .fallback(passes_on)
            .with_state(Arc::clone(&line));
        tokio::spawn(async { axum::serve(listener, router).await });
        Self {
            base: format!("http://{address}"),
            line,
        }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    /// How many calls came.
    pub fn calls(&self) -> u64 {
        self.line.calls.load(Ordering::Relaxed)
    }

    /// What came along with each call.
    pub fn headers(&self) -> Vec<HeaderMap> {
        let headers = self.line.headers.lock();
        headers.expect("nobody broke off").clone()
    }

    /// From now on nothing goes wrong.
    pub fn is_mended(&self) {
        self.line.bad.store(0, Ordering::Relaxed);
        self.line.fails_with_a_key.store(false, Ordering::Relaxed);
        self.line.loses_answers.store(false, Ordering::Relaxed);
    }

    /// From now on the provider fails whatever has a key, and does none of it.
    pub fn fails_what_has_a_key(&self) {
        self.line.fails_with_a_key.store(true, Ordering::Relaxed);
    }

    /// From now on everything is done, and nothing answered.
    pub fn loses_answers(&self) {
        self.line.loses_answers.store(true, Ordering::Relaxed);
    }

    /// From now on nothing comes through.
    pub fn is_cut(&self) {
        self.line.bad.store(9, Ordering::Relaxed);
    }
}

async fn passes_on(State(line): State<Arc<Line>>, request: Request) -> Response {
    let number = line.calls.fetch_add(1, Ordering::Relaxed);
    let headers = line.headers.lock();
    headers
        .expect("nobody broke off")
        .push(request.headers().clone());
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(line.seed.wrapping_add(number));
    let fate = chance.random_range(0..9_u64);
    let bad = line.bad.load(Ordering::Relaxed);
    if fate < bad {
        return match chance.random_range(0..3) {
            0 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            1 => StatusCode::TOO_MANY_REQUESTS.into_response(),
            _ => broken(),
        };
    }
    let is_bad = bad > 0;
    if is_bad && fate == 8 {
        tokio::time::sleep(Duration::from_millis(chance.random_range(50..500))).await;
    }
    let fails = if line.fails_with_a_key.load(Ordering::Relaxed) {
        Fails::Before
    } else if is_bad && fate == 6 {
        Fails::After
    } else {
        Fails::Not
    };
    let answer = line.is_answered(request, fails).await;
    if is_bad && fate == 7 || line.loses_answers.load(Ordering::Relaxed) {
        return broken();
    }
    answer.into_response()
}

/// Whether the provider fails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fails {
    Not,
    /// Before it has done what it was asked for.
    Before,
    /// After that.
    After,
}

/// An answer that breaks off in the middle.
fn broken() -> Response {
    let parts = [
        Ok(Bytes::from_static(b"{\"id\":")),
        Err(std::io::Error::other("the line is cut")),
    ];
    Body::from_stream(futures_util::stream::iter(parts)).into_response()
}

impl Line {
    /// The provider's answer. One to a call with a key is the same for ever.
    async fn is_answered(&self, request: Request, fails: Fails) -> (StatusCode, Bytes) {
        let failed = || (StatusCode::INTERNAL_SERVER_ERROR, Bytes::new());
        let key = request.headers().get("idempotency-key");
        let Some(key) = key.map(|key| key.to_str().expect("text").to_owned()) else {
            let answer = self.passes_on(request).await;
            return if fails == Fails::After {
                failed()
            } else {
                answer
            };
        };
        let mut answered = self.answered.lock().await;
        if let Some(answer) = answered.get(&key) {
            return answer.clone();
        }
        let answer = match fails {
            Fails::Before => failed(),
            Fails::After => {
                self.passes_on(request).await;
                failed()
            }
            Fails::Not => self.passes_on(request).await,
        };
        answered.insert(key, answer.clone());
        answer
    }

    async fn passes_on(&self, request: Request) -> (StatusCode, Bytes) {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
        let mut headers = parts.headers;
        headers.remove("host");
        let asked = self
            .client
            .request(parts.method, format!("{}{}", self.to, parts.uri))
            .headers(headers)
            .body(body);
        let answer = asked.send().await.expect("localstripe answers");
        let status = answer.status();
        let body = answer.bytes().await.expect("an answer");
        (status, body)
    }
}

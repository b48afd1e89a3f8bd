//! Sends what is refused, and looks how.

use std::{
    fmt,
    net::Ipv4Addr,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use reqwest::{Client, header};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    kinds::{self, Kind, Refusal, Sent},
    sockets,
};
use crate::common::server::Server;

/// How many networks it comes from.
pub(super) const NETWORKS: usize = 4;
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The flood, and what was said to it.
pub(super) struct Flood {
    client: Client,
    url: String,
    kinds: Vec<(Kind, Counts)>,
    /// Whether the server may refuse anything because of who sends it.
    is_limited: bool,
    /// How late each request was sent, in milliseconds.
    late: Mutex<Vec<f64>>,
    first_wrong: OnceLock<String>,
}

/// How often a kind was answered how.
#[derive(Default)]
struct Counts {
    /// For its own reason.
    refused: AtomicU32,
    /// Because its sender has no rate left.
    limited: AtomicU32,
    /// In any other way.
    wrong: AtomicU32,
}

/// How a part of the flood was sent.
pub(super) struct Sending {
    pub(super) sent: u32,
    /// The 99th percentile, in milliseconds.
    pub(super) late: f64,
}

impl Flood {
    /// Gets ready against a server of the demo, whose rates are `on` or `off`.
    pub(super) async fn of(server: &Server, rates: &str) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(TIMEOUT).build()?;
        let url = server.url.clone();
        let guests = access_token(&client, &url, "guest@example.com").await?;
        let hosts = access_token(&client, &url, "host@example.com").await?;
        // What one token says, with the signature of the other: it is refused only once the signature is looked at.
        let (says, _) = guests.rsplit_once('.').context("a JWT")?;
        let (_, signature) = hosts.rsplit_once('.').context("a JWT")?;
        let kinds = kinds::all(&format!("{says}.{signature}"));
        Ok(Self {
            client,
            url,
            kinds: kinds
                .into_iter()
                .map(|kind| (kind, Counts::default()))
                .collect(),
            is_limited: rates == "on",
            late: Mutex::default(),
            first_wrong: OnceLock::new(),
        })
    }

    /// Takes note of a request that is sent now.
    pub(super) fn is_sent(&self, due: Instant) {
        let late = due.elapsed().as_secs_f64() * 1_000.0;
        self.late.lock().expect("nobody panics with it").push(late);
    }

    /// How it was sent since this was asked for last.
    pub(super) fn sending(&self) -> Sending {
        let mut late = std::mem::take(&mut *self.late.lock().expect("nobody panics with it"));
        late.sort_by(f64::total_cmp);
        Sending {
            sent: u32::try_from(late.len()).unwrap_or(u32::MAX),
            late: late.get(late.len() * 99 / 100).copied().unwrap_or_default(),
        }
    }

    /// Sends one; the kinds take turns, and so do the networks.
    pub(super) async fn send(&self, number: usize) {
        let (kind, counts) = &self.kinds[number % self.kinds.len()];
        let network = number / self.kinds.len() % NETWORKS;
        // Addresses that are set aside for examples (RFC 5737).
        let from = Ipv4Addr::new(203, 0, 113, u8::try_from(network).unwrap_or_default());
        let answer = match &kind.sent {
            Sent::Post {
                body,
                token,
                refusal,
            } => {
                let mut request = self.client.post(&self.url).body(body.clone());
                if let Some(token) = token {
                    request = request.bearer_auth(token);
                }
                self.post(request, &from.to_string(), refusal).await
            }
            Sent::Message { text, close } => {
                let said = timeout(TIMEOUT, sockets::say(&self.url, &from.to_string(), text)).await;
                match said {
                    Ok(Ok(code)) if code == *close => Ok(Answer::Refused),
                    other => Err(format!("{other:?}")),
                }
            }
        };
        let count = match answer {
            Ok(Answer::Refused) => &counts.refused,
            Ok(Answer::Limited) if self.is_limited => &counts.limited,
            other => {
                self.first_wrong
                    .get_or_init(|| format!("{}: {other:?}", kind.name));
                &counts.wrong
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    async fn post(
        &self,
        request: reqwest::RequestBuilder,
        from: &str,
        refusal: &Refusal,
    ) -> Result<Answer, String> {
        let request = request
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/graphql-response+json")
            .header("x-forwarded-for", from);
        let answer = request.send().await.map_err(|error| format!("{error:?}"))?;
        let status = answer.status().as_u16();
        let answer = answer.bytes().await.map_err(|error| format!("{error:?}"))?;
        let json: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
        let extension = |path| json.pointer(path).and_then(Value::as_str);
        let code = extension("/errors/0/extensions/code");
        let limit = extension("/errors/0/extensions/limit/name");
        if (status, code, limit) == (refusal.status, Some(refusal.code), refusal.limit) {
            Ok(Answer::Refused)
        } else if (status, code) == (429, Some("RATE_LIMITED")) {
            Ok(Answer::Limited)
        } else {
            Err(format!("{status} {json}"))
        }
    }

    /// How many were answered as they should not have been.
    pub(super) fn wrong(&self) -> u32 {
        let wrong = self.kinds.iter().map(|(_, counts)| &counts.wrong);
        wrong.map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Whether each kind was sent, and refused as it should be.
    pub(super) fn is_answered(&self) -> bool {
        let answered = |(_, counts): &(Kind, Counts)| {
            counts.refused.load(Ordering::Relaxed) + counts.limited.load(Ordering::Relaxed) > 0
        };
        self.wrong() == 0 && self.kinds.iter().all(answered)
    }
}

/// How a request was answered.
#[derive(Debug)]
enum Answer {
    Refused,
    Limited,
}

async fn access_token(client: &Client, url: &str, email: &str) -> anyhow::Result<String> {
    let query = "mutation($input: SignInInput!) { signIn(input: $input) { accessToken } }";
    let input = json!({ "email": email, "password": "demo-password" });
    let body = json!({ "query": query, "variables": { "input": input } });
    let request = client
        .post(url)
        .header(header::CONTENT_TYPE, "application/json");
    let answer = request.body(body.to_string()).send().await?.bytes().await?;
    let answer: Value = serde_json::from_slice(&answer)?;
    let token = answer
        .pointer("/data/signIn/accessToken")
        .and_then(Value::as_str);
    ensure!(token.is_some(), "{email} is not signed in: {answer}");
    Ok(token.unwrap_or_default().to_owned())
}

impl fmt::Display for Flood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<26} {:>10} {:>8} {:>8}",
            "", "refused", "by rate", "wrong"
        )?;
        for (kind, counts) in &self.kinds {
            let of = |count: &AtomicU32| count.load(Ordering::Relaxed);
            let (refused, limited) = (of(&counts.refused), of(&counts.limited));
            let wrong = of(&counts.wrong);
            writeln!(f, "{:<26} {refused:>10} {limited:>8} {wrong:>8}", kind.name)?;
        }
        match self.first_wrong.get() {
            Some(first) => writeln!(f, "The first that was answered wrongly: {first}"),
            None => Ok(()),
        }
    }
}

//! A market: hosts with twenty homes, and what clients ask of it and are told.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::Figures;
use crate::support::Client;

/// Homes in the market.
const HOMES: usize = 20;

/// What was done to a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Paid,
    Changed,
    Cancelled,
    Accepted,
    Declined,
}

/// What clients know of a booking.
#[derive(Debug, Default, Clone)]
pub struct Known {
    pub instant: bool,
    /// Who can ask for it.
    pub trader: usize,
    /// What it was made with.
    pub input: Value,
    /// What it was made or last changed with, as far as clients were told.
    pub stay: Value,
    /// What they were told is done.
    pub told: Vec<Deed>,
    /// What they asked for without an answer.
    pub asked: Vec<Deed>,
}

/// What became of a mutation.
pub enum Answer {
    Payload(Value),
    /// Refused for a reason that no client can mend, which no storm may bring about.
    Fault,
    /// The connection broke.
    CutOff,
}

/// A home, and who lets it.
pub struct Home {
    pub id: String,
    pub host: Client,
    pub instant: bool,
}

/// The market, as its clients see it.
pub struct Market {
    pub homes: Vec<Home>,
    pub today: NaiveDate,
    /// By the bookings' ids.
    known: Mutex<HashMap<String, Known>>,
    /// Paid requests that wait for their host.
    pub requests: Mutex<Vec<(String, usize)>>,
    attempts: AtomicUsize,
    pub figures: Figures,
}

impl Market {
    /// Opens one with four hosts.
    pub async fn open(stranger: &Client, today: NaiveDate) -> Self {
        let mut homes = vec![];
        for n in 0..4 {
            let host = person(stranger, &format!("host{n}"), "HOST").await;
            for home in homes.len()..homes.len() + HOMES / 4 {
                let instant = home % 2 == 0;
                let policy = ["FLEXIBLE", "MODERATE", "STRICT"][home % 3];
                let id = host
                    .lists(json!({
                        "instantBook": instant, "cancellationPolicy": policy,
                        "pricePerNight": format!("{}.{:02}", 50 + home, home * 7 % 100),
                    }))
                    .await;
                homes.push(Home {
                    id,
                    host: host.clone(),
                    instant,
                });
            }
        }
        Self {
            homes,
            today,
            known: Mutex::default(),
            requests: Mutex::default(),
            attempts: AtomicUsize::new(0),
            figures: Figures::default(),
        }
    }

    /// Attempts to book until now.
    pub fn attempts(&self) -> usize {
        self.attempts.load(Ordering::Relaxed)
    }

    /// Whether so many may still be attempted; counts one.
    pub fn attempt(&self, most: usize) -> bool {
        self.attempts.fetch_add(1, Ordering::Relaxed) < most
    }

    pub fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to a booking, and keeps what is asked for and what was told.
    pub async fn does(
        &self,
        deed: Deed,
        id: &str,
        mutation: impl Future<Output = Answer>,
    ) -> Answer {
        if let Some(known) = self.known().get_mut(id) {
            known.asked.push(deed);
        }
        let answer = mutation.await;
        let Answer::Payload(payload) = &answer else {
            return answer;
        };
        let mut known = self.known();
        if let Some(known) = known.get_mut(id) {
            known.asked.retain(|asked| *asked != deed);
            // Who paid too late is told that the money went back.
            let came_back = payload["payment"]["status"] == "REFUNDED";
            if payload["userErrors"] == json!([]) && !came_back {
                known.told.push(deed);
            }
        }
        drop(known);
        answer
    }

    pub async fn mutate(
        &self,
        client: &Client,
        name: &str,
        argument: (&str, &str),
        value: Value,
        selection: &str,
    ) -> Answer {
        let (argument, kind) = argument;
        let query = format!(
            "mutation($v: {kind}) {{ {name}({argument}: $v) {{ {selection} userErrors {{ code message }} }} }}"
        );
        let request = client
            .request(reqwest::Method::POST, "/graphql")
            .timeout(Duration::from_mins(1))
            .json(&json!({ "query": query, "variables": { "v": value } }));
        let Ok(answer) = request.send().await else {
            return Answer::CutOff;
        };
        let status = answer.status();
        let Ok(text) = answer.text().await else {
            return Answer::CutOff;
        };
        let mut body: Value = serde_json::from_str(&text).unwrap_or_default();
        if status != 200 || body.get("errors").is_some() || body["data"][name].is_null() {
            self.figures.fault(format!("{name}: {status} {text}"));
            return Answer::Fault;
        }
        let payload = body["data"][name].take();
        let outcome = payload["userErrors"][0]["code"].as_str().unwrap_or("done");
        self.figures.count(format!("{name} {outcome}"));
        Answer::Payload(payload)
    }

    pub async fn create(&self, client: &Client, input: Value) -> Answer {
        let input_type = ("input", "CreateBookingInput!");
        self.mutate(client, "createBooking", input_type, input, "booking { id }")
            .await
    }

    /// Makes a booking again with the input, and so the key, that it was made with. Gives its id.
    pub async fn repeats(&self, client: &Client, input: Value) -> Option<String> {
        match self.create(client, input).await {
            Answer::Payload(payload) => payload["booking"]["id"].as_str().map(str::to_owned),
            Answer::Fault | Answer::CutOff => None,
        }
    }
}

/// Signs somebody up.
pub async fn person(stranger: &Client, name: &str, role: &str) -> Client {
    let input = json!({
        "fullName": name, "email": format!("{name}@example.com"), "password": "a good password", "role": role,
    });
    stranger.sign_up(input).await
}

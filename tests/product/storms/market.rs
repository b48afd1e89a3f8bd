//! A market and its traders: hosts with twenty homes, and guests who book, pay, change and cancel at random.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::NaiveDate;
use rand::{RngExt as _, SeedableRng as _, rngs::Xoshiro256PlusPlus, seq::IndexedRandom as _};
use serde_json::{Value, json};

use super::Figures;
use crate::support::Client;

/// Homes in the market.
const HOMES: usize = 20;
/// How many days ahead the first night of a stay is at most.
const MONTH: i64 = 30;

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
    /// What they were told is done.
    pub told: Vec<Deed>,
    /// What they asked for without an answer.
    pub asked: Vec<Deed>,
}

/// What became of a mutation.
enum Answer {
    Payload(Value),
    /// Refused for a reason that no client can mend, which no storm may bring about.
    Fault,
    /// The connection broke.
    CutOff,
}

/// A home, and who lets it.
struct Home {
    id: String,
    host: Client,
    instant: bool,
}

/// The market, as its clients see it.
pub struct Market {
    homes: Vec<Home>,
    today: NaiveDate,
    /// By the bookings' ids.
    known: Mutex<HashMap<String, Known>>,
    /// Paid requests that wait for their host.
    requests: Mutex<Vec<(String, usize)>>,
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
    fn attempt(&self, most: usize) -> bool {
        self.attempts.fetch_add(1, Ordering::Relaxed) < most
    }

    pub fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to a booking, and keeps what is asked for and what was told.
    async fn does(&self, deed: Deed, id: &str, mutation: impl Future<Output = Answer>) -> Answer {
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
            if payload["userErrors"] == json!([]) {
                known.told.push(deed);
            }
        }
        drop(known);
        answer
    }

    async fn mutate(
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

    async fn create(&self, client: &Client, input: Value) -> Answer {
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

/// A guest who books at random.
pub struct Trader {
    /// The same person at each instance.
    pub clients: Vec<Client>,
    number: usize,
    chance: Xoshiro256PlusPlus,
    own: Vec<String>,
    /// What was asked for with a key, without an answer.
    pub unanswered: Vec<Value>,
}

impl Trader {
    pub fn new(number: usize, clients: Vec<Client>) -> Self {
        Self {
            clients,
            number,
            chance: Xoshiro256PlusPlus::seed_from_u64(number as u64),
            own: vec![],
            unanswered: vec![],
        }
    }

    /// Trades until the market has seen so many attempts to book, or the connection breaks.
    pub async fn trades(&mut self, market: &Market, most: usize) {
        loop {
            let done = match self.chance.random_range(0..100) {
                0..60 if !market.attempt(most) => return,
                0..60 => self.books(market).await,
                60..66 => self.pays(market).await,
                66..80 => self.cancels(market).await,
                80..90 => self.changes(market).await,
                _ => self.answers(market).await,
            };
            if done.is_none() {
                return;
            }
            if market.attempts() >= most {
                return;
            }
        }
    }

    fn client(&mut self) -> Client {
        let client = self.clients.choose(&mut self.chance);
        client.expect("an instance").clone()
    }

    fn dates(&mut self, market: &Market) -> (String, String) {
        let check_in =
            market.today + chrono::Duration::days(1 + self.chance.random_range(0..MONTH));
        let check_out = check_in + chrono::Duration::days(self.chance.random_range(1..=4));
        (check_in.to_string(), check_out.to_string())
    }

    /// None when the connection broke, here and below.
    async fn books(&mut self, market: &Market) -> Option<()> {
        let home = market.homes.choose(&mut self.chance).expect("a home");
        let (check_in, check_out) = self.dates(market);
        let mut input = json!({
            "propertyId": home.id, "checkIn": check_in, "checkOut": check_out, "guests": self.chance.random_range(1..=4),
        });
        let has_key = self.chance.random_bool(0.5);
        if has_key {
            input["idempotencyKey"] = json!(format!("{}", self.chance.random::<u64>()));
        }
        let client = self.client();
        let answer = if has_key && self.chance.random_bool(0.5) {
            let other = self.client();
            let (one, two) = tokio::join!(
                market.create(&client, input.clone()),
                market.create(&other, input.clone()),
            );
            if let (Answer::Payload(one), Answer::Payload(two)) = (&one, &two) {
                let (one, two) = (&one["booking"]["id"], &two["booking"]["id"]);
                if !one.is_null() && !two.is_null() && one != two {
                    market
                        .figures
                        .fault(format!("two bookings of one key: {one} {two}"));
                }
            }
            match (one, two) {
                (Answer::Payload(one), Answer::Payload(two)) if one["booking"].is_null() => {
                    Answer::Payload(two)
                }
                (Answer::CutOff, other) => other,
                (one, _) => one,
            }
        } else {
            market.create(&client, input.clone()).await
        };
        let payload = match answer {
            Answer::Payload(payload) => payload,
            Answer::Fault => return Some(()),
            Answer::CutOff => {
                if has_key {
                    self.unanswered.push(input);
                }
                return None;
            }
        };
        if let Some(id) = payload["booking"]["id"].as_str() {
            let known = Known {
                instant: home.instant,
                trader: self.number,
                input,
                ..Known::default()
            };
            market.known().insert(id.to_owned(), known);
            self.own.push(id.to_owned());
            if self.chance.random_bool(0.6) {
                return self.pays_for(market, id.to_owned()).await;
            }
        }
        Some(())
    }

    async fn pays(&mut self, market: &Market) -> Option<()> {
        match self.own.choose(&mut self.chance).cloned() {
            Some(id) => self.pays_for(market, id).await,
            None => Some(()),
        }
    }

    async fn pays_for(&mut self, market: &Market, id: String) -> Option<()> {
        let token = if self.chance.random_bool(0.1) {
            "tok_chargeDeclined"
        } else {
            "tok_visa"
        };
        let input = json!({ "bookingId": id, "paymentToken": token });
        let client = self.client();
        let kind = ("input", "CreatePaymentInput!");
        let pays = market.mutate(&client, "createPayment", kind, input, "payment { status }");
        let answer = market.does(Deed::Paid, &id, pays).await;
        if let Answer::Payload(payload) = &answer
            && payload["payment"]["status"] == "PENDING"
        {
            let requests = market.requests.lock();
            requests
                .unwrap_or_else(PoisonError::into_inner)
                .push((id, self.number));
        }
        unless_cut_off(&answer)
    }

    async fn cancels(&mut self, market: &Market) -> Option<()> {
        if self.own.is_empty() {
            return Some(());
        }
        let id = self
            .own
            .swap_remove(self.chance.random_range(0..self.own.len()));
        let client = self.client();
        let cancels = market.mutate(&client, "cancelBooking", ("id", "ID!"), json!(id), "");
        unless_cut_off(&market.does(Deed::Cancelled, &id, cancels).await)
    }

    async fn changes(&mut self, market: &Market) -> Option<()> {
        let Some(id) = self.own.choose(&mut self.chance).cloned() else {
            return Some(());
        };
        let (check_in, check_out) = self.dates(market);
        let input = json!({
            "id": id, "checkIn": check_in, "checkOut": check_out, "guests": self.chance.random_range(1..=4),
        });
        let client = self.client();
        let kind = ("input", "UpdateBookingInput!");
        let changes = market.mutate(&client, "updateBooking", kind, input, "booking { id }");
        unless_cut_off(&market.does(Deed::Changed, &id, changes).await)
    }

    /// The host of some request says yes or no.
    async fn answers(&mut self, market: &Market) -> Option<()> {
        let request = {
            let requests = market.requests.lock();
            requests.unwrap_or_else(PoisonError::into_inner).pop()
        };
        let Some((id, _)) = request else {
            return Some(());
        };
        let home = market.known()[&id].input["propertyId"].clone();
        let home = market.homes.iter().find(|known| known.id == home);
        let home = home.expect("every booking is of a home");
        let (name, deed) = if self.chance.random_bool(0.7) {
            ("acceptBooking", Deed::Accepted)
        } else {
            ("declineBooking", Deed::Declined)
        };
        let host = home.host.at(self.client().base());
        let answers = market.mutate(&host, name, ("id", "ID!"), json!(id), "");
        unless_cut_off(&market.does(deed, &id, answers).await)
    }
}

const fn unless_cut_off(answer: &Answer) -> Option<()> {
    match answer {
        Answer::CutOff => None,
        Answer::Payload(_) | Answer::Fault => Some(()),
    }
}

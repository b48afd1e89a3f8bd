//! Guests who book, pay, change and cancel at random, and have hosts answer them.

use std::sync::PoisonError;

use rand::{RngExt as _, SeedableRng as _, rngs::Xoshiro256PlusPlus, seq::IndexedRandom as _};
use serde_json::{Value, json};

use super::market::{Answer, Deed, Known, Market};
use crate::support::Client;

/// How many days ahead the first night of a stay is at most.
const MONTH: i64 = 30;

/// A guest who books at random.
pub struct Trader {
    /// The same person at each instance.
    pub clients: Vec<Client>,
    number: usize,
    chance: Xoshiro256PlusPlus,
    own: Vec<String>,
    /// What was asked for without an answer: at most one, as nobody goes on after that.
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
            let key = uuid::Builder::from_random_bytes(self.chance.random()).into_uuid();
            input["idempotencyKey"] = json!(key);
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
            let has_booking = |answer: &Answer| matches!(answer, Answer::Payload(payload) if !payload["booking"].is_null());
            // Where the one was refused and the other is not answered, it may have been made for the other.
            let is_other = has_booking(&two) || matches!(two, Answer::CutOff);
            if is_other && !has_booking(&one) {
                two
            } else {
                one
            }
        } else {
            market.create(&client, input.clone()).await
        };
        let payload = match answer {
            Answer::Payload(payload) => payload,
            Answer::Fault => return Some(()),
            Answer::CutOff => {
                self.unanswered.push(input);
                return None;
            }
        };
        if let Some(id) = payload["booking"]["id"].as_str() {
            let known = Known {
                instant: home.instant,
                trader: self.number,
                stay: input.clone(),
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
        let selection = "booking { id }";
        let changes = market.mutate(&client, "updateBooking", kind, input.clone(), selection);
        let answer = market.does(Deed::Changed, &id, changes).await;
        if let Answer::Payload(payload) = &answer
            && payload["userErrors"] == json!([])
            && let Some(known) = market.known().get_mut(&id)
        {
            known.stay = input;
        }
        unless_cut_off(&answer)
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

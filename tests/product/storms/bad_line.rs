//! Guests who pay, and get money back, over a bad line to the provider, while the server is killed again and again.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use sea_orm::EntityTrait as _;
use serde_json::{Value, json};
use staygate::{
    domain::{
        clock::{Clock as _, SystemClock},
        payment::PaymentStatus,
    },
    entity::{payment, refund},
    store::db::Db,
};
use tokio::sync::watch;

use super::{crash::connect, market::person, scaled};
use crate::support::{BadLine, Client, Process, Stripe, a_postgres_database, stripe_settings};

const GUESTS: usize = 20;
/// How often the server is killed.
const KILLS: usize = 4;
/// How long it may take until all is settled, once nobody does anything any more: some looks, of which a third and more go wrong.
const PATIENCE: Duration = Duration::from_mins(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_money_moves_twice_or_is_lost_over_a_bad_line_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("staygate.db").display());
    storm("money on SQLite", &url, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_money_moves_twice_or_is_lost_over_a_bad_line_on_postgres() {
    let folder = tempfile::tempdir().expect("a folder");
    let (url, _) = a_postgres_database().await;
    storm("money on PostgreSQL", &url, folder.path()).await;
}

async fn storm(title: &str, url: &str, folder: &std::path::Path) {
    let bookings = scaled(1_000, 40);
    let stripe = Stripe::start();
    let line = BadLine::to(&stripe, 20_261_123).await;
    let provider = stripe_settings(line.base());
    let mut settings = vec![("DATABASE_URL", url)];
    settings.extend(provider.iter().map(|(name, value)| (*name, value.as_str())));
    let mut server = Process::serves(folder, &settings).await;
    stripe.tells(server.base()).await;
    let stranger = Client::new(server.base());
    let began = Instant::now();
    let mut pairs = vec![];
    for n in 0..GUESTS {
        let host = person(&stranger, &format!("host{n}"), "HOST").await;
        let home = host.lists(json!({ "instantBook": n % 2 == 0 })).await;
        pairs.push((
            person(&stranger, &format!("guest{n}"), "GUEST").await,
            host,
            home,
        ));
    }
    let done = Arc::new(AtomicUsize::new(0));
    let (address, moved) = watch::channel(server.base().to_owned());
    let paying = pairs
        .into_iter()
        .enumerate()
        .map(|(number, (guest, host, home))| {
            let payer = Payer {
                guest,
                host,
                home,
                instant: number % 2 == 0,
                server: moved.clone(),
                done: Arc::clone(&done),
            };
            tokio::spawn(payer.pays_for(number, bookings.div_ceil(GUESTS)))
        });
    let paying: Vec<_> = paying.collect();
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    for kill in 1..=KILLS {
        while done.load(Ordering::Relaxed) < 2 * bookings * kill / (KILLS + 1) {
            looks.tick().await;
        }
        server.is_killed().await;
        server = Process::serves(folder, &settings).await;
        stripe.tells(server.base()).await;
        address.send_replace(server.base().to_owned());
    }
    for paid in join_all(paying).await {
        paid.expect("no client panics");
    }
    let paid = began.elapsed();
    let db = connect(url).await;
    let quiet = Instant::now();
    while !is_settled(&db).await {
        assert!(quiet.elapsed() < PATIENCE, "{:?}", unsettled(&db).await);
        looks.tick().await;
    }
    let settled = quiet.elapsed();
    let (charged, refunded) = agrees(&db, &stripe).await;
    println!(
        "{title}: {} bookings by {GUESTS} guests in {paid:.1?}, {KILLS} kills, {} calls over the line; {charged} charges and {refunded} refunds, all settled {settled:.1?} after the last client",
        done.load(Ordering::Relaxed) / 2,
        line.calls(),
    );
    assert!(
        charged > bookings / 2 && refunded > bookings / 20,
        "{charged} charges, {refunded} refunds"
    );
}

/// A guest of one home, and its host.
struct Payer {
    guest: Client,
    host: Client,
    home: String,
    instant: bool,
    server: watch::Receiver<String>,
    done: Arc<AtomicUsize>,
}

impl Payer {
    async fn pays_for(self, number: usize, bookings: usize) {
        let today = SystemClock.now().date_naive();
        let mut booked_all = vec![];
        for n in 0..bookings {
            let check_in = today + chrono::Duration::days(2 + i64::try_from(n).expect("few") * 2);
            let check_out = check_in + chrono::Duration::days(1);
            let input = json!({ "propertyId": self.home, "checkIn": check_in, "checkOut": check_out, "guests": 1, "idempotencyKey": format!("book {n}") });
            let booked = self
                .asks(
                    &self.guest,
                    "createBooking",
                    "CreateBookingInput!",
                    &input,
                    "booking { id }",
                )
                .await;
            let Some(id) = booked["booking"]["id"].as_str() else {
                panic!("{booked}");
            };
            let input = json!({ "bookingId": id, "paymentToken": "pm_card_visa", "idempotencyKey": format!("pay {n}") });
            let paid = self
                .asks(
                    &self.guest,
                    "createPayment",
                    "CreatePaymentInput!",
                    &input,
                    "payment { id status }",
                )
                .await;
            assert_eq!(paid["userErrors"], json!([]), "{paid}");
            booked_all.push(id.to_owned());
            self.done.fetch_add(1, Ordering::Relaxed);
        }
        let mut looks = tokio::time::interval(Duration::from_millis(200));
        for (n, id) in booked_all.iter().enumerate() {
            // Its payment goes on by itself; the host says yes as soon as there is something to say yes to, and again when that was lost.
            while self.status_of(id).await == "PENDING" {
                looks.tick().await;
                if !self.instant {
                    drop(self.moves(&self.host, "acceptBooking", id).await);
                }
            }
            if (number + n).is_multiple_of(5) {
                let cancels = [&self.guest, &self.host][n % 2];
                drop(self.moves(cancels, "cancelBooking", id).await);
            }
            self.done.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn status_of(&self, id: &str) -> Value {
        let query = "query($id: ID!) { answer: booking(id: $id) { status } }";
        let booking = self.sends(&self.guest, query, &json!({ "id": id })).await;
        booking["status"].clone()
    }

    /// Asks until there is an answer, wherever the server then is: the key sees to it that it is done once.
    async fn asks(
        &self,
        who: &Client,
        name: &str,
        kind: &str,
        input: &Value,
        selection: &str,
    ) -> Value {
        let query = format!(
            "mutation($input: {kind}) {{ answer: {name}(input: $input) {{ {selection} userErrors {{ code message }} }} }}"
        );
        self.sends(who, &query, &json!({ "input": input })).await
    }

    /// The same for what takes a booking's id alone. A move that was made before says so.
    async fn moves(&self, who: &Client, name: &str, id: &str) -> Value {
        let query = format!(
            "mutation($id: ID!) {{ answer: {name}(id: $id) {{ userErrors {{ code message }} }} }}"
        );
        self.sends(who, &query, &json!({ "id": id })).await
    }

    async fn sends(&self, who: &Client, query: &str, variables: &Value) -> Value {
        loop {
            let base = self.server.borrow().clone();
            let request = who.at(&base).request(reqwest::Method::POST, "/graphql");
            let sent = request
                .json(&json!({ "query": query, "variables": variables }))
                .send()
                .await;
            let answer = match sent {
                Ok(answer) => answer.json::<Value>().await,
                Err(error) => Err(error),
            };
            match answer {
                Ok(answer) if answer["errors"].is_null() => {
                    return answer["data"]["answer"].clone();
                }
                Ok(answer) => panic!("{answer}"),
                // It is down, and comes up again.
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }
}

async fn unsettled(db: &Db) -> (Vec<payment::Model>, Vec<refund::Model>) {
    let payments = payment::Entity::find()
        .all(db.read())
        .await
        .expect("payments");
    let waits = |payment: &payment::Model| {
        payment.payment_status == PaymentStatus::Pending
            && (payment.authorized_at.is_none() || payment.capture_asked_at.is_some())
    };
    let refunds = refund::Entity::find()
        .all(db.read())
        .await
        .expect("refunds");
    (
        payments.into_iter().filter(waits).collect(),
        refunds
            .into_iter()
            .filter(|refund| refund.settled_at.is_none())
            .collect(),
    )
}

async fn is_settled(db: &Db) -> bool {
    let (payments, refunds) = unsettled(db).await;
    payments.is_empty() && refunds.is_empty()
}

/// Compares what the provider did with what stands in the tables, cent by cent. Gives how many charges and refunds there were.
async fn agrees(db: &Db, stripe: &Stripe) -> (usize, usize) {
    let payments = payment::Entity::find()
        .all(db.read())
        .await
        .expect("payments");
    let mut here: HashMap<String, (i64, i64)> = HashMap::new();
    for payment in &payments {
        let moved = !matches!(
            payment.payment_status,
            PaymentStatus::Pending | PaymentStatus::Failed
        );
        if let Some(digest) = payment.reference_digest.clone().filter(|_| moved) {
            here.insert(
                digest,
                (payment.amount.cents(), payment.refunded_amount.cents()),
            );
        }
    }
    let charges = stripe.all("charges").await;
    let mut there: HashMap<String, (i64, i64)> = HashMap::new();
    for charge in charges
        .iter()
        .filter(|charge| charge["status"] == "succeeded" && charge["captured"] == true)
    {
        let reference = charge["payment_intent"].as_str().expect("a payment");
        let digest = staygate::store::vault::fingerprint(reference);
        let sums = (
            charge["amount"].as_i64().expect("cents"),
            charge["amount_refunded"].as_i64().expect("cents"),
        );
        assert!(
            there.insert(digest, sums).is_none(),
            "{reference} was charged twice"
        );
    }
    assert_eq!(here, there);
    let refunds = stripe.all("refunds").await;
    let mut names: Vec<_> = refunds
        .iter()
        .map(|refund| refund["metadata"]["refund"].as_str().expect("a name"))
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "a refund was made twice");
    let mut balance: HashMap<i32, i64> = HashMap::new();
    for entry in staygate::entity::ledger_entry::Entity::find()
        .all(db.read())
        .await
        .expect("the books")
    {
        *balance.entry(entry.booking_id.0).or_default() += entry.amount.cents();
    }
    assert!(
        balance.values().all(|balance| *balance == 0),
        "the books of a booking are not zero"
    );
    (there.len(), all)
}

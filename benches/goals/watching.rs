//! Those who watch: how soon they hear of a change, and what they cost.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{
    booking::Nights,
    common::{
        figures::{Latencies, median},
        load::{Connection, write_post},
        pace::at_rate,
        server::Server,
    },
    data::Data,
    operations::property_id,
    readers::address,
    rows::Fact,
    sockets::Subscription,
    usage::Tree,
};

/// How many watch while things change.
pub(super) const WATCHERS: u32 = 500;
/// Changes a second.
const RATE: u32 = 200;
/// How many watch what does not change.
const IDLE: u32 = 10_000;
/// How many open their sockets at a time.
const OPENING: usize = 50;
/// After this the last have subscribed, and the last change has come.
const SETTLED: Duration = Duration::from_secs(2);

const BOOKINGS: &str = "subscription { viewerBookingStatusChanged { cursor to booking { id totalPrice { amount } } } }";

/// When a booking was asked for, and when it was answered.
struct Asked {
    at: Instant,
    answered: Instant,
}

/// What came of one round: milliseconds from the answer to a booking, and from asking for it, until its guest heard of it.
pub(super) struct Heard {
    answered: Latencies,
    asked: Latencies,
}

/// Guests who each watch their own bookings, and book by turns.
pub(super) struct Watchers {
    runtime: Runtime,
    url: String,
    tokens: Vec<String>,
    heard: mpsc::Receiver<(String, Instant)>,
    /// What a socket took of the server's memory, in KiB.
    memory: f64,
}

impl Watchers {
    pub(super) fn open(server: &Server, tokens: Vec<String>) -> anyhow::Result<Self> {
        let runtime = runtime()?;
        let process = Tree(server.process.id());
        let before = process.memory();
        let (tell, heard) = mpsc::channel();
        for (number, token) in (0..).zip(&tokens) {
            let opening = Subscription::open(&server.url, number, Some(token), BOOKINGS);
            let mut subscription = runtime.block_on(opening)?;
            let tell = tell.clone();
            runtime.spawn(async move {
                while let Ok(Some(event)) = subscription.next().await {
                    let path = "/data/viewerBookingStatusChanged/booking/id";
                    let id = event
                        .pointer(path)
                        .and_then(Value::as_str)
                        .unwrap_or_default();
                    // Nobody listens any more at the end.
                    let _ = tell.send((id.to_owned(), Instant::now()));
                }
            });
        }
        thread::sleep(SETTLED);
        let memory = (process.memory() - before) * 1e6 / 1_024.0 / f64::from(WATCHERS);
        Ok(Self {
            runtime,
            url: server.url.clone(),
            tokens,
            heard,
            memory,
        })
    }

    /// Books for so long, and hears of it.
    pub(super) fn round(&self, data: &Data, time: Duration) -> anyhow::Result<Heard> {
        let nights = Nights::of_server(data)?;
        let address = address(&self.url)?;
        let idle = Arc::new(Mutex::new(Vec::<Connection>::new()));
        let (tell, booked) = mpsc::channel();
        let start = Instant::now();
        at_rate(
            RATE,
            || start.elapsed() < time,
            |number, _| {
                let mut request = Vec::new();
                let slot = u32::try_from(number).unwrap_or_default();
                let token = &self.tokens[number % self.tokens.len()];
                write_post(
                    &mut request,
                    slot.into(),
                    Some(token),
                    &nights.booking(slot),
                );
                let (idle, tell) = (Arc::clone(&idle), tell.clone());
                self.runtime.spawn(async move {
                    let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    let asking = async {
                        let mut connection = match kept {
                            Some(connection) => connection,
                            None => Connection::open(address).await?,
                        };
                        let at = Instant::now();
                        let (_, answer) = connection.ask(&request).await?;
                        let answered = Instant::now();
                        let answer: Value = serde_json::from_str(answer)?;
                        let id = answer.pointer("/data/createBooking/booking/id");
                        let id = id
                            .and_then(Value::as_str)
                            .with_context(|| answer.to_string())?;
                        idle.lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(connection);
                        anyhow::Ok((id.to_owned(), Asked { at, answered }))
                    };
                    // Listened to until the last has told.
                    let _ = tell.send(asking.await);
                });
            },
        );
        drop(tell);
        let booked: HashMap<String, Asked> = booked.into_iter().collect::<Result<_, _>>()?;
        thread::sleep(SETTLED);
        let heard: HashMap<String, Instant> = self.heard.try_iter().collect();
        let took = |since: fn(&Asked) -> Instant| {
            let of = |(id, asked): (&String, &Asked)| {
                let after = heard.get(id)?.saturating_duration_since(since(asked));
                Some((after.as_secs_f64() * 1_000.0, true))
            };
            let never = (SETTLED.as_secs_f64() * 1_000.0, false);
            Latencies::of(booked.iter().map(|one| of(one).unwrap_or(never)).collect())
        };
        Ok(Heard {
            answered: took(|asked| asked.answered),
            asked: took(|asked| asked.at),
        })
    }

    /// What came of all rounds; and how many changes nobody heard of.
    pub(super) fn facts(&self, rounds: &[Heard]) -> (Vec<Fact>, u32) {
        let fact = |what: &str, most, value: fn(&Heard) -> f64| Fact {
            name: format!("{WATCHERS} subscribers, {RATE} bookings a second: {what}"),
            value: median(rounds.iter().map(value)),
            unit: "ms",
            most,
        };
        let facts = vec![
            fact("heard after the answer, p50", None, |one| one.answered.p50),
            fact("p99", Some(5.0), |one| one.answered.p99),
            fact("heard after asking, p50", None, |one| one.asked.p50),
            fact("p99", None, |one| one.asked.p99),
            Fact {
                name: format!("memory of each of {WATCHERS} subscribers"),
                value: self.memory,
                unit: "KiB",
                most: None,
            },
        ];
        let unheard = rounds.iter().map(|round| round.answered.wrong).sum();
        (facts, unheard)
    }
}

/// Lets ten thousand watch the nights of properties that nobody books.
pub(super) fn idle(server: &Server, properties: &[i32]) -> anyhow::Result<Vec<Fact>> {
    let runtime = runtime()?;
    let process = Tree(server.process.id());
    let before = process.memory();
    let open = |number: u32| async move {
        let property = property_id(properties[number as usize % properties.len()]);
        let query = format!(
            "subscription {{ availabilityChanged(propertyId: \"{property}\") {{ date available }} }}"
        );
        Subscription::open(&server.url, number, None, &query).await
    };
    let opened: Vec<Subscription> = runtime.block_on(
        stream::iter(0..IDLE)
            .map(open)
            .buffer_unordered(OPENING)
            .try_collect(),
    )?;
    let watching: Vec<_> = opened
        .into_iter()
        .map(|mut subscription| runtime.spawn(async move { subscription.next().await }))
        .collect();
    thread::sleep(SETTLED);
    let memory = process.memory();
    let ended = watching.iter().filter(|one| one.is_finished()).count();
    ensure!(ended == 0, "{ended} subscriptions ended");
    Ok(vec![
        Fact {
            name: format!("memory of a server with {IDLE} idle subscribers"),
            value: memory,
            unit: "MB",
            most: Some(150.0),
        },
        Fact {
            name: "of it for each".to_owned(),
            value: (memory - before) * 1e6 / 1_024.0 / f64::from(IDLE),
            unit: "KiB",
            most: Some(12.0),
        },
    ])
}

/// One thread: those who watch shall take little of the machine.
fn runtime() -> anyhow::Result<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?)
}

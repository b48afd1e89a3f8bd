//! A thousand subscribers over two instances, who drop and resume at random while bookings change and Redis goes and comes back.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use rand::{RngExt as _, SeedableRng as _, rngs::Xoshiro256PlusPlus, seq::IndexedRandom as _};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use serde_json::{Value, json};
use staygate::{domain::ids::UserId, entity::booking_event};
use tokio::sync::watch;

use super::{Figures, key_of, market::person, percentile, scaled};
use crate::support::{Client, EventStream, Redis, Socket, World};

const PEOPLE: usize = 20;
const EVENTS: &str =
    "subscription($after: String) { viewerBookingStatusChanged(after: $after) { cursor to } }";

/// How long nothing may come, once everything has happened, before a subscriber gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// When the client whose doing an event is asked for it, and how long the answer took.
type Asked = Mutex<HashMap<i64, (Instant, Duration)>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_subscribers_hear_each_event_once_and_in_order() {
    let (subscribers, changes) = (scaled(1_000, 60), scaled(5_000, 300));
    let mut redis = Redis::start();
    // All of them are a few people's.
    let many = ("STAYGATE_MAX_CONNECTIONS", "2000");
    let here = World::on_postgres_with(&[("REDIS_URL", &redis.url()), many]).await;
    let there = here.another_instance().await;
    redis.is_heard_by(2, &here.channel()).await;
    let mut people = vec![];
    let mut homes = vec![];
    for n in 0..PEOPLE {
        let host = person(&here.stranger(), &format!("host{n}"), "HOST").await;
        homes.push(host.lists(json!({})).await);
        people.push(host);
    }
    for n in 0..PEOPLE {
        people.push(person(&here.stranger(), &format!("guest{n}"), "GUEST").await);
    }
    let began = Instant::now();
    let figures = Arc::new(Figures::default());
    let asked = Arc::new(Asked::default());
    let (end, ends) = watch::channel(None);
    let watching = (0..subscribers).map(|number| {
        let person = people[number % people.len()].clone();
        let subscriber = Subscriber {
            clients: [here.as_seen_by(&person), there.as_seen_by(&person)],
            streams: number % 5 == 0,
            chance: Xoshiro256PlusPlus::seed_from_u64(number as u64),
            heard: vec![],
            live: vec![],
            figures: Arc::clone(&figures),
        };
        tokio::spawn(subscriber.watches(ends.clone()))
    });
    let watching: Vec<_> = watching.collect();

    let done = Arc::new(AtomicUsize::new(0));
    let moving = people[PEOPLE..].iter().enumerate().map(|(number, guest)| {
        let clients = [here.as_seen_by(guest), there.as_seen_by(guest)];
        let (homes, done, asked) = (homes.clone(), Arc::clone(&done), Arc::clone(&asked));
        let today = here.today();
        tokio::spawn(async move {
            let mut day = 0;
            while done.load(Ordering::Relaxed) < changes {
                day += 1;
                let home = &homes[(number + day) % homes.len()];
                let check_in =
                    today + chrono::Duration::days(1 + i64::try_from(number).expect("few") * 30);
                moves(&clients[day % 2], home, check_in, &done, &asked).await;
            }
        })
    });
    let moving: Vec<_> = moving.collect();
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    for (share, comes) in [(3, false), (5, true), (7, false), (8, true)] {
        while done.load(Ordering::Relaxed) < changes * share / 10 {
            looks.tick().await;
        }
        if comes {
            redis.starts_again();
        } else {
            redis.is_killed();
        }
    }
    for moved in join_all(moving).await {
        moved.expect("no client panics");
    }
    let moved = began.elapsed();

    let mut expected = HashMap::new();
    for person in &people {
        expected.insert(person.id.clone(), events_of(&here, person).await);
    }
    end.send_replace(Some(Arc::new(expected.clone())));
    let watched = join_all(watching).await;
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut late, mut heard) = (vec![], 0);
    for (number, watched) in watched.into_iter().enumerate() {
        let subscriber = watched.expect("no subscriber panics");
        let expected = &expected[&people[number % people.len()].id];
        assert_eq!(&subscriber.heard, expected, "subscriber {number}");
        heard += subscriber.heard.len();
        for (event, came, since) in subscriber.live {
            let (at, _) = asked[&event];
            // What was asked for before this connection stood may be a replay.
            if since < at {
                late.push(came - at);
            }
        }
    }
    late.sort_unstable();
    let mut took: Vec<_> = asked.values().map(|(_, took)| *took).collect();
    took.sort_unstable();
    figures.report("subscribers", began);
    println!(
        "  {} changes in {moved:.1?}; {heard} events heard by {subscribers} subscribers",
        took.len()
    );
    for (what, sorted) in [("a change is answered", took), ("it is heard live", late)] {
        let [p50, p99, most] = [50, 99, 100].map(|share| percentile(&sorted, share));
        println!(
            "  {what} ({} times) p50 {p50:.1?}, p99 {p99:.1?}, at most {most:.1?} after it was asked for",
            sorted.len()
        );
    }
}

/// Books, pays and cancels: three changes.
async fn moves(
    guest: &Client,
    home: &str,
    check_in: chrono::NaiveDate,
    done: &AtomicUsize,
    asked: &Asked,
) {
    let note = |answer: &Value, at: Instant| {
        assert_eq!(answer["userErrors"], json!([]), "{answer}");
        let booking = [&answer["booking"], &answer["payment"]["booking"]];
        let events = booking
            .iter()
            .find_map(|booking| booking["events"].as_array());
        let newest = events.and_then(|events| events.last()).expect("an event");
        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert(
            key_of(newest["cursor"].as_str().expect("a cursor")),
            (at, at.elapsed()),
        );
        done.fetch_add(1, Ordering::Relaxed);
    };
    let check_out = check_in + chrono::Duration::days(1);
    let input = json!({ "propertyId": home, "checkIn": check_in, "checkOut": check_out });
    let booking = "booking { id events { cursor } }";
    let at = Instant::now();
    let made = guest
        .mutate("createBooking", "CreateBookingInput!", input, booking)
        .await;
    note(&made, at);
    let id = made["booking"]["id"].as_str().expect("an id");
    let input = json!({ "bookingId": id, "paymentToken": "tok_visa" });
    let payment = "payment { booking { events { cursor } } }";
    let at = Instant::now();
    let paid = guest
        .mutate("createPayment", "CreatePaymentInput!", input, payment)
        .await;
    note(&paid, at);
    let at = Instant::now();
    note(&guest.mutate_by_id("cancelBooking", id, booking).await, at);
}

/// The keys of all events that a person may see.
async fn events_of(world: &World, person: &Client) -> Vec<i64> {
    let query = "{ viewer { user { databaseId } } }";
    let viewer = person.get(query, json!({})).await;
    let id = viewer["viewer"]["user"]["databaseId"]
        .as_i64()
        .expect("a key");
    let id = UserId(i32::try_from(id).expect("a key"));
    let mine = Condition::any()
        .add(booking_event::Column::GuestId.eq(id))
        .add(booking_event::Column::HostId.eq(id));
    let events = booking_event::Entity::find()
        .filter(mine)
        .order_by_asc(booking_event::Column::EventId);
    let events = events.all(world.app.db.read()).await.expect("events");
    events.into_iter().map(|event| event.event_id.0).collect()
}

/// What everybody should have heard in the end, by who they are.
type End = Option<Arc<HashMap<String, Vec<i64>>>>;

/// Waits until everything has happened long ago.
async fn is_in_vain(mut ends: watch::Receiver<End>) {
    if ends.wait_for(Option::is_some).await.is_ok() {
        tokio::time::sleep(PATIENCE).await;
    }
}

/// Somebody who watches, and is cut off again and again.
struct Subscriber {
    clients: [Client; 2],
    /// Over server-sent events.
    streams: bool,
    chance: Xoshiro256PlusPlus,
    heard: Vec<i64>,
    /// Each event, when it came, and since when this connection stood.
    live: Vec<(i64, Instant, Instant)>,
    figures: Arc<Figures>,
}

impl Subscriber {
    /// Watches until everything is heard.
    async fn watches(mut self, mut ends: watch::Receiver<End>) -> Self {
        let mut after = "e:0:0".to_owned();
        loop {
            let cut_off_after = self.chance.random_range(1..60);
            let mut line = self.connects(&URL_SAFE_NO_PAD.encode(&after)).await;
            self.figures
                .count(if self.streams { "streams" } else { "sockets" });
            let since = Instant::now();
            for _ in 0..cut_off_after {
                if self.has_heard_all(&ends) {
                    return self;
                }
                let event = tokio::select! {
                    event = line.next() => event,
                    () = is_in_vain(ends.clone()) => return self,
                    ended = ends.changed() => {
                        ended.expect("the end is told");
                        continue;
                    }
                };
                let cursor = &event["viewerBookingStatusChanged"]["cursor"];
                let event = key_of(cursor.as_str().expect("a cursor"));
                self.hears(event, since);
                after = format!("e:0:{event}");
            }
        }
    }

    fn hears(&mut self, event: i64, since: Instant) {
        if self.heard.last().is_some_and(|last| *last >= event) {
            self.figures
                .fault(format!("{event} after {:?}", self.heard.last()));
        }
        self.heard.push(event);
        self.live.push((event, Instant::now(), since));
    }

    fn has_heard_all(&self, ends: &watch::Receiver<End>) -> bool {
        let end = ends.borrow();
        end.as_ref()
            .is_some_and(|end| self.heard.len() >= end[&self.clients[0].id].len())
    }

    async fn connects(&mut self, after: &str) -> Line {
        let client = self.clients.choose(&mut self.chance).expect("an instance");
        if self.streams {
            // As a browser does it: the operation says nothing of where to go on.
            return Line::Stream(Box::new(
                client.streams_after(after, EVENTS, json!({})).await,
            ));
        }
        let mut socket = client.opens_a_socket().await;
        socket
            .subscribe("w", EVENTS, json!({ "after": after }))
            .await;
        Line::Socket(Box::new(socket))
    }
}

enum Line {
    Socket(Box<Socket>),
    Stream(Box<EventStream>),
}

impl Line {
    async fn next(&mut self) -> Value {
        match self {
            Self::Socket(socket) => socket.next_event().await,
            Self::Stream(stream) => stream.next_event().await,
        }
    }
}

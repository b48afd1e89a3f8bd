//! Two instances that share Redis, writers on both, and readers who ask as fast as they can: what a reader is shown is never older than what was
//! acknowledged before the question, by the same instance; and by the other one, not for long.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::json;

use super::{Figures, percentile, scaled};
use crate::support::{Client, Redis, World};

const ROW: &str = "query($id: ID!) { property(id: $id) { title } }";
const PAGE: &str =
    "query($host: ID!) { properties(filter: { hostId: $host }) { nodes { title } } }";

/// How old at most what another instance shows may be, for all but one in a hundred.
const WINDOW: Duration = Duration::from_millis(50);

/// A title of three characters at least, as all have, that is a number.
fn title(write: u64) -> String {
    format!("{write:03}")
}

/// One property, whose title is the number of its last write.
struct Home {
    id: String,
    host: String,
    /// The last write that each instance has acknowledged.
    acknowledged: [AtomicU64; 2],
    /// When each write was acknowledged.
    at: Mutex<Vec<Instant>>,
}

impl Home {
    /// The last write that anybody has acknowledged.
    fn last(&self) -> u64 {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        at.len() as u64
    }

    /// How long ago the write after this one was acknowledged.
    fn age_after(&self, number: u64) -> Option<Duration> {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        let next = at.get(usize::try_from(number).expect("few"))?;
        Some(next.elapsed())
    }
}

/// Writes and reads until all is written; gives how old what the other instance showed was, each time that it was old.
async fn storms(own_layer: bool, writes: usize) -> Vec<Duration> {
    let redis = Redis::start();
    let bytes = if own_layer { "33554432" } else { "0" };
    let settings = [
        ("REDIS_URL", redis.url()),
        ("STAYGATE_ANSWER_CACHE_LOCAL_BYTES", bytes.to_owned()),
        ("STAYGATE_RATE_LIMITS", "off".to_owned()),
    ];
    let settings = settings
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let here = World::on_postgres_with(&settings).await;
    let there = here.another_instance().await;
    let host = here.host("hana").await;
    let hosts = [here.as_seen_by(&host), there.as_seen_by(&host)];
    let home = Arc::new(Home {
        id: host.lists(json!({ "title": title(0) })).await,
        host: host.get("{ viewer { user { id } } }", json!({})).await["viewer"]["user"]["id"]
            .as_str()
            .expect("an id")
            .to_owned(),
        acknowledged: Default::default(),
        at: Mutex::default(),
    });
    let (done, figures) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(Figures::default()),
    );
    let readers = (0..8).map(|number| {
        let instance = number % 2;
        let client = [&here, &there][instance].stranger();
        tokio::spawn(reads(
            client,
            instance,
            number < 4,
            Arc::clone(&home),
            Arc::clone(&done),
            Arc::clone(&figures),
        ))
    });
    let readers: Vec<_> = readers.collect();
    let began = Instant::now();
    for number in 1..=writes as u64 {
        // In turn, and several in a row by each.
        let instance = usize::from(number % 10 < 5);
        let change = json!({ "id": home.id, "title": title(number) });
        hosts[instance]
            .mutate(
                "updateProperty",
                "UpdatePropertyInput!",
                change,
                "property { id }",
            )
            .await;
        home.at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Instant::now());
        home.acknowledged[instance].store(number, SeqCst);
    }
    done.store(true, SeqCst);
    let late = join_all(readers).await;
    let late: Vec<_> = late
        .into_iter()
        .flat_map(|late| late.expect("a reader"))
        .collect();
    figures.report(&format!("{writes} writes, own layer: {own_layer}"), began);
    late
}

async fn reads(
    client: Client,
    instance: usize,
    one: bool,
    home: Arc<Home>,
    done: Arc<AtomicBool>,
    figures: Arc<Figures>,
) -> Vec<Duration> {
    let mut late = vec![];
    while !done.load(SeqCst) {
        let before = home.acknowledged[instance].load(SeqCst);
        let anywhere = home.last();
        let shown = if one {
            client.get(ROW, json!({ "id": home.id })).await["property"]["title"].clone()
        } else {
            client.get(PAGE, json!({ "host": home.host })).await["properties"]["nodes"][0]["title"]
                .clone()
        };
        let shown: u64 = shown
            .as_str()
            .and_then(|title| title.parse().ok())
            .expect("a number");
        figures.count(if one { "read one" } else { "read a page" });
        if shown < before {
            figures.fault(format!("{shown} was shown, {before} had been acknowledged"));
        } else if shown < anywhere {
            figures.count("the other instance's write was not shown yet");
            late.extend(home.age_after(shown));
        }
    }
    late
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_is_never_older_than_a_write_that_was_acknowledged() {
    let mut late = storms(true, scaled(10_000, 300)).await;
    late.sort_unstable();
    if let Some(most) = late.last() {
        let most_of = percentile(&late, 99);
        println!("of another instance: p99 {most_of:.1?}, at most {most:.1?} old");
        assert!(most_of < WINDOW, "{most_of:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_redis_alone_no_instance_shows_anything_older_than_what_any_has_acknowledged() {
    let late = storms(false, scaled(10_000, 300)).await;
    assert!(
        late.is_empty(),
        "older than a write of the other instance: {late:?}"
    );
}

//! A replica answers what everybody may see, and nobody can tell by more than a moment.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Client, Redis, Replicated, World};

const DETAIL: &str = "query($id: ID!) { property(id: $id) { title amenities host { fullName } reviews { totalCount } } }";
const SEARCH: &str = "query($first: Int) { properties(first: $first) { totalCount nodes { title host { fullName } } } }";

/// How long to wait for what comes by itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server on both, that reads the replica while it lags no more than so many seconds behind; nothing was written that is not there.
async fn on_both(servers: &Replicated, max_lag: &str) -> World {
    let (primary, replica) = (servers.primary.url(), servers.replica.url());
    World::on_postgres_with(&[
        ("DATABASE_URL", &primary),
        ("DATABASE_REPLICA_URL", &replica),
        ("STAYGATE_REPLICA_MAX_LAG", max_lag),
    ])
    .await
}

fn statements(world: &World) -> u64 {
    let replica = world.app.replica.as_ref();
    replica.expect("it has a replica").statements_sent()
}

/// Asks what is not kept, until it is answered as is waited for.
async fn until(is_so: impl AsyncFn() -> bool, what: &str) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "not in time: {what}");
    }
}

/// Whether a question is answered by the replica. It is another one each time, so that no answer to it was kept.
async fn reads_replica(world: &World, client: &Client) -> bool {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let filter = json!({ "filter": { "text": format!("number {}", NUMBER.fetch_add(1, SeqCst)) } });
    let query = "query($filter: PropertyFilter) { properties(filter: $filter) { nodes { id } } }";
    let before = statements(world);
    client.get(query, filter).await;
    statements(world) > before
}

async fn is_in_use(world: &World) {
    let stranger = world.stranger();
    until(
        async || reads_replica(world, &stranger).await,
        "the replica is read",
    )
    .await;
}

async fn renames(host: &Client, property: &str, title: &str) {
    let change = json!({ "id": property, "title": title });
    host.mutate(
        "updateProperty",
        "UpdatePropertyInput!",
        change,
        "property { id }",
    )
    .await;
}

async fn title(client: &Client, property: &str) -> Value {
    client.get(DETAIL, json!({ "id": property })).await["property"]["title"].take()
}

/// Waits until somebody who has written is past it, and reads the replica again.
async fn is_past_writing(world: &World, client: &Client) {
    until(
        async || reads_replica(world, client).await,
        "who has written reads the replica again",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_everybody_may_see_is_read_from_the_replica_and_nothing_else_is() {
    let servers = Replicated::start().await;
    let world = on_both(&servers, "5").await;
    let (host, guest, stranger) = (
        world.host("hana").await,
        world.guest("gus").await,
        world.stranger(),
    );
    let property = host.lists(json!({})).await;
    is_in_use(&world).await;
    servers.has_caught_up().await;
    is_past_writing(&world, &guest).await;

    let before = (world.app.db.statements_sent(), statements(&world));
    for first in 1..4 {
        let found = stranger.get(SEARCH, json!({ "first": first })).await;
        assert_eq!(found["properties"]["totalCount"], 1);
    }
    let shown = guest.get(DETAIL, json!({ "id": property })).await;
    assert_eq!(shown["property"]["host"]["fullName"], "hana");
    let stay = json!({ "id": property, "in": world.day(1), "out": world.day(3) });
    let quote = "query($id: ID!, $in: Date!, $out: Date!) { property(id: $id) { quote(checkIn: $in, checkOut: $out) { available } calendar(from: $in, to: $out) { available } } }";
    let quoted = stranger.get(quote, stay).await;
    assert_eq!(quoted["property"]["quote"]["available"], true);
    for path in [
        "/properties/",
        "/properties/1/",
        "/reviews/?propertyId=1",
        "/users/1/",
    ] {
        let answer = stranger
            .request(Method::GET, &format!("/api/v1{path}"))
            .send()
            .await;
        assert_eq!(
            answer.expect("an answer").status(),
            StatusCode::OK,
            "{path}"
        );
    }
    let after = (world.app.db.statements_sent(), statements(&world));
    // A signed-in caller's standing is looked up once in a while.
    assert!(
        after.0 - before.0 <= 1 && after.1 - before.1 > 15,
        "{before:?} {after:?}"
    );

    let before = statements(&world);
    let booking = guest.books(&property, &world.day(1), &world.day(3)).await;
    guest.pays(&booking).await;
    guest.sees(&booking).await;
    let own = "{ viewer { email user { fullName } bookings { totalCount nodes { property { title } payment { status } } } sessions { id } } properties { totalCount } }";
    let seen = guest.get(own, json!({})).await;
    assert_eq!(
        seen["viewer"]["bookings"]["nodes"][0]["payment"]["status"],
        "PAID"
    );
    let answer = guest.request(Method::GET, "/api/v1/bookings/").send().await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
    renames(&host, &property, "Hut").await;
    world.background_round().await;
    assert_eq!(
        statements(&world),
        before,
        "what is somebody's, or writes, asks the primary"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_just_wrote_sees_it_at_once_also_through_another_instance_and_others_when_the_replica_has_it()
 {
    let servers = Replicated::start().await;
    let here = on_both(&servers, "60").await;
    let there = here.another_instance().await;
    let (host, guest) = (here.host("hana").await, here.guest("gus").await);
    let property = host.lists(json!({ "title": "Old" })).await;
    for world in [&here, &there] {
        is_in_use(world).await;
        for client in [&host, &guest] {
            is_past_writing(world, &world.as_seen_by(client)).await;
        }
    }
    servers.is_held_up().await;
    for number in 0..10 {
        let new = format!("New {number}");
        renames(&host, &property, &new).await;
        assert_eq!(
            title(&there.as_seen_by(&host), &property).await,
            new.as_str()
        );
        assert_eq!(title(&host, &property).await, new.as_str());
    }
    // The others are shown what the replica has: this shows that it is read.
    for client in [
        here.stranger(),
        there.stranger(),
        guest.clone(),
        there.as_seen_by(&guest),
    ] {
        assert_eq!(title(&client, &property).await, "Old");
    }
    // What it does not have at all is looked for where it is, with all that belongs to it.
    let newcomer = here.host("nora").await;
    let fresh = newcomer
        .lists(json!({ "title": "Fresh", "amenities": ["sauna"] }))
        .await;
    let shown = here.stranger().get(DETAIL, json!({ "id": fresh })).await;
    assert_eq!(shown["property"]["host"]["fullName"], "nora");
    assert_eq!(shown["property"]["amenities"], json!(["sauna"]));

    // Nothing of what was answered meanwhile outlives it.
    servers.goes_on().await;
    for client in [
        here.stranger(),
        there.stranger(),
        guest.clone(),
        there.as_seen_by(&guest),
    ] {
        let is_shown = async || title(&client, &property).await == "New 9";
        until(is_shown, "everybody sees what was written").await;
    }
    for world in [&here, &there] {
        is_past_writing(world, &world.as_seen_by(&host)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_of_a_lagging_replica_is_never_kept_as_a_fresh_one() {
    let servers = Replicated::start().await;
    let world = on_both(&servers, "60").await;
    let (host, stranger) = (world.host("hana").await, world.stranger());
    let property = host.lists(json!({ "title": "Old" })).await;
    is_in_use(&world).await;
    servers.has_caught_up().await;
    for round in 0..5 {
        servers.is_held_up().await;
        let new = format!("New {round}");
        renames(&host, &property, &new).await;
        // Often enough for an answer to be kept, had it been taken for one of now.
        for _ in 0..5 {
            assert_ne!(title(&stranger, &property).await, new.as_str());
        }
        servers.goes_on().await;
        servers.has_caught_up().await;
        // From here on the replica has it, and so has whatever it is asked. Old answers would be given for a minute.
        for _ in 0..5 {
            assert_eq!(title(&stranger, &property).await, new.as_str());
        }
    }
    // And what it answers is kept again, once nothing is newer.
    let is_kept = async || {
        let before = (statements(&world), world.app.db.statements_sent());
        title(&stranger, &property).await;
        before == (statements(&world), world.app.db.statements_sent())
    };
    until(is_kept, "answers are kept").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_lags_is_left_alone_until_it_has_caught_up() {
    let servers = Replicated::start().await;
    // It does not even have the tables yet.
    servers.is_held_up().await;
    let world = on_both(&servers, "1").await;
    let (host, stranger) = (world.host("hana").await, world.stranger());
    let property = host.lists(json!({ "title": "Old" })).await;
    assert_eq!(title(&stranger, &property).await, "Old");
    assert_eq!(statements(&world), 0);
    servers.goes_on().await;
    is_in_use(&world).await;
    servers.is_held_up().await;
    renames(&host, &property, "New").await;
    until(
        async || title(&stranger, &property).await == "New",
        "the primary is asked",
    )
    .await;
    assert!(!reads_replica(&world, &stranger).await);
    // A server that starts meanwhile begins at the primary too.
    let other = world.another_instance().await;
    assert_eq!(title(&other.stranger(), &property).await, "New");
    assert_eq!(statements(&other), 0);
    servers.goes_on().await;
    is_in_use(&world).await;
    assert_eq!(title(&stranger, &property).await, "New");
    is_in_use(&other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_dies_or_hangs_is_not_noticed_by_clients_and_is_read_again_when_it_is_back()
{
    let mut servers = Replicated::start().await;
    let world = on_both(&servers, "5").await;
    world.host("hana").await.lists(json!({})).await;
    is_in_use(&world).await;
    let (stop, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let browses = async |number: usize| {
        let stranger = world.stranger();
        for round in 0_u64.. {
            if stop.load(SeqCst) {
                break;
            }
            let filter = json!({ "filter": { "text": format!("{number} {round}") } });
            let query = "query($filter: PropertyFilter) { properties(filter: $filter) { totalCount nodes { host { fullName } } } }";
            // Any error fails the test.
            stranger.get(query, filter).await;
            answered.fetch_add(1, SeqCst);
        }
    };
    let more = async || {
        let enough = answered.load(SeqCst) + 100;
        until(
            async || {
                tokio::task::yield_now().await;
                answered.load(SeqCst) >= enough
            },
            "requests are answered",
        )
        .await;
    };
    let happens = async {
        more().await;
        // Each connection is told to go, as when the server is shut down or needs a row for itself.
        let ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        servers.replica.does(ends).await;
        more().await;
        servers.replica.is_killed();
        more().await;
        servers.replica.starts_again().await;
        is_in_use(&world).await;
        more().await;
        servers.replica.hangs();
        more().await;
        servers.replica.wakes();
        is_in_use(&world).await;
        more().await;
        stop.store(true, SeqCst);
    };
    tokio::join!(happens, join_all((0..8).map(browses)));
    let ready = world
        .stranger()
        .request(Method::GET, "/readyz")
        .send()
        .await;
    assert_eq!(ready.expect("an answer").status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_replica_is_not_read_nor_one_of_another_server() {
    let servers = Replicated::start().await;
    let world = on_both(&servers, "60").await;
    let (host, stranger) = (world.host("hana").await, world.stranger());
    let property = host.lists(json!({ "title": "Old" })).await;
    is_in_use(&world).await;
    servers.replica.does("SELECT pg_promote()").await;
    until(
        async || !reads_replica(&world, &stranger).await,
        "it is left alone",
    )
    .await;
    renames(&host, &property, "New").await;
    assert_eq!(title(&stranger, &property).await, "New");
    assert!(!reads_replica(&world, &stranger).await);

    let others = Replicated::start().await;
    let url = others.replica.url();
    let confused = world.instance_with(&[("DATABASE_REPLICA_URL", &url)]).await;
    for _ in 0..20 {
        assert!(!reads_replica(&confused, &confused.stranger()).await);
    }
    let (good, said) = confused.runs(&["doctor"], "").await;
    assert!(good && said.contains("look  replica"), "{said}");
    assert!(said.contains("another server"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_without_privileges_can_follow_and_a_quiet_primary_looks_no_older_than_it_is() {
    let servers = Replicated::start().await;
    servers.primary.does("CREATE ROLE plain LOGIN; ALTER DATABASE postgres OWNER TO plain; ALTER SCHEMA public OWNER TO plain").await;
    servers.has_caught_up().await;
    let of = |url: String| url.replace("postgres@", "plain@");
    let (primary, replica) = (of(servers.primary.url()), of(servers.replica.url()));
    let world = World::on_postgres_with(&[
        ("DATABASE_URL", &primary),
        ("DATABASE_REPLICA_URL", &replica),
        ("STAYGATE_REPLICA_MAX_LAG", "3"),
    ])
    .await;
    is_in_use(&world).await;
    let (good, said) = world.runs(&["doctor"], "").await;
    assert!(good && said.contains("ok    replica"), "{said}");
    // Where what is acknowledged need not be on the disk, it is another position that counts.
    servers
        .primary
        .does("ALTER DATABASE postgres SET synchronous_commit = off")
        .await;
    let hasty = world.another_instance().await;
    is_in_use(&hasty).await;
    // A log that ends in the middle of nowhere, and nobody who commits: the header of a new page, and what only a commit would flush.
    servers.primary.does("SELECT pg_switch_wal()").await;
    servers
        .primary
        .does("SELECT pg_logical_emit_message(false, 'test', repeat('x', 5000))")
        .await;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(5) {
        assert!(reads_replica(&world, &world.stranger()).await);
        assert!(reads_replica(&hasty, &hasty.stranger()).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_it_is_not_known_who_has_written_those_who_are_signed_in_read_the_primary() {
    let (servers, mut redis) = (Replicated::start().await, Redis::start());
    let (primary, replica) = (servers.primary.url(), servers.replica.url());
    let world = World::on_postgres_with(&[
        ("DATABASE_URL", &primary),
        ("DATABASE_REPLICA_URL", &replica),
        ("REDIS_URL", &redis.url()),
    ])
    .await;
    let unkept = world
        .instance_with(&[("STAYGATE_ANSWER_CACHE", "off")])
        .await;
    let guest = world.guest("gus").await;
    is_in_use(&world).await;
    is_in_use(&unkept).await;
    is_past_writing(&world, &guest).await;
    assert!(!reads_replica(&unkept, &unkept.as_seen_by(&guest)).await);
    redis.is_killed();
    for _ in 0..5 {
        assert!(!reads_replica(&world, &guest).await);
        assert!(reads_replica(&world, &world.stranger()).await);
    }
    redis.starts_again();
    is_past_writing(&world, &guest).await;
}

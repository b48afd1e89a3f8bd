//! Servers that mean no good, and addresses that must not be asked.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{adds, feed, tries_to_add};
use crate::support::{Client, Elsewhere, World, calendar, on_both_engines};

const STRICT: (&str, &str) = ("STAYGATE_FEEDS_FROM_PRIVATE_NETWORKS", "false");

async fn problem_of(world: &World, elsewhere: &Elsewhere) -> Value {
    let host = world.host("hana").await;
    let property = host.lists(json!({})).await;
    adds(&host, &property, &elsewhere.url("a.ics")).await;
    world.background_round().await;
    let seen = feed(&host, &property).await;
    assert_eq!(seen["health"], "FAILING");
    seen["problem"].clone()
}

on_both_engines! {
    async fn a_calendar_without_an_end_is_cut_off_at_five_megabytes(world: World) {
        let elsewhere = Elsewhere::start().await;
        elsewhere.never_ends();
        let begun = Instant::now();
        assert_eq!(problem_of(&world, &elsewhere).await, "The calendar is larger than 5 MiB.");
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    }

    async fn redirects_are_followed_a_few_times(world: World) {
        let (first, last) = (Elsewhere::start().await, Elsewhere::start().await);
        first.redirects_to(&last.url("b.ics"));
        last.sends_as("application/octet-stream", &calendar(&[(world.day(3), world.day(4))]), None);
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        adds(&host, &property, &first.url("a.ics")).await;
        world.background_round().await;
        assert_eq!(feed(&host, &property).await["nightCount"], 1, "whatever its media type");
        last.redirects_to("/round/and/round");
        world.clock.advance(chrono::Duration::hours(1));
        world.background_round().await;
        assert_eq!(feed(&host, &property).await["problem"], "The address redirects more than 3 times, or to what is no http address.");
        assert_eq!(last.requests().len(), 1 + 3);
        for url in ["file:///etc/passwd", "gopher://127.0.0.1/", "http://"] {
            last.redirects_to(url);
            world.clock.advance(chrono::Duration::hours(7));
            world.background_round().await;
            assert_eq!(feed(&host, &property).await["health"], "FAILING", "{url}");
        }
    }
}

/// It takes as long as a fetch may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dribbles_is_given_up_after_ten_seconds() {
    let world = World::on_sqlite().await;
    let elsewhere = Elsewhere::start().await;
    elsewhere.drips();
    let begun = Instant::now();
    assert_eq!(
        problem_of(&world, &elsewhere).await,
        "The server did not give the whole calendar within 10 seconds."
    );
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

/// Everything that leads to the server's own machine or network.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_address_leads_into_the_servers_own_network() {
    let world = World::on_sqlite_with(&[STRICT]).await;
    let (host, elsewhere) = (world.host("hana").await, Elsewhere::start().await);
    elsewhere.has(&[]);
    let property = host.lists(json!({})).await;
    let refusal =
        async |url: &str| tries_to_add(&host, &property, url).await["userErrors"][0]["code"].take();
    for literal in [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://017700000001/",
        "http://127.0.0.1./",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://0/",
        "http://169.254.169.254/",
        "http://10.1.2.3/",
        "http://[fd00::1]/",
        "http://[64:ff9b::7f00:1]/",
        &elsewhere.url("a.ics"),
    ] {
        assert_eq!(refusal(literal).await, "INVALID", "{literal}");
    }
    // A name tells nothing before it is looked up.
    for (n, name) in [
        "http://localhost/",
        "http://localhost./",
        "http://LOCALHOST/a",
        "http://no-such-name.invalid/",
    ]
    .iter()
    .enumerate()
    {
        let property = host.lists(json!({ "title": format!("House {n}") })).await;
        adds(&host, &property, name).await;
        world.background_round().await;
        let seen = feed(&host, &property).await;
        assert_eq!(
            seen["problem"], "The address does not lead to a server on the public internet.",
            "{name}"
        );
    }
    assert!(elsewhere.requests().is_empty());
}

/// It was allowed once, and is asked again after the operator has thought better of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_added_before_is_looked_at_again_each_time() {
    let world = World::on_sqlite().await;
    let elsewhere = Elsewhere::start().await;
    elsewhere.has(&[(world.day(3), world.day(4))]);
    let host: Client = world.host("hana").await;
    let property = host.lists(json!({})).await;
    adds(&host, &property, &elsewhere.url("a.ics")).await;
    let strict = world.instance_with(&[STRICT]).await;
    strict.background_round().await;
    assert!(elsewhere.requests().is_empty());
    assert_eq!(feed(&host, &property).await["health"], "FAILING");
}

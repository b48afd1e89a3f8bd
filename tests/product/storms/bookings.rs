//! Two hundred clients who book, pay, change and cancel at random over one month of twenty homes, while holds expire.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use staygate::service::audit::Verdict;

use super::{
    ledger::{self, Rest},
    market::{Market, person},
    scaled,
    trader::Trader,
};
use crate::support::World;

/// By how much the clock is turned at once: past an unpaid hold, or past a host's time to answer.
const STEPS: [chrono::Duration; 2] = [chrono::Duration::minutes(16), chrono::Duration::hours(25)];
/// How often the clock is turned.
const TURNS: usize = 40;
const RATES: [(&str, &str); 2] = [
    ("STAYGATE_SERVICE_FEE_PERCENT", "7.5"),
    ("STAYGATE_TAX_PERCENT", "12"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_bookings_leaves_everything_right_on_sqlite() {
    let world = World::on_sqlite_with(&RATES).await;
    storm("bookings on SQLite", &[&world]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_bookings_leaves_everything_right_on_two_instances() {
    let here = World::on_postgres_with(&RATES).await;
    let there = here.another_instance().await;
    storm("bookings on PostgreSQL, two instances", &[&here, &there]).await;
}

async fn storm(title: &str, worlds: &[&World]) {
    let (clients, most) = (scaled(200, 20), scaled(20_000, 400));
    let first = worlds[0];
    let market = Arc::new(Market::open(&first.stranger(), first.today()).await);
    for ahead in [3, 4, 11, 17, 18] {
        let day = first.day(ahead);
        let date = if first.is_postgres() { "DATE " } else { "" };
        let sql = format!(
            "INSERT INTO night_prices (property_id, night, price) SELECT property_id, {date}'{day}', price_per_night + 25 FROM properties"
        );
        first
            .meddles(&sql)
            .await
            .expect("nights at their own price");
    }
    let mut traders = vec![];
    for number in 0..clients {
        let client = person(&first.stranger(), &format!("guest{number}"), "GUEST").await;
        let clients = worlds.iter().map(|world| world.as_seen_by(&client));
        traders.push(Trader::new(number, clients.collect()));
    }
    let began = Instant::now();
    let trading = traders.into_iter().map(|mut trader| {
        let market = Arc::clone(&market);
        tokio::spawn(async move { trader.trades(&market, most).await })
    });
    let trading = join_all(trading);
    let ((), traded) = tokio::join!(turn_the_clock(&market, most, worlds), trading);
    for trader in traded {
        trader.expect("no client panics");
    }
    for _ in 0..3 {
        join_all(worlds.iter().map(|world| world.background_round())).await;
    }

    let figures = &market.figures;
    let rates = first.app.settings.terms().rates;
    let now = staygate::domain::clock::Clock::now(&first.clock);
    let found = ledger::check(&first.app.db, now, rates, STEPS[1], Rest::Settled).await;
    let verdict = first.app.services.audit.verify(|_| {}).await;
    figures.report(title, began);
    println!("  {found:?}");
    assert!(matches!(verdict, Ok(Verdict::Whole { .. })), "{verdict:?}");
    for happens in [
        "createBooking done",
        "createBooking DATES_UNAVAILABLE",
        "createPayment done",
        "cancelBooking done",
        "acceptBooking done",
        "updateBooking done",
    ] {
        assert!(figures.of(happens) > 0, "{happens}");
    }
}

/// Turns the clock in steps while clients trade, and has each instance do what time demands.
async fn turn_the_clock(market: &Market, most: usize, worlds: &[&World]) {
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    for turn in 1..=TURNS {
        while market.attempts() < most * turn / (TURNS + 1) {
            looks.tick().await;
        }
        let step = STEPS[usize::from(turn % 10 == 0)];
        worlds[0].clock.advance(step);
        join_all(worlds.iter().map(|world| world.background_round())).await;
    }
}

//! The server is killed in the middle of a storm and started again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use sea_orm::ConnectionTrait as _;
use serde_json::json;
use staygate::{
    domain::{
        clock::{Clock as _, SystemClock},
        price::Rates,
    },
    store::db::{Db, DbOptions},
};
use tempfile::TempDir;

use super::{
    ledger::{self, Rest},
    market::{Deed, Known, Market, person},
    scaled,
    trader::Trader,
};
use crate::support::{Client, Process, a_postgres_database};

/// How long the restarted server may take for what was left to it.
const PATIENCE: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_in_a_storm_keeps_every_word_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("staygate.db").display());
    storm("kill -9 on SQLite", &url, &folder).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_in_a_storm_keeps_every_word_on_postgres() {
    let folder = tempfile::tempdir().expect("a folder");
    let (url, _) = a_postgres_database().await;
    storm("kill -9 on PostgreSQL", &url, &folder).await;
}

async fn storm(title: &str, url: &str, folder: &TempDir) {
    let (clients, attempts) = (scaled(200, 20), scaled(4_000, 250));
    // Nobody works for it yet, so that there is work left when it is killed.
    let settings = [("DATABASE_URL", url), ("STAYGATE_WORKERS", "false")];
    let mut server = Process::serves(folder.path(), &settings).await;
    let stranger = Client::new(server.base());
    let market = Arc::new(Market::open(&stranger, SystemClock.now().date_naive()).await);
    let mut traders = vec![];
    for number in 0..clients {
        let client = person(&stranger, &format!("guest{number}"), "GUEST").await;
        traders.push(Trader::new(number, vec![client]));
    }
    let began = Instant::now();
    let trading = traders.into_iter().map(|mut trader| {
        let market = Arc::clone(&market);
        tokio::spawn(async move {
            trader.trades(&market, usize::MAX).await;
            trader
        })
    });
    let trading: Vec<_> = trading.collect();
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    while market.attempts() < attempts {
        looks.tick().await;
    }
    server.is_killed().await;
    let traders = join_all(trading).await.into_iter();
    let traders: Vec<_> = traders
        .map(|trader| trader.expect("no client panics"))
        .collect();

    let db = connect(url).await;
    let now = SystemClock.now();
    let slowest = chrono::Duration::minutes(1);
    let found = ledger::check(&db, now, Rates::default(), slowest, Rest::Killed).await;
    let queued = number(&db, DUE).await;
    assert!(queued > 0, "there is work left");
    // A hold falls due while nobody is there.
    let hold = "SELECT coalesce(max(booking_id), 0) FROM bookings WHERE status = 'PENDING' AND booking_id NOT IN (SELECT booking_id FROM payments)";
    let hold = number(&db, hold).await;
    assert!(hold > 0, "somebody has not paid yet");
    let due = format!("UPDATE bookings SET expires_at = created_at WHERE booking_id = {hold}");
    db.read().execute_unprepared(&due).await.expect("it is due");

    let server = Process::serves(folder.path(), &settings[..1]).await;
    let known = market.known().clone();
    let checks = traders.iter().enumerate().map(async |(number, trader)| {
        let client = trader.clients[0].at(server.base());
        for (id, known) in known.iter().filter(|(_, known)| known.trader == number) {
            is_as_told(&client, id, known).await;
            if !known.input["idempotencyKey"].is_null() {
                let again = market.repeats(&client, known.input.clone()).await;
                assert_eq!(
                    again.as_ref(),
                    Some(id),
                    "the same key gives the same booking"
                );
            }
        }
        for input in &trader.unanswered {
            // Whether it was made before the crash or not: from now on it is this one.
            let made = market.repeats(&client, input.clone()).await;
            if made.is_some() {
                assert_eq!(market.repeats(&client, input.clone()).await, made);
            }
        }
    });
    join_all(checks).await;

    let mails = folder.path().join("mails");
    let lapsed = format!(
        "SELECT count(*) FROM bookings WHERE booking_id = {hold} AND status = 'CANCELLED' AND cancellation_reason = 'PAYMENT_EXPIRED'"
    );
    let resumed = Instant::now();
    while number(&db, DUE).await > 0 || number(&db, &lapsed).await == 0 || is_left(&db).await {
        assert!(
            resumed.elapsed() < PATIENCE,
            "jobs are left over, or a hold"
        );
        looks.tick().await;
    }
    let sent = std::fs::read_dir(&mails).map_or(0, Iterator::count);
    // What is no longer true of a booking is not sent.
    assert!(sent > 0, "none of {queued} mails was sent");
    ledger::check(
        &db,
        SystemClock.now(),
        Rates::default(),
        slowest,
        Rest::Recovered,
    )
    .await;
    market.figures.report(title, began);
    println!(
        "  {found:?}, {queued} jobs left, all done {:.1?} after the start",
        resumed.elapsed()
    );
}

/// Whether a debt is not paid back, or money is set aside for what has ended.
async fn is_left(db: &Db) -> bool {
    let owed = "SELECT count(*) FROM refunds WHERE settled_at IS NULL";
    let set_aside = "SELECT count(*) FROM payments JOIN bookings ON bookings.booking_id = payments.booking_id
        WHERE payment_status = 'PENDING' AND provider_reference IS NOT NULL AND status = 'CANCELLED'";
    number(db, owed).await > 0 || number(db, set_aside).await > 0
}

/// How many jobs wait that are due; a reminder waits for the day before its stay.
const DUE: &str = "SELECT count(*) FROM jobs WHERE CAST(payload AS TEXT) NOT LIKE '%Reminder%'";

/// What clients were told of a booking is so.
async fn is_as_told(client: &Client, id: &str, known: &Known) {
    let query = "query($id: ID!) { booking(id: $id) { status payment { status } } }";
    let booking = client.get(query, json!({ "id": id })).await["booking"].take();
    let (status, paid) = (&booking["status"], &booking["payment"]["status"]);
    let was_told = |deed| known.told.contains(&deed);
    let may_have_ended = [Deed::Cancelled, Deed::Declined]
        .iter()
        .any(|deed| known.asked.contains(deed));
    if was_told(Deed::Cancelled) || was_told(Deed::Declined) {
        assert_eq!(status, "CANCELLED", "{id} {known:?}");
        return;
    }
    let confirmed = was_told(Deed::Accepted) || known.instant && was_told(Deed::Paid);
    if confirmed && !may_have_ended {
        // Something may have come back of a stay that became a cheaper one.
        let kept = paid == "PAID"
            || paid == "PARTIALLY_REFUNDED"
                && (was_told(Deed::Changed) || known.asked.contains(&Deed::Changed));
        assert!(status == "CONFIRMED" && kept, "{id} {known:?} {booking}");
    } else if was_told(Deed::Paid) {
        assert!(
            !paid.is_null() && paid != "FAILED" || may_have_ended,
            "{id} {known:?} {booking}"
        );
    } else {
        assert!(status.is_string(), "{id} is gone: {known:?}");
    }
}

async fn connect(url: &str) -> Db {
    let options = DbOptions {
        url: url.to_owned(),
        max_connections: 2,
        statement_timeout: None,
    };
    Db::connect(&options).await.expect("the database opens")
}

async fn number(db: &Db, sql: &str) -> i64 {
    let statement = sea_orm::Statement::from_string(db.backend(), sql);
    let row = db.read().query_one_raw(statement).await.expect("it runs");
    let row = row.expect("a row");
    row.try_get_by_index::<i64>(0)
        .or_else(|_| row.try_get_by_index::<i32>(0).map(i64::from))
        .expect("a number")
}

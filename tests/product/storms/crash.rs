//! The server is killed in the middle of a storm and started again.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _,
    sea_query::{Expr, ExprTrait as _},
};
use staygate::{
    domain::{
        booking::{BookingStatus, CancellationReason},
        clock::{Clock as _, SystemClock},
        payment::PaymentStatus,
        price::Rates,
    },
    entity::{booking, payment},
    store::db::{Db, DbOptions},
};

use super::{
    ledger::{self, Found, Rest},
    market::{Market, person},
    news, promises, scaled,
    trader::Trader,
};
use crate::support::{Client, Process, a_postgres_database};

/// How long the restarted server may take for what was left to it.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often it is looked whether it has.
const LOOKS_EVERY: Duration = Duration::from_millis(5);
/// The most that goes by between the moment that decides about a refund and the one that is written down with it.
const SLOWEST: chrono::Duration = chrono::Duration::minutes(1);

/// How many bookings the workers have ended: nobody asked for it.
const LAPSED: &str =
    "SELECT count(*) FROM audit_entries WHERE action = 'booking.cancelled' AND actor_id IS NULL";

/// What is to be done without anybody asking.
#[derive(Debug, Default, PartialEq, Eq)]
struct Left {
    /// Holds to end.
    holds: u64,
    /// Payments of which it is not known what the provider said, and that are too old to wait for it.
    lost_calls: u64,
    /// Payments set aside for what has ended.
    set_aside: i64,
    /// Debts to pay back.
    debts: i64,
    /// Jobs; a reminder waits for the day before its stay.
    jobs: i64,
    /// Jobs of these that a worker has in hand, or had when it died.
    claimed: i64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_in_a_storm_keeps_every_word_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("staygate.db").display());
    storm("kill -9 on SQLite", &url, folder.path(), Workers::Off).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_in_a_storm_keeps_every_word_on_postgres() {
    let folder = tempfile::tempdir().expect("a folder");
    let (url, _) = a_postgres_database().await;
    storm("kill -9 on PostgreSQL", &url, folder.path(), Workers::Off).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_in_the_middle_of_its_own_work_keeps_every_word() {
    let folder = tempfile::tempdir().expect("a folder");
    let (url, _) = a_postgres_database().await;
    let title = "kill -9 on PostgreSQL, workers and all";
    storm(title, &url, folder.path(), Workers::On).await;
}

/// Whether the server that is killed works by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Workers {
    /// All that it leaves is left over when it is killed.
    Off,
    /// They are in the middle of it; holds lapse while people pay.
    On,
}

async fn storm(title: &str, url: &str, folder: &Path, workers: Workers) {
    let (hold, own) = match workers {
        Workers::Off => (900, ("STAYGATE_WORKERS", "false")),
        Workers::On => (1, ("STAYGATE_HOLD_TTL", "1")),
    };
    let settings = [("DATABASE_URL", url), own];
    let mut server = Process::serves(folder, &settings).await;
    let stranger = Client::new(server.base());
    let market = Arc::new(Market::open(&stranger, SystemClock.now().date_naive()).await);
    let began = Instant::now();
    let traders = trade_until_killed(&market, &mut server, url, workers).await;
    // Else it can't be told what was lost and what was never done.
    market.figures.are_without_fault();

    let db = connect(url).await;
    nobody_is_left(&db).await;
    let killed = look(&db, Rest::Killed).await;
    let queued = if workers == Workers::Off {
        Some(news::all_wait(&db, SystemClock.now()).await)
    } else {
        None
    };
    let left = Left::read(&db).await;
    assert!(left.jobs > 0, "there is work left");
    let lapses = time_goes_by(&db).await;

    let started = Instant::now();
    let server = Process::serves(folder, &settings[..1]).await;
    promises::are_kept(&db, &market, &traders, server.base()).await;
    until_nothing_is_left(&db).await;
    let recovered = look(&db, Rest::Recovered).await;
    let took = started.elapsed();
    let expired = booking::Entity::find()
        .filter(booking::Column::CancellationReason.eq(CancellationReason::PaymentExpired));
    let expired = expired.count(db.read()).await.expect("bookings");
    assert!(expired >= lapses, "{lapses} holds were not ended unpaid");
    let hold = chrono::Duration::seconds(hold);
    let mails = folder.join("mails");
    let (sent, copies) = news::all_are_sent(&db, &mails, hold, SystemClock.now()).await;
    // What is no longer true of a booking is not sent.
    assert!(sent > 0, "none of {queued:?} mails was sent");
    assert!(workers == Workers::On || copies == 0, "{copies} copies");

    market.figures.report(title, began);
    println!("  killed: {killed:?}, {left:?}, mails about bookings {queued:?}");
    println!(
        "  recovered: {recovered:?}, {took:.1?} after the start; {lapses} holds ended, {sent} mails about bookings sent and {copies} copies"
    );
}

/// Guests trade, and the server is killed under them.
async fn trade_until_killed(
    market: &Arc<Market>,
    server: &mut Process,
    url: &str,
    workers: Workers,
) -> Vec<Trader> {
    let clients = match workers {
        Workers::Off => scaled(200, 20),
        // Each waits for a connection as long as any client, and a client never pauses: among two hundred they would hardly come to anything.
        Workers::On => scaled(40, 20),
    };
    let attempts = scaled(4_000, 250);
    let stranger = Client::new(server.base());
    let mut traders = vec![];
    for number in 0..clients {
        let client = person(&stranger, &format!("guest{number}"), "GUEST").await;
        traders.push(Trader::new(number, vec![client]));
    }
    let trading = traders.into_iter().map(|mut trader| {
        let market = Arc::clone(market);
        tokio::spawn(async move {
            trader.trades(&market, usize::MAX).await;
            trader
        })
    });
    let trading: Vec<_> = trading.collect();
    let mut looks = tokio::time::interval(LOOKS_EVERY);
    while market.attempts() < attempts {
        looks.tick().await;
    }
    if workers == Workers::On {
        are_at_work(&connect(url).await).await;
    }
    server.is_killed().await;
    let traders = join_all(trading).await.into_iter();
    traders
        .map(|trader| trader.expect("no client panics"))
        .collect()
}

/// Waits until the workers are in the middle of mails and of ending holds: one has just been ended, and others wait.
async fn are_at_work(db: &Db) {
    let mut looks = tokio::time::interval(LOOKS_EVERY);
    let (mut before, began) = (i64::MAX, Instant::now());
    loop {
        assert!(began.elapsed() < PATIENCE, "the workers are idle");
        looks.tick().await;
        let lapsed = number(db, LAPSED).await;
        let left = Left::read(db).await;
        if lapsed > before && left.claimed > 0 && left.holds > 0 {
            return;
        }
        before = lapsed;
    }
}

/// PostgreSQL outlives those whom it serves: what they said last, it still does.
async fn nobody_is_left(db: &Db) {
    if db.backend() != DbBackend::Postgres {
        return;
    }
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut looks = tokio::time::interval(LOOKS_EVERY);
    let began = Instant::now();
    while number(db, others).await > 0 {
        assert!(began.elapsed() < PATIENCE, "somebody is left");
        looks.tick().await;
    }
}

/// What happens while no server is there. A hold falls due, and so do the claims of workers that died, and the looks after payments. Of
/// those that were left between two steps every other one's hold falls due too. Gives how many holds wait to be ended.
async fn time_goes_by(db: &Db) -> u64 {
    let long_ago = SystemClock.now() - Duration::from_mins(10);
    let left = payment::Entity::find().filter(between_two_steps());
    let left = left.all(db.read()).await.expect("payments");
    let bookings: Vec<_> = left
        .iter()
        .step_by(2)
        .map(|payment| payment.booking_id)
        .collect();
    payment::Entity::update_many()
        .col_expr(payment::Column::LookAt, Expr::val(Some(long_ago)))
        .filter(payment::Column::PaymentStatus.eq(PaymentStatus::Pending))
        .filter(payment::Column::LookAt.is_not_null())
        .exec(db.read())
        .await
        .expect("looks fall due");
    booking::Entity::update_many()
        .col_expr(booking::Column::ExpiresAt, Expr::val(long_ago))
        .filter(booking::Column::BookingId.is_in(bookings))
        .filter(booking::Column::Status.eq(BookingStatus::Pending))
        .exec(db.read())
        .await
        .expect("holds fall due");
    for sql in [
        "UPDATE bookings SET expires_at = created_at WHERE booking_id =
            (SELECT max(booking_id) FROM bookings WHERE status = 'PENDING' AND booking_id NOT IN (SELECT booking_id FROM payments))",
        "UPDATE jobs SET due_at = created_at WHERE attempts > 0",
    ] {
        db.read().execute_unprepared(sql).await.expect("it falls due");
    }
    let holds = holds_due(db).await;
    assert!(holds > 0, "somebody has not paid yet");
    holds
}

/// Waits until everything is done that a crash only delays.
async fn until_nothing_is_left(db: &Db) {
    let mut looks = tokio::time::interval(LOOKS_EVERY);
    let began = Instant::now();
    loop {
        let left = Left::read(db).await;
        if left == Left::default() {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{left:?}");
        looks.tick().await;
    }
}

impl Left {
    /// In this order: what ends leaves more of what is read after it, and of nothing before.
    async fn read(db: &Db) -> Self {
        Self {
            holds: holds_due(db).await,
            lost_calls: lost_calls(db).await,
            set_aside: number(
                db,
                "SELECT count(*) FROM payments JOIN bookings ON bookings.booking_id = payments.booking_id
                WHERE payment_status = 'PENDING' AND provider_reference IS NOT NULL AND status = 'CANCELLED'",
            )
            .await,
            debts: number(db, "SELECT count(*) FROM refunds WHERE settled_at IS NULL").await,
            jobs: number(
                db,
                "SELECT count(*) FROM jobs WHERE CAST(payload AS TEXT) NOT LIKE '%Reminder%'",
            )
            .await,
            claimed: number(db, "SELECT count(*) FROM jobs WHERE attempts > 0").await,
        }
    }
}

async fn holds_due(db: &Db) -> u64 {
    let due = booking::Entity::find()
        .filter(booking::Column::Status.eq(BookingStatus::Pending))
        .filter(booking::Column::ExpiresAt.lte(SystemClock.now()));
    due.count(db.read()).await.expect("bookings")
}

async fn lost_calls(db: &Db) -> u64 {
    let lost = payment::Entity::find()
        .filter(between_two_steps())
        .filter(payment::Column::LookAt.lte(SystemClock.now()));
    lost.count(db.read()).await.expect("payments")
}

/// Payments of which it is not known what the provider said.
fn between_two_steps() -> Expr {
    payment::Column::PaymentStatus
        .eq(PaymentStatus::Pending)
        .and(payment::Column::ProviderReference.is_null())
}

async fn look(db: &Db, rest: Rest) -> Found {
    ledger::check(db, SystemClock.now(), Rates::default(), SLOWEST, rest).await
}

pub(super) async fn connect(url: &str) -> Db {
    let options = DbOptions {
        url: url.to_owned(),
        max_connections: 1,
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

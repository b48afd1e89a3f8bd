//! What happens without anybody asking. Each round is found in the tables, so it may run in any number of processes, and a crash only
//! delays it.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt as _;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::service::{Services, error::Result};

/// How often the tables are looked through.
const EVERY: Duration = Duration::from_secs(5);
/// How often it is looked for payments of which the provider has news.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked for mail, which people wait for.
const MAIL_EVERY: Duration = Duration::from_secs(1);
/// How often it is measured what waits.
const MEASURE_EVERY: Duration = Duration::from_secs(15);
/// How often the provider's books are compared with ours.
const COMPARE_EVERY: Duration = Duration::from_hours(6);
/// How often it is looked whether a backup is due.
const BACK_UP_EVERY: Duration = Duration::from_secs(20);
/// How often what is of no more use is swept out.
const SWEEP_EVERY: Duration = Duration::from_hours(1);

/// Works until it is told to stop; the rounds that have begun are finished. Payments are settled, calendars fetched and mail is sent
/// apart, so that a slow server of others holds up nothing else.
pub async fn run(services: Services, stopping: CancellationToken) {
    tokio::join!(
        repeat(EVERY, &stopping, || move_bookings(&services)),
        repeat(EVERY, &stopping, || settle_payments(&services)),
        repeat(LOOK_EVERY, &stopping, || look_after_payments(&services)),
        repeat(EVERY, &stopping, || sync_calendars(&services)),
        repeat(MAIL_EVERY, &stopping, || send_mail(&services, &stopping)),
        repeat(MEASURE_EVERY, &stopping, || measure(&services)),
        repeat(COMPARE_EVERY, &stopping, || compare_payments(&services)),
        repeat(SWEEP_EVERY, &stopping, || sweep(&services)),
        repeat(BACK_UP_EVERY, &stopping, || back_up(&services, &stopping)),
    );
}

/// One look through the tables: lapses what was not paid or answered in time, completes finished stays, settles what is owed, looks after
/// payments and compares them with the provider's books, fetches calendars, sends mail, backs up, and
/// sweeps.
pub async fn round(services: &Services) {
    move_bookings(services).await;
    settle_payments(services).await;
    look_after_payments(services).await;
    compare_payments(services).await;
    sync_calendars(services).await;
    send_mail(services, &CancellationToken::new()).await;
    back_up(services, &CancellationToken::new()).await;
    sweep(services).await;
    measure(services).await;
}

async fn move_bookings(services: &Services) {
    report("lapsing bookings", services.bookings.lapse_due().await);
    report("completing stays", services.bookings.complete_due().await);
}

async fn settle_payments(services: &Services) {
    report("settling payments", services.payments.settle_due().await);
}

async fn look_after_payments(services: &Services) {
    let looked = services.payments.look_after_due().await;
    report("looking after payments", looked);
}

async fn compare_payments(services: &Services) {
    let different = services.payments.compare().await;
    report("payments that differ from the provider's", different);
}

async fn sync_calendars(services: &Services) {
    report("fetching calendars", services.feeds.sync_due().await);
}

async fn send_mail(services: &Services, stopping: &CancellationToken) {
    report("sending mail", services.mails.send_due(stopping).await);
}

async fn back_up(services: &Services, stopping: &CancellationToken) {
    report("backing up", services.backups.make_due(stopping).await);
}

async fn measure(services: &Services) {
    for measured in [
        services.mails.measure().await,
        services.backups.measure().await,
    ] {
        report("measuring what waits", measured.map(|()| 0_u8));
    }
}

async fn sweep(services: &Services) {
    report("sweeping sessions", services.sessions.sweep().await);
    report(
        "sweeping idempotency keys",
        services.sweep_idempotency_keys().await,
    );
    report("sweeping notices", services.payments.sweep_notices().await);
    report("sweeping mailed secrets", services.mails.sweep().await);
}

/// Does one kind of work, now and again each time, until it is told to stop.
async fn repeat<F: Future<Output = ()>>(
    every: Duration,
    stopping: &CancellationToken,
    work: impl Fn() -> F,
) {
    let mut rounds = interval(every);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            _ = rounds.tick() => {}
        }
        // One kind of work that panics takes neither itself down for good nor the others.
        if AssertUnwindSafe(work()).catch_unwind().await.is_err() {
            tracing::error!("background work panicked; it goes on with its next round");
        }
    }
}

fn report<N: PartialEq + From<u8> + std::fmt::Display>(what: &str, outcome: Result<N>) {
    match outcome {
        Ok(count) if count == N::from(0) => {}
        Ok(count) => tracing::info!(%count, "{what}"),
        Err(error) => tracing::warn!(%error, "{what} is left to the next round"),
    }
}

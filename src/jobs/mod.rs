//! What happens without anybody asking. Each round is found in the tables, so it may run in any number of processes, and a crash only
//! delays it.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::service::{Services, error::Result};

/// How often the tables are looked through.
const EVERY: Duration = Duration::from_secs(5);

/// Works until it is told to stop; the rounds that have begun are finished. Payments are settled apart, so that a slow provider holds up
/// nothing else.
pub async fn run(services: Services, stopping: CancellationToken) {
    let bookings = async {
        let mut rounds = rounds();
        while next(&mut rounds, &stopping).await {
            move_bookings(&services).await;
        }
    };
    let payments = async {
        let mut rounds = rounds();
        while next(&mut rounds, &stopping).await {
            settle_payments(&services).await;
        }
    };
    tokio::join!(bookings, payments);
}

/// One look through the tables: lapses what was not paid or answered in time, completes finished stays, and settles what is owed.
pub async fn round(services: &Services) {
    move_bookings(services).await;
    settle_payments(services).await;
}

async fn move_bookings(services: &Services) {
    report("lapsing bookings", services.bookings.lapse_due().await);
    report("completing stays", services.bookings.complete_due().await);
}

async fn settle_payments(services: &Services) {
    report("settling payments", services.payments.settle_due().await);
}

fn rounds() -> Interval {
    let mut rounds = interval(EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    rounds
}

async fn next(rounds: &mut Interval, stopping: &CancellationToken) -> bool {
    tokio::select! {
        _ = rounds.tick() => !stopping.is_cancelled(),
        () = stopping.cancelled() => false,
    }
}

fn report(what: &str, outcome: Result<usize>) {
    match outcome {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "{what}"),
        Err(error) => tracing::warn!(%error, "{what} is left to the next round"),
    }
}

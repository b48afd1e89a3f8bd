//! What happens without anybody asking. Each round is found in the tables, so it may run in any number of processes, and a crash only
//! delays it.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::service::Services;

/// How often the tables are looked through.
const EVERY: Duration = Duration::from_secs(5);

/// Works until it is told to stop; the round that has begun is finished.
pub async fn run(services: Services, stopping: CancellationToken) {
    let mut rounds = interval(EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = rounds.tick() => round(&services).await,
            () = stopping.cancelled() => return,
        }
    }
}

/// One look through the tables: lapses what was not paid or answered in time, completes finished stays, and settles what is owed.
pub async fn round(services: &Services) {
    for (what, outcome) in [
        ("lapsing bookings", services.bookings.lapse_due().await),
        ("completing stays", services.bookings.complete_due().await),
        ("settling payments", services.payments.settle_due().await),
    ] {
        match outcome {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "{what}"),
            Err(error) => tracing::warn!(%error, "{what} is left to the next round"),
        }
    }
}

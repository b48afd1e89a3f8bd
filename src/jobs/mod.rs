//! What happens without anybody asking. Each round is found in the tables, so it may run in any number of processes, and a crash only
//! delays it.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::service::{Services, error::Result};

/// How often the tables are looked through.
const EVERY: Duration = Duration::from_secs(5);
/// How often it is looked for mail, which people wait for.
const MAIL_EVERY: Duration = Duration::from_secs(1);
/// How often what is of no more use is swept out.
const SWEEP_EVERY: Duration = Duration::from_hours(1);

/// Works until it is told to stop; the rounds that have begun are finished. Payments are settled and mail is sent apart, so that a slow
/// provider or mail server holds up nothing else.
pub async fn run(services: Services, stopping: CancellationToken) {
    let bookings = async {
        let mut rounds = rounds(EVERY);
        while next(&mut rounds, &stopping).await {
            move_bookings(&services).await;
        }
    };
    let payments = async {
        let mut rounds = rounds(EVERY);
        while next(&mut rounds, &stopping).await {
            settle_payments(&services).await;
        }
    };
    let mails = async {
        let mut rounds = rounds(MAIL_EVERY);
        while next(&mut rounds, &stopping).await {
            send_mail(&services).await;
        }
    };
    let sweeping = async {
        let mut rounds = rounds(SWEEP_EVERY);
        while next(&mut rounds, &stopping).await {
            sweep(&services).await;
        }
    };
    tokio::join!(bookings, payments, mails, sweeping);
}

/// One look through the tables: lapses what was not paid or answered in time, completes finished stays, settles what is owed, sends
/// mail, and sweeps.
pub async fn round(services: &Services) {
    move_bookings(services).await;
    settle_payments(services).await;
    send_mail(services).await;
    sweep(services).await;
}

async fn move_bookings(services: &Services) {
    report("lapsing bookings", services.bookings.lapse_due().await);
    report("completing stays", services.bookings.complete_due().await);
}

async fn settle_payments(services: &Services) {
    report("settling payments", services.payments.settle_due().await);
}

async fn send_mail(services: &Services) {
    report("sending mail", services.mails.send_due().await);
}

async fn sweep(services: &Services) {
    report("sweeping sessions", services.sessions.sweep().await);
    report("sweeping mailed secrets", services.mails.sweep().await);
}

fn rounds(every: Duration) -> Interval {
    let mut rounds = interval(every);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    rounds
}

async fn next(rounds: &mut Interval, stopping: &CancellationToken) -> bool {
    tokio::select! {
        _ = rounds.tick() => !stopping.is_cancelled(),
        () = stopping.cancelled() => false,
    }
}

fn report<N: PartialEq + From<u8> + std::fmt::Display>(what: &str, outcome: Result<N>) {
    match outcome {
        Ok(count) if count == N::from(0) => {}
        Ok(count) => tracing::info!(%count, "{what}"),
        Err(error) => tracing::warn!(%error, "{what} is left to the next round"),
    }
}

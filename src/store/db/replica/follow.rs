//! Looking how far a replica is, a few times a second.

use std::{
    str::FromStr as _,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use sea_orm::sqlx::{self, Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use super::{
    Inner,
    proof::{Asked, Proof, end_of_record},
};
use crate::store::answers::Answers;

/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(250);
/// How soon again while it has not everything that the primary had: to come up with a commit takes it some milliseconds.
const SOON: Duration = Duration::from_millis(10);
/// How often at most, however much is written.
const AT_MOST_EVERY: Duration = Duration::from_millis(40);
/// How long a server may take to say how far it is.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a primary on which nobody writes is made to send what it keeps back.
const NUDGED_EVERY: Duration = Duration::from_secs(1);

/// How far the primary is. What was acknowledged is on its disk, but where the operator has chosen that it need not be.
const OF_PRIMARY: &str = "SELECT (CASE current_setting('synchronous_commit') WHEN 'off' THEN pg_current_wal_insert_lsn() \
    ELSE pg_current_wal_flush_lsn() END - '0/0')::bigint, current_setting('wal_block_size')::bigint, \
    (SELECT system_identifier FROM pg_control_system()), \
    ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int";

/// How far the replica is. Which timeline it follows it says late, so that after a change of the primary it is looked at for a while and not read.
const OF_REPLICA: &str = "SELECT pg_is_in_recovery(), (coalesce(pg_last_wal_replay_lsn(), '0/0') - '0/0')::bigint, \
    (SELECT system_identifier FROM pg_control_system()), \
    GREATEST((SELECT timeline_id FROM pg_control_checkpoint()), (SELECT min_recovery_end_timeline FROM pg_control_recovery()))";

/// The system that a server is of, and the timeline of it.
type History = (i64, i32);

/// Both servers.
pub(super) struct Servers {
    primary: Server,
    replica: Server,
}

/// A server, and a connection to it that nobody else uses.
struct Server {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

impl Servers {
    /// At these URLs.
    pub(super) fn at(primary: &str, replica: &str) -> Result<Self, sqlx::Error> {
        Ok(Self {
            primary: Server::at(primary)?,
            replica: Server::at(replica)?,
        })
    }
}

impl Server {
    fn at(url: &str) -> Result<Self, sqlx::Error> {
        let options = PgConnectOptions::from_str(url)?;
        Ok(Self {
            options: options.options([("statement_timeout", "1s"), ("tcp_user_timeout", "5s")]),
            connection: None,
        })
    }

    /// The row that it answers with. A connection that has not answered is not used again.
    async fn ask<T>(&mut self, sql: &'static str) -> anyhow::Result<T>
    where
        T: for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin,
    {
        let asking = async {
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => PgConnection::connect_with(&self.options).await?,
            };
            let row = sqlx::query_as(sql).fetch_one(&mut connection).await?;
            self.connection = Some(connection);
            Ok(row)
        };
        timeout(PATIENCE, asking)
            .await
            .context("it does not answer")?
    }

    /// How far the primary is, and of what.
    async fn end(&mut self) -> anyhow::Result<(i64, History)> {
        let (position, page, system, timeline): (i64, i64, i64, i32) = self.ask(OF_PRIMARY).await?;
        Ok((end_of_record(position, page), (system, timeline)))
    }

    /// How far the replica is.
    async fn replayed(&mut self, of: History) -> anyhow::Result<i64> {
        let (is_replica, replayed, system, timeline): (bool, i64, i64, i32) =
            self.ask(OF_REPLICA).await?;
        ensure!(
            is_replica,
            "it is no replica: it was promoted, or never was one"
        );
        ensure!(
            system == of.0,
            "it is the replica of another server than that of DATABASE_URL"
        );
        ensure!(
            timeline == of.1,
            "it follows timeline {timeline}, and the primary is on {}",
            of.1
        );
        Ok(replayed)
    }
}

/// What came of the last looks.
struct Looks {
    servers: Servers,
    proof: Proof,
    of: Option<History>,
    /// How far both were, since when.
    stood: Option<((i64, i64), Instant)>,
    nudged: Instant,
    /// Whether it was read, or why not.
    told: Option<String>,
    /// The last moment up to which it was known to have everything.
    known_at: Instant,
}

/// Looks at a replica for as long as anybody has a use for it.
pub(super) async fn follow(
    replica: Weak<Inner>,
    servers: Servers,
    look: Arc<Notify>,
    answers: Answers,
) {
    let now = Instant::now();
    let mut looks = Looks {
        servers,
        proof: Proof::default(),
        of: None,
        stood: None,
        nudged: now,
        told: Some("it was not looked at yet".to_owned()),
        known_at: now,
    };
    let mut pause = Duration::ZERO;
    loop {
        tokio::select! {
            () = sleep(pause) => {}
            () = look.notified() => {}
            // What was just written is soon to be read.
            () = answers.bumped() => pause = Duration::ZERO,
        }
        let Some(inner) = replica.upgrade() else {
            return;
        };
        let looked = looks.once(&inner, &answers).await;
        looks.tell(&inner, looked.err());
        pause = if looks.proof.is_behind() {
            (pause * 2).clamp(SOON, EVERY)
        } else {
            EVERY
        };
        drop(inner);
        sleep(AT_MOST_EVERY.min(pause)).await;
    }
}

impl Looks {
    /// Asks both. What is wrong with the primary says nothing of the replica, whose news then just grow old.
    async fn once(&mut self, inner: &Inner, answers: &Answers) -> anyhow::Result<()> {
        // Before the primary is asked: what was committed before this, it has.
        let (at, moment) = (Instant::now(), answers.moment());
        let (end, of) = self
            .servers
            .primary
            .end()
            .await
            .context("the primary does not say how far it is")?;
        if self.of.replace(of).is_some_and(|before| before != of) {
            self.proof.forget();
            inner.is_out();
        }
        self.proof.expect(Asked { at, moment, end });
        // What it says over another connection may be said by another server.
        if self.servers.replica.connection.is_none() {
            inner.is_out();
        }
        let replayed = match self.servers.replica.replayed(of).await {
            Ok(replayed) => replayed,
            Err(error) => {
                inner.is_out();
                return Err(error);
            }
        };
        if let Some(reached) = self.proof.reached(replayed) {
            inner.has_all_before(reached.at, reached.moment);
        }
        self.nudge((end, replayed)).await
    }

    /// A primary keeps back what no commit depends on, until there is one: on a quiet one the replica would seem to lag behind. A commit of
    /// nothing makes it go on.
    async fn nudge(&mut self, now: (i64, i64)) -> anyhow::Result<()> {
        let stands = self.proof.is_behind() && self.stood.is_some_and(|(before, _)| before == now);
        if !stands {
            self.stood = Some((now, Instant::now()));
            return Ok(());
        }
        let long = self
            .stood
            .is_some_and(|(_, since)| since.elapsed() >= EVERY);
        if long && self.nudged.elapsed() >= NUDGED_EVERY {
            self.nudged = Instant::now();
            let _: (i64,) = self.servers.primary.ask("SELECT txid_current()").await?;
        }
        Ok(())
    }

    /// Says in figures how far behind it is, and in the log when it is read from now on, or not any more.
    fn tell(&mut self, inner: &Inner, failed: Option<anyhow::Error>) {
        let known = inner.lock().as_ref().map(|known| known.at);
        self.known_at = known.unwrap_or(self.known_at);
        let lag = self.known_at.elapsed();
        let is_good = inner.is_good().is_some();
        metrics::gauge!("staygate_replica_lag_seconds").set(lag.as_secs_f64());
        metrics::gauge!("staygate_replica_in_use").set(if is_good { 1.0 } else { 0.0 });
        let why = match failed {
            _ if is_good => None,
            Some(error) => Some(format!("{error:#}")),
            None => Some("it lags behind".to_owned()),
        };
        match (&self.told, &why) {
            (Some(_), None) => tracing::info!("the replica is read"),
            (None, Some(why)) => tracing::warn!(why, "the replica is not read; the primary is"),
            // Another reason is news; how long it has been so is in the figures.
            (Some(before), Some(why)) if before != why => {
                tracing::warn!(why, "the replica is not read yet");
            }
            _ => return,
        }
        self.told = why;
    }
}

/// How long a replica took to come up with what its primary had, for those who want to know whether it can be read at all.
///
/// # Errors
/// Why it can't, or that it did not come up with it in that time.
pub async fn caught_up_within(
    primary: &str,
    replica: &str,
    patience: Duration,
) -> anyhow::Result<Duration> {
    let mut servers = Servers::at(primary, replica)?;
    let (end, of) = servers.primary.end().await?;
    let began = Instant::now();
    loop {
        if servers.replica.replayed(of).await? >= end {
            return Ok(began.elapsed());
        }
        ensure!(
            began.elapsed() < patience,
            "it lags more than {} s behind",
            patience.as_secs()
        );
        let _: (i64,) = servers.primary.ask("SELECT txid_current()").await?;
        sleep(EVERY).await;
    }
}

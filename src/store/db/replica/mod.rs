//! A read replica of `PostgreSQL`: up to which moment it has everything, and reading from it as long as that is not long ago.
//!
//! Nothing is believed of it that was not shown: [`follow`] asks both servers a few times a second how far they are, and [`proof`] says what
//! that shows. An operation is given a [`Place`] once, at its beginning. What the replica can't answer, for whatever reason of its own, the
//! primary is asked in its stead, and nobody sees more of it than the time that it takes. Why it is so stands in `docs/adr/0019-reading-from-a-replica.md`.

mod follow;
mod place;
mod proof;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sea_orm::{Database, DbErr};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub use self::{follow::caught_up_within, place::Place};
use super::{DbOptions, GIVES_UP, Reading, at_hand::AtHand, connect_options};
use crate::{domain::freshness::Moment, store::answers::Answers};

/// How long a connection to it is waited for, or made: then the primary is asked.
const PATIENCE: Duration = Duration::from_millis(500);
/// The figure that says how long its statements took.
const STATEMENTS: &str = "staygate_replica_statement_duration_seconds";

/// A read replica. Cheap to clone.
#[derive(Clone)]
pub struct Replica(Arc<Inner>);

struct Inner {
    reading: Reading,
    /// How long ago the moment may be up to which it has everything.
    max_lag: Duration,
    /// None while nothing is known, or it can't be read.
    known: Mutex<Option<Known>>,
    /// Woken when somebody could not read from it.
    look: Arc<Notify>,
}

/// What is known: the replica has everything that was committed before a moment.
#[derive(Clone)]
struct Known {
    at: Instant,
    /// The same by the count of those who change what answers show.
    moment: Moment,
    /// Cancelled when it turns out that it can't be read.
    out: CancellationToken,
}

impl Replica {
    /// Begins to follow the replica that `options` lead to, of the server at `primary`. It need not be there, now or ever. Whoever changes
    /// what answers show counts in `answers`.
    ///
    /// # Errors
    /// When its URL is none.
    pub async fn follow(
        options: &DbOptions,
        primary: &str,
        max_lag: Duration,
        answers: Answers,
    ) -> Result<Self, DbErr> {
        let mut connect = connect_options(options);
        connect
            .connect_lazy(true)
            .acquire_timeout(PATIENCE)
            // It may have become a primary since it was looked at.
            .map_sqlx_postgres_opts(|postgres| {
                postgres
                    .options(GIVES_UP)
                    .options([("default_transaction_read_only", "on")])
            });
        let connection = Database::connect(connect).await?;
        let pool = connection.get_postgres_connection_pool().clone();
        let at_hand = AtHand::new(pool, options.max_connections, PATIENCE);
        let look = Arc::new(Notify::new());
        let inner = Arc::new(Inner {
            reading: Reading {
                connection,
                at_hand: Some(Arc::new(at_hand)),
                statements: Arc::new(AtomicU64::new(0)),
                figure: STATEMENTS,
            },
            max_lag,
            known: Mutex::default(),
            look: Arc::clone(&look),
        });
        let servers = follow::Servers::at(primary, &options.url)
            .map_err(|error| DbErr::Custom(error.to_string()))?;
        tokio::spawn(follow::follow(
            Arc::downgrade(&inner),
            servers,
            look,
            answers,
        ));
        Ok(Self(inner))
    }

    /// Where to read what may be as old as the most that the replica may lag behind, beside `primary`; none while it lags further, or can't
    /// be read.
    #[must_use]
    pub fn beside(&self, primary: &Reading) -> Option<Place> {
        let known = self.0.is_good()?;
        Some(Place::on_replica(primary, self.0.clone(), known))
    }

    /// How many statements it was sent by those who read.
    #[must_use]
    pub fn statements_sent(&self) -> u64 {
        self.0.reading.statements.load(Ordering::Relaxed)
    }
}

impl Inner {
    fn is_good(&self) -> Option<Known> {
        let known = self.lock().clone()?;
        (known.at.elapsed() <= self.max_lag).then_some(known)
    }

    /// It has everything that was committed before this moment.
    fn has_all_before(&self, at: Instant, moment: Moment) {
        let mut known = self.lock();
        let out = match known.take() {
            Some(known) => known.out,
            None => CancellationToken::new(),
        };
        *known = Some(Known { at, moment, out });
    }

    /// It can't be read: whoever waits for it asks the primary, and nobody asks it before it was looked at.
    fn is_out(&self) {
        let known = self.lock().take();
        if let Some(known) = known {
            known.out.cancel();
        }
        if let Some(at_hand) = &self.reading.at_hand {
            at_hand.clear();
        }
    }

    /// The same, by one who could not read what was known by then.
    fn was_away(&self, out: &CancellationToken) {
        // Who was slow to find out says nothing of what is known by now.
        if !out.is_cancelled() {
            tracing::debug!("the replica could not be read");
            self.is_out();
            self.look.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

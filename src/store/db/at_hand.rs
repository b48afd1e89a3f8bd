//! Connections to `PostgreSQL` that have answered and are kept for who asks next.
//!
//! The pool tests each connection that comes back to it, in a task and with a round trip of their own; for a read of one statement that is as
//! much as the read. So a connection that has answered stays at hand for a short time, and only then goes through the pool, which tests it and
//! replaces what has grown old. One whose statement failed or was given up goes there at once.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use sea_orm::{
    ConnAcquireErr, DbErr, RuntimeErr,
    sqlx::{self, PgConnection, PgPool, Postgres, pool::PoolConnection},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError},
    time::timeout,
};

/// How long a connection stays out of the pool.
const KEPT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct AtHand {
    pool: PgPool,
    /// As many as there may be connections. Who has one finds a connection, at hand or in the pool.
    places: Arc<Semaphore>,
    /// Some fewer: writes that wait for each other, or for the disk, leave room for reads.
    writes: Arc<Semaphore>,
    /// How long a place is waited for.
    patience: Duration,
    /// The one that answered last is at the end: who is not needed grows old.
    kept: Mutex<Vec<Kept>>,
    /// How many take one from the pool itself: what is given back meanwhile is for them.
    wanted: AtomicUsize,
}

#[derive(Debug)]
struct Kept {
    connection: PoolConnection<Postgres>,
    since: Instant,
}

/// What a write holds as long as its connection.
pub(super) type Places = [OwnedSemaphorePermit; 2];

/// A connection that is in use. Dropped, it goes back to the pool.
pub(super) struct Lent<'a> {
    kept: Kept,
    of: &'a AtHand,
    _place: OwnedSemaphorePermit,
}

impl AtHand {
    pub(super) fn new(pool: PgPool, connections: u32, patience: Duration) -> Self {
        let writes = connections - (connections / 4).max(1).min(connections - 1);
        Self {
            pool,
            places: Arc::new(Semaphore::new(connections as usize)),
            writes: Arc::new(Semaphore::new(writes as usize)),
            patience,
            kept: Mutex::new(Vec::new()),
            wanted: AtomicUsize::new(0),
        }
    }

    /// A connection that is at hand, or one of the pool.
    pub(super) async fn lend(&self) -> Result<Lent<'_>, DbErr> {
        let place = self.place(&self.places).await?;
        let at_hand = self.lock().pop().filter(Kept::is_fresh);
        let kept = match at_hand {
            Some(kept) => kept,
            None => Kept {
                connection: self
                    .of_the_pool(self.pool.acquire())
                    .await
                    .map_err(no_connection)?,
                since: Instant::now(),
            },
        };
        Ok(Lent {
            kept,
            of: self,
            _place: place,
        })
    }

    /// A place for one who takes a connection from the pool by `taking` it. It is to be held as long as the connection.
    pub(super) async fn beside<T>(
        &self,
        taking: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<(OwnedSemaphorePermit, T), DbErr> {
        let place = self.place(&self.places).await?;
        Ok((place, self.of_the_pool(taking).await?))
    }

    /// The same for one who writes.
    pub(super) async fn write<T>(
        &self,
        beginning: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<(Places, T), DbErr> {
        let write = self.place(&self.writes).await?;
        let (place, begun) = self.beside(beginning).await?;
        Ok(([place, write], begun))
    }

    async fn of_the_pool<T>(&self, taking: impl Future<Output = T>) -> T {
        self.wanted.fetch_add(1, Ordering::SeqCst);
        let _wanted = Wanted(&self.wanted);
        let spare = self.lock().pop();
        drop(spare);
        taking.await
    }

    async fn place(&self, of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, DbErr> {
        let closed = || DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed);
        match Arc::clone(of).try_acquire_owned() {
            Ok(place) => return Ok(place),
            Err(TryAcquireError::Closed) => return Err(closed()),
            Err(TryAcquireError::NoPermits) => {}
        }
        let began = Instant::now();
        let place = timeout(self.patience, Arc::clone(of).acquire_owned()).await;
        metrics::histogram!("staygate_database_wait_seconds").record(began.elapsed());
        place
            .map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))?
            .map_err(|_| closed())
    }

    /// Gives all back to the pool.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn is_fresh(&self) -> bool {
        self.since.elapsed() < KEPT
    }
}

impl Lent<'_> {
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.kept.connection
    }

    /// It has answered, and all of the answer was read.
    pub(super) fn keep(self) {
        let Self { kept, of, _place } = self;
        let mut all = of.lock();
        // Looked at under the lock: who wants one either sees it at hand or is seen here.
        let stays =
            kept.is_fresh() && of.wanted.load(Ordering::SeqCst) == 0 && !of.pool.is_closed();
        let leaves = if stays {
            all.push(kept);
            all.first()
                .is_some_and(|oldest| !oldest.is_fresh())
                .then(|| all.remove(0))
        } else {
            Some(kept)
        };
        drop(all);
        drop(leaves);
    }
}

struct Wanted<'a>(&'a AtomicUsize);

impl Drop for Wanted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A pool gives its connections back in tasks; where there is no runtime any more, they are just closed.
impl Drop for AtHand {
    fn drop(&mut self) {
        if tokio::runtime::Handle::try_current().is_err() {
            for kept in self.lock().drain(..) {
                drop(kept.connection.leak());
            }
        }
    }
}

fn no_connection(error: sqlx::Error) -> DbErr {
    match error {
        sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        other => DbErr::Conn(RuntimeErr::SqlxError(other.into())),
    }
}

//! The database: one pool, one way to begin a write.

mod at_hand;
mod failures;
mod left_open;
mod reading;
pub mod replica;

pub use failures::{is_unavailable, is_unique_violation};
pub use reading::Reading;

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use migration::{Migrator, MigratorTrait as _};
use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DatabaseTransaction,
    DbBackend, DbErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait as _,
    sqlx::{
        Connection as _, PgConnection,
        sqlite::{SqliteJournalMode, SqliteSynchronous},
    },
};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

use self::at_hand::{AtHand, Places};
use super::traces;

/// How long a connection is waited for where all are in use.
const PATIENCE: Duration = Duration::from_secs(8);

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct DbOptions {
    /// `sqlite://file.db` (made when it is not there) or `postgres://…`.
    pub url: String,
    /// The most connections of the pool.
    pub max_connections: u32,
    /// How long one statement may run, on `PostgreSQL`.
    pub statement_timeout: Option<Duration>,
}

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    reading: Reading,
    /// `SQLite` has one writer. Waiting here is fair and never fails; waiting in `SQLite` ends in "database is locked".
    writer: Option<Arc<Mutex<()>>>,
}

impl Db {
    /// Opens a pool.
    ///
    /// # Errors
    /// When the database can't be reached or the URL is of no engine that is served.
    pub async fn connect(options: &DbOptions) -> Result<Self, DbErr> {
        let mut connect = connect_options(options);
        connect
            .acquire_timeout(PATIENCE)
            .map_sqlx_sqlite_opts(|sqlite| {
                sqlite
                    .create_if_missing(true)
                    .foreign_keys(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Normal)
                    // Another process (a worker, the command line) may be writing.
                    .busy_timeout(Duration::from_secs(10))
                    // What a row had before is not left lying in its page.
                    .pragma("secure_delete", "FAST")
            })
            .map_sqlx_sqlite_pool_opts(left_open::never_given_again);
        let mut connection = match Database::connect(connect).await {
            Ok(connection) => connection,
            Err(error) => return Err(why_unreachable(&options.url).await.unwrap_or(error)),
        };
        let statements = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&statements);
        let backend = connection.get_database_backend();
        connection.set_metric_callback(move |sent| {
            counter.fetch_add(1, Ordering::Relaxed);
            measured(
                STATEMENTS,
                sent.elapsed,
                sent.failed,
                backend,
                &sent.statement.sql,
            );
        });
        let is_sqlite = backend == DbBackend::Sqlite;
        let at_hand = (!is_sqlite).then(|| {
            let pool = connection.get_postgres_connection_pool().clone();
            Arc::new(AtHand::new(pool, options.max_connections, PATIENCE))
        });
        Ok(Self {
            reading: Reading {
                connection,
                at_hand,
                statements,
                figure: STATEMENTS,
            },
            writer: is_sqlite.then(Arc::default),
        })
    }

    /// Brings the tables up to date. Several instances may do it at once. Where they are, nothing is written, and the right to change tables is not needed.
    ///
    /// # Errors
    /// When a migration fails; it is rolled back.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        if self.pending_migrations().await?.is_empty() {
            return Ok(());
        }
        if self.backend() == DbBackend::Sqlite {
            let _writer = self.lock_writer().await;
            return Migrator::up(self.pool(), None).await;
        }
        let tx = self.begin().await?;
        // Released at commit. The key is this application's own.
        tx.execute_unprepared("SELECT pg_advisory_xact_lock(7829871)")
            .await?;
        Migrator::up(&*tx, None).await?;
        tx.commit().await
    }

    /// The migrations that are still to be done, the next one first. It changes nothing.
    ///
    /// # Errors
    /// When the database can't be reached, or a newer version of this product has migrated it.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, DbErr> {
        let pending = Migrator::get_pending_migrations_read_only(self.pool()).await?;
        Ok(pending
            .iter()
            .map(|migration| migration.name().to_owned())
            .collect())
    }

    /// What the database says of itself, and its clock where that is another machine's.
    ///
    /// # Errors
    /// When it can't be reached.
    pub async fn about(&self) -> Result<(String, Option<DateTime<Utc>>), DbErr> {
        let sql = match self.backend() {
            DbBackend::Sqlite => "SELECT 'SQLite ' || sqlite_version() AS version",
            _ => {
                "SELECT 'PostgreSQL ' || current_setting('server_version') AS version, clock_timestamp() AS now"
            }
        };
        let row = self
            .pool()
            .query_one_raw(Statement::from_string(self.backend(), sql));
        let row = row
            .await?
            .ok_or_else(|| DbErr::RecordNotFound(sql.to_owned()))?;
        let now = match self.backend() {
            DbBackend::Sqlite => None,
            _ => Some(row.try_get("", "now")?),
        };
        Ok((row.try_get("", "version")?, now))
    }

    /// How many connections the pool has, and how many of them nobody uses.
    #[must_use]
    pub fn connections(&self) -> (u32, u32) {
        let few = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        if self.backend() == DbBackend::Sqlite {
            let pool = self.pool().get_sqlite_connection_pool();
            return (pool.size(), few(pool.num_idle()));
        }
        let pool = self.pool().get_postgres_connection_pool();
        (pool.size(), few(pool.num_idle()))
    }

    /// Closes every connection.
    ///
    /// # Errors
    /// When the driver fails to.
    pub async fn close(self) -> Result<(), DbErr> {
        if let Some(at_hand) = &self.reading.at_hand {
            at_hand.clear();
        }
        self.reading.connection.close().await
    }

    /// Begins a write. On `SQLite` it waits its turn in this process and then takes the write lock at once, so that no write fails
    /// half-way because another one was first.
    ///
    /// # Errors
    /// When no connection is to be had, or another process keeps the write lock for 10 seconds.
    pub async fn begin(&self) -> Result<Tx, DbErr> {
        let began = Instant::now();
        let tx = self.begun().await;
        // With what it waited for.
        traces::statement(self.backend(), "BEGIN", began.elapsed(), tx.is_err());
        tx
    }

    async fn begun(&self) -> Result<Tx, DbErr> {
        let turn = self.lock_writer().await;
        let options = TransactionOptions {
            sqlite_transaction_mode: turn.is_some().then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let beginning = self.pool().begin_with_options(options);
        let (place, tx) = match &self.reading.at_hand {
            Some(at_hand) => {
                let (place, tx) = at_hand.write(beginning).await?;
                (Some(place), tx)
            }
            None => (None, beginning.await?),
        };
        Ok(Tx {
            tx,
            _held: (place, turn),
        })
    }

    /// Writes the files of `SQLite` anew, so that nothing is left in them of what was deleted or replaced. `PostgreSQL` does the like by itself, in its own time.
    ///
    /// # Errors
    /// When it does not fit on the disk, or another process keeps the write lock for 10 seconds.
    pub async fn wipe_what_was_deleted(&self) -> anyhow::Result<()> {
        if self.backend() == DbBackend::Sqlite {
            let _writer = self.lock_writer().await;
            for step in ["VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"] {
                self.pool().execute_unprepared(step).await?;
            }
        }
        Ok(())
    }

    async fn lock_writer(&self) -> Option<OwnedMutexGuard<()>> {
        match &self.writer {
            Some(writer) => Some(Arc::clone(writer).lock_owned().await),
            None => None,
        }
    }

    /// Reads outside of a write.
    #[must_use]
    pub const fn read(&self) -> &Reading {
        &self.reading
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), DbErr> {
        let asking = self.pool().ping();
        match &self.reading.at_hand {
            Some(at_hand) => {
                let (_place, ()) = at_hand.beside(asking).await?;
                Ok(())
            }
            None => asking.await,
        }
    }

    const fn pool(&self) -> &DatabaseConnection {
        &self.reading.connection
    }

    /// Which engine it is.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.pool().get_database_backend()
    }

    /// How many statements this pool has sent since it was opened.
    #[must_use]
    pub fn statements_sent(&self) -> u64 {
        self.reading.statements.load(Ordering::Relaxed)
    }
}

/// What a pool of connections is, whichever server they are to.
fn connect_options(options: &DbOptions) -> ConnectOptions {
    let mut connect = ConnectOptions::new(&options.url);
    connect
        .max_connections(options.max_connections)
        .test_before_acquire_if_idle_for(Duration::from_secs(30))
        .sqlx_logging(false);
    if let Some(limit) = options.statement_timeout {
        connect.statement_timeout(limit);
        // An instance that hangs, or that the network has cut off, keeps its locks no longer than this: others wait for them.
        connect.map_sqlx_postgres_opts(|postgres| postgres.options(GIVES_UP));
    }
    connect
}

/// What a server of `PostgreSQL` does with connections that hang.
const GIVES_UP: [(&str, &str); 3] = [
    ("idle_in_transaction_session_timeout", "5s"),
    ("tcp_user_timeout", "10s"),
    ("tcp_keepalives_idle", "10"),
];

/// The figure that says how long statements took.
const STATEMENTS: &str = "staygate_database_statement_duration_seconds";

/// A statement that took so long: told to those who count, and to those who trace.
fn measured(figure: &'static str, took: Duration, failed: bool, backend: DbBackend, sql: &str) {
    traces::statement(backend, sql, took, failed);
    let outcome = if failed { "failed" } else { "ok" };
    metrics::histogram!(figure, "outcome" => outcome).record(took);
}

/// Why a server of `PostgreSQL` can't be connected to: the pool tries again until its time is over, and then says no more than that.
async fn why_unreachable(url: &str) -> Option<DbErr> {
    if !url.starts_with("postgres") {
        return None;
    }
    let tried = timeout(PATIENCE, PgConnection::connect(url)).await.ok()?;
    Some(DbErr::Custom(tried.err()?.to_string()))
}

/// A write that has begun; rolled back unless it is committed.
#[derive(Debug)]
pub struct Tx {
    tx: DatabaseTransaction,
    // Its places and its turn. Dropped after `tx`: fields are dropped in the order of their declaration.
    _held: (Option<Places>, Option<OwnedMutexGuard<()>>),
}

impl Tx {
    /// Makes everything durable.
    ///
    /// # Errors
    /// When the database can't be reached; then nothing was written, or the answer was lost.
    pub async fn commit(self) -> Result<(), DbErr> {
        let (began, backend) = (Instant::now(), self.tx.get_database_backend());
        let committed = self.tx.commit().await;
        traces::statement(backend, "COMMIT", began.elapsed(), committed.is_err());
        committed
    }
}

impl Deref for Tx {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &Self::Target {
        &self.tx
    }
}

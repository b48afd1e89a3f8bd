//! Where an operation reads.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement,
    prelude::async_trait::async_trait, sqlx,
};

use super::{Inner, Known};
use crate::{
    domain::freshness::Moment,
    store::db::{Reading, is_unavailable},
};

/// What a server says of a statement that took too long: so it would on the primary.
const TOOK_TOO_LONG: &str = "57014";

/// Where an operation reads what everybody may see. Its clones are of the same operation.
#[derive(Clone)]
pub struct Place {
    primary: Reading,
    replica: Option<Arc<OnReplica>>,
}

struct OnReplica {
    inner: Arc<Inner>,
    known: Known,
    /// What the replica has not, or did not say, was found on the primary. What belongs to it is newer than the replica too.
    has_left: AtomicBool,
}

impl Place {
    /// The primary alone.
    #[must_use]
    pub fn primary(primary: &Reading) -> Self {
        Self {
            primary: primary.clone(),
            replica: None,
        }
    }

    pub(super) fn on_replica(primary: &Reading, inner: Arc<Inner>, known: Known) -> Self {
        Self {
            replica: Some(Arc::new(OnReplica {
                inner,
                known,
                has_left: AtomicBool::new(false),
            })),
            ..Self::primary(primary)
        }
    }

    /// The moment up to which what is read here has everything, where that is not the present one.
    #[must_use]
    pub fn moment(&self) -> Option<Moment> {
        Some(self.replica.as_ref()?.known.moment)
    }

    /// The primary, where the replica is read: for what is not found there and may be newer.
    #[must_use]
    pub fn elsewhere(&self) -> Option<&Reading> {
        self.replica().map(|_| &self.primary)
    }

    /// From now on the operation reads from the primary: it has seen there what the replica does not have yet.
    pub fn leave_replica(&self) {
        if let Some(replica) = &self.replica {
            replica.has_left.store(true, Relaxed);
        }
    }

    fn replica(&self) -> Option<&OnReplica> {
        let replica = self.replica.as_deref()?;
        (!replica.has_left.load(Relaxed)).then_some(replica)
    }

    /// What the replica answers; none where the primary is to be asked.
    async fn of_replica<T>(
        &self,
        ask: impl AsyncFnOnce(&Reading) -> Result<T, DbErr>,
    ) -> Option<Result<T, DbErr>> {
        let replica = self.replica()?;
        let (inner, out) = (&replica.inner, &replica.known.out);
        let answer = tokio::select! {
            biased;
            () = out.cancelled() => None,
            answer = ask(&inner.reading) => Some(answer),
        };
        match answer {
            Some(Ok(answer)) => return Some(Ok(answer)),
            Some(Err(error)) if took_too_long(&error) => return Some(Err(error)),
            // A connection was not to be had in time: it may be busy as well as away, which those find out who look.
            Some(Err(DbErr::ConnectionAcquire(_))) => inner.look.notify_one(),
            Some(Err(error)) if is_unavailable(&error) => inner.was_away(out),
            // Such as a row that it had to take away while it was read.
            Some(Err(error)) => tracing::debug!(%error, "the replica could not answer"),
            None => {}
        }
        self.leave_replica();
        None
    }
}

#[async_trait]
impl ConnectionTrait for Place {
    fn get_database_backend(&self) -> DbBackend {
        self.primary.get_database_backend()
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        if self.replica.is_some() {
            let asked = statement.clone();
            let answer =
                self.of_replica(async |reading: &Reading| reading.query_one_raw(asked).await);
            if let Some(answer) = answer.await {
                return answer;
            }
        }
        self.primary.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        if self.replica.is_some() {
            let asked = statement.clone();
            let answer =
                self.of_replica(async |reading: &Reading| reading.query_all_raw(asked).await);
            if let Some(answer) = answer.await {
                return answer;
            }
        }
        self.primary.query_all_raw(statement).await
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.primary.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.primary.execute_unprepared(sql).await
    }
}

fn took_too_long(error: &DbErr) -> bool {
    let (DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause)) = error else {
        return false;
    };
    let RuntimeErr::SqlxError(cause) = cause else {
        return false;
    };
    match &**cause {
        sqlx::Error::Database(told) => told.code().as_deref() == Some(TOOK_TOO_LONG),
        _ => false,
    }
}

//! Work that a transaction leaves for later. It is begun at least once, by any instance; what fails is tried again, later each time, and at
//! last given up, with its reason in the table.

use chrono::{DateTime, Duration, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Parts, error::Result};
use crate::{
    entity::job::{ActiveModel, Column, Entity, Model},
    store::db::Tx,
};

/// How long a worker may take before another one begins the same again.
const LEASE: Duration = Duration::minutes(2);
/// How often something is tried: with the waits between, for about a day.
const ATTEMPTS: i32 = 30;
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::hours(1);

/// A kind of work, and what a worker needs to know to do one piece of it.
pub(super) trait Work: Serialize + DeserializeOwned {
    /// Its name in the table.
    const KIND: &'static str;
}

/// What became of a try.
pub(super) enum Tried {
    /// It is done.
    Done,
    /// Perhaps it works later.
    Later(String),
    /// It never will.
    Never(String),
}

/// Leaves work for after the commit.
pub(super) async fn enqueue<W: Work>(tx: &Tx, work: &W, now: DateTime<Utc>) -> Result<()> {
    let row = ActiveModel {
        job_id: NotSet,
        kind: Set(W::KIND.to_owned()),
        payload: Set(serde_json::to_value(work).map_err(anyhow::Error::from)?),
        attempts: Set(0),
        due_at: Set(now),
        created_at: Set(now),
        given_up_at: Set(None),
        failure: Set(None),
    };
    Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

/// What is due, oldest first.
pub(super) async fn due<W: Work>(parts: &Parts, most: u64) -> Result<Vec<Model>> {
    Ok(Entity::find()
        .filter(Column::Kind.eq(W::KIND))
        // Spelled out, because the partial index is chosen by it.
        .filter(Expr::cust("given_up_at IS NULL"))
        .filter(Column::DueAt.lte(parts.clock.now()))
        .order_by_asc(Column::DueAt)
        .limit(most)
        .all(parts.db.read())
        .await?)
}

/// Takes a piece of work, so that for a while nobody else does. None when somebody was first, or it can't be read.
pub(super) async fn take<W: Work>(parts: &Parts, job: &Model) -> Result<Option<W>> {
    let tx = parts.db.begin().await?;
    let taken = Entity::update_many()
        .col_expr(Column::DueAt, Expr::val(parts.clock.now() + LEASE))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .filter(Column::JobId.eq(job.job_id))
        .filter(Column::Attempts.eq(job.attempts))
        .exec(&*tx)
        .await?;
    tx.commit().await?;
    if taken.rows_affected == 0 {
        return Ok(None);
    }
    if job.attempts >= ATTEMPTS {
        // Begun so often, and never finished: it takes its worker down.
        let why = "it was begun too often".to_owned();
        finish(parts, job, Tried::Never(why)).await?;
        return Ok(None);
    }
    match serde_json::from_value(job.payload.clone()) {
        Ok(work) => Ok(Some(work)),
        Err(error) => {
            let why = format!("it can't be read: {error}");
            finish(parts, job, Tried::Never(why)).await?;
            Ok(None)
        }
    }
}

/// Writes down what became of a try.
pub(super) async fn finish(parts: &Parts, job: &Model, tried: Tried) -> Result<()> {
    let now = parts.clock.now();
    let attempts = job.attempts + 1;
    let tx = parts.db.begin().await?;
    let (failure, given_up_at) = match tried {
        Tried::Done => {
            Entity::delete_by_id(job.job_id).exec(&*tx).await?;
            return Ok(tx.commit().await?);
        }
        Tried::Later(why) if attempts < ATTEMPTS => (why, None),
        Tried::Later(why) | Tried::Never(why) => (why, Some(now)),
    };
    if given_up_at.is_some() {
        tracing::error!(
            job_id = job.job_id,
            kind = job.kind,
            why = failure,
            "a job is given up"
        );
        metrics::counter!("staygate_jobs_given_up_total", "kind" => job.kind.clone()).increment(1);
    }
    Entity::update_many()
        .col_expr(Column::DueAt, Expr::val(now + wait_after(attempts)))
        .col_expr(Column::Failure, Expr::val(Some(failure)))
        .col_expr(Column::GivenUpAt, Expr::val(given_up_at))
        .filter(Column::JobId.eq(job.job_id))
        .filter(Column::Attempts.eq(attempts))
        .exec(&*tx)
        .await?;
    Ok(tx.commit().await?)
}

/// Forgets what was given up long ago. Gives how many.
pub(super) async fn sweep(parts: &Parts) -> Result<u64> {
    let long_ago = parts.clock.now() - Duration::days(30);
    let tx = parts.db.begin().await?;
    let swept = Entity::delete_many()
        .filter(Column::GivenUpAt.lt(long_ago))
        .exec(&*tx)
        .await?;
    tx.commit().await?;
    Ok(swept.rows_affected)
}

/// Ten seconds, then twice as long each time.
fn wait_after(attempts: i32) -> Duration {
    let doublings = attempts.clamp(1, 16) - 1;
    (Duration::seconds(10) * 2_i32.pow(doublings.unsigned_abs())).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        let waits: Vec<_> = [1, 2, 3, 9, 10, 29]
            .map(|attempts| wait_after(attempts).num_seconds())
            .to_vec();
        assert_eq!(waits, [10, 20, 40, 2_560, 3_600, 3_600]);
    }
}

//! Work that a transaction leaves for later. It is begun at least once, by any instance; what fails is tried again, later each time, and at
//! last given up, with its reason in the table.
//!
//! A worker claims what it is about to do, and nobody else begins that for as long as its lease lasts. One that dies leaves its claims to
//! others, who begin the same again: whoever defines [`Work`] sees to it that its effect happens once (a mail's `Message-ID`, for one,
//! depends on its job alone). `docs/adr/0006-our-own-job-queue.md` says why this is our own.

use std::pin::pin;

use chrono::{DateTime, Duration, Utc};
use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{Fuse, FusedFuture as _},
    stream::FuturesUnordered,
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, FromQueryResult,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Statement,
    sea_query::{Expr, ExprTrait as _, Func},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{Parts, error::Result};
use crate::{
    domain::digest::sha256_hex,
    entity::job::{ActiveModel, Column, Entity, Model},
    store::{
        db::Tx,
        traces::{About, Span},
    },
};

/// The usual lease.
const LEASE: Duration = Duration::minutes(2);
/// How often it is looked for more while something is under way.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(1);
/// How often something is tried: with the waits between, for about a day.
const ATTEMPTS: i32 = 30;
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::hours(1);
/// How much is kept of the reason for a failure, in characters.
const LONGEST_REASON: usize = 1_000;

/// A kind of work, and what a worker needs to know to do one piece of it.
pub(super) trait Work: Serialize + DeserializeOwned {
    /// Its name in the table and in the metrics.
    const KIND: &'static str;
    /// How many pieces a worker has in hand. Each is begun at once, and must be done within the lease.
    const AT_ONCE: usize;
    /// How long a worker may take before another one begins the same again.
    const LEASE: Duration = LEASE;
}

/// A piece of work that is this worker's, for as long as its lease lasts.
pub(super) struct Claim<W> {
    /// What is to be done.
    pub(super) work: W,
    /// Names the job, in this database and among all others. It is the same however often, and by whomever, the job is begun.
    pub(super) name: String,
}

/// What became of a try.
#[derive(Debug)]
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
    enqueue_at(tx, [(work, now)], now).await
}

/// Leaves work for after the commit, each piece for its time, in one statement.
pub(super) async fn enqueue_at<'a, W: Work + 'a>(
    tx: &Tx,
    work: impl IntoIterator<Item = (&'a W, DateTime<Utc>)>,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut rows = vec![];
    for (work, due_at) in work {
        rows.push(ActiveModel {
            job_id: NotSet,
            kind: Set(W::KIND.to_owned()),
            payload: Set(serde_json::to_value(work).map_err(anyhow::Error::from)?),
            attempts: Set(0),
            due_at: Set(due_at),
            created_at: Set(now),
            given_up_at: Set(None),
            failure: Set(None),
        });
    }
    if !rows.is_empty() {
        Entity::insert_many(rows)
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}

/// Does all that is due, oldest first and [`Work::AT_ONCE`] at a time, until nothing is left or it is told to stop; what was begun is
/// finished. Any number of workers may do it at once. Gives how many pieces are done.
///
/// # Errors
/// When nothing can be claimed, because the database fails. A piece that fails stops no other.
pub(super) async fn work_off<W: Work, F: Future<Output = Tried>>(
    parts: &Parts,
    stopping: &CancellationToken,
    work: impl Fn(Claim<W>) -> F,
) -> Result<usize> {
    let work = &work;
    let one = |job: Model| async move {
        // A trace of its own: it may run long after the request that left it, and more than once.
        let span = Span::apart(|| {
            About::left(format!("{} job", W::KIND))
                .with("staygate.job.attempt", i64::from(job.attempts))
        });
        let done = span.around(tried(parts, &job, work)).await;
        if !done {
            span.failed("not done");
        }
        done
    };
    let (mut done, mut more, mut failed) = (0, true, None);
    let mut under_way = FuturesUnordered::new();
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut claiming = pin!(Fuse::terminated());
    loop {
        let room = W::AT_ONCE - under_way.len();
        // One claim takes several; and a slow piece holds up none but itself.
        if more
            && room >= W::AT_ONCE.div_ceil(2)
            && claiming.is_terminated()
            && !stopping.is_cancelled()
        {
            claiming.set(claim::<W>(parts, room).fuse());
        }
        // Both go on at once: what is under way may hold the writer's turn that the claim waits for.
        tokio::select! {
            jobs = &mut claiming, if !claiming.is_terminated() => match jobs {
                Ok(jobs) => {
                    more = !jobs.is_empty();
                    under_way.extend(jobs.into_iter().map(one));
                }
                Err(error) => {
                    more = false;
                    failed = Some(error);
                }
            },
            Some(one) = under_way.next() => done += usize::from(one),
            // What has become due since does not wait for a slow piece either.
            _ = looks.tick(), if !more && failed.is_none() && !under_way.is_empty() => more = true,
            else => return failed.map_or(Ok(done), Err),
        }
    }
}

/// Tries one piece, and writes down what became of it. Gives whether it is done.
async fn tried<W: Work, F: Future<Output = Tried>>(
    parts: &Parts,
    job: &Model,
    work: impl Fn(Claim<W>) -> F,
) -> bool {
    let tried = match serde_json::from_value(job.payload.clone()) {
        // Begun so often, and never finished: it takes its worker down.
        _ if job.attempts > ATTEMPTS => Tried::Never("it was begun too often".to_owned()),
        Ok(piece) => {
            let name = name_of(job);
            work(Claim { work: piece, name }).await
        }
        // While versions change, one that understands it may come by.
        Err(error) => Tried::Later(format!("it can't be read: {error}")),
    };
    let done = matches!(tried, Tried::Done);
    if let Err(error) = finish(parts, job, tried).await {
        tracing::warn!(job_id = job.job_id, kind = job.kind, %error, "what became of a job could not be written down");
    }
    done
}

/// Takes some of what is due, so that until the lease is over nobody else does.
async fn claim<W: Work>(parts: &Parts, most: usize) -> Result<Vec<Model>> {
    let now = parts.clock.now();
    let tx = parts.db.begin().await?;
    let backend = parts.db.backend();
    // SQLite has one writer, who is alone with all rows.
    let lock = match backend {
        DbBackend::Postgres => "FOR UPDATE SKIP LOCKED",
        _ => "",
    };
    // Apart from the update, because PostgreSQL may run a subquery again for each row, and would then claim more than was asked for.
    let sql = format!(
        "WITH next AS MATERIALIZED (
            SELECT job_id FROM jobs WHERE kind = $1 AND given_up_at IS NULL AND due_at <= $2
            ORDER BY due_at LIMIT $3 {lock})
        UPDATE jobs SET due_at = $4, attempts = attempts + 1
        WHERE job_id IN (SELECT job_id FROM next) RETURNING *"
    );
    let most = i64::try_from(most).unwrap_or(1);
    let values = [
        W::KIND.into(),
        now.into(),
        most.into(),
        (now + W::LEASE).into(),
    ];
    let jobs = Entity::find()
        .from_raw_sql(Statement::from_sql_and_values(backend, sql, values))
        .all(&*tx)
        .await?;
    tx.commit().await?;
    Ok(jobs)
}

/// The moment and the key together, hashed: keys alone begin anew in every database, and tell how much there is.
fn name_of(job: &Model) -> String {
    let made = job.created_at.timestamp_micros();
    let mut name = sha256_hex(format!("{} {} {made}", job.kind, job.job_id));
    name.truncate(32);
    name
}

/// Writes down what became of a try.
async fn finish(parts: &Parts, job: &Model, tried: Tried) -> Result<()> {
    let now = parts.clock.now();
    let tx = parts.db.begin().await?;
    let (failure, given_up_at) = match tried {
        Tried::Done => {
            // Whoever has it now, when this took longer than its lease: it is done.
            Entity::delete_by_id(job.job_id).exec(&*tx).await?;
            tx.commit().await?;
            count("staygate_jobs_done_total", job);
            return Ok(());
        }
        Tried::Later(why) if job.attempts < ATTEMPTS => (why, None),
        Tried::Later(why) | Tried::Never(why) => (why, Some(now)),
    };
    // Text columns of PostgreSQL hold no NUL, and the reason may be in another server's words.
    let failure: String = failure
        .chars()
        .filter(|c| *c != '\0')
        .take(LONGEST_REASON)
        .collect();
    let written = Entity::update_many()
        .col_expr(Column::DueAt, Expr::val(now + wait_after(job.attempts)))
        .col_expr(Column::Failure, Expr::val(Some(failure.clone())))
        .col_expr(Column::GivenUpAt, Expr::val(given_up_at))
        .filter(Column::JobId.eq(job.job_id))
        // Else somebody has begun it again, and says what becomes of it.
        .filter(Column::Attempts.eq(job.attempts))
        .exec(&*tx)
        .await?;
    tx.commit().await?;
    if written.rows_affected == 0 {
        return Ok(());
    }
    let (job_id, kind) = (job.job_id, &job.kind);
    if given_up_at.is_some() {
        tracing::error!(job_id, kind, why = failure, "a job is given up");
        count("staygate_jobs_given_up_total", job);
    } else {
        tracing::warn!(job_id, kind, why = failure, "a job is tried again later");
        count("staygate_jobs_failed_total", job);
    }
    Ok(())
}

fn count(metric: &'static str, job: &Model) {
    metrics::counter!(metric, "kind" => job.kind.clone()).increment(1);
}

/// Whether the same work waits for the same time, untried.
pub(super) async fn waits<W: Work>(tx: &Tx, work: &W, due_at: DateTime<Utc>) -> Result<bool> {
    let payload = serde_json::to_value(work).map_err(anyhow::Error::from)?;
    // SQLite keeps JSON as the text that was written; PostgreSQL writes it anew, and compares what it means.
    let kept_as = match tx.get_database_backend() {
        DbBackend::Postgres => "jsonb",
        _ => "text",
    };
    let same_work = Expr::col(Column::Payload)
        .cast_as(kept_as)
        .eq(Expr::val(payload.to_string()).cast_as(kept_as));
    let same = Entity::find()
        .filter(Column::Kind.eq(W::KIND))
        // Spelled out, because the partial index is chosen by it.
        .filter(Expr::cust("given_up_at IS NULL"))
        .filter(Column::DueAt.eq(due_at))
        .filter(same_work);
    Ok(same.one(&**tx).await?.is_some())
}

/// Takes back work of a kind that has a text, whole, somewhere in it, in the caller's transaction: all that was given up, and all that waits
/// but what is to be `kept`. What a worker has in hand it finishes. The text has no quotes.
pub(super) async fn take_back<W: Work>(
    tx: &Tx,
    text: &str,
    kept: impl Fn(&W) -> bool,
) -> Result<()> {
    let position = match tx.get_database_backend() {
        DbBackend::Postgres => "strpos",
        _ => "instr",
    };
    let position = Func::cust(position)
        .arg(Expr::col(Column::Payload).cast_as("text"))
        .arg(format!("\"{text}\""));
    let found = Entity::find()
        .filter(Column::Kind.eq(W::KIND))
        .filter(Expr::expr(position).gt(0))
        .order_by_asc(Column::JobId)
        .lock_exclusive()
        .all(&**tx)
        .await?;
    let is_kept = |job: &Model| {
        job.given_up_at.is_none()
            && serde_json::from_value(job.payload.clone()).is_ok_and(|w| kept(&w))
    };
    let gone = found.iter().filter(|job| !is_kept(job));
    Entity::delete_many()
        .filter(Column::JobId.is_in(gone.map(|job| job.job_id)))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// What waits of one kind of work.
#[derive(Debug, FromQueryResult)]
struct Backlog {
    due: i64,
    oldest: Option<DateTime<Utc>>,
}

/// Tells the metrics how much of a kind is due, and for how long the oldest of it has been.
pub(super) async fn measure<W: Work>(parts: &Parts) -> Result<()> {
    let now = parts.clock.now();
    let backlog = Entity::find()
        .select_only()
        .column_as(Column::JobId.count(), "due")
        .column_as(Column::DueAt.min(), "oldest")
        .filter(Column::Kind.eq(W::KIND))
        .filter(Expr::cust("given_up_at IS NULL"))
        .filter(Column::DueAt.lte(now))
        .into_model::<Backlog>()
        .one(parts.db.read())
        .await?;
    let (due, oldest) = backlog.map_or((0, None), |found| (found.due, found.oldest));
    let age = oldest.map_or(Duration::zero(), |oldest| now - oldest);
    let due = u32::try_from(due).unwrap_or(u32::MAX);
    metrics::gauge!("staygate_jobs_due", "kind" => W::KIND).set(due);
    metrics::gauge!("staygate_jobs_oldest_due_seconds", "kind" => W::KIND)
        .set(age.as_seconds_f64());
    Ok(())
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

    #[test]
    fn a_job_has_one_name_and_no_other_job_has_it_in_any_database() {
        let made = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let job = Model {
            job_id: 7,
            kind: "mail".into(),
            payload: serde_json::json!(1),
            attempts: 0,
            due_at: made,
            created_at: made,
            given_up_at: None,
            failure: None,
        };
        let again = Model {
            attempts: 3,
            due_at: made + Duration::hours(1),
            failure: Some("busy".into()),
            ..job.clone()
        };
        let next = Model {
            job_id: 8,
            ..job.clone()
        };
        let elsewhere = Model {
            created_at: made + Duration::microseconds(1),
            ..job.clone()
        };
        assert_eq!(name_of(&job), name_of(&again));
        assert_ne!(name_of(&job), name_of(&next));
        assert_ne!(name_of(&job), name_of(&elsewhere));
    }
}

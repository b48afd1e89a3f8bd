//! Backups by a schedule. Each of its moments is begun by one worker, whoever comes first, and what fails is tried again by the queue's rules.
//! Each failure raises an alert.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, QueryFilter as _,
    sea_query::{Expr, ExprTrait as _, OnConflict},
};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{Keeper, Manifest};
use crate::{
    domain::schedule::Schedule,
    entity::schedule::{ActiveModel, Column, Entity},
    service::{
        Parts,
        error::Result,
        queue::{self, Claim, Tried, Work},
        suspicion,
    },
};

/// The row of `schedules`.
const NAME: &str = "backup";
/// What an alert is raised for.
const CAUSE: &str = "a backup failed";

/// What is backed up where, and when.
#[derive(Clone)]
pub struct Plan {
    /// Makes them.
    pub keeper: Keeper,
    /// When.
    pub schedule: Schedule,
}

/// Backups that nobody asks for.
#[derive(Clone)]
pub struct Backups(pub(in crate::service) Arc<Parts>);

/// A backup that is to be made.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct BackUp {
    /// The moment of the schedule.
    due: DateTime<Utc>,
}

impl Work for BackUp {
    const KIND: &'static str = "backup";
    const AT_ONCE: usize = 1;
    /// So long it may take before another worker takes it for abandoned, and makes one of its own.
    const LEASE: Duration = Duration::hours(3);
}

impl Backups {
    /// Makes what is due by the schedule, and looks what is no longer kept. Any number of instances may do it at once. Gives how many were
    /// made.
    ///
    /// # Errors
    /// When the database fails. A backup that fails is tried again later.
    pub async fn make_due(&self, stopping: &CancellationToken) -> Result<usize> {
        let Some(plan) = &self.0.backups else {
            return Ok(0);
        };
        self.queue_due(plan).await?;
        queue::work_off(&self.0, stopping, |claim| self.make(plan, claim, stopping)).await
    }

    /// Leaves a backup to the queue once a moment of the schedule has come. One that came before there was a schedule does not count; of
    /// those that came while nobody worked, the last one does.
    async fn queue_due(&self, plan: &Plan) -> Result<()> {
        let now = self.0.clock.now();
        let Some(due) = plan.schedule.last(now) else {
            return Ok(());
        };
        let known = Entity::find_by_id(NAME).one(self.0.db.read()).await?;
        if known.as_ref().is_some_and(|row| row.begun_for >= due) {
            return Ok(());
        }
        let tx = self.0.db.begin().await?;
        if known.is_none() {
            let row = ActiveModel {
                name: Set(NAME.to_owned()),
                begun_for: Set(due),
                succeeded_at: Set(None),
            };
            let first = OnConflict::column(Column::Name).do_nothing().to_owned();
            Entity::insert(row)
                .on_conflict(first)
                .exec_without_returning(&*tx)
                .await?;
        } else {
            let begun = Entity::update_many()
                .col_expr(Column::BegunFor, Expr::val(due))
                .filter(Column::Name.eq(NAME))
                .filter(Expr::col(Column::BegunFor).lt(due))
                .exec(&*tx)
                .await?;
            if begun.rows_affected == 1 {
                queue::enqueue(&tx, &BackUp { due }, now).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    async fn make(&self, plan: &Plan, claim: Claim<BackUp>, stopping: &CancellationToken) -> Tried {
        let due = claim.work.due;
        match self.succeeded_at().await {
            // A later one was made meanwhile.
            Ok(Some(at)) if at > due => return Tried::Done,
            Ok(_) => {}
            Err(error) => return Tried::Later(error.to_string()),
        }
        let begun = std::time::Instant::now();
        let made = plan.keeper.make(stopping, |_| {}, &|_| {}).await;
        let seconds = begun.elapsed().as_secs_f64();
        let made = match made {
            Ok(manifest) => manifest,
            // Another worker goes on, soon.
            Err(_) if stopping.is_cancelled() => return Tried::Later("the worker stopped".into()),
            Err(error) => {
                let why = format!("{error:#}");
                metrics::counter!("staygate_backups_failed_total").increment(1);
                suspicion::alert(&self.0, CAUSE, &why).await;
                return Tried::Later(why);
            }
        };
        self.has_made(&made, seconds).await;
        match plan.keeper.prune().await {
            Ok(pruned) => {
                let (backups, remains) = (pruned.backups.len(), pruned.remains);
                tracing::info!(
                    backups,
                    remains,
                    "backups that are no longer kept are deleted"
                );
            }
            Err(error) => {
                let why = format!("old backups could not be deleted: {error:#}");
                suspicion::alert(&self.0, CAUSE, &why).await;
            }
        }
        Tried::Done
    }

    /// Says so in the log, the metrics and the table.
    async fn has_made(&self, made: &Manifest, seconds: f64) {
        let (name, bytes, rows) = (&made.name, made.archive.bytes, made.rows());
        tracing::info!(name, bytes, rows, seconds, "a backup is made");
        metrics::gauge!("staygate_backup_duration_seconds").set(seconds);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a metric; the manifest has the exact number"
        )]
        metrics::gauge!("staygate_backup_bytes").set(bytes as f64);
        let written = Entity::update_many()
            .col_expr(Column::SucceededAt, Expr::val(Some(made.began_at)))
            .filter(Column::Name.eq(NAME))
            .exec(self.0.db.read())
            .await;
        if let Err(error) = written {
            tracing::warn!(%error, "it could not be written down when the last backup was made");
        }
        self.tell(made.began_at);
    }

    async fn succeeded_at(&self) -> Result<Option<DateTime<Utc>>> {
        let row = Entity::find_by_id(NAME).one(self.0.db.read()).await?;
        Ok(row.and_then(|row| row.succeeded_at))
    }

    /// Tells the metrics when the last backup was made, by whichever instance, and what waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn measure(&self) -> Result<()> {
        if self.0.backups.is_some() {
            if let Some(at) = self.succeeded_at().await? {
                self.tell(at);
            }
            queue::measure::<BackUp>(&self.0).await?;
        }
        Ok(())
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::unused_self,
        reason = "seconds since 1970 fit; it is a metric of these backups"
    )]
    fn tell(&self, at: DateTime<Utc>) {
        metrics::gauge!("staygate_backup_last_success_timestamp_seconds")
            .set(at.timestamp() as f64);
    }
}

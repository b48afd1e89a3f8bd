//! Suspicious runs: many failed sign-ins, a refresh token that was used twice, somebody who tries what is not theirs. Each becomes a line of the
//! log and of the audit log, a metric, and a mail to the admins, for each cause at most once a quarter of an hour on all instances together.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, QueryFilter as _,
    sea_query::{Expr, ExprTrait as _, OnConflict},
};

use super::{Parts, changes::Changes, error::Result, mails::Mail, queue};
use crate::{
    domain::{
        actor::{Actor, Client},
        audit::{Action, Outcome, Subject},
        digest::sha256_hex,
        ids::UserId,
        people::Role,
    },
    entity::{alert, user},
};

/// How long a cause stays quiet after an alert.
const QUIET: chrono::Duration = chrono::Duration::minutes(15);
/// Within which time a run is counted.
const RUN: Duration = Duration::from_mins(5);
/// Failed sign-ins for one account, or from one network, that are a run.
const FAILED_SIGN_INS: u32 = 20;
/// Failed sign-ins of everybody that are one.
const FAILED_SIGN_INS_OF_ALL: u32 = 500;
/// Refusals of one person that are one.
const REFUSALS: u32 = 20;

/// Something that means little once, and something when it goes on.
#[derive(Debug, Clone)]
pub(super) enum Suspicion {
    /// A sign-in failed.
    FailedSignIn {
        /// For which mail address, in a form that does not show it. Known and unknown ones are counted alike.
        address: String,
        /// Whose it is, if anybody's.
        user_id: Option<UserId>,
        /// From which network.
        network: Option<String>,
    },
    /// A refresh token was used a second time.
    RefreshReused(UserId),
    /// Somebody asked for what is not theirs.
    Probing(UserId),
}

/// Counts suspicious things. Cheap to clone.
#[derive(Clone)]
pub struct Suspicions(moka::sync::Cache<String, Arc<AtomicU32>>);

impl Default for Suspicions {
    fn default() -> Self {
        let runs = moka::sync::Cache::builder();
        Self(runs.max_capacity(100_000).time_to_live(RUN).build())
    }
}

impl Suspicions {
    /// Counts one, and raises an alert where it makes a run. It never fails: what can't be written is logged.
    pub(super) async fn notice(&self, parts: &Parts, suspicion: Suspicion) {
        let (cause, details) = match suspicion {
            Suspicion::FailedSignIn {
                address,
                user_id,
                network,
            } => {
                let mut details = vec![];
                if self.reaches(&format!("account:{address}"), FAILED_SIGN_INS) {
                    let whom = user_id.map_or_else(
                        || "an address without an account".to_owned(),
                        |user_id| Subject::User(user_id).to_string(),
                    );
                    details.push(format!("{FAILED_SIGN_INS} failed for {whom}"));
                }
                if let Some(network) = network
                    && self.reaches(&format!("network:{network}"), FAILED_SIGN_INS)
                {
                    details.push(format!("{FAILED_SIGN_INS} failed from {network}"));
                }
                if self.reaches("everybody", FAILED_SIGN_INS_OF_ALL) {
                    details.push(format!("{FAILED_SIGN_INS_OF_ALL} failed in all"));
                }
                ("failed sign-ins", details)
            }
            Suspicion::RefreshReused(user_id) => {
                ("refresh token reuse", vec![format!("of user:{user_id}")])
            }
            Suspicion::Probing(user_id) => {
                let reached = self.reaches(&format!("probing:{user_id}"), REFUSALS);
                let detail = format!("{REFUSALS} refusals of user:{user_id}");
                (
                    "permission probing",
                    if reached { vec![detail] } else { vec![] },
                )
            }
        };
        for detail in details {
            metrics::counter!("staygate_suspicions_total", "cause" => cause).increment(1);
            if let Err(error) = raise(parts, cause, &detail).await {
                tracing::error!(%error, cause, detail, "an alert could not be written");
            }
        }
    }

    /// Counts, and says whether a run has just become so long.
    fn reaches(&self, run: &str, length: u32) -> bool {
        let count = self.0.get_with_by_ref(run, Arc::default);
        (count.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(length)
    }
}

/// Raises an alert, unless the cause had one lately.
async fn raise(parts: &Parts, cause: &'static str, detail: &str) -> Result<()> {
    let now = parts.clock.now();
    let tx = parts.db.begin().await?;
    let row = alert::ActiveModel {
        cause: Set(cause.to_owned()),
        raised_at: Set(now),
        detail: Set(Some(detail.to_owned())),
    };
    let quiet = Expr::col((alert::Entity, alert::Column::RaisedAt)).lte(now - QUIET);
    let unless_lately = OnConflict::column(alert::Column::Cause)
        .update_columns([alert::Column::RaisedAt, alert::Column::Detail])
        .action_and_where(quiet)
        .to_owned();
    let written = alert::Entity::insert(row)
        .on_conflict(unless_lately)
        .exec_without_returning(&*tx)
        .await?;
    if written == 0 {
        return Ok(());
    }
    let admins = user::Entity::find()
        .filter(user::Column::Role.eq(Role::Admin))
        .filter(user::Column::SuspendedAt.is_null())
        .all(&*tx)
        .await?;
    for admin in admins {
        let mail = Mail::Alert {
            to: admin.email,
            cause: cause.to_owned(),
            detail: detail.to_owned(),
            at: now,
        };
        queue::enqueue(&tx, &mail, now).await?;
    }
    let mut changes = Changes::by_nobody();
    let said = format!("{cause}: {detail}");
    changes.note(
        Action::AlertRaised,
        Subject::None,
        Outcome::Done,
        Some(said),
    );
    changes.commit(tx, parts).await?;
    tracing::error!(target: "staygate::alert", cause, detail, "suspicious");
    metrics::counter!("staygate_alerts_total", "cause" => cause).increment(1);
    Ok(())
}

/// Counts that somebody who is signed in was refused something.
pub(super) async fn refused(parts: &Parts, actor: &Actor) {
    if let Some(user_id) = actor.user_id() {
        parts
            .suspicions
            .notice(parts, Suspicion::Probing(user_id))
            .await;
    }
}

/// Counts what somebody who is signed in asked for by its key and may not see, or what is not there: which of the two, nobody is told.
pub(super) async fn missed(parts: &Parts, actor: &Actor, count: usize) {
    // More than a run in one request is a run.
    for _ in 0..count.min(REFUSALS as usize) {
        refused(parts, actor).await;
    }
}

/// Counts a wrong password for a mail address.
pub(super) async fn failed_sign_in(
    parts: &Parts,
    email: &str,
    user_id: Option<UserId>,
    client: &Client,
) {
    let suspicion = Suspicion::FailedSignIn {
        address: sha256_hex(email),
        user_id,
        network: client.network(),
    };
    parts.suspicions.notice(parts, suspicion).await;
}

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
/// Declined cards of one guest that are one.
const DECLINED_CARDS: u32 = 5;
/// The most characters that an alert says.
const DETAIL: usize = 500;

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
    /// Counts some more of a run, and says whether it has just become so long, for the first time or once more.
    fn reach(&self, run: &str, some: u32, length: u32) -> bool {
        let count = self.0.get_with_by_ref(run, Arc::default);
        let before = count.fetch_add(some, Ordering::Relaxed);
        before.wrapping_add(some) / length > before / length
    }
}

/// Counts a wrong password for a mail address, of a known account or of none: both alike.
pub(super) async fn failed_sign_in(
    parts: &Parts,
    email: &str,
    user_id: Option<UserId>,
    client: &Client,
) {
    const CAUSE: &str = "failed sign-ins";
    let runs = &parts.suspicions;
    let mut details = vec![];
    // Counted by a hash, so that no address stands in memory for long.
    if runs.reach(
        &format!("account:{}", sha256_hex(email)),
        1,
        FAILED_SIGN_INS,
    ) {
        let whom = user_id.map_or_else(
            || "an address without an account".to_owned(),
            |user_id| Subject::User(user_id).to_string(),
        );
        details.push(format!("{FAILED_SIGN_INS} failed for {whom}"));
    }
    if let Some(network) = client.network()
        && runs.reach(&format!("network:{network}"), 1, FAILED_SIGN_INS)
    {
        details.push(format!("{FAILED_SIGN_INS} failed from {network}"));
    }
    if runs.reach("everybody", 1, FAILED_SIGN_INS_OF_ALL) {
        details.push(format!("{FAILED_SIGN_INS_OF_ALL} failed in all"));
    }
    for detail in details {
        alert(parts, CAUSE, &detail).await;
    }
}

/// A refresh token was used a second time: once is enough.
pub(super) async fn refresh_reused(parts: &Parts, user_id: UserId) {
    let whose = Subject::User(user_id);
    alert(parts, "refresh token reuse", &format!("of {whose}")).await;
}

/// Counts what somebody who is signed in was refused, or asked for by its key and may not see or is not there: which of these, nobody is
/// told.
pub(super) async fn refused(parts: &Parts, actor: &Actor, times: usize) {
    let Some(user_id) = actor.user_id().filter(|_| times > 0) else {
        return;
    };
    let whose = Subject::User(user_id);
    let times = u32::try_from(times).unwrap_or(u32::MAX);
    if parts
        .suspicions
        .reach(&format!("probing:{user_id}"), times, REFUSALS)
    {
        let detail = format!("{REFUSALS} refusals of {whose}");
        alert(parts, "permission probing", &detail).await;
    }
}

/// Counts a card of a guest's that was declined.
pub(super) async fn declined_card(parts: &Parts, guest: UserId) {
    let run = format!("cards:{guest}");
    if parts.suspicions.reach(&run, 1, DECLINED_CARDS) {
        let whose = Subject::User(guest);
        let detail = format!("{DECLINED_CARDS} of {whose}");
        alert(parts, "declined cards", &detail).await;
    }
}

/// Counts a run, and raises an alert, which says the first 500 characters of `detail`. It never fails: what can't be written is logged.
pub(super) async fn alert(parts: &Parts, cause: &'static str, detail: &str) {
    metrics::counter!("staygate_suspicions_total", "cause" => cause).increment(1);
    let most = DETAIL - cause.len() - 2;
    let detail: String = detail.chars().take(most).collect();
    let detail = &detail;
    if let Err(error) = raise(parts, cause, detail).await {
        tracing::error!(%error, cause, detail, "an alert could not be written");
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
    // Whom it is about stands in the audit log alone.
    tracing::error!(target: "staygate::alert", cause, "suspicious; the audit log says more");
    metrics::counter!("staygate_alerts_total", "cause" => cause).increment(1);
    Ok(())
}

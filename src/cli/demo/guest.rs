//! The bookings of guest@example.com: one of each kind, so that everything can be tried at once.

use anyhow::Context as _;
use chrono::Duration;

use super::{
    people::Cast,
    stays::{Diary, Plan},
};
use crate::{
    cli::seed::stays::{Outcome, Said},
    domain::{booking::CancellationReason, cancellation::CancellationPolicy},
};

/// Books for the demo guest, before anyone else does.
///
/// # Errors
/// When the catalogue lacks a home that is needed for it.
pub(super) fn book(diary: &mut Diary<'_>, cast: &Cast) -> anyhow::Result<()> {
    let home = |which: &dyn Fn(&crate::entity::property::Model) -> bool| {
        diary
            .homes()
            .iter()
            .enumerate()
            .skip(1)
            .filter(move |(_, home)| which(home))
            .map(|(place, _)| place)
            .collect::<Vec<_>>()
    };
    let asking = home(&|home| home.host_id == cast.host && !home.instant_book);
    let abroad = home(&|home| {
        home.host_id != cast.host
            && home.instant_book
            && home.cancellation_policy == CancellationPolicy::Flexible
    });
    let asking = *asking
        .first()
        .context("the demo host has no home that asks")?;
    let &[to_come, past, cancelled, ..] = &abroad[..] else {
        anyhow::bail!("too few flexible homes");
    };
    let now = diary.now;
    let before = |days: i64, minutes: i64| now - Duration::days(days) - Duration::minutes(minutes);
    let plan = |home, days_ahead, nights, at, outcome| Plan {
        home,
        guest: cast.guest,
        days_ahead,
        nights,
        guests: 2,
        at,
        outcome,
    };
    let said = Said {
        rating: 5,
        comment:
            "We woke to the bells and the smell of bread from down the lane. Mariana met us at \
                  the tram stop and carried a suitcase up the steps; we will be back."
                .to_owned(),
        response: Some("Elena, it was a pleasure. The moka pot waits for you!".to_owned()),
        after: Duration::hours(39),
    };
    let plans = [
        // The first home is the demo host's.
        plan(0, -65, 4, before(101, 517), Outcome::Completed(Some(said))),
        plan(past, -20, 3, before(52, 211), Outcome::Completed(None)),
        plan(
            cancelled,
            33,
            5,
            before(30, 95),
            Outcome::Cancelled(CancellationReason::CancelledByGuest, before(9, 340)),
        ),
        plan(to_come, 61, 5, before(12, 428), Outcome::Confirmed),
        plan(asking, 40, 4, before(0, 6), Outcome::Requested(now)),
    ];
    for plan in plans {
        anyhow::ensure!(diary.book(plan), "two stays of the demo guest meet");
    }
    Ok(())
}

//! What time alone does to bookings: holds and unanswered requests lapse, stays are over.

use chrono::{DateTime, Duration, Utc};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
    sea_query::{Expr, Query, SelectStatement},
};

use super::Bookings;
use crate::{
    domain::{booking::BookingStatus, ids::BookingId},
    entity::{
        booking::{Column, Entity},
        payment,
    },
    service::{
        booking_rows::{advance, lapse, lapsed, lock, stands_at, stay_of},
        changes::Changes,
        error::Result,
    },
};

/// How many bookings are read at a time.
const BATCH: u64 = 200;

impl Bookings {
    /// Ends bookings whose hold, or whose host's time to answer, has run out; one whose payment is under way is left to that. Any number of instances may do
    /// it at once. Gives how many it ended.
    ///
    /// # Errors
    /// When the database can't be read. One booking that can't be ended is left to the next round, and stops no other.
    pub async fn lapse_due(&self) -> Result<usize> {
        self.each(Due::Lapsed).await
    }

    /// Completes the stays whose check-out day has come where the property is. Gives how many.
    ///
    /// # Errors
    /// When the database can't be read. One stay that can't be completed is left to the next round, and stops no other.
    pub async fn complete_due(&self) -> Result<usize> {
        self.each(Due::Over).await
    }

    /// Moves each booking that is due, in a transaction of its own. Gives how many moved.
    async fn each(&self, due: Due) -> Result<usize> {
        let now = self.parts.clock.now();
        let (mut moved, mut after) = (0, BookingId(0));
        loop {
            let batch = Entity::find()
                .filter(due.condition(now))
                .filter(Column::BookingId.gt(after));
            let batch = batch
                .order_by_asc(Column::BookingId)
                .limit(BATCH)
                .all(self.parts.db.read())
                .await?;
            let Some(last) = batch.last() else {
                return Ok(moved);
            };
            after = last.booking_id;
            for booking in &batch {
                match self.one(booking.booking_id, due, now).await {
                    Ok(done) => moved += usize::from(done),
                    Err(error) => {
                        tracing::warn!(booking_id = %booking.booking_id, %error, "left to the next round");
                    }
                }
            }
        }
    }

    async fn one(&self, id: BookingId, due: Due, now: DateTime<Utc>) -> Result<bool> {
        let tx = self.parts.db.begin().await?;
        let Some(booking) = lock(&tx, id).await? else {
            return Ok(false);
        };
        let mut changes = Changes::by_nobody();
        let moved = match due {
            Due::Lapsed => lapse(&tx, &booking, now, &mut changes).await?,
            Due::Over if stay_of(&booking).ends_at(booking.time_zone.0) > now => false,
            Due::Over => {
                advance(&tx, &booking, BookingStatus::Completed, None, &mut changes).await?
            }
        };
        if moved {
            changes.commit(tx, &self.parts).await?;
        }
        Ok(moved)
    }
}

/// Why time moves a booking.
#[derive(Debug, Clone, Copy)]
enum Due {
    /// It is pending past its time.
    Lapsed,
    /// The stay is over, as far as the date alone tells.
    Over,
}

impl Due {
    fn condition(self, now: DateTime<Utc>) -> Condition {
        match self {
            // One whose payment is under way ends with that: see [`crate::service::payments`].
            Self::Lapsed => Condition::all()
                .add(lapsed(now))
                .add(Column::BookingId.not_in_subquery(payments_under_way())),
            Self::Over => {
                // No place on earth is more than 14 hours ahead of UTC.
                let latest = (now + Duration::hours(14)).date_naive();
                Condition::all()
                    .add(stands_at(BookingStatus::Confirmed))
                    .add(Column::CheckOutDate.lte(latest))
            }
        }
    }
}

/// The bookings whose payment the provider was asked for, without a last word.
fn payments_under_way() -> SelectStatement {
    let no_last_word = Condition::any()
        .add(payment::Column::AuthorizedAt.is_null())
        .add(payment::Column::CaptureAskedAt.is_not_null());
    Query::select()
        .column(payment::Column::BookingId)
        .from(payment::Entity)
        // Spelled out rather than bound, because the partial index is chosen by it.
        .and_where(Expr::cust("payment_status = 'PENDING'"))
        .cond_where(no_last_word)
        .to_owned()
}

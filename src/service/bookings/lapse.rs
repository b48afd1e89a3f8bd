//! What time alone does to bookings: holds and unanswered requests lapse, stays are over.

use chrono::{DateTime, Duration, Utc};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use super::Bookings;
use crate::{
    domain::{
        booking::{BookingStatus, CancellationReason},
        payment::PaymentStatus,
    },
    entity::{
        booking::{Column, Entity, Model},
        payment,
    },
    service::{
        booking_rows::{advance, lapsed, lock, stands_at, stay_of},
        error::Result,
        events::Changes,
    },
    store::db::Tx,
};

/// How many bookings one round takes on.
const ROUND: u64 = 200;

impl Bookings {
    /// Ends bookings whose hold, or whose host's time to answer, has run out. Any number of instances may do it at once.
    ///
    /// Gives how many it ended.
    ///
    /// # Errors
    /// When the database fails; what was ended before stays so.
    pub async fn lapse_due(&self) -> Result<usize> {
        let now = self.parts.clock.now();
        let due = Entity::find()
            .filter(lapsed(now))
            .order_by_asc(Column::ExpiresAt)
            .limit(ROUND)
            .all(self.parts.db.read())
            .await?;
        let mut ended = 0;
        for booking in due {
            let tx = self.parts.db.begin().await?;
            let Some(booking) = lock(&tx, booking.booking_id).await? else {
                continue;
            };
            let mut changes = Changes::default();
            if lapse(&tx, &booking, now, &mut changes).await? {
                changes.commit(tx, &self.parts).await?;
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// Completes the stays whose check-out day has come where the property is. Gives how many.
    ///
    /// # Errors
    /// When the database fails; what was completed before stays so.
    pub async fn complete_due(&self) -> Result<usize> {
        let now = self.parts.clock.now();
        // No place on earth is more than 14 hours ahead of UTC.
        let latest = (now + Duration::hours(14)).date_naive();
        let due = Entity::find()
            .filter(stands_at(BookingStatus::Confirmed))
            .filter(Column::CheckOutDate.lte(latest))
            .order_by_asc(Column::CheckOutDate)
            .limit(ROUND)
            .all(self.parts.db.read())
            .await?;
        let mut completed = 0;
        for booking in due
            .into_iter()
            .filter(|booking| stay_of(booking).ends_at(booking.time_zone.0) <= now)
        {
            let tx = self.parts.db.begin().await?;
            let mut changes = Changes::default();
            if advance(&tx, &booking, BookingStatus::Completed, None, &mut changes).await? {
                changes.commit(tx, &self.parts).await?;
                completed += 1;
            }
        }
        Ok(completed)
    }
}

/// Ends a booking that is pending past its time, in the caller's transaction. Says whether it did: somebody else may have been first.
pub(super) async fn lapse(
    tx: &Tx,
    booking: &Model,
    now: DateTime<Utc>,
    changes: &mut Changes,
) -> Result<bool> {
    if booking.status != BookingStatus::Pending || booking.expires_at.is_none_or(|at| at > now) {
        return Ok(false);
    }
    // A guest who has paid waited for the host in vain.
    let authorized = payment::Entity::find()
        .filter(payment::Column::BookingId.eq(booking.booking_id))
        .filter(payment::Column::PaymentStatus.eq(PaymentStatus::Pending))
        .filter(payment::Column::AuthorizedAt.is_not_null())
        .count(&**tx)
        .await?;
    let reason = if authorized > 0 {
        CancellationReason::DeclinedByHost
    } else {
        CancellationReason::PaymentExpired
    };
    advance(tx, booking, BookingStatus::Cancelled, Some(reason), changes).await
}

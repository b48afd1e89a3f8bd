//! Bookings as rows: who sees them, which nights they take, and how one moves. What the services of bookings, payments and calendars share.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Select,
    sea_query::{Expr, ExprTrait as _, JoinType, Query, SelectStatement},
};

use super::{changes::Changes, error::Result, feeds::nights::give_back};
use crate::{
    domain::{
        actor::Actor,
        booking::{BookingStatus, CancellationReason},
        cancellation::{self, CancelledBy, StayHasBegun},
        ids::BookingId,
        money::Money,
        payment::PaymentStatus,
        stay::{DateRange, Stay},
    },
    entity::{
        booking::{Column, Entity, Model},
        night, payment,
    },
    store::db::Tx,
};

/// The dates of a booking.
pub(super) fn stay_of(booking: &Model) -> Stay {
    // A stored booking was a stay when it was made; an edited row must not stop everything else.
    Stay::between(booking.check_in_date, booking.check_out_date)
        .or_else(|_| {
            Stay::between(
                booking.check_in_date,
                booking.check_in_date + chrono::Days::new(1),
            )
        })
        .unwrap_or_else(|_| unreachable!("one night is a stay"))
}

/// What a cancellation of a booking depends on.
pub(super) fn terms_of(booking: &Model) -> cancellation::Terms<'_> {
    cancellation::Terms {
        policy: booking.cancellation_policy,
        stay: stay_of(booking),
        limit: booking.refund_limit,
        zone: booking.time_zone.0,
        booked_at: booking.created_at,
        price: &booking.price,
    }
}

/// Bookings that are pending past their time: their nights are free for whoever comes first.
pub(super) fn lapsed(now: DateTime<Utc>) -> Expr {
    stands_at(BookingStatus::Pending).and(Column::ExpiresAt.lte(now))
}

/// Bookings in one state. It is spelled out rather than bound, because partial indexes are chosen by it.
pub(super) fn stands_at(status: BookingStatus) -> Expr {
    Expr::cust(format!("bookings.status = '{}'", status.as_column()))
}

/// Taken nights of a range: all but those of lapsed bookings. The caller adds columns and the properties.
pub(super) fn taken_nights(range: DateRange, now: DateTime<Utc>) -> SelectStatement {
    let stands = Condition::any()
        .add(night::Column::BookingId.is_null())
        .add(Column::Status.ne(BookingStatus::Pending))
        .add(Column::ExpiresAt.gt(now));
    Query::select()
        .from(night::Entity)
        .join(
            JoinType::LeftJoin,
            Entity,
            Expr::col((Entity, Column::BookingId))
                .equals((night::Entity, night::Column::BookingId)),
        )
        .and_where(night::Column::Night.gte(range.from))
        .and_where(night::Column::Night.lt(range.to))
        .cond_where(stands)
        .to_owned()
}

/// Locks a booking until the transaction ends, and reads it as it then is.
pub(super) async fn lock(tx: &Tx, id: BookingId) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).lock_exclusive().one(&**tx).await?)
}

/// Bookings that the caller may see: as guest, as host, or as an admin.
pub(super) fn visible(actor: &Actor) -> Option<Select<Entity>> {
    let user = actor.signed_in()?;
    let mine = Condition::any()
        .add(Column::GuestId.eq(user.user_id))
        .add(Column::HostId.eq(user.user_id));
    Some(if actor.is_admin() {
        Entity::find()
    } else {
        Entity::find().filter(mine)
    })
}

/// What of a paid price comes back by cancelling at a moment: all of it while the booking is pending.
///
/// # Errors
/// [`StayHasBegun`] from check-in on.
pub(super) fn refund_at(
    booking: &Model,
    by: CancelledBy,
    at: DateTime<Utc>,
) -> std::result::Result<Money, StayHasBegun> {
    match booking.status {
        BookingStatus::Pending => Ok(booking.total_price),
        BookingStatus::Confirmed => cancellation::refund(terms_of(booking), by, at),
        BookingStatus::Cancelled | BookingStatus::Completed => Ok(Money::ZERO),
    }
}

/// Moves a booking on by compare-and-swap, in the caller's transaction: nobody moves it twice. A cancelled one frees its nights, for
/// the calendars of other platforms that have them, or else for everybody.
///
/// Says whether it moved; somebody else may have been first.
pub(super) async fn advance(
    tx: &Tx,
    booking: &Model,
    to: BookingStatus,
    reason: Option<CancellationReason>,
    changes: &mut Changes,
) -> Result<bool> {
    if !booking.status.may_become(to) {
        return Ok(false);
    }
    let moved = Entity::update_many()
        .col_expr(Column::Status, Expr::val(to))
        .col_expr(Column::CancellationReason, Expr::val(reason))
        .col_expr(Column::ExpiresAt, Expr::val(None::<DateTime<Utc>>))
        .filter(
            Column::BookingId
                .eq(booking.booking_id)
                .and(Column::Status.eq(booking.status)),
        )
        .exec(&**tx)
        .await?;
    if moved.rows_affected == 0 {
        return Ok(false);
    }
    if !to.holds_nights() {
        let own = night::Column::BookingId.eq(booking.booking_id);
        // By date first, as everybody: a deletion goes about in an order of its own, once a change has added nights before others.
        night::Entity::find()
            .filter(own.clone())
            .order_by_asc(night::Column::Night)
            .lock_exclusive()
            .all(&**tx)
            .await?;
        night::Entity::delete_many().filter(own).exec(&**tx).await?;
        let (check_in, check_out) = (booking.check_in_date, booking.check_out_date);
        give_back(tx, booking.property_id, check_in, check_out).await?;
        changes.nights(booking.property_id, stay_of(booking));
    }
    changes.moved(booking, Some(booking.status), to, reason);
    Ok(true)
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

//! The nights of bookings in the ledger: what must be out of the way, what is taken, and how they are taken.

use chrono::{DateTime, Days, NaiveDate, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{LockType, Query},
};

use crate::{
    domain::{
        ids::PropertyId,
        problem::{Problem, ProblemCode},
        stay::Stay,
    },
    entity::{
        booking::{Column, Entity, Model},
        night::{self, NightKind},
        property,
    },
    service::{
        booking_rows::{lapse, lapsed, lock, stay_of},
        calendar::{self, Calendar},
        changes::Changes,
        error::{Error, Result},
    },
    store::db::{Tx, is_unique_violation},
};

/// A property, kept from being deleted or changed until a booking of it stands.
///
/// Who books nights that nobody has is told by the ledger's key. Nights that are kept free between two bookings have no row: where a host
/// asks for them, bookings of the property wait for each other.
pub(super) async fn lock_property(tx: &Tx, id: PropertyId) -> Result<Option<property::Model>> {
    let find = |lock| property::Entity::find_by_id(id).lock(lock).one(&**tx);
    let property = find(LockType::KeyShare).await?;
    Ok(match property {
        Some(property) if property.preparation_days > 0 => find(LockType::NoKeyUpdate).await?,
        property => property,
    })
}

/// What is special about the nights of a stay that is to be taken, once lapsed bookings are out of the way; `before` is a booking that
/// becomes this stay: what it has it keeps.
///
/// # Errors
/// `DATES_UNAVAILABLE` with the nights that are taken.
pub(super) async fn free(
    tx: &Tx,
    property: &property::Model,
    stay: Stay,
    before: Option<&Model>,
    now: DateTime<Utc>,
    changes: &mut Changes,
) -> Result<Calendar> {
    let id = property.property_id;
    // Also the bookings next to it, for as long as the host prepares: one that is paid after all must find this one in its way, or be in its.
    let around = Days::new(u64::from(property.preparation_days.unsigned_abs()));
    let (from, to) = (stay.check_in() - around, stay.check_out() + around);
    lapse_in_the_way(tx, id, from, to, now, changes).await?;
    let except = before.map(|booking| booking.booking_id);
    let mut calendars = calendar::load(&**tx, &[id], stay.into(), except, now).await?;
    let calendar = calendars.remove(&id).unwrap_or_default();
    match calendar::refuse_taken(property, stay, before.map(stay_of), &calendar) {
        Some(problem) => Err(problem.into()),
        None => Ok(calendar),
    }
}

/// Ends the lapsed bookings that hold nights of `[from, to)`, which are wanted; lowest key first.
pub(in crate::service) async fn lapse_in_the_way(
    tx: &Tx,
    property_id: PropertyId,
    from: NaiveDate,
    to: NaiveDate,
    now: DateTime<Utc>,
    changes: &mut Changes,
) -> Result<()> {
    let holders = Query::select()
        .column(night::Column::BookingId)
        .from(night::Entity)
        .and_where(night::Column::PropertyId.eq(property_id))
        .and_where(night::Column::Night.gte(from))
        .and_where(night::Column::Night.lt(to))
        .to_owned();
    let in_the_way = Entity::find()
        .filter(lapsed(now))
        .filter(Column::BookingId.in_subquery(holders))
        .order_by_asc(Column::BookingId)
        .all(&**tx)
        .await?;
    for booking in in_the_way {
        // It may have been paid for since it was read.
        if let Some(booking) = lock(tx, booking.booking_id).await? {
            lapse(tx, &booking, now, changes).await?;
        }
    }
    Ok(())
}

/// Writes the nights into the ledger, in the order of their dates. Its key decides between two who come at once.
pub(super) async fn take(
    tx: &Tx,
    booking: &Model,
    nights: impl Iterator<Item = NaiveDate>,
) -> Result<()> {
    let rows = nights.map(|night| night::ActiveModel {
        property_id: Set(booking.property_id),
        night: Set(night),
        booking_id: Set(Some(booking.booking_id)),
        kind: Set(NightKind::Booking),
    });
    night::Entity::insert_many(rows)
        .exec_without_returning(&**tx)
        .await
        .map_err(|error| {
            if is_unique_violation(&error) {
                let message = "Somebody else has just taken one of these nights.";
                Error::from(Problem::new("", ProblemCode::DatesUnavailable, message))
            } else {
                error.into()
            }
        })?;
    Ok(())
}

//! The history of bookings as rows: how one is appended, so that those who watch miss none (see [`super::events`]).

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ConnectionTrait as _, DbBackend, EntityTrait as _,
};

use super::error::Result;
use crate::{
    domain::{
        booking::BookingStatus,
        ids::{BookingId, UserId},
    },
    entity::booking_event::{ActiveModel, Entity},
    store::db::Tx,
};

/// A booking that moved.
#[derive(Debug)]
pub(super) struct Moved {
    pub(super) booking_id: BookingId,
    pub(super) guest_id: UserId,
    pub(super) host_id: UserId,
    pub(super) from: Option<BookingStatus>,
    pub(super) to: BookingStatus,
}

/// Appends events, in the caller's transaction, whose last steps this is one of.
pub(super) async fn append(tx: &Tx, moves: &[Moved], now: DateTime<Utc>) -> Result<()> {
    if moves.is_empty() {
        return Ok(());
    }
    if tx.get_database_backend() == DbBackend::Postgres {
        // Keys are drawn under this lock and it is kept until the commit, so that a larger key is always a later one: readers go on
        // from the last key that they saw. The key is this application's own.
        tx.execute_unprepared("SELECT pg_advisory_xact_lock(7829874)")
            .await?;
    }
    let rows = moves.iter().map(|moved| ActiveModel {
        event_id: NotSet,
        booking_id: Set(moved.booking_id),
        guest_id: Set(moved.guest_id),
        host_id: Set(moved.host_id),
        from_status: Set(moved.from),
        to_status: Set(moved.to),
        created_at: Set(now),
    });
    Entity::insert_many(rows)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

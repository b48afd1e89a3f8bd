//! The history of bookings as rows: how one is appended, so that those who watch miss none (see [`super::events`]).

use std::collections::BTreeSet;

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
        // Lowest key first, so that no two writes wait for each other. The class is this application's own.
        let watchers: BTreeSet<i32> = moves
            .iter()
            .flat_map(|m| [m.guest_id.0, m.host_id.0])
            .collect();
        let locks: Vec<_> = watchers
            .iter()
            .map(|key| format!("pg_advisory_xact_lock(7829, {key})"))
            .collect();
        tx.execute_unprepared(&format!("SELECT {}", locks.join(", ")))
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

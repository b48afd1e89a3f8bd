//! What a write leaves behind: lines of the audit log, the history of bookings, word for every instance of sessions that changed. All of
//! it is written with the write, and told after it.
//!
//! These are a transaction's last steps, in one order for everybody: events, sessions, audit, commit.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue, ConnectionTrait as _, DbBackend, EntityTrait as _};

use super::{
    Parts,
    audit_chain::{self, Act},
    error::Result,
    event_rows::{self, Moved},
};
use crate::{
    domain::{
        actor::Actor,
        audit::{Action, Outcome, Subject},
        booking::BookingStatus,
        ids::{PropertyId, UserId},
        stay::DateRange,
    },
    entity::{booking, session_change},
    store::{bus::Notice, db::Tx},
};

/// What a write leaves behind. It is written, and others hear of it, by [`Changes::commit`] alone.
#[derive(Debug)]
#[must_use = "nothing of it happens before `commit`"]
pub(super) struct Changes {
    actor: Actor,
    acts: Vec<Act>,
    moves: Vec<Moved>,
    nights: Vec<(PropertyId, DateRange)>,
    sessions_of: Vec<UserId>,
}

impl Changes {
    /// Of a write that somebody asked for.
    pub(super) fn by(actor: &Actor) -> Self {
        Self {
            actor: actor.clone(),
            acts: vec![],
            moves: vec![],
            nights: vec![],
            sessions_of: vec![],
        }
    }

    /// Of a write that happens by itself.
    pub(super) fn by_nobody() -> Self {
        Self::by(&Actor::nobody())
    }

    /// An act that was done.
    pub(super) fn record(&mut self, action: Action, subject: Subject) {
        self.note(action, subject, Outcome::Done, None);
    }

    /// An act, with what else there is to say of it.
    pub(super) fn note(
        &mut self,
        action: Action,
        subject: Subject,
        outcome: Outcome,
        detail: Option<String>,
    ) {
        self.acts.push(Act {
            action,
            subject,
            outcome,
            detail,
        });
    }

    /// A booking moved.
    pub(super) fn moved(
        &mut self,
        booking: &booking::Model,
        from: Option<BookingStatus>,
        to: BookingStatus,
    ) {
        let (booking_id, guest_id, host_id) =
            (booking.booking_id, booking.guest_id, booking.host_id);
        let action = match to {
            BookingStatus::Pending => Action::BookingCreated,
            BookingStatus::Confirmed => Action::BookingConfirmed,
            BookingStatus::Cancelled => Action::BookingCancelled,
            BookingStatus::Completed => Action::BookingCompleted,
        };
        self.record(action, Subject::Booking(booking_id));
        self.moves.push(Moved {
            booking_id,
            guest_id,
            host_id,
            from,
            to,
        });
    }

    /// Nights were taken or freed.
    pub(super) fn nights(&mut self, property_id: PropertyId, nights: impl Into<DateRange>) {
        self.nights.push((property_id, nights.into()));
    }

    /// Sessions of a person ended, or the person may do other things now. The commit then takes some hundred milliseconds: when it is done,
    /// every instance knows.
    pub(super) fn sessions_of(&mut self, user_id: UserId) {
        self.sessions_of.push(user_id);
    }

    /// Writes all of it, commits, and tells everyone.
    pub(super) async fn commit(self, tx: Tx, parts: &Parts) -> Result<()> {
        let now = parts.clock.now();
        event_rows::append(&tx, &self.moves, now).await?;
        self.append_session_changes(&tx, now).await?;
        if !self.acts.is_empty() {
            audit_chain::append(&tx, &self.actor, &self.acts, now).await?;
        }
        tx.commit().await?;
        for moved in &self.moves {
            parts.bus.publish(Notice::Booking {
                booking_id: moved.booking_id,
                guest_id: moved.guest_id,
                host_id: moved.host_id,
            });
        }
        for (property_id, nights) in &self.nights {
            parts.bus.publish(Notice::Nights {
                property_id: *property_id,
                nights: nights.dates().collect(),
            });
        }
        if !self.sessions_of.is_empty() {
            for user_id in &self.sessions_of {
                parts.bus.publish(Notice::Sessions { user_id: *user_id });
            }
            parts.standings.until_everyone_knows().await;
        }
        Ok(())
    }

    async fn append_session_changes(&self, tx: &Tx, now: DateTime<Utc>) -> Result<()> {
        if self.sessions_of.is_empty() {
            return Ok(());
        }
        if tx.get_database_backend() == DbBackend::Postgres {
            // Keys are drawn under this lock and it is kept until the commit, so that a larger key is always a later one: readers go on
            // from the last key that they saw. The key is this application's own.
            tx.execute_unprepared("SELECT pg_advisory_xact_lock(7829873)")
                .await?;
        }
        let rows = self
            .sessions_of
            .iter()
            .map(|user_id| session_change::ActiveModel {
                change_id: ActiveValue::NotSet,
                user_id: ActiveValue::Set(*user_id),
                created_at: ActiveValue::Set(now),
            });
        session_change::Entity::insert_many(rows)
            .exec_without_returning(&**tx)
            .await?;
        Ok(())
    }
}

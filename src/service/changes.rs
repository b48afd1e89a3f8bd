//! What a write leaves behind: lines of the audit log, the history of bookings, mails to send, word for every instance of sessions that
//! changed. All of it is written with the write, and told after it.
//!
//! These are a transaction's last steps, in one order for everybody: events, mails, sessions, audit, commit.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue, ConnectionTrait as _, DbBackend, EntityTrait as _};

use super::{
    Parts,
    audit_chain::{self, Act},
    error::Result,
    event_rows::{self, Moved},
    mails::news::{self, News, Note},
    queue,
};
use crate::{
    domain::{
        actor::Actor,
        audit::{Action, Outcome, Subject},
        booking::{BookingStatus, CancellationReason},
        freshness::Tag,
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
    notes: Vec<Note>,
    shown: Vec<Tag>,
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
            notes: vec![],
            shown: vec![],
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

    /// Something of what everybody is shown: answers that show it are not given again.
    pub(super) fn shown(&mut self, tags: impl IntoIterator<Item = Tag>) {
        self.shown.extend(tags);
    }

    /// Mails that go out after the commit, or at their time.
    pub(super) fn tell(&mut self, notes: impl IntoIterator<Item = Note>) {
        self.notes.extend(notes);
    }

    /// A booking moved, and whoever it concerns is told; `reason` is why it was cancelled.
    pub(super) fn moved(
        &mut self,
        booking: &booking::Model,
        from: Option<BookingStatus>,
        to: BookingStatus,
        reason: Option<CancellationReason>,
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
        self.tell(news::of_move(&self.actor, booking, to, reason));
        self.moves.push(Moved {
            booking_id,
            guest_id,
            host_id,
            from,
            to,
        });
    }

    /// A booking has other dates, or another number of guests: both sides are told, and the guest of a confirmed one is reminded in time.
    pub(super) async fn changed(
        &mut self,
        tx: &Tx,
        before: &booking::Model,
        after: &booking::Model,
    ) -> Result<()> {
        self.tell(news::both(after, News::Changed));
        if after.status == BookingStatus::Confirmed && after.check_in_date != before.check_in_date {
            let Note { mail, due_at } = news::reminder(after);
            // It has one when its dates are back to what they were.
            if let Some(at) = due_at
                && !queue::waits(tx, &mail, at).await?
            {
                self.tell([Note { mail, due_at }]);
            }
        }
        Ok(())
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
    pub(super) async fn commit(mut self, tx: Tx, parts: &Parts) -> Result<()> {
        let now = parts.clock.now();
        if parts.replica.is_some() {
            // Who has written reads after it, also what nobody keeps.
            let writer = self.actor.user_id().map(Tag::Writer);
            self.shown(writer);
        }
        event_rows::append(&tx, &self.moves, now).await?;
        let due = self.notes.iter().filter_map(|note| match note.due_at {
            Some(at) => (at > now).then_some((&note.mail, at)),
            None => Some((&note.mail, now)),
        });
        queue::enqueue_at(&tx, due, now).await?;
        self.append_session_changes(&tx, now).await?;
        if !self.acts.is_empty() {
            audit_chain::append(&tx, &self.actor, &self.acts, now).await?;
        }
        let committed = tx.commit().await;
        // Also when the answer to it was lost: it may have been done.
        parts.answers.bump(self.shown).await;
        committed?;
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

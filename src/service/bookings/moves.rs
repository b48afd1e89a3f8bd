//! The further life of a booking: accepted, declined, cancelled.

use sea_orm::EntityTrait as _;

use super::Bookings;
use crate::{
    domain::{
        actor::Actor,
        booking::{BookingStatus, CancellationReason},
        cancellation::{CancelledBy, StayHasBegun},
        ids::BookingId,
        money::Money,
        problem::Problem,
    },
    entity::booking::{Entity, Model},
    service::{
        booking_rows::{advance, lock, refund_at},
        changes::Changes,
        error::{Result, signed_in},
        idempotency::{self, Begun},
        payments,
    },
    store::db::Tx,
};

impl Bookings {
    /// The host says yes to a request that its guest has paid (authorized): the money moves and the booking is confirmed.
    ///
    /// The same idempotency key accepts once; so for the other moves.
    ///
    /// # Errors
    /// `NOT_FOUND` for a booking of somebody else's property, `WRONG_STATE` unless it is a paid request that waits.
    pub async fn accept(
        &self,
        actor: &Actor,
        id: BookingId,
        idempotency_key: Option<&str>,
    ) -> Result<Model> {
        self.hosted(actor, id).await?;
        let key = move_key(actor, idempotency_key, "accept", id)?;
        let (db, now) = (&self.parts.db, self.parts.clock.now());
        if let Some(key) = &key
            && idempotency::answered(db, key, now).await?.is_some()
        {
            return self.read_back(id).await;
        }
        let payment_id = self.payments.capture(id).await?;
        let Begun::New(tx) = idempotency::begin(db, key.as_ref(), now).await? else {
            return self.read_back(id).await;
        };
        let booking = lock(&tx, id).await?.ok_or_else(not_found)?;
        let mut changes = Changes::by(actor);
        let accepted = payments::captured(&tx, &booking, payment_id, now, &mut changes).await?;
        if accepted {
            idempotency::remember(&tx, key.as_ref(), id.0).await?;
        }
        changes.commit(tx, &self.parts).await?;
        if accepted {
            return self.read_back(id).await;
        }
        self.payments.settle_of(id).await;
        Err(Problem::wrong_state(ENDED_MEANWHILE).into())
    }

    /// The host says no to a request. What the guest had paid (authorized) is let go.
    ///
    /// # Errors
    /// `NOT_FOUND` for a booking of somebody else's property, `WRONG_STATE` unless it is a request that waits.
    pub async fn decline(
        &self,
        actor: &Actor,
        id: BookingId,
        idempotency_key: Option<&str>,
    ) -> Result<Model> {
        let booking = self.hosted(actor, id).await?;
        if booking.instant_book {
            return Err(Problem::wrong_state(
                "Nobody asked for an answer: this property is instant book.",
            )
            .into());
        }
        let key = move_key(actor, idempotency_key, "decline", id)?;
        let now = self.parts.clock.now();
        let begun = idempotency::begin(&self.parts.db, key.as_ref(), now).await?;
        let Begun::New(tx) = begun else {
            return self.read_back(id).await;
        };
        let booking = lock(&tx, id).await?.ok_or_else(not_found)?;
        if booking.status != BookingStatus::Pending {
            return Err(Problem::wrong_state("Only a pending request can be declined.").into());
        }
        let reason = CancellationReason::DeclinedByHost;
        idempotency::remember(&tx, key.as_ref(), id.0).await?;
        self.end(tx, actor, &booking, reason, Money::ZERO).await
    }

    /// Takes a booking back: its guest by the policy, its host or an admin with everything refunded.
    ///
    /// # Errors
    /// `NOT_FOUND` for a booking that the caller may not see, `WRONG_STATE` for one that has ended or begun.
    pub async fn cancel(
        &self,
        actor: &Actor,
        id: BookingId,
        idempotency_key: Option<&str>,
    ) -> Result<Model> {
        let key = move_key(actor, idempotency_key, "cancel", id)?;
        self.find(actor, id).await?.ok_or_else(not_found)?;
        let now = self.parts.clock.now();
        let begun = idempotency::begin(&self.parts.db, key.as_ref(), now).await?;
        let Begun::New(tx) = begun else {
            return self.read_back(id).await;
        };
        let booking = lock(&tx, id).await?.ok_or_else(not_found)?;
        if !booking.status.may_become(BookingStatus::Cancelled) {
            return Err(Problem::wrong_state("This booking has ended already.").into());
        }
        let by = if actor.is(booking.guest_id) {
            CancelledBy::Guest
        } else {
            CancelledBy::Host
        };
        let refund = refund_at(&booking, by, now).map_err(|StayHasBegun| {
            Problem::wrong_state("The stay has begun; it can't be cancelled any more.")
        })?;
        let (reason, refund) = match by {
            CancelledBy::Guest => (CancellationReason::CancelledByGuest, refund),
            // All that was paid, also what a change did not give back.
            CancelledBy::Host => (CancellationReason::CancelledByHost, Money::MAX),
        };
        idempotency::remember(&tx, key.as_ref(), id.0).await?;
        self.end(tx, actor, &booking, reason, refund).await
    }

    async fn hosted(&self, actor: &Actor, id: BookingId) -> Result<Model> {
        signed_in(actor)?;
        let booking = self
            .find(actor, id)
            .await?
            .filter(|booking| actor.is(booking.host_id));
        Ok(booking.ok_or_else(not_found)?)
    }

    async fn end(
        &self,
        tx: Tx,
        actor: &Actor,
        booking: &Model,
        reason: CancellationReason,
        refund: Money,
    ) -> Result<Model> {
        let mut changes = Changes::by(actor);
        if !advance(
            &tx,
            booking,
            BookingStatus::Cancelled,
            Some(reason),
            &mut changes,
        )
        .await?
        {
            return Err(Problem::wrong_state(ENDED_MEANWHILE).into());
        }
        let now = self.parts.clock.now();
        payments::owe_refund(&tx, booking.booking_id, refund, false, now).await?;
        changes.commit(tx, &self.parts).await?;
        self.payments.settle_of(booking.booking_id).await;
        self.read_back(booking.booking_id).await
    }

    pub(super) async fn read_back(&self, id: BookingId) -> Result<Model> {
        let found = Entity::find_by_id(id).one(self.parts.db.read()).await?;
        found.ok_or_else(|| anyhow::anyhow!("booking {id} is gone").into())
    }
}

/// The key of a move, which is the same request whenever it is the same move of the same booking.
fn move_key(
    actor: &Actor,
    raw: Option<&str>,
    name: &str,
    id: BookingId,
) -> Result<Option<idempotency::Key>> {
    let user_id = signed_in(actor)?.user_id;
    let request = format!("{name} {id}");
    Ok(idempotency::Key::parse(user_id, raw, &request)?)
}

const ENDED_MEANWHILE: &str = "This booking ended in the meantime.";

pub(super) fn not_found() -> Problem {
    Problem::not_found("id", "booking of yours")
}

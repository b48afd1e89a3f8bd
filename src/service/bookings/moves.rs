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
        payments,
    },
    store::db::Tx,
};

impl Bookings {
    /// The host says yes to a request that its guest has paid (authorized): the money moves and the booking is confirmed.
    ///
    /// # Errors
    /// `NOT_FOUND` for a booking of somebody else's property, `WRONG_STATE` unless it is a paid request that waits.
    pub async fn accept(&self, actor: &Actor, id: BookingId) -> Result<Model> {
        self.hosted(actor, id).await?;
        self.payments.capture(id).await?;
        let now = self.parts.clock.now();
        let tx = self.parts.db.begin().await?;
        let booking = lock(&tx, id).await?.ok_or_else(not_found)?;
        let mut changes = Changes::by(actor);
        let accepted = payments::captured(&tx, &booking, now, &mut changes).await?;
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
    pub async fn decline(&self, actor: &Actor, id: BookingId) -> Result<Model> {
        let booking = self.hosted(actor, id).await?;
        if booking.instant_book {
            return Err(Problem::wrong_state(
                "Nobody asked for an answer: this property is instant book.",
            )
            .into());
        }
        let tx = self.parts.db.begin().await?;
        let booking = lock(&tx, id).await?.ok_or_else(not_found)?;
        if booking.status != BookingStatus::Pending {
            return Err(Problem::wrong_state("Only a pending request can be declined.").into());
        }
        let reason = CancellationReason::DeclinedByHost;
        self.end(tx, actor, &booking, reason, Money::ZERO).await
    }

    /// Takes a booking back: its guest by the policy, its host or an admin with everything refunded.
    ///
    /// # Errors
    /// `NOT_FOUND` for a booking that the caller may not see, `WRONG_STATE` for one that has ended or begun.
    pub async fn cancel(&self, actor: &Actor, id: BookingId) -> Result<Model> {
        signed_in(actor)?;
        self.find(actor, id).await?.ok_or_else(not_found)?;
        let now = self.parts.clock.now();
        let tx = self.parts.db.begin().await?;
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
        let reason = match by {
            CancelledBy::Guest => CancellationReason::CancelledByGuest,
            CancelledBy::Host => CancellationReason::CancelledByHost,
        };
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
        payments::owe_refund(&tx, booking.booking_id, refund).await?;
        changes.commit(tx, &self.parts).await?;
        self.payments.settle_of(booking.booking_id).await;
        self.read_back(booking.booking_id).await
    }

    async fn read_back(&self, id: BookingId) -> Result<Model> {
        let found = Entity::find_by_id(id).one(self.parts.db.read()).await?;
        found.ok_or_else(|| anyhow::anyhow!("booking {id} is gone").into())
    }
}

const ENDED_MEANWHILE: &str = "This booking ended in the meantime.";

fn not_found() -> Problem {
    Problem::not_found("id", "booking of yours")
}

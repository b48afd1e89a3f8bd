//! Collecting what is set aside for a request, once its host says yes.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _,
    QuerySelect as _,
};

use super::{
    Payments,
    outcome::{collect, is_news},
    pursuit::FIRST_LOOK,
};
use crate::{
    domain::{
        booking::BookingStatus,
        ids::{BookingId, PaymentId},
        payment::PaymentStatus,
        problem::Problem,
    },
    entity::{
        booking,
        payment::{ActiveModel, Column, Entity, Model},
    },
    service::{booking_rows, changes::Changes, error::Result},
    store::{db::Tx, gateway::State},
};

impl Payments {
    /// Collects the money that is set aside for a request, and says of which payment. May be repeated.
    pub(in crate::service) async fn capture(&self, booking_id: BookingId) -> Result<PaymentId> {
        let payment = self.ask_for_capture(booking_id).await?;
        let id = payment.payment_id;
        let reference = self.reference(&payment)?.unwrap_or_default();
        let why = match self.0.gateway.capture(&reference).await {
            Ok(standing) if standing.state == State::Succeeded => {
                if !self.differs(&payment, &standing).await {
                    return Ok(id);
                }
                "it is over another sum".to_owned()
            }
            Ok(standing) => format!("{:?}", standing.state),
            Err(error) => error.to_string(),
        };
        tracing::warn!(payment_id = %id, why, "a payment is not captured yet");
        let message =
            "The payment is not collected yet; the booking is confirmed as soon as it is.";
        Err(Problem::wrong_state(message).into())
    }

    /// Writes down that the provider is about to be asked to collect what is set aside for a request that waits: from then on it may have
    /// done so, whatever becomes of us.
    async fn ask_for_capture(&self, booking_id: BookingId) -> Result<Model> {
        let now = self.0.clock.now();
        let tx = self.0.db.begin().await?;
        let booking = booking_rows::lock(&tx, booking_id)
            .await?
            .filter(|booking| {
                booking.status == BookingStatus::Pending
                    && booking.expires_at.is_some_and(|at| at > now)
            });
        let authorized = Entity::find()
            .filter(Column::BookingId.eq(booking_id))
            .filter(Column::PaymentStatus.eq(PaymentStatus::Pending))
            .filter(Column::AuthorizedAt.is_not_null())
            .lock_exclusive()
            .one(&*tx)
            .await?;
        let (Some(_), Some(payment)) = (booking, authorized) else {
            return Err(Problem::wrong_state(
                "Only a request that its guest has paid, and that waits, can be accepted.",
            )
            .into());
        };
        let asked_at = payment.capture_asked_at.unwrap_or(now);
        let mut row: ActiveModel = payment.into();
        row.capture_asked_at = Set(Some(asked_at));
        row.look_at = Set(Some(now + FIRST_LOOK));
        let payment = row.update(&*tx).await?;
        tx.commit().await?;
        Ok(payment)
    }
}

/// Writes down that the payment of an accepted request was collected, and confirms the booking; one that ended in the meantime is owed it back.
/// Says whether the booking is confirmed. What the guest is owed beside that is owed.
pub(in crate::service) async fn captured(
    tx: &Tx,
    booking: &booking::Model,
    id: PaymentId,
    now: DateTime<Utc>,
    changes: &mut Changes,
) -> Result<bool> {
    let payment = Entity::find_by_id(id).lock_exclusive().one(&**tx).await?;
    match payment.filter(|payment| is_news(payment, &State::Succeeded)) {
        Some(payment) => Ok(collect(tx, booking, payment, now, changes).await?.confirmed),
        // Whoever looked after the payment has written it down already.
        None => Ok(booking.status == BookingStatus::Confirmed),
    }
}

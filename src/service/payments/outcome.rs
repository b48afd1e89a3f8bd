//! What became of a payment: the provider's answers, written down.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _,
    QuerySelect as _, sea_query::Expr,
};

use super::{Payments, gone, settle::owe};
use crate::{
    domain::{
        actor::Actor,
        audit::{Action, Outcome, Subject},
        booking::{BookingStatus, HOST_ANSWERS_WITHIN},
        ids::{BookingId, PaymentId},
        money::Money,
        payment::PaymentStatus,
        problem::Problem,
        stay::Stay,
    },
    entity::{
        booking,
        payment::{ActiveModel, Column, Entity, Model},
    },
    service::{
        booking_rows::{self, stay_of},
        changes::Changes,
        error::Result,
        mails::news::{self, News},
    },
    store::{
        db::Tx,
        gateway::{ChargeState, Charged},
    },
};

impl Payments {
    /// Moves the money that is set aside for a request. May be repeated.
    pub(in crate::service) async fn capture(&self, booking_id: BookingId) -> Result<()> {
        let authorized = Entity::find()
            .filter(Column::BookingId.eq(booking_id))
            .filter(Column::PaymentStatus.eq(PaymentStatus::Pending))
            .filter(Column::AuthorizedAt.is_not_null())
            .one(self.0.db.read())
            .await?;
        let waits = booking::Entity::find_by_id(booking_id)
            .filter(booking::Column::Status.eq(BookingStatus::Pending))
            .filter(booking::Column::ExpiresAt.gt(self.0.clock.now()))
            .one(self.0.db.read())
            .await?
            .is_some();
        let (true, Some(payment)) = (waits, authorized) else {
            return Err(Problem::wrong_state(
                "Only a request that its guest has paid, and that waits, can be accepted.",
            )
            .into());
        };
        let reference = payment.provider_reference.unwrap_or_default();
        let key = format!("capture-{}", payment.payment_id);
        self.0.gateway.capture(&reference, &key).await.map_err(|error| {
            tracing::warn!(payment_id = %payment.payment_id, %error, "could not capture a payment");
            Problem::wrong_state("The payment could not be collected; try again in a moment.").into()
        })
    }

    /// Writes down what the provider says of a payment. May be repeated, in any order, by anyone who knows it.
    pub(super) async fn apply(
        &self,
        actor: &Actor,
        id: PaymentId,
        charged: Charged,
    ) -> Result<Model> {
        let now = self.0.clock.now();
        let booking_id = self.read_back(id).await?.booking_id;
        let tx = self.0.db.begin().await?;
        let booking = booking_rows::lock(&tx, booking_id)
            .await?
            .ok_or_else(|| anyhow::anyhow!("booking {booking_id} of payment {id} is gone"))?;
        let payment = Entity::find_by_id(id)
            .lock_exclusive()
            .one(&*tx)
            .await?
            .ok_or_else(|| gone(id))?;
        let open = match payment.payment_status {
            PaymentStatus::Pending => payment.authorized_at.is_none(),
            // Given up by us, and now the provider says that it went through after all.
            PaymentStatus::Failed => {
                payment.failure.is_none() && !matches!(charged.state, ChargeState::Declined { .. })
            }
            _ => false,
        };
        if !open {
            return Ok(payment);
        }
        let amount = payment.amount;
        let mut owed = Money::ZERO;
        let mut row: ActiveModel = payment.into();
        row.provider_reference = Set(Some(charged.reference));
        row.client_secret = Set(None);
        let mut changes = Changes::by(actor);
        let subject = Subject::Payment(id);
        let mut ended = false;
        match charged.state {
            ChargeState::NeedsAction { client_secret } => {
                row.client_secret = Set(Some(client_secret));
            }
            ChargeState::Declined { message } => {
                row.payment_status = Set(PaymentStatus::Failed);
                row.failure = Set(Some(message));
                changes.note(Action::PaymentFailed, subject, Outcome::Refused, None);
            }
            ChargeState::Authorized => {
                row.payment_status = Set(PaymentStatus::Pending);
                row.authorized_at = Set(Some(now));
                changes.record(Action::PaymentAuthorized, subject);
                ended = booking.status != BookingStatus::Pending;
                changes.tell(news::both(&booking, News::Requested));
                wait_for_host(&tx, &booking, now).await?;
            }
            ChargeState::Succeeded => {
                row.payment_status = Set(PaymentStatus::Paid);
                changes.record(Action::PaymentPaid, subject);
                if !booking_rows::advance(
                    &tx,
                    &booking,
                    BookingStatus::Confirmed,
                    None,
                    &mut changes,
                )
                .await?
                {
                    owed = amount;
                    ended = true;
                }
            }
        }
        row.update(&*tx).await?;
        owe(&tx, id, owed, now).await?;
        changes.commit(tx, &self.0).await?;
        if ended {
            self.settle_of(booking_id).await;
        }
        self.read_back(id).await
    }
}

/// Writes down that the money of an accepted request has moved, and confirms the booking; one that ended in the meantime is owed it back.
/// Says whether the booking is confirmed by it.
pub(in crate::service) async fn captured(
    tx: &Tx,
    booking: &booking::Model,
    now: DateTime<Utc>,
    changes: &mut Changes,
) -> Result<bool> {
    let confirmed =
        booking_rows::advance(tx, booking, BookingStatus::Confirmed, None, changes).await?;
    let captured = Entity::update_many()
        .col_expr(Column::PaymentStatus, Expr::val(PaymentStatus::Paid))
        .col_expr(Column::TransactionDate, Expr::val(now))
        .filter(Column::BookingId.eq(booking.booking_id))
        // One that was let go of meanwhile has moved all the same: the provider was first.
        .filter(Column::PaymentStatus.is_in([PaymentStatus::Pending, PaymentStatus::Failed]))
        .filter(Column::Failure.is_null())
        .filter(Column::AuthorizedAt.is_not_null())
        .exec_with_returning(&**tx)
        .await?;
    for payment in &captured {
        changes.record(Action::PaymentPaid, Subject::Payment(payment.payment_id));
        // The stay may have become a cheaper one since the guest paid.
        let due = if confirmed {
            booking.total_price
        } else {
            Money::ZERO
        };
        owe(tx, payment.payment_id, payment.amount - due, now).await?;
    }
    Ok(confirmed && captured.len() == 1)
}

/// From now on the host has a day to answer, and no longer than until the stay begins.
async fn wait_for_host(tx: &Tx, booking: &booking::Model, now: DateTime<Utc>) -> Result<()> {
    let answer_by = answer_by(stay_of(booking), booking.time_zone.0, now);
    booking::Entity::update_many()
        .col_expr(booking::Column::ExpiresAt, Expr::val(answer_by))
        .filter(booking::Column::BookingId.eq(booking.booking_id))
        .filter(booking::Column::Status.eq(BookingStatus::Pending))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Until when a host may answer a request for a stay that is paid now.
pub(in crate::service) fn answer_by(stay: Stay, zone: Tz, now: DateTime<Utc>) -> DateTime<Utc> {
    let begins = stay.begins_at(zone);
    // A guest who pays after check-in time still gives the host that evening.
    let latest = if begins > now {
        begins
    } else {
        stay.ends_at(zone)
    };
    (now + HOST_ANSWERS_WITHIN).min(latest)
}

//! What became of a payment: the provider's answers, written down.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _,
    QuerySelect as _, sea_query::Expr,
};

use super::{Payments, gone, pursuit::FIRST_LOOK, settle::owe};
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
        booking_rows::{self, advance, stay_of},
        bookings::lapse,
        changes::Changes,
        error::Result,
        ledger,
        mails::news::{self, News, Party},
        suspicion,
    },
    store::{
        db::Tx,
        gateway::{Standing, State},
    },
};

impl Payments {
    /// Moves the money that is set aside for a request. May be repeated.
    pub(in crate::service) async fn capture(&self, booking_id: BookingId) -> Result<()> {
        let payment = self.ask_for_capture(booking_id).await?;
        let reference = self.reference(&payment)?.unwrap_or_default();
        let key = format!("payment-{}-capture", payment.payment_id);
        let standing = self.0.gateway.capture(&reference, &key).await;
        let why = match standing {
            Ok(Standing {
                state: State::Succeeded,
                ..
            }) => return Ok(()),
            Ok(standing) => format!("{:?}", standing.state),
            Err(error) => error.to_string(),
        };
        tracing::warn!(payment_id = %payment.payment_id, why, "a payment is not captured yet");
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

    /// Writes down where a payment stands at the provider. May be repeated, in any order, by anyone who knows it.
    pub(super) async fn apply(
        &self,
        actor: &Actor,
        id: PaymentId,
        standing: Standing,
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
        if !is_news(&payment, &standing.state) {
            return Ok(payment);
        }
        if let Some(difference) = self.difference(&payment, &standing) {
            drop(tx);
            suspicion::alert(&self.0, "payments differ", &difference).await;
            return Ok(payment);
        }
        let was_authorized = payment.authorized_at.is_some();
        let amount = payment.amount;
        let before = payment.clone();
        let mut stands = None;
        let mut owed = Money::ZERO;
        let mut row: ActiveModel = payment.into();
        let mut changes = Changes::by(actor);
        let subject = Subject::Payment(id);
        let mut ended = false;
        let has_failed = matches!(standing.state, State::Declined { .. } | State::Cancelled);
        if !matches!(
            standing.state,
            State::Open | State::NeedsAction | State::UnderWay
        ) {
            row.client_secret = Set(None);
            row.token = Set(None);
            row.look_at = Set(None);
        }
        match standing.state {
            State::Open | State::NeedsAction | State::UnderWay => return self.read_back(id).await,
            State::Declined { message } => {
                row.payment_status = Set(PaymentStatus::Failed);
                row.failure = Set(Some(message));
                changes.note(Action::PaymentFailed, subject, Outcome::Refused, None);
            }
            State::Cancelled => {
                row.payment_status = Set(PaymentStatus::Failed);
                changes.record(Action::PaymentFailed, subject);
            }
            State::Authorized => {
                row.payment_status = Set(PaymentStatus::Pending);
                row.authorized_at = Set(Some(now));
                changes.record(Action::PaymentAuthorized, subject);
                ended = booking.status != BookingStatus::Pending;
                if !ended {
                    changes.tell(news::both(&booking, News::Requested));
                    wait_for_host(&tx, &booking, now).await?;
                }
            }
            State::Succeeded => {
                row.payment_status = Set(PaymentStatus::Paid);
                row.transaction_date = Set(now);
                changes.record(Action::PaymentPaid, subject);
                let confirmed =
                    advance(&tx, &booking, BookingStatus::Confirmed, None, &mut changes).await?;
                // A request may have become a cheaper stay since its guest paid.
                let due = if confirmed {
                    booking.total_price
                } else {
                    Money::ZERO
                };
                owed = amount - due;
                stands = Some(confirmed);
                ended = owed > Money::ZERO;
                if !confirmed && !was_authorized {
                    changes.tell([news::note(&booking, Party::Guest, News::PaidTooLate)]);
                }
            }
        }
        if has_failed {
            // The hold may have lapsed while its payment was under way.
            lapse(&tx, &booking, now, &mut changes).await?;
        }
        row.update(&*tx).await?;
        if let Some(stands) = stands {
            ledger::collected(&tx, &booking, &before, stands, now).await?;
        }
        owe(&tx, id, owed, now).await?;
        changes.commit(tx, &self.0).await?;
        if ended {
            self.settle_of(booking_id).await;
        }
        self.read_back(id).await
    }

    /// How a payment's sum at the provider differs from ours.
    fn difference(&self, payment: &Model, standing: &Standing) -> Option<String> {
        let (amount, currency) = standing.sum.as_ref()?;
        let ours = &self.0.terms.currency;
        (*amount != payment.amount || currency != ours).then(|| {
            format!(
                "payment {} is over {amount} {currency} at the provider, and over {} {ours} here",
                payment.payment_id, payment.amount
            )
        })
    }
}

/// Whether it is news that a payment stands so.
fn is_news(payment: &Model, state: &State) -> bool {
    let went_through = matches!(state, State::Authorized | State::Succeeded);
    match payment.payment_status {
        PaymentStatus::Pending => payment.authorized_at.is_none() || *state != State::Authorized,
        // Given up by us, and now the provider says that it went through after all.
        PaymentStatus::Failed => payment.failure.is_none() && went_through,
        _ => false,
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
        .col_expr(Column::LookAt, Expr::val(None::<DateTime<Utc>>))
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
        ledger::collected(tx, booking, payment, confirmed, now).await?;
        owe(tx, payment.payment_id, payment.amount - due, now).await?;
    }
    // What was collected may have been written down by whoever looked after the payment.
    let was_first = booking.status == BookingStatus::Confirmed;
    Ok(was_first || confirmed && captured.len() == 1)
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

//! Money: paying for a booking. Giving it back is in [`settle`].
//!
//! The provider is never called inside of a transaction. Our intent is committed first, with the key that makes the call repeatable;
//! then the provider is called; then its answer is committed. Nobody is charged twice: the key stays the same, and a booking has at most one
//! payment that has not failed. A crash between the call and its answer leaves the payment PENDING; the sandbox, which moves no money, is
//! the only provider so far, so nothing asks it afterwards what became of the call.

mod settle;

pub(super) use settle::owe_refund;

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _,
    sea_query::Expr,
};

use super::{
    Parts,
    booking_rows::{self, stay_of},
    error::{Error, Result, as_guest},
    events::Changes,
    idempotency::{self, Begun, Key},
};
use crate::{
    domain::{
        actor::Actor,
        booking::{BookingStatus, HOST_ANSWERS_WITHIN},
        ids::{BookingId, PaymentId},
        money::Money,
        payment::{PaymentMethod, PaymentStatus, PaymentToken},
        problem::{Problem, ProblemCode},
    },
    entity::{
        booking,
        payment::{ActiveModel, Column, Entity, Model},
    },
    store::{
        db::{Tx, is_unique_violation},
        gateway::{Charge, ChargeState, Charged, GatewayError, sandbox::Sandbox},
    },
};

/// Money.
#[derive(Clone)]
pub struct Payments(pub(super) Arc<Parts>);

/// A payment to make, as it came.
#[derive(Debug, Clone)]
pub struct NewPayment {
    /// For which booking.
    pub booking_id: BookingId,
    /// Card or wallet.
    pub method: PaymentMethod,
    /// The provider's token.
    pub token: Option<String>,
    /// The same key gives the same payment back.
    pub idempotency_key: Option<String>,
}

impl Payments {
    /// Pays for a pending booking of the caller's. An instant booking is confirmed by it; a request then waits for its host.
    ///
    /// The payment stays PENDING while the guest has something to do in the payment form, or the provider can't be reached.
    ///
    /// # Errors
    /// `NOT_FOUND` for somebody else's booking, `WRONG_STATE` for one that does not wait for payment, `PAYMENT_DECLINED`, `IDEMPOTENCY_CONFLICT`.
    pub async fn create(&self, actor: &Actor, new: NewPayment) -> Result<Model> {
        let guest = as_guest(actor)?.user_id;
        let token = new
            .token
            .as_deref()
            .map(|raw| PaymentToken::parse("paymentToken", raw))
            .transpose()?;
        let request = format!(
            "payment {} {} {}",
            new.booking_id,
            new.method.as_column(),
            new.token.unwrap_or_default()
        );
        let key = Key::parse(guest, new.idempotency_key.as_deref(), &request)?;
        let now = self.0.clock.now();
        let tx = match idempotency::begin(&self.0.db, key.as_ref(), now).await? {
            Begun::New(tx) => tx,
            Begun::Answered(id) => return unless_declined(self.read_back(PaymentId(id)).await?),
        };
        let booking = payable(&tx, actor, new.booking_id, now).await?;
        let intent = insert_intent(&tx, &booking, new.method, now).await?;
        idempotency::remember(&tx, key.as_ref(), intent.payment_id.0).await?;
        tx.commit().await?;
        let charge = Charge {
            idempotency_key: format!("payment-{}", intent.payment_id),
            amount: intent.amount,
            currency: self.0.terms.currency.clone(),
            method: intent.payment_method,
            token,
            capture: booking.instant_book,
        };
        match self.0.gateway.charge(charge).await {
            Ok(charged) => unless_declined(self.apply(intent.payment_id, charged).await?),
            Err(GatewayError::Refused(message)) => {
                let state = ChargeState::Declined { message };
                let charged = Charged {
                    reference: format!("refused-{}", intent.payment_id),
                    state,
                };
                unless_declined(self.apply(intent.payment_id, charged).await?)
            }
            Err(error @ GatewayError::Unreachable(_)) => {
                tracing::warn!(payment_id = %intent.payment_id, %error, "a payment is left pending");
                Ok(intent)
            }
        }
    }

    /// Payments by their keys, as far as the caller may see them: those of bookings that the caller may see.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_ids(
        &self,
        actor: &Actor,
        ids: &[PaymentId],
    ) -> Result<HashMap<PaymentId, Model>> {
        let Some(bookings) = booking_rows::visible(actor) else {
            return Ok(HashMap::new());
        };
        let keys = bookings
            .select_only()
            .column(booking::Column::BookingId)
            .into_query();
        let rows = Entity::find()
            .filter(Column::PaymentId.is_in(ids.iter().copied()))
            .filter(Column::BookingId.in_subquery(keys))
            .all(self.0.db.read())
            .await?;
        Ok(rows
            .into_iter()
            .map(|payment| (payment.payment_id, payment))
            .collect())
    }

    /// The payment of each of some bookings: the newest, which is the one that counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_bookings(&self, ids: &[BookingId]) -> Result<HashMap<BookingId, Model>> {
        let rows = Entity::find()
            .filter(Column::BookingId.is_in(ids.iter().copied()))
            .order_by_asc(Column::PaymentId)
            .all(self.0.db.read())
            .await?;
        Ok(rows
            .into_iter()
            .map(|payment| (payment.booking_id, payment))
            .collect())
    }

    /// What a guest does in the sandbox's payment form: confirms the payment with this client secret. None when there is none that waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn confirm_in_sandbox(&self, client_secret: &str) -> Result<Option<Model>> {
        let Some(reference) = Sandbox::reference_of(client_secret) else {
            return Ok(None);
        };
        let waiting = Entity::find()
            .filter(Column::ProviderReference.eq(reference))
            .filter(Column::ClientSecret.eq(client_secret))
            .filter(Column::PaymentStatus.eq(PaymentStatus::Pending))
            .one(self.0.db.read())
            .await?;
        let Some(payment) = waiting else {
            return Ok(None);
        };
        let booking = booking::Entity::find_by_id(payment.booking_id)
            .one(self.0.db.read())
            .await?;
        let instant = booking.is_some_and(|booking| booking.instant_book);
        let state = if instant {
            ChargeState::Succeeded
        } else {
            ChargeState::Authorized
        };
        let charged = Charged {
            reference: reference.to_owned(),
            state,
        };
        self.apply(payment.payment_id, charged).await.map(Some)
    }

    /// Moves the money that is set aside for a request. May be repeated.
    pub(super) async fn capture(&self, booking_id: BookingId) -> Result<()> {
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
    async fn apply(&self, id: PaymentId, charged: Charged) -> Result<Model> {
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
        let mut row: ActiveModel = payment.into();
        row.provider_reference = Set(Some(charged.reference));
        row.client_secret = Set(None);
        let mut changes = Changes::default();
        let mut ended = false;
        match charged.state {
            ChargeState::NeedsAction { client_secret } => {
                row.client_secret = Set(Some(client_secret));
            }
            ChargeState::Declined { message } => {
                row.payment_status = Set(PaymentStatus::Failed);
                row.failure = Set(Some(message));
            }
            ChargeState::Authorized => {
                row.payment_status = Set(PaymentStatus::Pending);
                row.authorized_at = Set(Some(now));
                ended = booking.status != BookingStatus::Pending;
                wait_for_host(&tx, &booking, now).await?;
            }
            ChargeState::Succeeded => {
                row.payment_status = Set(PaymentStatus::Paid);
                if !booking_rows::advance(
                    &tx,
                    &booking,
                    BookingStatus::Confirmed,
                    None,
                    &mut changes,
                )
                .await?
                {
                    row.refund_due = Set(booking.total_price);
                    ended = true;
                }
            }
        }
        row.update(&*tx).await?;
        changes.commit(tx, &self.0).await?;
        if ended {
            self.settle_of(booking_id).await;
        }
        self.read_back(id).await
    }

    async fn read_back(&self, id: PaymentId) -> Result<Model> {
        Entity::find_by_id(id)
            .one(self.0.db.read())
            .await?
            .ok_or_else(|| gone(id))
    }
}

/// Writes down that the money of an accepted request has moved, and confirms the booking; one that ended in the meantime is owed it back.
/// Says whether the booking is confirmed by it.
pub(super) async fn captured(
    tx: &Tx,
    booking: &booking::Model,
    now: DateTime<Utc>,
    changes: &mut Changes,
) -> Result<bool> {
    let confirmed =
        booking_rows::advance(tx, booking, BookingStatus::Confirmed, None, changes).await?;
    let owed = if confirmed {
        Money::ZERO
    } else {
        booking.total_price
    };
    let captured = Entity::update_many()
        .col_expr(Column::PaymentStatus, Expr::val(PaymentStatus::Paid))
        .col_expr(Column::TransactionDate, Expr::val(now))
        .col_expr(Column::RefundDue, Expr::val(owed))
        .filter(Column::BookingId.eq(booking.booking_id))
        .filter(Column::PaymentStatus.eq(PaymentStatus::Pending))
        .filter(Column::AuthorizedAt.is_not_null())
        .exec(&**tx)
        .await?;
    Ok(confirmed && captured.rows_affected == 1)
}

/// A booking of the caller's that waits for payment, locked.
async fn payable(
    tx: &Tx,
    actor: &Actor,
    id: BookingId,
    now: DateTime<Utc>,
) -> Result<booking::Model> {
    let booking = booking_rows::lock(tx, id)
        .await?
        .filter(|booking| actor.is(booking.guest_id))
        .ok_or_else(|| Problem::not_found("bookingId", "booking of yours"))?;
    if booking.status != BookingStatus::Pending {
        return Err(Problem::wrong_state("This booking does not wait for payment.").into());
    }
    if booking.expires_at.is_none_or(|at| at <= now) {
        return Err(Problem::wrong_state("The hold on these nights has lapsed; book anew.").into());
    }
    if now >= stay_of(&booking).ends_at(booking.time_zone.0) {
        return Err(Problem::wrong_state("This stay is over.").into());
    }
    Ok(booking)
}

async fn insert_intent(
    tx: &Tx,
    booking: &booking::Model,
    method: PaymentMethod,
    now: DateTime<Utc>,
) -> Result<Model> {
    let row = ActiveModel {
        payment_id: NotSet,
        booking_id: Set(booking.booking_id),
        amount: Set(booking.total_price),
        refunded_amount: Set(Money::ZERO),
        payment_method: Set(method),
        payment_status: Set(PaymentStatus::Pending),
        transaction_date: Set(now),
        authorized_at: Set(None),
        refund_due: Set(Money::ZERO),
        failure: Set(None),
        provider_reference: Set(None),
        client_secret: Set(None),
    };
    Entity::insert(row)
        .exec_with_returning(&**tx)
        .await
        .map_err(|error| {
            if is_unique_violation(&error) {
                Problem::wrong_state("A payment of this booking is under way, or done.").into()
            } else {
                Error::from(error)
            }
        })
}

/// From now on the host has a day to answer, and no longer than until the stay begins.
async fn wait_for_host(tx: &Tx, booking: &booking::Model, now: DateTime<Utc>) -> Result<()> {
    // A guest who pays after check-in time still gives the host that evening.
    let latest = stay_of(booking).ends_at(booking.time_zone.0);
    let begins = stay_of(booking).begins_at(booking.time_zone.0);
    let latest = if begins > now { begins } else { latest };
    let answer_by = (now + HOST_ANSWERS_WITHIN).min(latest);
    booking::Entity::update_many()
        .col_expr(booking::Column::ExpiresAt, Expr::val(answer_by))
        .filter(booking::Column::BookingId.eq(booking.booking_id))
        .filter(booking::Column::Status.eq(BookingStatus::Pending))
        .exec(&**tx)
        .await?;
    Ok(())
}

fn unless_declined(payment: Model) -> Result<Model> {
    match (payment.payment_status, payment.failure) {
        (PaymentStatus::Failed, failure) => {
            let message = failure.unwrap_or_else(|| "The payment failed; try again.".to_owned());
            Err(Problem::new("paymentToken", ProblemCode::PaymentDeclined, message).into())
        }
        (_, failure) => Ok(Model { failure, ..payment }),
    }
}

fn gone(id: PaymentId) -> Error {
    anyhow::anyhow!("payment {id} is gone").into()
}

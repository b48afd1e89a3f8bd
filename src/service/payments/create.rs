//! Beginning a payment.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::{NotSet, Set},
    EntityTrait as _,
};

use super::{Payments, pursuit};
use crate::{
    domain::{
        actor::Actor,
        audit::{Action, Subject},
        booking::BookingStatus,
        ids::{BookingId, PaymentId},
        money::Money,
        payment::{PaymentMethod, PaymentStatus, PaymentToken},
        problem::{Problem, ProblemCode},
    },
    entity::{
        booking,
        payment::{ActiveModel, Entity, Model},
    },
    service::{
        booking_rows::{self, stay_of},
        changes::Changes,
        error::{Error, Result, as_guest},
        idempotency::{self, Begun, Key},
        sealing::Secret,
        suspicion,
        tries::Try,
    },
    store::db::{Tx, is_unique_violation},
};

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
    /// `NOT_FOUND` for somebody else's booking, `WRONG_STATE` for one that does not wait for payment, `PAYMENT_DECLINED`, `IDEMPOTENCY_CONFLICT`;
    /// [`Error::TooMany`] after many that were declined.
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
        let tried = Try::to_pay(&self.0, guest).await?;
        let begun = self.begin(actor, new.booking_id, new.method, token, key.as_ref());
        let paid = match begun.await {
            Ok((id, true)) => self.pursue(actor, id).await.map(|payment| (payment, true)),
            Ok((id, false)) => self.read_back(id).await.map(|payment| (payment, false)),
            Err(error) => Err(error),
        };
        if matches!(&paid, Ok((payment, true)) if payment.failure.is_some()) {
            suspicion::declined_card(&self.0, guest).await;
        } else {
            tried.give_back(&self.0).await;
        }
        let (payment, _) = paid?;
        unless_declined(payment)
    }

    /// Writes down that a payment is begun, unless the key has one. Says which one, and whether it is new.
    async fn begin(
        &self,
        actor: &Actor,
        booking_id: BookingId,
        method: PaymentMethod,
        token: Option<PaymentToken>,
        key: Option<&Key>,
    ) -> Result<(PaymentId, bool)> {
        let now = self.0.clock.now();
        let tx = match idempotency::begin(&self.0.db, key, now).await? {
            Begun::New(tx) => tx,
            Begun::Answered(id) => return Ok((PaymentId(id), false)),
        };
        let booking = payable(&tx, actor, booking_id, now).await?;
        let intent = self
            .insert_intent(&tx, &booking, method, token, now)
            .await?;
        idempotency::remember(&tx, key, intent.payment_id.0).await?;
        let mut changes = Changes::by(actor);
        changes.record(Action::PaymentCreated, Subject::Payment(intent.payment_id));
        changes.commit(tx, &self.0).await?;
        Ok((intent.payment_id, true))
    }

    async fn insert_intent(
        &self,
        tx: &Tx,
        booking: &booking::Model,
        method: PaymentMethod,
        token: Option<PaymentToken>,
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
            failure: Set(None),
            provider_reference: Set(None),
            reference_digest: Set(None),
            client_secret: Set(None),
            token: Set(None),
            look_at: Set(Some(now + pursuit::FIRST_LOOK)),
            looks: Set(0),
            capture_asked_at: Set(None),
        };
        let inserted = Entity::insert(row).exec_with_returning(&**tx).await;
        let intent = inserted.map_err(|error| {
            if is_unique_violation(&error) {
                Problem::wrong_state("A payment of this booking is under way, or done.").into()
            } else {
                Error::from(error)
            }
        })?;
        let Some(token) = token else {
            return Ok(intent);
        };
        // What is sealed is bound to its row, which has a key only now.
        let place = Secret::PaymentToken.place(intent.payment_id.0);
        let mut row: ActiveModel = intent.into();
        row.token = Set(Some(self.0.vault.seal(place, token.as_str())?));
        Ok(row.update(&**tx).await?)
    }
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

fn unless_declined(payment: Model) -> Result<Model> {
    if payment.payment_status != PaymentStatus::Failed {
        return Ok(payment);
    }
    let message = payment
        .failure
        .unwrap_or_else(|| "The payment failed; try again.".to_owned());
    Err(Problem::new("paymentToken", ProblemCode::PaymentDeclined, message).into())
}

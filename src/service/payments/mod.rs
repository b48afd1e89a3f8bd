//! Money: paying for a booking. How a payment goes on is in [`pursuit`], what becomes of it in [`outcome`], giving money back in [`settle`].
//!
//! The provider is never called inside of a transaction. Our intent is committed first, with the keys that make each call repeatable;
//! then the provider is called; then its answer is committed by compare-and-swap. Nobody is charged twice: the keys stay the same, a booking has at most one
//! payment that has not failed, and a payment fails only once the provider has let go of it. Whoever comes across a payment after a crash, a timeout
//! or a notice of the provider's asks where it stands, and goes on from there.

mod compare;
mod notices;
mod outcome;
mod pursuit;
mod refunding;
mod secrets;
mod settle;

pub use notices::Heard;
pub(super) use outcome::{answer_by, captured};
pub(super) use settle::owe_refund;

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _,
};

use super::{
    Parts, audit,
    booking_rows::{self, stay_of},
    changes::Changes,
    error::{Error, Result, as_guest},
    idempotency::{self, Begun, Key},
    suspicion,
};
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
        payment::{ActiveModel, Column, Entity, Model},
    },
    store::{
        db::{Tx, is_unique_violation},
        gateway::{Standing, State, sandbox::Sandbox},
        vault::fingerprint,
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
        let intent = self
            .insert_intent(&tx, &booking, new.method, token, now)
            .await?;
        idempotency::remember(&tx, key.as_ref(), intent.payment_id.0).await?;
        let mut changes = Changes::by(actor);
        changes.record(Action::PaymentCreated, Subject::Payment(intent.payment_id));
        changes.commit(tx, &self.0).await?;
        unless_declined(self.pursue(actor, intent.payment_id).await?)
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
        let seen = rows.iter().map(|row| Subject::Payment(row.payment_id));
        audit::admin_reads(&self.0, actor, seen.collect()).await?;
        suspicion::refused(&self.0, actor, ids.len() - rows.len()).await;
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
            .filter(Column::ReferenceDigest.eq(fingerprint(reference)))
            .filter(Column::PaymentStatus.eq(PaymentStatus::Pending))
            .one(self.0.db.read())
            .await?;
        let Some(payment) = waiting else {
            return Ok(None);
        };
        if self.client_secret(&payment)?.as_deref() != Some(client_secret) {
            return Ok(None);
        }
        let booking = booking::Entity::find_by_id(payment.booking_id)
            .one(self.0.db.read())
            .await?;
        let instant = booking.is_some_and(|booking| booking.instant_book);
        let state = if instant {
            State::Succeeded
        } else {
            State::Authorized
        };
        let standing = Standing { state, sum: None };
        let provider = Actor::nobody();
        let applied = self.apply(&provider, payment.payment_id, standing).await;
        applied.map(Some)
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
        let place = secrets::place("token", intent.payment_id);
        let mut row: ActiveModel = intent.into();
        row.token = Set(Some(self.0.vault.seal(place, token.as_str())?));
        Ok(row.update(&**tx).await?)
    }

    async fn read_back(&self, id: PaymentId) -> Result<Model> {
        Entity::find_by_id(id)
            .one(self.0.db.read())
            .await?
            .ok_or_else(|| gone(id))
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

fn gone(id: PaymentId) -> Error {
    anyhow::anyhow!("payment {id} is gone").into()
}

//! Giving money back apart from cancelling: a host, or an admin, decides so.

use rust_decimal::Decimal;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::{
    Payments,
    debts::{left_of, owe},
};
use crate::{
    domain::{
        actor::Actor,
        audit::{Action, Outcome, Subject},
        booking::BookingStatus,
        ids::{BookingId, PaymentId},
        money::Money,
        payment::COLLECTED,
        problem::Problem,
    },
    entity::{
        booking,
        payment::{Column, Entity, Model},
    },
    service::{
        booking_rows,
        changes::Changes,
        error::{Result, signed_in},
        idempotency::{self, Begun, Key},
    },
    store::db::Tx,
};

impl Payments {
    /// Gives a guest money back: `amount`, or all that is left. The nights stay the guest's.
    ///
    /// # Errors
    /// `NOT_FOUND` for a payment of a property that is not the caller's, unless an admin asks; `WRONG_STATE` for one that was not collected, or of
    /// which nothing is left; `INVALID` for more than is left; `IDEMPOTENCY_CONFLICT`.
    pub async fn refund(
        &self,
        actor: &Actor,
        id: PaymentId,
        amount: Option<Decimal>,
        idempotency_key: Option<&str>,
    ) -> Result<Model> {
        let user_id = signed_in(actor)?.user_id;
        let request = format!("refund {id} {amount:?}");
        let key = Key::parse(user_id, idempotency_key, &request)?;
        let smallest = Money::from_cents(1);
        let amount = amount.map(|amount| Money::parse("amount", amount, smallest, Money::MAX));
        let amount = amount.transpose()?;
        let now = self.0.clock.now();
        let booking_id = self.refundable(actor, id).await?;
        let tx = match idempotency::begin(&self.0.db, key.as_ref(), now).await? {
            Begun::New(tx) => tx,
            Begun::Answered(id) => return self.read_back(PaymentId(id)).await,
        };
        // Whoever owes something of a payment has its booking: two at once do not give the same money back.
        let booking = booking_rows::lock(&tx, booking_id).await?;
        let stands = booking.is_some_and(|booking| booking.status != BookingStatus::Cancelled);
        let payment = collected(&tx, id).await?;
        let left = left_of(&tx, &payment).await?;
        let amount = amount.unwrap_or(left);
        if left == Money::ZERO {
            return Err(
                Problem::wrong_state("All of this payment went back, or is about to.").into(),
            );
        }
        if amount > left {
            let message = format!("At most {left} is left of this payment.");
            return Err(Problem::invalid("amount", message).into());
        }
        owe(&tx, id, amount, stands, now).await?;
        idempotency::remember(&tx, key.as_ref(), id.0).await?;
        let mut changes = Changes::by(actor);
        let detail = Some(amount.to_string());
        let subject = Subject::Payment(id);
        changes.note(Action::RefundOrdered, subject, Outcome::Done, detail);
        changes.commit(tx, &self.0).await?;
        self.settle_of(booking_id).await;
        self.read_back(id).await
    }

    /// The booking of a payment that the caller may refund.
    async fn refundable(&self, actor: &Actor, id: PaymentId) -> Result<BookingId> {
        let not_found = || Problem::not_found("id", "payment of your properties");
        let db = self.0.db.read();
        let payment = Entity::find_by_id(id)
            .one(db)
            .await?
            .ok_or_else(not_found)?;
        let booking = booking::Entity::find_by_id(payment.booking_id)
            .one(db)
            .await?;
        let is_theirs = |booking: &booking::Model| actor.is_admin() || actor.is(booking.host_id);
        let booking = booking.filter(is_theirs).ok_or_else(not_found)?;
        Ok(booking.booking_id)
    }
}

/// A payment that was collected.
async fn collected(tx: &Tx, id: PaymentId) -> Result<Model> {
    let collected = Entity::find_by_id(id).filter(Column::PaymentStatus.is_in(COLLECTED));
    collected.one(&**tx).await?.ok_or_else(|| {
        let message = "This payment was not collected; there is nothing to give back.";
        Problem::wrong_state(message).into()
    })
}

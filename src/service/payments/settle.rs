//! Giving money back, and letting go of what was set aside. What is owed stands in the tables, so a crash only delays it.

use chrono::Duration;
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
    sea_query::{Expr, Query},
};

use super::Payments;
use crate::{
    domain::{
        audit::{Action, Subject},
        booking::BookingStatus,
        ids::{BookingId, PaymentId},
        money::Money,
        payment::PaymentStatus,
    },
    entity::{
        booking,
        payment::{Column, Entity, Model},
    },
    service::{changes::Changes, error::Result},
    store::db::Tx,
};

/// How many payments one round takes on.
const ROUND: u64 = 200;

/// How long a call to the provider may be under way before it is given up for lost.
const CALL_IS_LOST_AFTER: Duration = Duration::minutes(10);

impl Payments {
    /// Gives back what is owed, and lets go of what was set aside for bookings that ended. Any number of instances may do it at once.
    /// Gives how many payments it settled.
    ///
    /// # Errors
    /// When the database fails. A provider that can't be reached is tried again in a later round.
    pub async fn settle_due(&self) -> Result<usize> {
        self.settle(&Condition::all()).await
    }

    /// The same for one booking, as far as it goes: what can't be done now is done by a later round.
    pub(in crate::service) async fn settle_of(&self, booking_id: BookingId) {
        let which = Condition::all().add(Column::BookingId.eq(booking_id));
        if let Err(error) = self.settle(&which).await {
            tracing::warn!(%booking_id, %error, "settling is left to a later round");
        }
    }

    async fn settle(&self, which: &Condition) -> Result<usize> {
        let cancelled = Query::select()
            .column(booking::Column::BookingId)
            .from(booking::Entity)
            .and_where(booking::Column::Status.eq(BookingStatus::Cancelled))
            .to_owned();
        // Spelled out rather than bound, because partial indexes are chosen by it.
        let owed = which.clone().add(Expr::cust("refund_due > 0"));
        let left_over = which
            .clone()
            .add(Expr::cust("payment_status = 'PENDING'"))
            .add(Column::BookingId.in_subquery(cancelled));
        let mut settled = 0;
        for due in [owed, left_over] {
            // Each is tried once a round, so that those which keep failing do not stand in the way of others.
            let mut after = PaymentId(0);
            loop {
                let round = Entity::find()
                    .filter(due.clone())
                    .filter(Column::PaymentId.gt(after));
                let round = round.order_by_asc(Column::PaymentId).limit(ROUND);
                let payments = round.all(self.0.db.read()).await?;
                let Some(last) = payments.last() else { break };
                after = last.payment_id;
                for payment in payments {
                    settled += usize::from(self.try_settle(&payment).await);
                }
            }
        }
        Ok(settled)
    }

    async fn try_settle(&self, payment: &Model) -> bool {
        let done = if payment.refund_due > Money::ZERO {
            self.refund(payment).await
        } else {
            self.let_go(payment).await
        };
        done.unwrap_or_else(|error| {
            tracing::warn!(payment_id = %payment.payment_id, %error, "a payment is not settled yet");
            false
        })
    }

    async fn refund(&self, payment: &Model) -> anyhow::Result<bool> {
        let reference = payment.provider_reference.as_deref().unwrap_or_default();
        // The same debt has the same key, whoever pays it back.
        let key = format!(
            "refund-{}-{}",
            payment.payment_id,
            payment.refunded_amount.cents()
        );
        self.0
            .gateway
            .refund(reference, payment.refund_due, &key)
            .await?;
        let refunded = payment.refunded_amount + payment.refund_due;
        let status = if refunded >= payment.amount {
            PaymentStatus::Refunded
        } else {
            PaymentStatus::PartiallyRefunded
        };
        let tx = self.0.db.begin().await?;
        let written = Entity::update_many()
            .col_expr(Column::RefundedAmount, Expr::val(refunded))
            .col_expr(Column::RefundDue, Expr::val(Money::ZERO))
            .col_expr(Column::PaymentStatus, Expr::val(status))
            .filter(Column::PaymentId.eq(payment.payment_id))
            .filter(Column::RefundedAmount.eq(payment.refunded_amount))
            .filter(Column::RefundDue.eq(payment.refund_due))
            .exec(&*tx)
            .await?;
        if written.rows_affected == 0 {
            return Ok(false);
        }
        self.commit_with(tx, Action::PaymentRefunded, payment)
            .await?;
        Ok(true)
    }

    async fn let_go(&self, payment: &Model) -> anyhow::Result<bool> {
        match &payment.provider_reference {
            Some(reference) => {
                let key = format!("void-{}", payment.payment_id);
                self.0.gateway.void(reference, &key).await?;
            }
            // The call may still be under way.
            None if payment.transaction_date > self.0.clock.now() - CALL_IS_LOST_AFTER => {
                return Ok(false);
            }
            None => {}
        }
        let tx = self.0.db.begin().await?;
        let written = Entity::update_many()
            .col_expr(Column::PaymentStatus, Expr::val(PaymentStatus::Failed))
            .filter(Column::PaymentId.eq(payment.payment_id))
            .filter(Column::PaymentStatus.eq(PaymentStatus::Pending))
            .exec(&*tx)
            .await?;
        if written.rows_affected == 0 {
            return Ok(false);
        }
        self.commit_with(tx, Action::PaymentFailed, payment).await?;
        Ok(true)
    }

    async fn commit_with(&self, tx: Tx, act: Action, payment: &Model) -> Result<()> {
        let mut changes = Changes::by_nobody();
        changes.record(act, Subject::Payment(payment.payment_id));
        changes.commit(tx, &self.0).await
    }
}

/// Writes down what a cancelled booking's payment owes its guest.
pub(in crate::service) async fn owe_refund(
    tx: &Tx,
    booking_id: BookingId,
    refund: Money,
) -> Result<()> {
    if refund > Money::ZERO {
        Entity::update_many()
            .col_expr(Column::RefundDue, Expr::val(refund))
            .filter(Column::BookingId.eq(booking_id))
            .filter(Column::PaymentStatus.eq(PaymentStatus::Paid))
            .exec(&**tx)
            .await?;
    }
    Ok(())
}

//! Giving money back, and letting go of what was set aside. What is owed stands in the tables, so a crash only delays it.

use chrono::{DateTime, Duration, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _,
    sea_query::{Expr, Query, SelectStatement},
};

use super::{Payments, gone};
use crate::{
    domain::{
        audit::{Action, Subject},
        booking::BookingStatus,
        ids::{BookingId, PaymentId, RefundId},
        money::Money,
        payment::PaymentStatus,
    },
    entity::{
        booking,
        payment::{Column, Entity, Model},
        refund,
    },
    service::{changes::Changes, error::Result},
    store::db::Tx,
};

/// How many debts or payments one round takes on.
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
        Ok(self.refund_owed(which).await? + self.let_go_left_over(which).await?)
    }

    /// Gives back what is owed, each debt once a round, so that those which keep failing do not stand in the way of others.
    async fn refund_owed(&self, which: &Condition) -> Result<usize> {
        let (mut settled, mut after) = (0, RefundId(0));
        loop {
            let round = refund::Entity::find()
                // Spelled out rather than bound, because the partial index is chosen by it.
                .filter(Expr::cust("settled_at IS NULL"))
                .filter(refund::Column::RefundId.gt(after))
                .filter(refund::Column::PaymentId.in_subquery(keys_of(which)))
                .order_by_asc(refund::Column::RefundId)
                .limit(ROUND);
            let debts = round.all(self.0.db.read()).await?;
            let Some(last) = debts.last() else {
                return Ok(settled);
            };
            after = last.refund_id;
            for debt in debts {
                settled += usize::from(told(debt.payment_id, self.refund(&debt).await));
            }
        }
    }

    /// Lets go of what was set aside for bookings that ended, each payment once a round.
    async fn let_go_left_over(&self, which: &Condition) -> Result<usize> {
        let cancelled = Query::select()
            .column(booking::Column::BookingId)
            .from(booking::Entity)
            .and_where(booking::Column::Status.eq(BookingStatus::Cancelled))
            .to_owned();
        let left_over = which
            .clone()
            // Spelled out rather than bound, because the partial index is chosen by it.
            .add(Expr::cust("payment_status = 'PENDING'"))
            .add(Column::BookingId.in_subquery(cancelled));
        let (mut settled, mut after) = (0, PaymentId(0));
        loop {
            let round = Entity::find()
                .filter(left_over.clone())
                .filter(Column::PaymentId.gt(after));
            let round = round.order_by_asc(Column::PaymentId).limit(ROUND);
            let payments = round.all(self.0.db.read()).await?;
            let Some(last) = payments.last() else {
                return Ok(settled);
            };
            after = last.payment_id;
            for payment in payments {
                settled += usize::from(told(payment.payment_id, self.let_go(&payment).await));
            }
        }
    }

    async fn refund(&self, debt: &refund::Model) -> anyhow::Result<bool> {
        let payment = self.read_back(debt.payment_id).await?;
        let reference = payment.provider_reference.as_deref().unwrap_or_default();
        // The same debt has the same key, whoever pays it back.
        let key = format!("refund-{}", debt.refund_id);
        let gateway = &self.0.gateway;
        gateway.refund(reference, debt.amount, &key).await?;
        let now = self.0.clock.now();
        let tx = self.0.db.begin().await?;
        let payment = Entity::find_by_id(debt.payment_id)
            .lock_exclusive()
            .one(&*tx)
            .await?
            .ok_or_else(|| gone(debt.payment_id))?;
        let written = refund::Entity::update_many()
            .col_expr(refund::Column::SettledAt, Expr::val(now))
            .filter(refund::Column::RefundId.eq(debt.refund_id))
            .filter(refund::Column::SettledAt.is_null())
            .exec(&*tx)
            .await?;
        if written.rows_affected == 0 {
            return Ok(false);
        }
        let refunded = payment.refunded_amount + debt.amount;
        let status = if refunded >= payment.amount {
            PaymentStatus::Refunded
        } else {
            PaymentStatus::PartiallyRefunded
        };
        Entity::update_many()
            .col_expr(Column::RefundedAmount, Expr::val(refunded))
            .col_expr(Column::PaymentStatus, Expr::val(status))
            .filter(Column::PaymentId.eq(debt.payment_id))
            .exec(&*tx)
            .await?;
        self.commit_with(tx, Action::PaymentRefunded, &payment)
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

/// The keys of some payments.
fn keys_of(which: &Condition) -> SelectStatement {
    Entity::find()
        .select_only()
        .column(Column::PaymentId)
        .filter(which.clone())
        .into_query()
}

/// Whether a payment is settled; why it is not is for the log.
fn told(payment_id: PaymentId, done: anyhow::Result<bool>) -> bool {
    done.unwrap_or_else(|error| {
        tracing::warn!(%payment_id, %error, "a payment is not settled yet");
        false
    })
}

/// Writes down what the guest of a locked booking is owed, and never more than what was paid and is not owed already.
pub(in crate::service) async fn owe_refund(
    tx: &Tx,
    booking_id: BookingId,
    amount: Money,
    now: DateTime<Utc>,
) -> Result<()> {
    let paid = Entity::find()
        .filter(Column::BookingId.eq(booking_id))
        .filter(
            Column::PaymentStatus.is_in([PaymentStatus::Paid, PaymentStatus::PartiallyRefunded]),
        )
        .one(&**tx)
        .await?;
    let Some(payment) = paid else { return Ok(()) };
    let debts = refund::Entity::find()
        .filter(refund::Column::PaymentId.eq(payment.payment_id))
        .all(&**tx)
        .await?;
    let owed: Money = debts.iter().map(|debt| debt.amount).sum();
    let amount = amount.min(payment.amount - owed);
    owe(tx, payment.payment_id, amount, now).await
}

/// Writes down a debt, if there is one.
pub(super) async fn owe(
    tx: &Tx,
    payment_id: PaymentId,
    amount: Money,
    now: DateTime<Utc>,
) -> Result<()> {
    if amount > Money::ZERO {
        let row = refund::ActiveModel {
            refund_id: NotSet,
            payment_id: Set(payment_id),
            amount: Set(amount),
            created_at: Set(now),
            settled_at: Set(None),
        };
        refund::Entity::insert(row)
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}

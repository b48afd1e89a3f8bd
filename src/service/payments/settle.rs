//! Giving money back, and letting go of what was set aside. What is owed stands in the tables, so a crash only delays it.

use chrono::{DateTime, Duration, Utc};
use futures_util::StreamExt as _;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _,
    sea_query::{Expr, Query, SelectStatement},
};

use super::{Payments, gone};
use crate::{
    domain::{
        actor::Actor,
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
    service::{booking_rows, changes::Changes, error::Result, ledger, suspicion},
    store::{
        db::Tx,
        gateway::{GatewayError, Refund},
    },
};

/// How many debts or payments one round takes on.
const ROUND: u64 = 200;

/// How many are settled at a time.
const AT_ONCE: usize = 8;
/// The longest wait between two tries to pay a debt back.
const LONGEST_WAIT: Duration = Duration::hours(1);

impl Payments {
    /// Gives back what is owed, and lets go of payments whose booking ended or lapsed. Any number of instances may do it at once.
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
        Ok(self.let_go_left_over(which).await? + self.refund_owed(which).await?)
    }

    /// Gives back what is owed, each debt once a round, so that those which keep failing do not stand in the way of others.
    async fn refund_owed(&self, which: &Condition) -> Result<usize> {
        let now = self.0.clock.now();
        let (mut settled, mut after) = (0, RefundId(0));
        loop {
            let is_due = Condition::any()
                .add(refund::Column::DueAt.is_null())
                .add(refund::Column::DueAt.lte(now));
            let round = refund::Entity::find()
                // Spelled out rather than bound, because the partial index is chosen by it.
                .filter(Expr::cust("settled_at IS NULL"))
                .filter(is_due)
                .filter(refund::Column::RefundId.gt(after))
                .filter(refund::Column::PaymentId.in_subquery(keys_of(which)))
                .order_by_asc(refund::Column::RefundId)
                .limit(ROUND);
            let debts = round.all(self.0.db.read()).await?;
            let Some(last) = debts.last() else {
                return Ok(settled);
            };
            after = last.refund_id;
            let paid_back = futures_util::stream::iter(debts)
                .map(async |debt| told(debt.payment_id, self.refund(&debt).await))
                .buffer_unordered(AT_ONCE);
            settled += paid_back
                .filter(|done| std::future::ready(*done))
                .count()
                .await;
        }
    }

    /// Lets go of payments whose booking ended, or lapsed meanwhile, each once a round.
    async fn let_go_left_over(&self, which: &Condition) -> Result<usize> {
        let now = self.0.clock.now();
        let unwanted = Condition::any()
            .add(booking::Column::Status.eq(BookingStatus::Cancelled))
            .add(booking_rows::lapsed(now));
        let unwanted = Query::select()
            .column(booking::Column::BookingId)
            .from(booking::Entity)
            .cond_where(unwanted)
            .to_owned();
        let left_over = which
            .clone()
            // Spelled out rather than bound, because the partial index is chosen by it.
            .add(Expr::cust("payment_status = 'PENDING'"))
            .add(Column::BookingId.in_subquery(unwanted));
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
            let let_go = futures_util::stream::iter(payments)
                .map(async |payment| {
                    let id = payment.payment_id;
                    let pursued = self.pursue(&Actor::nobody(), id).await;
                    let is_settled = |now: Model| now.payment_status != PaymentStatus::Pending;
                    told(id, pursued.map(is_settled).map_err(anyhow::Error::from))
                })
                .buffer_unordered(AT_ONCE);
            settled += let_go
                .filter(|done| std::future::ready(*done))
                .count()
                .await;
        }
    }

    /// Takes a debt on, so that nobody else pays it back meanwhile.
    async fn claim_debt(&self, debt: &refund::Model) -> Result<bool> {
        // Longer than two calls take: nobody else asks before it is known what became of these.
        let doublings = (debt.attempts - 3).clamp(0, 7).unsigned_abs();
        let wait = Duration::seconds(10) * 2_i32.pow(doublings);
        let next = self.0.clock.now() + wait.min(LONGEST_WAIT);
        let tx = self.0.db.begin().await?;
        let claimed = refund::Entity::update_many()
            .col_expr(refund::Column::DueAt, Expr::val(Some(next)))
            .col_expr(refund::Column::Attempts, Expr::val(debt.attempts + 1))
            .filter(refund::Column::RefundId.eq(debt.refund_id))
            .filter(refund::Column::Attempts.eq(debt.attempts))
            .filter(refund::Column::SettledAt.is_null())
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok(claimed.rows_affected == 1)
    }

    async fn refund(&self, debt: &refund::Model) -> anyhow::Result<bool> {
        if !self.claim_debt(debt).await? {
            return Ok(false);
        }
        let payment = self.read_back(debt.payment_id).await?;
        let refund = Refund {
            reference: self.reference(&payment)?.unwrap_or_default(),
            amount: debt.amount,
            currency: self.0.terms.currency.clone(),
            // The same debt has the same name, whoever pays it back.
            name: format!("refund-{}", debt.refund_id),
            again: debt.attempts > 0,
        };
        let asked = self.0.gateway.refund(&refund).await;
        if let Err(GatewayError::Refused(why)) = &asked {
            let detail = format!(
                "refund {} of payment {}: {why}",
                debt.refund_id, debt.payment_id
            );
            suspicion::alert(&self.0, "refund refused", &detail).await;
        }
        asked?;
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
        let booking = booking::Entity::find_by_id(payment.booking_id)
            .one(&*tx)
            .await?
            .ok_or_else(|| gone(debt.payment_id))?;
        ledger::given_back(&tx, &booking, debt, now).await?;
        let mut changes = Changes::by_nobody();
        changes.record(Action::PaymentRefunded, Subject::Payment(debt.payment_id));
        changes.commit(tx, &self.0).await?;
        Ok(true)
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
            due_at: Set(None),
            attempts: Set(0),
        };
        refund::Entity::insert(row)
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}

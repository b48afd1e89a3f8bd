//! Giving back what is owed, and letting go of what was set aside.

use chrono::Duration;
use futures_util::StreamExt as _;
use sea_orm::{
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
        payment::PaymentStatus,
    },
    entity::{
        booking,
        payment::{Column, Entity},
        refund,
    },
    service::{
        booking_rows,
        changes::Changes,
        error::{Error, Result},
        ledger, suspicion,
    },
    store::{
        gateway::{GatewayError, Refund},
        traces::{About, Span},
    },
};

/// How many debts or payments are read at a time.
const ROUND: u64 = 200;
/// How many are settled at a time.
const AT_ONCE: usize = 8;
/// The longest wait between two tries to pay a debt back.
const LONGEST_WAIT: Duration = Duration::hours(1);
/// After that long no call is still on its way: who then finds that a refund was not made may ask for it by another key. The old one would repeat a
/// failure of the provider's for a day.
const NO_CALL_LASTS: Duration = Duration::minutes(10);

impl Payments {
    /// Gives back what is owed, and calls up payments whose booking ended or lapsed, to be let go of. Any number of instances may do it at once.
    /// Gives how many payments it came across.
    ///
    /// # Errors
    /// When the database fails. A provider that can't be reached is tried again in a later round.
    pub async fn settle_due(&self) -> Result<usize> {
        Ok(self.call_up_left_over().await? + self.pay_back_owed(&Condition::all()).await?)
    }

    /// Gives back what is owed of one booking, and lets go of what is set aside for it once it has ended, as far as that goes: what can't be
    /// done now is done by a later round.
    pub(in crate::service) async fn settle_of(&self, booking_id: BookingId) {
        let let_go = async {
            let pending = Entity::find()
                .filter(Column::BookingId.eq(booking_id))
                .filter(Column::PaymentStatus.eq(PaymentStatus::Pending));
            for payment in pending.all(self.0.db.read()).await? {
                self.pursue(&Actor::nobody(), payment.payment_id).await?;
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = let_go.await {
            tracing::warn!(%booking_id, %error, "letting go is left to a later round");
        }
        self.pay_back_of(booking_id).await;
    }

    /// Gives back what is owed of one booking, as far as it goes.
    pub(super) async fn pay_back_of(&self, booking_id: BookingId) {
        let which = Condition::all().add(Column::BookingId.eq(booking_id));
        if let Err(error) = self.pay_back_owed(&which).await {
            tracing::warn!(%booking_id, %error, "paying back is left to a later round");
        }
    }

    /// Gives back what is owed, each debt once a round, so that those which keep failing do not stand in the way of others.
    async fn pay_back_owed(&self, which: &Condition) -> Result<usize> {
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
                .map(async |debt| told(debt.payment_id, self.pay_back(&debt).await))
                .buffer_unordered(AT_ONCE);
            settled += paid_back
                .filter(|done| std::future::ready(*done))
                .count()
                .await;
        }
    }

    /// Calls up the payments whose booking ended or lapsed, and which nobody looks after: [`look_after_due`](Self::look_after_due) lets go of them. Gives
    /// how many.
    async fn call_up_left_over(&self) -> Result<usize> {
        let now = self.0.clock.now();
        let unwanted = Condition::any()
            .add(booking::Column::Status.eq(BookingStatus::Cancelled))
            .add(booking_rows::lapsed(now));
        let unwanted = Query::select()
            .column(booking::Column::BookingId)
            .from(booking::Entity)
            .cond_where(unwanted)
            .to_owned();
        let left_over = Entity::find()
            .select_only()
            .column(Column::PaymentId)
            // Spelled out rather than bound, because the partial index is chosen by it.
            .filter(Expr::cust("payment_status = 'PENDING'"))
            .filter(Column::LookAt.is_null())
            .filter(Column::BookingId.in_subquery(unwanted))
            .limit(ROUND)
            .into_tuple::<PaymentId>()
            .all(self.0.db.read())
            .await?;
        if left_over.is_empty() {
            return Ok(0);
        }
        let tx = self.0.db.begin().await?;
        let called = Entity::update_many()
            .col_expr(Column::LookAt, Expr::val(Some(now)))
            .col_expr(Column::Looks, Expr::val(0))
            .filter(Column::PaymentId.is_in(left_over.iter().copied()))
            .filter(Column::PaymentStatus.eq(PaymentStatus::Pending))
            .filter(Column::LookAt.is_null())
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        tracing::debug!(called = called.rows_affected, "payments are let go of");
        Ok(left_over.len())
    }

    /// Takes a debt on, so that nobody else pays it back meanwhile.
    async fn claim_debt(&self, debt: &refund::Model) -> Result<bool> {
        let next = self.0.clock.now() + wait_after(debt.attempts);
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

    async fn pay_back(&self, debt: &refund::Model) -> anyhow::Result<bool> {
        let span = Span::here(|| About::left("refund"));
        let paid = span.around(self.pay(debt)).await;
        if paid.is_err() {
            span.failed("later");
        }
        paid
    }

    async fn pay(&self, debt: &refund::Model) -> anyhow::Result<bool> {
        if !self.claim_debt(debt).await? {
            return Ok(false);
        }
        let payment = self.read_back(debt.payment_id).await?;
        let name = name_of(debt);
        let refund = Refund {
            reference: self.reference(&payment)?.unwrap_or_default(),
            amount: debt.amount,
            currency: self.0.terms.currency.clone(),
            key: if wait_after(debt.attempts - 1) < NO_CALL_LASTS {
                name.clone()
            } else {
                format!("{name}-{}", debt.attempts)
            },
            name,
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
        let booking = booking_rows::lock(&tx, payment.booking_id)
            .await?
            .ok_or_else(|| gone(debt.payment_id))?;
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

/// How long a debt waits for its next try: longer than two calls take, so that nobody else asks before it is known what became of these.
fn wait_after(attempts: i32) -> Duration {
    let doublings = (attempts - 3).clamp(0, 9).unsigned_abs();
    (Duration::seconds(10) * 2_i32.pow(doublings)).min(LONGEST_WAIT)
}

/// What a debt is called at the provider, whoever pays it back. No two share it, be it that one of them was lost with the end of a database.
fn name_of(debt: &refund::Model) -> String {
    let owed_since = debt.created_at.timestamp_micros();
    format!("refund-{}-{owed_since}", debt.refund_id)
}

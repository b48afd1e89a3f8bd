//! What guests are owed. It stands in the tables, so that a crash only delays it.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, EntityTrait as _, QueryFilter as _,
};

use crate::{
    domain::{
        ids::{BookingId, PaymentId},
        money::Money,
        payment::PaymentStatus,
    },
    entity::{
        payment::{Column, Entity, Model},
        refund,
    },
    service::error::Result,
    store::db::Tx,
};

/// Writes down what the guest of a locked booking is owed, and never more than what was paid and is not owed already. `stands` says whether the
/// booking goes on: then it became cheaper.
pub(in crate::service) async fn owe_refund(
    tx: &Tx,
    booking_id: BookingId,
    amount: Money,
    stands: bool,
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
    let amount = amount.min(left_of(tx, &payment).await?);
    owe(tx, payment.payment_id, amount, stands, now).await
}

/// What is left of a collected payment that is not owed already. Its booking is locked.
pub(super) async fn left_of(tx: &Tx, payment: &Model) -> Result<Money> {
    let debts = refund::Entity::find()
        .filter(refund::Column::PaymentId.eq(payment.payment_id))
        .all(&**tx)
        .await?;
    let owed: Money = debts.iter().map(|debt| debt.amount).sum();
    Ok(payment.amount - owed)
}

/// Writes down a debt, if there is one.
pub(super) async fn owe(
    tx: &Tx,
    payment_id: PaymentId,
    amount: Money,
    stands: bool,
    now: DateTime<Utc>,
) -> Result<()> {
    if amount > Money::ZERO {
        let row = refund::ActiveModel {
            refund_id: NotSet,
            payment_id: Set(payment_id),
            amount: Set(amount),
            stands: Set(stands),
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

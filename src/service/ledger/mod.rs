//! The books: an entry for every cent that moved, written in the transaction that says that it did.

mod earnings;
mod verify;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, EntityTrait as _, QueryFilter as _,
};

pub use self::{
    earnings::{Earnings, OfProperty},
    verify::Verdict,
};
use super::{Parts, error::Result};
use crate::{
    domain::{
        ids::{PaymentId, RefundId},
        ledger::{self, Account, Movement},
        money::Money,
    },
    entity::{
        booking,
        ledger_entry::{ActiveModel, Column, Entity, Model},
        payment, refund,
    },
    store::db::Tx,
};

/// The books.
#[derive(Clone)]
pub struct Ledger(pub(super) Arc<Parts>);

/// Writes down that a payment was collected, for a booking that stands by it or does not.
pub(super) async fn collected(
    tx: &Tx,
    booking: &booking::Model,
    payment: &payment::Model,
    stands: bool,
    now: DateTime<Utc>,
) -> Result<()> {
    let movement = if payment.authorized_at.is_some() {
        Movement::Capture
    } else {
        Movement::Charge
    };
    let whose = ledger::collected(payment.amount, &booking.price, stands);
    let taken = whose
        .by_account()
        .map(|(account, part)| (account, Money::ZERO - part));
    let entries = [(Account::Provider, payment.amount)]
        .into_iter()
        .chain(taken);
    write(
        tx,
        booking,
        (payment.payment_id, None),
        movement,
        entries,
        now,
    )
    .await
}

/// Writes down that some of a payment went back. The payment is locked.
pub(super) async fn given_back(
    tx: &Tx,
    booking: &booking::Model,
    debt: &refund::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    let has = balances(tx, debt.payment_id).await?;
    if has.total() == Money::ZERO {
        // It was collected before there were books.
        return Ok(());
    }
    let back = ledger::given_back(debt.amount, has, debt.stands, booking.cancellation_policy);
    let provider = (Account::Provider, Money::ZERO - debt.amount);
    let entries = [provider].into_iter().chain(back.by_account());
    let of = (debt.payment_id, Some(debt.refund_id));
    write(tx, booking, of, Movement::Refund, entries, now).await
}

/// What everyone has of a payment now.
async fn balances(tx: &Tx, id: PaymentId) -> Result<ledger::Shares> {
    let entries = Entity::find()
        .filter(Column::PaymentId.eq(id))
        .all(&**tx)
        .await?;
    let of = |account| Money::ZERO - sum(&entries, account);
    Ok(ledger::Shares {
        guest: of(Account::Guest),
        host: of(Account::Host),
        fees: of(Account::Fees),
        tax: of(Account::Tax),
    })
}

async fn write(
    tx: &Tx,
    booking: &booking::Model,
    (payment_id, refund_id): (PaymentId, Option<RefundId>),
    movement: Movement,
    entries: impl Iterator<Item = (Account, Money)>,
    now: DateTime<Utc>,
) -> Result<()> {
    let rows = entries
        .filter(|(_, amount)| *amount != Money::ZERO)
        .map(|(account, amount)| ActiveModel {
            entry_id: NotSet,
            booking_id: Set(booking.booking_id),
            payment_id: Set(payment_id),
            refund_id: Set(refund_id),
            property_id: Set(booking.property_id),
            host_id: Set(booking.host_id),
            movement: Set(movement),
            account: Set(account),
            amount: Set(amount),
            created_at: Set(now),
        });
    Entity::insert_many(rows)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// The sum of some entries of an account.
fn sum<'a>(entries: impl IntoIterator<Item = &'a Model>, account: Account) -> Money {
    let own = entries.into_iter().filter(|entry| entry.account == account);
    own.map(|entry| entry.amount).sum()
}

//! Proving the books right: every movement is zero in all, and what is with the provider is what the payments say.

use std::collections::BTreeMap;

use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{Ledger, sum};
use crate::{
    domain::{ids::PaymentId, ledger::Account, money::Money},
    entity::{
        ledger_entry::{Column, Entity, Model},
        payment,
    },
    service::error::Result,
};

/// How many payments are read at a time.
const BATCH: u64 = 1_000;

/// What is found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How many payments the books have.
    pub payments: usize,
    /// How many collected payments they do not have: those from before there were books.
    pub without_entries: usize,
    /// What is wrong, a sentence each.
    pub wrong: Vec<String>,
}

impl Ledger {
    /// Reads all of the books.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verify(&self) -> Result<Verdict> {
        let db = self.0.db.read();
        let (mut verdict, mut after) = (Verdict::default(), PaymentId(0));
        loop {
            let batch = payment::Entity::find()
                .filter(payment::Column::PaymentId.gt(after))
                .order_by_asc(payment::Column::PaymentId)
                .limit(BATCH)
                .all(db)
                .await?;
            let Some(last) = batch.last().map(|payment| payment.payment_id) else {
                return Ok(verdict);
            };
            let entries = Entity::find()
                .filter(Column::PaymentId.gt(after))
                .filter(Column::PaymentId.lte(last))
                .order_by_asc(Column::EntryId)
                .all(db)
                .await?;
            let mut by_payment: BTreeMap<i32, Vec<Model>> = BTreeMap::new();
            for entry in entries {
                by_payment
                    .entry(entry.payment_id.0)
                    .or_default()
                    .push(entry);
            }
            for payment in &batch {
                let entries = by_payment.remove(&payment.payment_id.0).unwrap_or_default();
                verdict.look_at(payment, &entries);
            }
            after = last;
        }
    }
}

impl Verdict {
    fn look_at(&mut self, payment: &payment::Model, entries: &[Model]) {
        let id = payment.payment_id;
        let was_collected = payment.payment_status.is_collected();
        if entries.is_empty() {
            self.without_entries += usize::from(was_collected);
            return;
        }
        self.payments += 1;
        let all: Money = entries.iter().map(|entry| entry.amount).sum();
        if all != Money::ZERO {
            self.wrong.push(format!(
                "the entries of payment {id} are {all} in all, not zero"
            ));
        }
        let with_provider = sum(entries, Account::Provider);
        let expected = if was_collected {
            payment.amount - payment.refunded_amount
        } else {
            Money::ZERO
        };
        if with_provider != expected {
            let wrong = format!(
                "payment {id}: the books have {with_provider} with the provider, the payment itself says {expected}"
            );
            self.wrong.push(wrong);
        }
        for account in [Account::Guest, Account::Host, Account::Fees, Account::Tax] {
            let balance = sum(entries, account);
            if balance > Money::ZERO {
                self.wrong.push(format!(
                    "{account:?} gave more of payment {id} than it had: {balance}"
                ));
            }
        }
    }
}

//! Whether the provider's books and ours agree: of the last days, every payment that moved money there, and every one that did here.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::Payments;
use crate::{
    domain::{money::Money, payment::PaymentStatus},
    entity::payment::{Column, Entity, Model},
    service::{error::Result, suspicion},
    store::{
        gateway::{GatewayError, Moved},
        vault::fingerprint,
    },
};

/// How far back the books are compared.
const BACK: Duration = Duration::days(3);
/// What is younger may be written down here a little later than there, or the other way round.
const SETTLED_AFTER: Duration = Duration::minutes(15);
/// How many differences are told in one alert.
const TOLD: usize = 20;
/// How many references are looked up at a time.
const BATCH: usize = 500;

impl Payments {
    /// Compares the last days' payments with the provider's, and raises an alert about those that differ. Gives how many do; nothing where
    /// the provider keeps no books.
    ///
    /// # Errors
    /// When the database fails, or the provider can't be reached.
    pub async fn compare(&self) -> Result<usize> {
        let now = self.0.clock.now();
        let theirs = match self.0.gateway.moved_since(now - BACK).await {
            Ok(Some(theirs)) => theirs,
            Ok(None) => return Ok(0),
            Err(GatewayError::Unreachable(why) | GatewayError::Refused(why)) => {
                return Err(anyhow::anyhow!("the provider's books can't be read: {why}").into());
            }
        };
        let differences = self.differences(&theirs, now).await?;
        metrics::gauge!("staygate_payments_different")
            .set(u32::try_from(differences.len()).unwrap_or(u32::MAX));
        if !differences.is_empty() {
            let told = differences.iter().take(TOLD).cloned().collect::<Vec<_>>();
            let detail = format!("{} in all: {}", differences.len(), told.join("; "));
            suspicion::alert(&self.0, "payments differ", &detail).await;
        }
        Ok(differences.len())
    }

    async fn differences(&self, theirs: &[Moved], now: DateTime<Utc>) -> Result<Vec<String>> {
        let mut differences = vec![];
        let mut known = HashMap::new();
        for batch in theirs.chunks(BATCH) {
            let digests = batch.iter().map(|moved| fingerprint(&moved.reference));
            let rows = Entity::find()
                .filter(Column::ReferenceDigest.is_in(digests))
                .all(self.0.db.read())
                .await?;
            let by_digest = rows.into_iter().filter_map(|row| {
                let digest = row.reference_digest.clone()?;
                Some((digest, row))
            });
            known.extend(by_digest);
        }
        for moved in theirs {
            let ours = known.get(&fingerprint(&moved.reference));
            differences.extend(difference(moved, ours, now));
        }
        let recent = Entity::find()
            .filter(Column::TransactionDate.gt(now - BACK + SETTLED_AFTER))
            .filter(Column::TransactionDate.lt(now - SETTLED_AFTER))
            .filter(Column::AuthorizedAt.is_null())
            .filter(
                Column::PaymentStatus.is_not_in([PaymentStatus::Pending, PaymentStatus::Failed]),
            )
            .all(self.0.db.read())
            .await?;
        for ours in recent {
            let is_there = ours
                .reference_digest
                .as_ref()
                .is_some_and(|digest| known.contains_key(digest));
            if !is_there {
                differences.push(format!(
                    "payment {} is paid here, and not there",
                    ours.payment_id
                ));
            }
        }
        Ok(differences)
    }
}

/// How a payment differs.
fn difference(theirs: &Moved, ours: Option<&Model>, now: DateTime<Utc>) -> Option<String> {
    let Moved {
        collected,
        given_back,
        reference,
    } = theirs;
    let Some(ours) = ours else {
        return Some(format!("{reference} of {collected} is not known here"));
    };
    if ours.transaction_date > now - SETTLED_AFTER {
        return None;
    }
    let id = ours.payment_id;
    let here = match ours.payment_status {
        PaymentStatus::Pending | PaymentStatus::Failed => Money::ZERO,
        PaymentStatus::Paid | PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded => {
            ours.amount
        }
    };
    if here != *collected {
        return Some(format!(
            "payment {id}: {collected} was collected there, {here} here"
        ));
    }
    (ours.refunded_amount != *given_back).then(|| {
        format!(
            "payment {id}: {given_back} went back there, {} here",
            ours.refunded_amount
        )
    })
}

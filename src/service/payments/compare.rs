//! Whether the provider's books and ours agree: of the last days, every payment that moved money there, and every one that did here.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Duration, Utc};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::Payments;
use crate::{
    domain::{money::Money, payment::COLLECTED},
    entity::payment::{Column, Entity, Model},
    service::{error::Result, suspicion},
    store::{
        gateway::{Books, GatewayError, Moved, OddRefund},
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
        let theirs = match self.0.gateway.books_since(now - BACK).await {
            Ok(Some(theirs)) => theirs,
            Ok(None) => return Ok(0),
            Err(GatewayError::Unclear(why) | GatewayError::Refused(why)) => {
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

    async fn differences(&self, theirs: &Books, now: DateTime<Utc>) -> Result<Vec<String>> {
        let collected = theirs.collected.iter().map(|moved| &moved.reference);
        let refunded = theirs.odd_refunds.iter().map(|(reference, _)| reference);
        let known = self.known(collected.chain(refunded)).await?;
        let ours = |reference: &str| known.get(&fingerprint(reference));
        let mut differences = vec![];
        let mut told = HashSet::new();
        for moved in &theirs.collected {
            if let Some(difference) = difference(moved, ours(&moved.reference), now) {
                differences.push(difference);
                told.insert(&moved.reference);
            }
        }
        for (reference, refund) in &theirs.odd_refunds {
            // One that shows in the sums is told with them.
            if let Some(payment) = ours(reference).filter(|_| !told.contains(reference)) {
                let id = payment.payment_id;
                differences.push(match refund {
                    OddRefund::Foreign(sum) => format!("payment {id}: {sum} went back there alone"),
                    OddRefund::Failed(sum) => format!("payment {id}: a refund of {sum} failed"),
                });
            }
        }
        let recent = Entity::find()
            .filter(Column::TransactionDate.gt(now - BACK + SETTLED_AFTER))
            .filter(Column::TransactionDate.lt(now - SETTLED_AFTER))
            // What a host accepted was charged when its guest paid, perhaps before these days: it is not looked for over there.
            .filter(Column::AuthorizedAt.is_null())
            .filter(Column::PaymentStatus.is_in(COLLECTED))
            .all(self.0.db.read())
            .await?;
        for ours in recent {
            let digest = ours.reference_digest.as_ref();
            if !digest.is_some_and(|digest| known.contains_key(digest)) {
                differences.push(format!(
                    "payment {} is paid here, and not there",
                    ours.payment_id
                ));
            }
        }
        Ok(differences)
    }

    /// The payments of some references, by what they are looked up by.
    async fn known(
        &self,
        references: impl Iterator<Item = &String>,
    ) -> Result<HashMap<String, Model>> {
        let digests: Vec<_> = references.map(|reference| fingerprint(reference)).collect();
        let mut known = HashMap::new();
        for batch in digests.chunks(BATCH) {
            let rows = Entity::find()
                .filter(Column::ReferenceDigest.is_in(batch.iter().map(String::as_str)))
                .all(self.0.db.read())
                .await?;
            known.extend(rows.into_iter().filter_map(|row| {
                let digest = row.reference_digest.clone()?;
                Some((digest, row))
            }));
        }
        Ok(known)
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
        let end: String = reference.chars().rev().take(4).collect();
        let end: String = end.chars().rev().collect();
        return Some(format!("…{end} of {collected} is not known here"));
    };
    if ours.transaction_date > now - SETTLED_AFTER {
        return None;
    }
    let id = ours.payment_id;
    let here = if ours.payment_status.is_collected() {
        ours.amount
    } else {
        Money::ZERO
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

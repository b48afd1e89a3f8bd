//! What the payment provider tells of itself. It is written down and answered at once; a worker asks then where the payment stands, so that
//! notices may come twice, late, and in any order.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, QueryFilter as _,
    sea_query::{Expr, OnConflict},
};

use super::Payments;
use crate::{
    domain::{audit::Subject, payment::PaymentStatus},
    entity::{
        payment::{Column, Entity},
        provider_event,
    },
    service::{error::Result, suspicion},
    store::{gateway::Notice, vault::fingerprint},
};

/// For how long it is remembered what was told. The provider sends a notice again for three days.
const REMEMBERED: chrono::Duration = chrono::Duration::days(30);

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It is about a payment that waits, which is looked after at once.
    News,
    /// It is about nothing that waits.
    NoNews,
    /// It was told before.
    Again,
}

impl Payments {
    /// Takes a notice of the provider's. Once it gives an answer, the notice is not lost.
    ///
    /// # Errors
    /// When the database fails; the provider then sends it again.
    pub async fn hear(&self, notice: &Notice) -> Result<Heard> {
        let now = self.0.clock.now();
        let tx = self.0.db.begin().await?;
        let row = provider_event::ActiveModel {
            event_id: Set(notice.id.chars().take(255).collect()),
            kind: Set(notice.kind.chars().take(100).collect()),
            received_at: Set(now),
        };
        let once = OnConflict::column(provider_event::Column::EventId)
            .do_nothing()
            .to_owned();
        let written = provider_event::Entity::insert(row)
            .on_conflict(once)
            .exec_without_returning(&*tx)
            .await?;
        if written == 0 {
            return Ok(Heard::Again);
        }
        let mut heard = Heard::NoNews;
        let digest = notice.payment.as_deref().map(fingerprint);
        if let Some(digest) = &digest {
            let waits = Entity::update_many()
                .col_expr(Column::LookAt, Expr::val(Some(now)))
                .col_expr(Column::Looks, Expr::val(0))
                .filter(Column::ReferenceDigest.eq(digest))
                .filter(Column::PaymentStatus.eq(PaymentStatus::Pending))
                .exec(&*tx)
                .await?;
            if waits.rows_affected > 0 {
                heard = Heard::News;
            }
        }
        tx.commit().await?;
        if let Some(what) = notice.alarm {
            let about = Entity::find()
                .filter(Column::ReferenceDigest.eq(digest))
                .one(self.0.db.read())
                .await?;
            let which = about.map_or_else(
                || "a payment that is not known here".to_owned(),
                |payment| Subject::Payment(payment.payment_id).to_string(),
            );
            suspicion::alert(&self.0, "payment provider", &format!("{what}: {which}")).await;
        }
        Ok(heard)
    }

    /// Forgets what was told long ago. Gives how many notices.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_notices(&self) -> Result<u64> {
        let long_ago = self.0.clock.now() - REMEMBERED;
        let tx = self.0.db.begin().await?;
        let swept = provider_event::Entity::delete_many()
            .filter(provider_event::Column::ReceivedAt.lt(long_ago))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok(swept.rows_affected)
    }
}

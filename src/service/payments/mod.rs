//! Money: paying for a booking. It is begun in [`create`], goes on in [`pursuit`], and what becomes of it is in [`outcome`]; what is owed to guests
//! is in [`debts`], giving it back in [`settle`].
//!
//! The provider is never called inside of a transaction. Our intent is committed first; then the provider is called; then its answer is
//! committed by compare-and-swap. Nobody is charged twice: what a payment is called at the provider is kept before its card is asked, a booking has at most
//! one payment that has not failed, and a payment fails only once the provider has let go of it. Whoever comes across a payment after a crash, a timeout
//! or a notice of the provider's asks where it stands, and goes on from there.

mod capture;
mod compare;
mod create;
mod debts;
mod notices;
mod outcome;
mod pursuit;
mod refunding;
mod secrets;
mod settle;

pub(super) use capture::captured;
pub use create::NewPayment;
pub(super) use debts::owe_refund;
pub use notices::Heard;
pub(super) use outcome::answer_by;

use std::{collections::HashMap, sync::Arc};

use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _,
};

use super::{
    Parts, audit, booking_rows,
    error::{Error, Result},
    keys::among,
    suspicion,
};
use crate::{
    domain::{
        actor::Actor,
        audit::Subject,
        ids::{BookingId, PaymentId},
        payment::PaymentStatus,
    },
    entity::{
        booking,
        payment::{Column, Entity, Model},
    },
    store::{
        gateway::{State, sandbox::Sandbox},
        vault::fingerprint,
    },
};

/// Money.
#[derive(Clone)]
pub struct Payments(pub(super) Arc<Parts>);

impl Payments {
    /// Payments by their keys, as far as the caller may see them: those of bookings that the caller may see.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_ids(
        &self,
        actor: &Actor,
        ids: &[PaymentId],
    ) -> Result<HashMap<PaymentId, Model>> {
        let Some(bookings) = booking_rows::visible(actor) else {
            return Ok(HashMap::new());
        };
        let keys = bookings
            .select_only()
            .column(booking::Column::BookingId)
            .into_query();
        let rows = Entity::find()
            .filter(among(self.0.db.backend(), Column::PaymentId, ids))
            .filter(Column::BookingId.in_subquery(keys))
            .all(self.0.db.read())
            .await?;
        let seen = rows.iter().map(|row| Subject::Payment(row.payment_id));
        audit::admin_reads(&self.0, actor, seen.collect()).await?;
        suspicion::refused(&self.0, actor, ids.len() - rows.len()).await;
        Ok(rows
            .into_iter()
            .map(|payment| (payment.payment_id, payment))
            .collect())
    }

    /// The payment of each of some bookings: the newest, which is the one that counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_bookings(&self, ids: &[BookingId]) -> Result<HashMap<BookingId, Model>> {
        let rows = Entity::find()
            .filter(among(self.0.db.backend(), Column::BookingId, ids))
            .order_by_asc(Column::PaymentId)
            .all(self.0.db.read())
            .await?;
        Ok(rows
            .into_iter()
            .map(|payment| (payment.booking_id, payment))
            .collect())
    }

    /// What a guest does in the sandbox's payment form: confirms the payment with this client secret. None when there is none that waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn confirm_in_sandbox(&self, client_secret: &str) -> Result<Option<Model>> {
        let Some(reference) = Sandbox::reference_of(client_secret) else {
            return Ok(None);
        };
        let waiting = Entity::find()
            .filter(Column::ReferenceDigest.eq(fingerprint(reference)))
            .filter(Column::PaymentStatus.eq(PaymentStatus::Pending))
            .one(self.0.db.read())
            .await?;
        let Some(payment) = waiting else {
            return Ok(None);
        };
        if self.client_secret(&payment)?.as_deref() != Some(client_secret) {
            return Ok(None);
        }
        let booking = booking::Entity::find_by_id(payment.booking_id)
            .one(self.0.db.read())
            .await?;
        let instant = booking.is_some_and(|booking| booking.instant_book);
        let state = if instant {
            State::Succeeded
        } else {
            State::Authorized
        };
        let provider = Actor::nobody();
        let applied = self
            .apply(&provider, payment.payment_id, state.into())
            .await;
        applied.map(Some)
    }

    async fn read_back(&self, id: PaymentId) -> Result<Model> {
        Entity::find_by_id(id)
            .one(self.0.db.read())
            .await?
            .ok_or_else(|| gone(id))
    }
}

fn gone(id: PaymentId) -> Error {
    anyhow::anyhow!("payment {id} is gone").into()
}

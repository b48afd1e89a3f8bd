//! Stays that were asked for: who sees them, and which nights they take. Making one is in [`create`], other dates and guests are in
//! [`change`], its further life is in [`moves`], and what time alone does to it in [`lapse`](mod@lapse). Its nights are taken in [`nights`].

mod change;
mod create;
mod lapse;
mod moves;
mod nights;

pub use change::BookingChange;
pub use create::NewBooking;
pub(super) use nights::lapse_in_the_way;

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, Select};

use super::{
    Parts, audit,
    booking_rows::{refund_at, visible},
    error::{Result, signed_in},
    keys::among,
    paging::{self, Keyset},
    payments::Payments,
    suspicion,
};
use crate::{
    domain::{
        actor::Actor,
        audit::Subject,
        booking::BookingStatus,
        cancellation::CancelledBy,
        ids::BookingId,
        money::Money,
        page::{Cursor, Page, PageRequest},
        payment::PaymentStatus,
    },
    entity::{
        booking::{Column, Entity, Model},
        payment,
    },
};

/// Stays that were asked for.
#[derive(Clone)]
pub struct Bookings {
    pub(super) parts: Arc<Parts>,
    pub(super) payments: Payments,
}

/// The mark of lists of bookings, newest first.
pub const NEWEST: char = 'b';

const BY_KEY: Keyset<Column> = Keyset {
    rank: None,
    id: Column::BookingId,
    copy: None,
    descending: true,
};

/// In whose part a list of bookings is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The caller stays.
    Guest,
    /// The caller hosts.
    Host,
}

impl Bookings {
    /// A booking that the caller may see: its guest, its host, and admins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, actor: &Actor, id: BookingId) -> Result<Option<Model>> {
        let Some(scope) = visible(actor) else {
            return Ok(None);
        };
        Ok(scope
            .filter(Column::BookingId.eq(id))
            .one(self.parts.db.read())
            .await?)
    }

    /// The caller's own bookings, or those of the caller's properties, newest first.
    ///
    /// # Errors
    /// [`super::error::Error::Unauthenticated`] when nobody is signed in.
    pub async fn list(
        &self,
        actor: &Actor,
        part: Part,
        status: Option<BookingStatus>,
        request: PageRequest,
    ) -> Result<Page<Model>> {
        let list = paging::page(own(actor, part, status)?, &BY_KEY, request);
        Ok(Page::from_rows(
            request,
            list.all(self.parts.db.read()).await?,
            place,
        ))
    }

    /// How many bookings such a list has.
    ///
    /// # Errors
    /// [`super::error::Error::Unauthenticated`] when nobody is signed in.
    pub async fn count(
        &self,
        actor: &Actor,
        part: Part,
        status: Option<BookingStatus>,
    ) -> Result<u64> {
        Ok(own(actor, part, status)?
            .count(self.parts.db.read())
            .await?)
    }

    /// Bookings by their keys, as far as the caller may see them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_ids(
        &self,
        actor: &Actor,
        ids: &[BookingId],
    ) -> Result<HashMap<BookingId, Model>> {
        let Some(scope) = visible(actor) else {
            return Ok(HashMap::new());
        };
        let rows = scope
            .filter(among(self.parts.db.backend(), Column::BookingId, ids))
            .all(self.parts.db.read())
            .await?;
        let seen = rows.iter().map(|row| Subject::Booking(row.booking_id));
        audit::admin_reads(&self.parts, actor, seen.collect()).await?;
        suspicion::refused(&self.parts, actor, ids.len() - rows.len()).await;
        Ok(rows
            .into_iter()
            .map(|booking| (booking.booking_id, booking))
            .collect())
    }

    /// What its guest would get back by cancelling a booking at a moment (now when left out): nothing of what was not paid, and
    /// nothing once the stay has begun.
    #[must_use]
    pub fn refund_preview(
        &self,
        booking: &Model,
        payment: Option<&payment::Model>,
        at: Option<DateTime<Utc>>,
    ) -> Money {
        let Some(payment) = payment else {
            return Money::ZERO;
        };
        let waits = booking.status == BookingStatus::Pending && payment.authorized_at.is_some();
        match payment.payment_status {
            // What was set aside is let go, all of it.
            PaymentStatus::Pending if waits => payment.amount,
            PaymentStatus::Pending | PaymentStatus::Failed => Money::ZERO,
            PaymentStatus::Paid | PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded => {
                let at = at.unwrap_or_else(|| self.parts.clock.now());
                let left = payment.amount - payment.refunded_amount;
                refund_at(booking, CancelledBy::Guest, at)
                    .unwrap_or_default()
                    .min(left)
            }
        }
    }
}

fn own(actor: &Actor, part: Part, status: Option<BookingStatus>) -> Result<Select<Entity>> {
    let user = signed_in(actor)?;
    let column = match part {
        Part::Guest => Column::GuestId,
        Part::Host => Column::HostId,
    };
    let list = Entity::find().filter(column.eq(user.user_id));
    Ok(match status {
        Some(status) => list.filter(Column::Status.eq(status)),
        None => list,
    })
}

fn place(booking: &Model) -> Cursor {
    Cursor {
        order: NEWEST,
        rank: 0,
        id: i64::from(booking.booking_id.0),
    }
}

//! Letters about bookings: everything in them is read when they are written, and what is no longer true is not sent.

use chrono::{DateTime, Duration, Utc};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
};

use super::{
    Mails,
    letter::booking::{Facts, Returned, write},
    news::{News, Party},
};
use crate::{
    domain::{
        booking::{BookingStatus, CancellationReason},
        ids::BookingId,
        payment::PaymentStatus,
    },
    entity::{booking, payment, property, refund, review},
    service::{booking_rows::stay_of, error::Result},
    store::mail::Message,
};

/// For how long after a stay its guest is asked what it was like: not when a server wakes up after a season.
const INVITED_WITHIN: Duration = Duration::days(30);

impl Mails {
    /// Writes a letter about a booking to one of its sides. None when it is no longer true, or nobody is to get it any more.
    pub(super) async fn write_of_booking(
        &self,
        id: BookingId,
        reader: Party,
        news: News,
        name: String,
    ) -> Result<Option<Message>> {
        let db = self.0.db.read();
        let Some(booking) = booking::Entity::find_by_id(id).one(db).await? else {
            return Ok(None);
        };
        let (to, counterpart) = match reader {
            Party::Guest => (booking.guest_id, booking.host_id),
            Party::Host => (booking.host_id, booking.guest_id),
        };
        let Some(to) = self.reader(to).await? else {
            return Ok(None);
        };
        let payment = payment::Entity::find()
            .filter(payment::Column::BookingId.eq(id))
            .order_by_desc(payment::Column::PaymentId)
            .one(db)
            .await?;
        let now = self.0.clock.now();
        if !holds(news, reader, &booking, payment.as_ref(), now)
            || (news == News::ReviewInvitation && self.is_reviewed(id).await?)
        {
            return Ok(None);
        }
        let Some(property) = property::Entity::find_by_id(booking.property_id)
            .one(db)
            .await?
        else {
            return Ok(None);
        };
        let facts = Facts {
            reader,
            news,
            reader_name: to.full_name,
            counterpart: self.name_of(counterpart).await?,
            title: property.title,
            location: property.location,
            currency: self.0.terms.currency.clone(),
            returned: self.returned(payment.as_ref()).await?,
            booking,
        };
        Ok(Some(write(&facts, &self.0.terms.site, to.email, name)))
    }

    /// What was charged for a booking, and how much of it has gone back or is about to.
    async fn returned(&self, payment: Option<&payment::Model>) -> Result<Option<Returned>> {
        let Some(payment) = payment.filter(|payment| was_charged(payment)) else {
            return Ok(None);
        };
        let debts = refund::Entity::find()
            .filter(refund::Column::PaymentId.eq(payment.payment_id))
            .all(self.0.db.read())
            .await?;
        Ok(Some(Returned {
            charged: payment.amount,
            back: debts.iter().map(|debt| debt.amount).sum(),
        }))
    }

    async fn is_reviewed(&self, id: BookingId) -> Result<bool> {
        let reviews = review::Entity::find()
            .filter(review::Column::BookingId.eq(id))
            .count(self.0.db.read())
            .await?;
        Ok(reviews > 0)
    }
}

/// Whether news still hold.
fn holds(
    news: News,
    reader: Party,
    booking: &booking::Model,
    payment: Option<&payment::Model>,
    now: DateTime<Utc>,
) -> bool {
    let is = |status: BookingStatus| booking.status == status;
    let waits = is(BookingStatus::Pending) && booking.expires_at.is_some_and(|at| at > now);
    let ended_by =
        |reason| is(BookingStatus::Cancelled) && booking.cancellation_reason == Some(reason);
    // Hosts do not hear of those who never paid.
    let concerns_reader = reader == Party::Guest || payment.is_some_and(was_paid);
    match news {
        News::Held => waits && !payment.is_some_and(was_paid),
        News::Requested => waits && payment.is_some_and(was_paid),
        News::Confirmed | News::Accepted => is(BookingStatus::Confirmed),
        News::Declined => ended_by(CancellationReason::DeclinedByHost),
        News::CancelledByGuest => concerns_reader && ended_by(CancellationReason::CancelledByGuest),
        News::CancelledByHost | News::CancelledByAdmin => {
            concerns_reader && ended_by(CancellationReason::CancelledByHost)
        }
        News::PaidTooLate => is(BookingStatus::Cancelled) && payment.is_some_and(was_charged),
        News::Changed => concerns_reader && (waits || is(BookingStatus::Confirmed)),
        News::Reminder { check_in } => {
            is(BookingStatus::Confirmed)
                && booking.check_in_date == check_in
                && stay_of(booking).begins_at(booking.time_zone.0) > now
        }
        News::ReviewInvitation => {
            is(BookingStatus::Completed)
                && booking.review_removed_at.is_none()
                && stay_of(booking).ends_at(booking.time_zone.0) > now - INVITED_WITHIN
        }
    }
}

/// Whether the guest has done what was to do: the money was set aside or moved, whatever became of it since.
fn was_paid(payment: &payment::Model) -> bool {
    payment.authorized_at.is_some() || was_charged(payment)
}

fn was_charged(payment: &payment::Model) -> bool {
    match payment.payment_status {
        PaymentStatus::Pending | PaymentStatus::Failed => false,
        PaymentStatus::Paid | PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded => true,
    }
}

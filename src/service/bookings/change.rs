//! Other dates, or another number of guests.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::{Set, Unchanged},
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    sea_query::LockType,
};

use super::{Bookings, moves::not_found, nights};
use crate::{
    domain::{
        actor::Actor,
        audit::{Action, Subject},
        booking::BookingStatus,
        cancellation,
        ids::{BookingId, UserId},
        payment::PaymentStatus,
        price::Price,
        problem::Problem,
        stay::Stay,
    },
    entity::{
        booking::{ActiveModel, Column, Entity, Model},
        night, payment, property,
    },
    service::{
        booking_rows::{lock, stay_of, terms_of},
        calendar,
        changes::Changes,
        error::{Result, as_guest},
        feeds::nights::give_back,
        idempotency::{self, Begun},
        payments::{self, answer_by},
        seen::Seen,
    },
    store::db::Tx,
};

/// What is to change of a booking; None stays as it is.
#[derive(Debug, Clone, Default)]
pub struct BookingChange {
    /// The first night.
    pub check_in: Option<NaiveDate>,
    /// The day after the last night.
    pub check_out: Option<NaiveDate>,
    /// How many stay.
    pub guests: Option<i32>,
    /// The same key changes it once.
    pub idempotency_key: Option<String>,
}

/// How far a booking is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paid {
    /// Nobody has paid.
    Not,
    /// The money is set aside for a request that waits.
    Authorized,
    /// The money has moved.
    Wholly,
}

impl Bookings {
    /// Changes the dates or the number of guests of a booking of the caller's that has not begun. All of its nights are swapped, or none.
    ///
    /// Other dates are priced anew. Of a stay that is paid for, the difference comes back as far as the policy gives it back
    /// (see [`cancellation::change`]); an unpaid hold does not hold any longer for it. A host's notice holds for who comes sooner, and
    /// preparation for nights that the stay has not yet.
    ///
    /// # Errors
    /// `NOT_FOUND` for a booking of somebody else's; [`Error::Changed`](super::super::error::Error::Changed) for one that is not as the caller has
    /// `seen` it; `WRONG_STATE` for one that has ended, lapsed or begun, whose payment is under way,
    /// or that is paid for and would cost more; `INVALID` dates or guests, `TOO_MANY_GUESTS`, `DATES_UNAVAILABLE`, `IDEMPOTENCY_CONFLICT`.
    pub async fn change(
        &self,
        actor: &Actor,
        id: BookingId,
        change: BookingChange,
        seen: Seen<'_, Model>,
    ) -> Result<Model> {
        let guest = as_guest(actor)?.user_id;
        let request = format!(
            "change {id} {:?} {:?} {:?}",
            change.check_in, change.check_out, change.guests
        );
        let key = idempotency::Key::parse(guest, change.idempotency_key.as_deref(), &request)?;
        let now = self.parts.clock.now();
        let tx = match idempotency::begin(&self.parts.db, key.as_ref(), now).await? {
            Begun::New(tx) => tx,
            Begun::Answered(id) => return self.read_back(BookingId(id)).await,
        };
        let (property, booking) = lock_both(&tx, guest, id).await?;
        seen.must_be(&booking)?;
        must_be_changeable(&booking, now)?;
        let paid = paid(&tx, &booking).await?;
        let mut changes = Changes::by(actor);
        let mut row = ActiveModel {
            booking_id: Unchanged(id),
            ..Default::default()
        };
        let check_in = change.check_in.unwrap_or(booking.check_in_date);
        let check_out = change.check_out.unwrap_or(booking.check_out_date);
        let guests = change.guests.unwrap_or(booking.guests);
        if (check_in, check_out) == (booking.check_in_date, booking.check_out_date) {
            calendar::rules_of(&property).check_guests(guests)?;
            if guests == booking.guests {
                idempotency::remember(&tx, key.as_ref(), id.0).await?;
                tx.commit().await?;
                return Ok(booking);
            }
        } else {
            if !calendar::is_open(&property) {
                return Err(
                    Problem::wrong_state("This property is not open for other dates.").into(),
                );
            }
            let mut rules = calendar::rules_of(&property);
            if check_in >= booking.check_in_date {
                rules.advance_notice_days = 0;
            }
            let today = self.calendars().today(&property);
            let stay = rules.parse(check_in, check_out, guests, today)?;
            let price = self
                .swap_nights(&tx, &property, &booking, stay, now, &mut changes)
                .await?;
            settle_difference(&tx, &booking, paid, stay, &price, &mut row, now).await?;
            row.check_in_date = Set(check_in);
            row.check_out_date = Set(check_out);
            row.total_price = Set(price.total());
            row.price = Set(price);
        }
        row.guests = Set(guests);
        let after = row.update(&*tx).await?;
        changes.record(Action::BookingChanged, Subject::Booking(id));
        changes.changed(&tx, &booking, &after).await?;
        idempotency::remember(&tx, key.as_ref(), id.0).await?;
        changes.commit(tx, &self.parts).await?;
        self.payments.settle_of(id).await;
        Ok(after)
    }

    /// Gives up the nights that the new stay does not have and takes those that the old one had not. Gives what the new one costs.
    async fn swap_nights(
        &self,
        tx: &Tx,
        property: &property::Model,
        booking: &Model,
        stay: Stay,
        now: DateTime<Utc>,
        changes: &mut Changes,
    ) -> Result<Price> {
        let before = stay_of(booking);
        let calendar = nights::free(tx, property, stay, Some(booking), now, changes).await?;
        let given_up = before.nights().filter(|night| !stay.has(*night));
        night::Entity::delete_many()
            .filter(night::Column::PropertyId.eq(booking.property_id))
            .filter(night::Column::BookingId.eq(booking.booking_id))
            .filter(night::Column::Night.is_in(given_up))
            .exec(&**tx)
            .await?;
        give_back(
            tx,
            booking.property_id,
            before.check_in(),
            before.check_out(),
        )
        .await?;
        nights::take(
            tx,
            booking,
            stay.nights().filter(|night| !before.has(*night)),
        )
        .await?;
        changes.nights(booking.property_id, before);
        changes.nights(booking.property_id, stay);
        Ok(self.calendars().price(property, stay, &calendar))
    }
}

/// The property of a booking of this guest, and the booking, locked in this order.
async fn lock_both(tx: &Tx, guest: UserId, id: BookingId) -> Result<(property::Model, Model)> {
    let found = Entity::find_by_id(id)
        .filter(Column::GuestId.eq(guest))
        .one(&**tx)
        .await?
        .ok_or_else(not_found)?;
    // Other changes and whoever closes nights wait: two who let go of nights and take others would wait for each other.
    let property = property::Entity::find_by_id(found.property_id)
        .lock(LockType::NoKeyUpdate)
        .one(&**tx)
        .await?
        .ok_or_else(|| anyhow::anyhow!("property {} is gone", found.property_id))?;
    let booking = lock(tx, id).await?.ok_or_else(not_found)?;
    Ok((property, booking))
}

fn must_be_changeable(booking: &Model, now: DateTime<Utc>) -> Result<()> {
    let refusal = match booking.status {
        BookingStatus::Cancelled | BookingStatus::Completed => "This booking has ended.",
        BookingStatus::Pending if booking.expires_at.is_none_or(|at| at <= now) => {
            "The hold on these nights has lapsed; book anew."
        }
        _ if now >= stay_of(booking).begins_at(booking.time_zone.0) => {
            "The stay has begun; it can't be changed any more."
        }
        BookingStatus::Pending | BookingStatus::Confirmed => return Ok(()),
    };
    Err(Problem::wrong_state(refusal).into())
}

/// How far a locked booking is paid for.
async fn paid(tx: &Tx, booking: &Model) -> Result<Paid> {
    let live = payment::Entity::find()
        .filter(payment::Column::BookingId.eq(booking.booking_id))
        .filter(payment::Column::PaymentStatus.ne(PaymentStatus::Failed))
        .one(&**tx)
        .await?;
    match live {
        None => Ok(Paid::Not),
        Some(payment) if payment.payment_status != PaymentStatus::Pending => Ok(Paid::Wholly),
        Some(payment) if payment.authorized_at.is_some() => Ok(Paid::Authorized),
        // Its amount is what the guest is being asked for.
        Some(_) => Err(Problem::wrong_state(
            "A payment of this booking is under way; change it once that is done.",
        )
        .into()),
    }
}

/// What a new price means for a guest who has paid for the old one.
async fn settle_difference(
    tx: &Tx,
    booking: &Model,
    paid: Paid,
    stay: Stay,
    price: &Price,
    row: &mut ActiveModel,
    now: DateTime<Utc>,
) -> Result<()> {
    if paid == Paid::Not {
        return Ok(());
    }
    if price.total() > booking.total_price {
        return Err(Problem::wrong_state(
            "These dates cost more than what is paid; cancel this booking and book anew.",
        )
        .into());
    }
    if paid == Paid::Authorized {
        // What is too much is given back once it is collected.
        let by = booking
            .expires_at
            .map(|at| at.min(answer_by(stay, booking.time_zone.0, now)));
        row.expires_at = Set(by);
        return Ok(());
    }
    let change = cancellation::change(terms_of(booking), price, now);
    row.refund_limit = Set(Some(change.limit));
    payments::owe_refund(tx, booking.booking_id, change.refund, true, now).await
}

//! Making a booking: the nights are held from the moment it is there.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    EntityTrait as _,
};

use super::{Bookings, nights};
use crate::{
    domain::{
        actor::Actor,
        booking::BookingStatus,
        ids::{BookingId, PropertyId, UserId},
        price::Price,
        problem::{Problem, ProblemCode, Problems},
        stay::Stay,
    },
    entity::{
        booking::{ActiveModel, Entity, Model},
        property,
    },
    service::{
        calendar,
        changes::Changes,
        error::{Result, as_guest},
        idempotency::{self, Begun},
        people_rows,
        public::Public,
    },
    store::db::Tx,
};

/// A booking to make, as it came.
#[derive(Debug, Clone)]
pub struct NewBooking {
    /// Which property.
    pub property_id: PropertyId,
    /// The first night.
    pub check_in: NaiveDate,
    /// The day after the last night.
    pub check_out: NaiveDate,
    /// How many stay.
    pub guests: i32,
    /// The same key gives the same booking back.
    pub idempotency_key: Option<String>,
}

impl Bookings {
    /// Makes a booking that holds its nights and waits for payment.
    ///
    /// # Errors
    /// `NOT_FOUND` for a property that is not open, `OWN_PROPERTY`, `INVALID` dates or guests, `TOO_MANY_GUESTS`, `DATES_UNAVAILABLE`
    /// when somebody has one of the nights, `IDEMPOTENCY_CONFLICT`; `WRONG_STATE` for a guest without a verified mail address, where that is
    /// asked for.
    pub async fn create(&self, actor: &Actor, new: NewBooking) -> Result<Model> {
        let guest = as_guest(actor)?.user_id;
        let request = format!(
            "booking {} {} {} {}",
            new.property_id, new.check_in, new.check_out, new.guests
        );
        let key = idempotency::Key::parse(guest, new.idempotency_key.as_deref(), &request)?;
        let now = self.parts.clock.now();
        let tx = match idempotency::begin(&self.parts.db, key.as_ref(), now).await? {
            Begun::New(tx) => tx,
            Begun::Answered(id) => return self.read_back(BookingId(id)).await,
        };
        let person = people_rows::keep_both(&tx, guest, new.property_id).await?;
        if self.parts.terms.verified_guests_only && person.email_verified_at.is_none() {
            return Err(Problem::wrong_state("Verify your mail address before you book.").into());
        }
        let property = nights::lock_property(&tx, new.property_id)
            .await?
            .filter(calendar::is_open)
            .ok_or_else(|| Problem::not_found("propertyId", "property open for booking"))?;
        let stay = self.check(&property, guest, &new)?;
        let mut changes = Changes::by(actor);
        let calendar = nights::free(&tx, &property, stay, None, now, &mut changes).await?;
        let price = self.calendars().price(&property, stay, &calendar);
        let booking = self
            .insert(&tx, &property, guest, stay, new.guests, price, now)
            .await?;
        nights::take(&tx, &booking, stay.nights()).await?;
        idempotency::remember(&tx, key.as_ref(), booking.booking_id.0).await?;
        changes.moved(&booking, None, booking.status, None);
        changes.nights(property.property_id, stay);
        changes.commit(tx, &self.parts).await?;
        Ok(booking)
    }

    fn check(&self, property: &property::Model, guest: UserId, new: &NewBooking) -> Result<Stay> {
        let mut problems = Problems::default();
        if property.host_id == guest {
            problems.add(Problem::new(
                "propertyId",
                ProblemCode::OwnProperty,
                "A host can't book an own property.",
            ));
        }
        let today = self.calendars().today(property);
        let parsed =
            calendar::rules_of(property).parse(new.check_in, new.check_out, new.guests, today);
        let stay = problems.take_all(parsed);
        Ok(problems.finish(|| stay)?)
    }

    pub(super) fn calendars(&self) -> calendar::Calendars {
        calendar::Calendars(Public::of_primary(std::sync::Arc::clone(&self.parts)))
    }

    #[expect(clippy::too_many_arguments, reason = "a row has many columns")]
    async fn insert(
        &self,
        tx: &Tx,
        property: &property::Model,
        guest_id: UserId,
        stay: Stay,
        guests: i32,
        price: Price,
        now: DateTime<Utc>,
    ) -> Result<Model> {
        let row = ActiveModel {
            booking_id: NotSet,
            property_id: Set(property.property_id),
            guest_id: Set(guest_id),
            host_id: Set(property.host_id),
            check_in_date: Set(stay.check_in()),
            check_out_date: Set(stay.check_out()),
            guests: Set(guests),
            total_price: Set(price.total()),
            price: Set(price),
            status: Set(BookingStatus::Pending),
            cancellation_reason: Set(None),
            instant_book: Set(property.instant_book),
            cancellation_policy: Set(property.cancellation_policy),
            time_zone: Set(property.time_zone),
            expires_at: Set(Some(now + self.parts.terms.hold_ttl)),
            refund_limit: Set(None),
            review_removed_at: Set(None),
            created_at: Set(now),
        };
        Ok(Entity::insert(row).exec_with_returning(&**tx).await?)
    }
}

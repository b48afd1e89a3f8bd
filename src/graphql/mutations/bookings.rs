//! Making, changing, accepting, declining and cancelling bookings.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use crate::{
    domain::ids::BookingId,
    entity::booking::Model,
    graphql::{
        context::ContextExt as _,
        errors::{UserError, outcome},
        global_id,
        guards::SignedIn,
        scalars::Date,
        types::booking::Booking,
    },
    service::{
        bookings::{BookingChange, NewBooking},
        error,
        seen::Seen,
    },
};

/// A stay to book.
#[derive(InputObject)]
pub(in crate::graphql) struct CreateBookingInput {
    /// Where.
    property_id: ID,
    /// The first night, a date at the property.
    check_in: Date,
    /// The day after the last night.
    check_out: Date,
    /// How many stay.
    #[graphql(default = 1)]
    guests: i32,
    /// The same key from the same guest gives the same booking back, however often it is sent in 24 hours. The header `Idempotency-Key`
    /// does the same.
    idempotency_key: Option<String>,
}

/// What is to change of a booking; what is left out, or null, stays as it is.
#[derive(InputObject)]
pub(in crate::graphql) struct UpdateBookingInput {
    /// Which booking.
    id: ID,
    /// The first night, a date at the property.
    check_in: Option<Date>,
    /// The day after the last night.
    check_out: Option<Date>,
    /// How many stay.
    guests: Option<i32>,
    /// The same key from the same guest changes it once, however often it is sent in 24 hours.
    idempotency_key: Option<String>,
}

/// The booking after the change.
#[derive(SimpleObject)]
pub(in crate::graphql) struct BookingPayload {
    /// None when it was not done.
    booking: Option<Booking>,
    /// What the caller can mend; empty when it was done.
    user_errors: Vec<UserError>,
}

impl BookingPayload {
    fn of(result: error::Result<Model>) -> Result<Self> {
        let (booking, user_errors) = outcome(result)?;
        Ok(Self {
            booking: booking.map(Into::into),
            user_errors,
        })
    }
}

/// Making, changing, accepting, declining and cancelling bookings.
#[derive(Default)]
pub(in crate::graphql) struct BookingMutations;

#[Object]
impl BookingMutations {
    /// Books a stay: it is PENDING, and holds its nights until `expiresAt`. Pay for it by `createPayment`.
    #[graphql(guard = "SignedIn")]
    async fn create_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stay.")] input: CreateBookingInput,
    ) -> Result<BookingPayload> {
        let made = async {
            let new = NewBooking {
                property_id: global_id::parse("propertyId", &input.property_id)?,
                check_in: input.check_in.0,
                check_out: input.check_out.0,
                guests: input.guests,
                idempotency_key: ctx.idempotency_key(input.idempotency_key),
            };
            ctx.services().bookings.create(ctx.actor(), new).await
        };
        BookingPayload::of(made.await)
    }

    /// New dates or guest count, while the booking is pending or confirmed and not begun. Other dates are priced anew. A booking that is paid
    /// for may become one that costs the same or less: of the difference comes back what the property's cancellation policy gives back
    /// at that moment.
    #[graphql(guard = "SignedIn")]
    async fn update_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to change.")] input: UpdateBookingInput,
    ) -> Result<BookingPayload> {
        let changed = async {
            let id: BookingId = global_id::parse("id", &input.id)?;
            let change = BookingChange {
                check_in: input.check_in.map(|date| date.0),
                check_out: input.check_out.map(|date| date.0),
                guests: input.guests,
                idempotency_key: ctx.idempotency_key(input.idempotency_key),
            };
            let bookings = &ctx.services().bookings;
            bookings
                .change(ctx.actor(), id, change, Seen::whatever())
                .await
        };
        BookingPayload::of(changed.await)
    }

    /// By the host, once the guest has paid (authorized): captures and confirms.
    #[graphql(guard = "SignedIn")]
    async fn accept_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking.")] id: ID,
        #[graphql(desc = "The same key does it once, however often it is sent in 24 hours.")]
        idempotency_key: Option<String>,
    ) -> Result<BookingPayload> {
        let key = ctx.idempotency_key(idempotency_key);
        let accepted = async {
            let id: BookingId = global_id::parse("id", &id)?;
            let bookings = &ctx.services().bookings;
            bookings.accept(ctx.actor(), id, key.as_deref()).await
        };
        BookingPayload::of(accepted.await)
    }

    /// By the host: the request is cancelled, and what the guest had paid is let go.
    #[graphql(guard = "SignedIn")]
    async fn decline_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking.")] id: ID,
        #[graphql(desc = "The same key does it once, however often it is sent in 24 hours.")]
        idempotency_key: Option<String>,
    ) -> Result<BookingPayload> {
        let key = ctx.idempotency_key(idempotency_key);
        let declined = async {
            let id: BookingId = global_id::parse("id", &id)?;
            let bookings = &ctx.services().bookings;
            bookings.decline(ctx.actor(), id, key.as_deref()).await
        };
        BookingPayload::of(declined.await)
    }

    /// Refunds what the property's cancellation policy gives back; everything when the host or an admin cancels.
    #[graphql(guard = "SignedIn")]
    async fn cancel_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking.")] id: ID,
        #[graphql(desc = "The same key does it once, however often it is sent in 24 hours.")]
        idempotency_key: Option<String>,
    ) -> Result<BookingPayload> {
        let key = ctx.idempotency_key(idempotency_key);
        let cancelled = async {
            let id: BookingId = global_id::parse("id", &id)?;
            let bookings = &ctx.services().bookings;
            bookings.cancel(ctx.actor(), id, key.as_deref()).await
        };
        BookingPayload::of(cancelled.await)
    }
}

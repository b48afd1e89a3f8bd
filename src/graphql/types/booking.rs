//! Bookings and their history.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};

use super::{
    money::{LineItem, Money},
    payment::Payment,
    person::User,
    property::Property,
    review::Review,
};
use crate::{
    domain::{booking as rules, ids::BookingEventId, page::Cursor, problem::Problem},
    entity::{booking, booking_event},
    graphql::{
        context::ContextExt as _,
        global_id::GlobalId,
        scalars::{Date, DateTime},
    },
};

/// Where a booking stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "rules::BookingStatus")]
pub(in crate::graphql) enum BookingStatus {
    /// Nights are held; waits for payment or, unless the property is instant book, for the host.
    Pending,
    /// Paid for.
    Confirmed,
    /// Ended before the stay.
    Cancelled,
    /// The stay is over.
    Completed,
}

/// Why a booking was cancelled.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "rules::CancellationReason")]
pub(in crate::graphql) enum CancellationReason {
    /// The guest changed plans.
    CancelledByGuest,
    /// The host, or an admin, took it back.
    CancelledByHost,
    /// The host declined the request, or did not answer it in time.
    DeclinedByHost,
    /// The hold lapsed unpaid.
    PaymentExpired,
}

/// A stay that was asked for. Its guest, its host and admins see it.
#[derive(Clone)]
pub(in crate::graphql) struct Booking(pub(in crate::graphql) Arc<booking::Model>);

impl From<booking::Model> for Booking {
    fn from(row: booking::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// A stay that was asked for. Its guest, its host and admins see it.
#[Object]
impl Booking {
    /// The global id.
    pub(in crate::graphql) async fn id(&self) -> ID {
        GlobalId::Booking(self.0.booking_id).into()
    }

    /// The key that REST uses.
    async fn database_id(&self) -> i32 {
        self.0.booking_id.0
    }

    /// Where the stay is.
    async fn property(&self, ctx: &Context<'_>) -> Result<Property> {
        let property = ctx.loaders().properties.require(self.0.property_id).await?;
        Ok(property.into())
    }

    /// Who stays.
    async fn guest(&self, ctx: &Context<'_>) -> Result<User> {
        Ok(ctx.loaders().users.require(self.0.guest_id).await?.into())
    }

    /// The local date of the first night.
    async fn check_in(&self) -> Date {
        Date(self.0.check_in_date)
    }

    /// The local date after the last night.
    async fn check_out(&self) -> Date {
        Date(self.0.check_out_date)
    }

    /// How many stay.
    async fn guests(&self) -> i32 {
        self.0.guests
    }

    /// What makes up the total, as it was when the booking was made.
    async fn line_items(&self, ctx: &Context<'_>) -> Vec<LineItem> {
        LineItem::list(ctx, &self.0.price)
    }

    /// What the guest pays.
    async fn total_price(&self, ctx: &Context<'_>) -> Money {
        Money::new(ctx, self.0.total_price)
    }

    /// Where it stands.
    async fn status(&self) -> BookingStatus {
        self.0.status.into()
    }

    /// Why it was cancelled, if it was.
    async fn cancellation_reason(&self) -> Option<CancellationReason> {
        self.0.cancellation_reason.map(Into::into)
    }

    /// While pending: when an unpaid hold lapses and its nights are freed or, once the guest has paid, until when the host may answer.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(DateTime)
    }

    /// What the guest would get back by cancelling at that moment; now when left out. The refund itself comes from the same function.
    async fn refund_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The moment; now when left out.")] at: Option<DateTime>,
    ) -> Result<Money> {
        let payment = ctx.loaders().payments.get(self.0.booking_id).await?;
        let refund =
            ctx.services()
                .bookings
                .refund_preview(&self.0, payment.as_deref(), at.map(|at| at.0));
        Ok(Money::new(ctx, refund))
    }

    /// The newest payment, if there is one.
    async fn payment(&self, ctx: &Context<'_>) -> Option<Result<Payment>> {
        let payment = ctx.loaders().payments.get(self.0.booking_id).await;
        payment.map(|row| row.map(Payment)).transpose()
    }

    /// What the guest said of the stay.
    async fn review(&self, ctx: &Context<'_>) -> Option<Result<Review>> {
        let review = ctx.loaders().booking_reviews.get(self.0.booking_id).await;
        review.map(|row| row.map(Into::into)).transpose()
    }

    /// Every change of status, oldest first.
    async fn events(&self, ctx: &Context<'_>) -> Result<Vec<BookingEvent>> {
        let events = ctx.loaders().events.get(self.0.booking_id).await?;
        Ok(events
            .map(|events| events.iter().cloned().map(BookingEvent).collect())
            .unwrap_or_default())
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

/// One change of a booking's status.
pub(in crate::graphql) struct BookingEvent(pub(in crate::graphql) booking_event::Model);

/// The mark of an event's cursor.
const EVENT: char = 'e';

impl BookingEvent {
    /// Reads the cursor of an event back.
    pub(in crate::graphql) fn parse_cursor(
        text: &str,
    ) -> std::result::Result<BookingEventId, Problem> {
        Cursor::decode("after", text, EVENT).map(|cursor| BookingEventId(cursor.id))
    }

    /// The cursor of an event.
    pub(in crate::graphql) fn cursor_of(id: BookingEventId) -> String {
        Cursor {
            order: EVENT,
            rank: 0,
            id: id.0,
        }
        .encode()
    }
}

/// One change of a booking's status.
#[Object]
impl BookingEvent {
    /// Give it back as `after` to bookingStatusChanged to miss nothing across a reconnect.
    async fn cursor(&self) -> String {
        Self::cursor_of(self.0.event_id)
    }

    /// The booking as it is now.
    async fn booking(&self, ctx: &Context<'_>) -> Result<Booking> {
        Ok(Booking(
            ctx.loaders().bookings.require(self.0.booking_id).await?,
        ))
    }

    /// Null for the first event.
    async fn from(&self) -> Option<BookingStatus> {
        self.0.from_status.map(Into::into)
    }

    /// The status from then on.
    async fn to(&self) -> BookingStatus {
        self.0.to_status.into()
    }

    /// When.
    async fn at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

//! What can be watched.

use std::{pin::pin, sync::Arc};

use async_graphql::{Context, ID, Result, Subscription};
use futures_util::{Stream, StreamExt as _};

use super::{
    context::{ContextExt as _, RequestContext},
    errors::{coded, fail},
    global_id,
    guards::SignedIn,
    selected::{Selected, whole},
    types::{booking::BookingEvent, property::CalendarNight},
};
use crate::{
    domain::{
        ids::{BookingEventId, BookingId, PropertyId},
        stay::DateRange,
    },
    entity::{booking_event, property},
    service::{
        Services, calendar,
        error::{self, Error},
        events::Watch,
    },
};

/// What can be watched.
pub struct Subscriptions;

/// What can be watched.
#[Subscription(name = "Subscription")]
impl Subscriptions {
    /// Every change of status of one booking, for its guest, its host and admins. With `after`, first the changes
    /// missed since that cursor, then live ones: none lost, none twice, in order.
    #[graphql(guard = "SignedIn")]
    async fn booking_status_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking.")] booking_id: ID,
        #[graphql(desc = "The cursor of the last event that was seen.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Result<BookingEvent>> + use<>> {
        let id: BookingId = global_id::parse("bookingId", &booking_id)
            .map_err(|problem| fail(Error::from(problem)))?;
        let events = &ctx.services().events;
        let watch = events.watch_booking(ctx.actor(), id, cursor(ctx, after)?);
        // Apart, as below: the stream keeps room for whatever it has waited for, as long as it lasts.
        let watch = Box::pin(watch).await.map_err(fail)?;
        let watch =
            watch.ok_or_else(|| coded("NOT_FOUND", "There is no such booking of yours."))?;
        Ok(fresh(Arc::clone(ctx.request()), watch))
    }

    /// The same over all the viewer's bookings, as a guest and as a host, new ones too (from null to PENDING). One cursor space with
    /// the above.
    #[graphql(guard = "SignedIn")]
    async fn viewer_booking_status_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cursor of the last event that was seen.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Result<BookingEvent>> + use<>> {
        let events = &ctx.services().events;
        let watch = events.watch_own(ctx.actor(), cursor(ctx, after)?);
        let watch = Box::pin(watch).await.map_err(fail)?;
        Ok(fresh(Arc::clone(ctx.request()), watch))
    }

    /// Nights of a listed property that were taken or freed, for anyone.
    async fn availability_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which property.")] property_id: ID,
    ) -> Result<impl Stream<Item = Result<Vec<CalendarNight>>> + use<>> {
        let id: PropertyId = global_id::parse("propertyId", &property_id)
            .map_err(|problem| fail(Error::from(problem)))?;
        let (request, selected) = (Arc::clone(ctx.request()), ctx.selected());
        let changes = ctx.services().events.watch_nights(id);
        Box::pin(visible(&request, selected, id)).await?;
        Ok(async_stream::try_stream! {
            let mut changes = pin!(changes);
            while let Some(nights) = changes.next().await {
                // It may have been unlisted since.
                let property = Box::pin(visible(&request, selected, id)).await?;
                let services = request.services();
                let nights = Box::pin(read_nights(services, &property, &nights)).await.map_err(fail)?;
                yield nights
                    .into_iter()
                    .map(|night| CalendarNight::in_currency(services.currency(), &night))
                    .collect();
            }
        })
    }
}

/// Where the client goes on. A browser that connects again repeats its arguments, and says apart from them what it heard last.
fn cursor(ctx: &Context<'_>, after: Option<String>) -> Result<Option<BookingEventId>> {
    let after = ctx.request().resumes_after().map(str::to_owned).or(after);
    let cursor = after
        .map(|text| BookingEvent::parse_cursor(&text))
        .transpose();
    cursor.map_err(|problem| fail(Error::from(problem)))
}

/// Each event is answered from fresh rows, never from what an earlier one loaded.
fn fresh(
    request: Arc<RequestContext>,
    watch: Watch<impl Stream<Item = booking_event::Model>>,
) -> impl Stream<Item = Result<BookingEvent>> {
    request.begins_after(BookingEvent::cursor_of(watch.begins_after));
    watch.events.map(move |event| {
        request.renew();
        request.passes(BookingEvent::cursor_of(event.event_id));
        Ok(BookingEvent(event))
    })
}

/// A property that the caller may see at this moment.
async fn visible(
    request: &RequestContext,
    selected: Selected,
    id: PropertyId,
) -> Result<property::Model> {
    let loaders = request.loaders(selected);
    let property = loaders.visible_properties.get(id).await?;
    // The next look is a fresh one; until then nothing is kept.
    request.renew();
    let property = property.ok_or_else(|| coded("NOT_FOUND", "There is no such property."))?;
    whole(&property)
}

async fn read_nights(
    services: &Services,
    property: &property::Model,
    nights: &[chrono::NaiveDate],
) -> error::Result<Vec<calendar::CalendarNight>> {
    let (Some(first), Some(last)) = (nights.first(), nights.last()) else {
        return Ok(vec![]);
    };
    // Nights beside them are taken and freed with them where the host keeps some free.
    let beside = chrono::Days::new(u64::from(property.preparation_days.unsigned_abs()));
    let range = DateRange {
        from: *first - beside,
        to: *last + beside + chrono::Days::new(1),
    };
    let mut calendars = services
        .calendar
        .load(&[property.property_id], range)
        .await?;
    let calendar = calendars.remove(&property.property_id).unwrap_or_default();
    Ok(services.calendar.nights(property, range, &calendar))
}

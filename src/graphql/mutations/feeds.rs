//! Calendars to and from other platforms.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::properties::{DeletedPayload, PropertyPayload};
use crate::{
    domain::ids::{FeedId, PropertyId},
    graphql::{
        context::ContextExt as _,
        errors::{UserError, outcome},
        global_id::{self, GlobalId},
        guards::SignedIn,
        types::feed::CalendarFeed,
    },
    service::feeds::NewFeed,
};

/// A calendar to import.
#[derive(InputObject)]
pub(in crate::graphql) struct AddCalendarFeedInput {
    /// Whose nights it takes.
    property_id: ID,
    /// Where the other platform has it: an address of an iCalendar file, of at most 2,000 characters, by https or http.
    url: String,
    /// What you call it, such as the platform's name; 1 to 100 characters.
    name: String,
    /// The same key from the same host gives the same feed back, however often it is sent.
    idempotency_key: Option<String>,
}

/// The calendar that was added.
#[derive(SimpleObject)]
pub(in crate::graphql) struct CalendarFeedPayload {
    /// None when it was not done.
    feed: Option<CalendarFeed>,
    /// What the caller can mend; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Calendars to and from other platforms.
#[derive(Default)]
pub(in crate::graphql) struct FeedMutations;

#[Object]
impl FeedMutations {
    /// Makes a new secret address for the calendar of a property of one's own; it is `Property.calendarUrl` then. The former address stops
    /// working.
    #[graphql(guard = "SignedIn")]
    async fn publish_calendar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which property.")] property_id: ID,
    ) -> Result<PropertyPayload> {
        let published = async {
            let id: PropertyId = global_id::parse("propertyId", &property_id)?;
            ctx.services().feeds.publish(ctx.actor(), id).await
        };
        let (property, user_errors) = outcome(published.await)?;
        Ok(PropertyPayload::of(property, user_errors))
    }

    /// Imports a calendar of another platform into a property of one's own from now on; at most 10 a property. It is fetched within
    /// seconds, and then on a schedule; `health` of the feed tells how it goes.
    #[graphql(guard = "SignedIn")]
    async fn add_calendar_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The calendar.")] input: AddCalendarFeedInput,
    ) -> Result<CalendarFeedPayload> {
        let added = async {
            let new = NewFeed {
                property_id: global_id::parse("propertyId", &input.property_id)?,
                url: input.url,
                name: input.name,
                idempotency_key: ctx.idempotency_key(input.idempotency_key),
            };
            ctx.services().feeds.add(ctx.actor(), new).await
        };
        let (feed, user_errors) = outcome(added.await)?;
        Ok(CalendarFeedPayload {
            feed: feed.map(Into::into),
            user_errors,
        })
    }

    /// Imports a calendar no more. The nights that it took are free, unless another feed of the property has them too.
    #[graphql(guard = "SignedIn")]
    async fn remove_calendar_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which feed.")] id: ID,
    ) -> Result<DeletedPayload> {
        let removed = async {
            let id: FeedId = global_id::parse("id", &id)?;
            ctx.services().feeds.remove(ctx.actor(), id).await
        };
        let (removed, user_errors) = outcome(removed.await)?;
        Ok(DeletedPayload::of(
            removed.map(GlobalId::CalendarFeed),
            user_errors,
        ))
    }
}

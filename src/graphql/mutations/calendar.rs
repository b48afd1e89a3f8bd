//! What a host does to the calendar of a property.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};

use super::properties::PropertyPayload;
use crate::{
    domain::ids::PropertyId,
    graphql::{
        context::ContextExt as _,
        errors::outcome,
        global_id,
        guards::SignedIn,
        scalars::{Date, Decimal},
    },
    service::calendar::CalendarChange,
};

/// A change to nights of a property: at most 366 of them, from today on. What is left out stays as it is.
#[derive(InputObject)]
pub(in crate::graphql) struct UpdateCalendarInput {
    /// Which property.
    property_id: ID,
    /// The first night.
    from: Date,
    /// The date after the last night.
    to: Date,
    /// False blocks the nights; true opens those that the host had blocked.
    available: Option<bool>,
    /// A price of their own for these nights, from 1.00 to 100,000.00; null goes back to the property's.
    price_per_night: MaybeUndefined<Decimal>,
}

/// What a host does to the calendar of a property.
#[derive(Default)]
pub(in crate::graphql) struct CalendarMutations;

#[Object]
impl CalendarMutations {
    /// Blocks or opens nights, and sets their own price. Blocking nights that bookings hold is refused, and names them.
    #[graphql(guard = "SignedIn")]
    async fn update_calendar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to change.")] input: UpdateCalendarInput,
    ) -> Result<PropertyPayload> {
        let changed = async {
            let id: PropertyId = global_id::parse("propertyId", &input.property_id)?;
            let change = CalendarChange {
                from: input.from.0,
                to: input.to.0,
                available: input.available,
                price_per_night: match input.price_per_night {
                    MaybeUndefined::Undefined => None,
                    MaybeUndefined::Null => Some(None),
                    MaybeUndefined::Value(price) => Some(Some(price.0)),
                },
            };
            let calendar = &ctx.services().calendar;
            calendar.change(ctx.actor(), id, change).await
        };
        let (property, user_errors) = outcome(changed.await)?;
        Ok(PropertyPayload::of(property, user_errors))
    }
}

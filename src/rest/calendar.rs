//! Free nights of a property, what they cost, and what a stay would.

use axum::extract::State;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    answer::{self, Answer},
    asked::{Anyone, Body, Id, Nothing, OrNull, Parameters, Public, Query, Somebody, present},
    money::{Amount, LineItem, LocalDate, Money},
    problem::{Mistake, Problem},
    properties::visible,
};
use crate::{
    domain::{ids::PropertyId, money, stay::DateRange},
    entity::property::Model,
    service::{Services, calendar::CalendarChange},
};

/// Nights of a property.
#[derive(Serialize, ToSchema)]
pub(super) struct Calendar {
    /// Each night of the range, in order.
    nights: Vec<Night>,
}

/// One night of a property.
#[derive(Serialize, ToSchema)]
pub(super) struct Night {
    /// The local date on which it begins.
    #[schema(example = "2027-03-28")]
    date: NaiveDate,
    /// Whether it can be booked.
    #[schema(example = true)]
    available: bool,
    /// What it costs.
    price: Money,
}

/// Which nights.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Range {
    /// The first night.
    #[param(value_type = String, format = Date, example = "2027-03-28")]
    from: LocalDate,
    /// The date after the last night: at most 366 nights.
    #[param(value_type = String, format = Date, example = "2027-04-04")]
    to: LocalDate,
}

impl Parameters for Range {}

/// What is to become of nights: at most 366 of them, from today on. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"from": "2027-03-28", "to": "2027-04-04", "available": true, "pricePerNight": "140.00"}))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NightsChange {
    /// The first night.
    from: LocalDate,
    /// The date after the last night.
    to: LocalDate,
    /// False blocks the nights; true opens those that the host had blocked.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = bool, required = false, example = false)]
    available: Option<bool>,
    /// A price of their own for these nights, from 1.00 to 100,000.00; null goes back to the property's.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Amount>, required = false)]
    price_per_night: Option<OrNull<Amount>>,
}

/// Which stay.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Stay {
    /// The first night.
    #[param(value_type = String, format = Date, example = "2027-03-28")]
    check_in: LocalDate,
    /// The day after the last night.
    #[param(value_type = String, format = Date, example = "2027-03-31")]
    check_out: LocalDate,
    /// How many stay.
    #[serde(default = "one")]
    #[param(default = 1, required = false, example = 2)]
    guests: i32,
}

impl Parameters for Stay {}

const fn one() -> i32 {
    1
}

/// What a stay would cost, and whether it can be booked.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Quote {
    /// Whether it can be booked now.
    #[schema(example = true)]
    available: bool,
    /// Why it can't be booked; empty when available.
    problems: Vec<Mistake>,
    /// How many nights; 0 when the dates make no stay.
    #[schema(example = 3)]
    nights: usize,
    /// What makes up the total.
    line_items: Vec<LineItem>,
    /// What the guest would pay.
    total: Money,
}

pub(super) fn routes() -> OpenApiRouter<Services> {
    OpenApiRouter::new()
        .routes(routes!(show, change))
        .routes(routes!(quote))
}

/// Shows which nights are free
#[utoipa::path(get, path = "/properties/{id}/calendar/", operation_id = "showCalendar", tag = "properties", security((), ("bearer" = [])),
    params(("id" = i32, Path, description = "The property's key.", minimum = 1, example = 42), Range),
    responses((status = 200, description = "Each night of the range.", body = Calendar)))]
async fn show(
    Public(services): Public,
    Anyone(actor): Anyone,
    Id(id): Id,
    Query(range): Query<Range>,
) -> Answer {
    let range = DateRange::parse(range.from.0, range.to.0)?;
    let property = visible(&services, &actor, PropertyId(id)).await?;
    nights(&services, &property, range).await
}

/// Blocks or opens nights, and sets their own price
///
/// By the property's host. Blocking nights that bookings hold is refused, and names them.
#[utoipa::path(patch, path = "/properties/{id}/calendar/", operation_id = "updateCalendar", tag = "properties",
    params(("id" = i32, Path, description = "The property's key.", minimum = 1, example = 42)),
    request_body(content((NightsChange = "application/json"), (NightsChange = "application/merge-patch+json"))),
    responses((status = 200, description = "Each night of the range after the change.", body = Calendar)))]
async fn change(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Id(id): Id,
    Query(Nothing {}): Query<Nothing>,
    Body(change): Body<NightsChange>,
) -> Answer {
    let (from, to) = (change.from.0, change.to.0);
    let change = CalendarChange {
        from,
        to,
        available: change.available,
        price_per_night: change
            .price_per_night
            .map(|OrNull(price)| price.map(|price| price.0)),
    };
    let changed = services
        .calendar
        .change(&actor, PropertyId(id), change)
        .await;
    let property = changed.map_err(|error| Problem::from(error).calling("propertyId", "id"))?;
    nights(&services, &property, DateRange::parse(from, to)?).await
}

async fn nights(services: &Services, property: &Model, range: DateRange) -> Answer {
    let mut calendars = services
        .calendar
        .load(&[property.property_id], range)
        .await?;
    let calendar = calendars.remove(&property.property_id).unwrap_or_default();
    let nights = services.calendar.nights(property, range, &calendar);
    let nights = nights.iter().map(|night| Night {
        date: night.date,
        available: night.available,
        price: Money::of(services, night.price),
    });
    let calendar = Calendar {
        nights: nights.collect(),
    };
    answer::thing(&calendar, &calendar)
}

/// Quotes a stay
///
/// What it would cost, and whether it can be booked now. A stay that can't be is no error: `problems` says why.
#[utoipa::path(get, path = "/properties/{id}/quote/", operation_id = "quoteStay", tag = "properties", security((), ("bearer" = [])),
    params(("id" = i32, Path, description = "The property's key.", minimum = 1, example = 42), Stay),
    responses((status = 200, description = "The quote.", body = Quote)))]
async fn quote(
    Public(services): Public,
    Anyone(actor): Anyone,
    Id(id): Id,
    Query(wanted): Query<Stay>,
) -> Answer {
    let property = visible(&services, &actor, PropertyId(id)).await?;
    let service = &services.calendar;
    let stay = match service.stay(&property, wanted.check_in.0, wanted.check_out.0) {
        Ok(stay) => stay,
        Err(problem) => {
            let quote = Quote {
                available: false,
                problems: vec![Mistake::of(problem)],
                nights: 0,
                line_items: vec![],
                total: Money::of(&services, money::Money::ZERO),
            };
            return answer::thing(&quote, &quote);
        }
    };
    let mut calendars = service.load(&[property.property_id], stay.into()).await?;
    let calendar = calendars.remove(&property.property_id).unwrap_or_default();
    let found = service.quote(&property, stay, wanted.guests, &calendar);
    let quote = Quote {
        available: found.problems.is_empty(),
        problems: found.problems.into_iter().map(Mistake::of).collect(),
        nights: found.price.nights.len(),
        line_items: LineItem::list(&services, &found.price),
        total: Money::of(&services, found.price.total()),
    };
    answer::thing(&quote, &quote)
}

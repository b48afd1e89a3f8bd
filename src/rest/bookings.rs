//! Stays: made, shown, changed, accepted, declined, cancelled.

mod events;
mod views;

use axum::{extract::State, http::Uri};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use self::views::{Booking, Change, NewStay};
use super::{
    answer::{self, Answer},
    asked::{Body, Id, IdempotencyKey, Nothing, Parameters, Query, Somebody},
    conditional::{IfMatch, Versions},
    money::Money,
    page::{self, List, Wanted},
    problem::Problem,
    words::BookingStatus,
};
use crate::{
    domain::ids::{BookingId, PropertyId},
    entity::booking::Model,
    service::{
        Services,
        bookings::{self, BookingChange, NewBooking, Part},
        error::Result,
        seen::Seen,
    },
};

pub(super) fn routes() -> OpenApiRouter<Services> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change))
        .routes(routes!(accept))
        .routes(routes!(decline))
        .routes(routes!(cancel))
        .routes(routes!(preview_refund))
        .merge(events::routes())
}

/// In whose part bookings are listed.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(example = "GUEST")]
enum Side {
    /// One's own stays.
    #[default]
    Guest,
    /// Those at one's properties.
    Host,
}

/// Which bookings.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// One's own stays as a GUEST, those at one's properties as a HOST; GUEST when left out.
    #[serde(default, rename = "as")]
    #[param(inline, required = false)]
    side: Side,
    /// Only those that stand so.
    #[param(inline)]
    status: Option<BookingStatus>,
    /// How many rows.
    #[param(example = 20, minimum = 1, maximum = 100, default = 20)]
    limit: Option<i32>,
    /// Only rows after this cursor.
    #[param(example = "YjowOjQy", max_length = 200)]
    after: Option<String>,
    /// Only rows before this cursor.
    #[param(example = "YjowOjYx", max_length = 200)]
    before: Option<String>,
}

impl Parameters for Which {}

/// Lists bookings
///
/// Newest first.
#[utoipa::path(get, path = "/bookings/", operation_id = "listBookings", tag = "bookings", params(Which),
    responses((status = 200, description = "A page of bookings.", body = List<Booking>)))]
async fn list(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Query(which): Query<Which>,
    uri: Uri,
) -> Answer {
    let wanted = Wanted {
        limit: which.limit,
        after: which.after,
        before: which.before,
    };
    let request = wanted.parse(&[bookings::NEWEST])?;
    let part = match which.side {
        Side::Guest => Part::Guest,
        Side::Host => Part::Host,
    };
    let status = which.status.map(Into::into);
    let page = services
        .bookings
        .list(&actor, part, status, request)
        .await?;
    page::list(&uri, page, |row| Ok(Booking::of(&services, &row)))
}

/// Books a stay
///
/// It is PENDING, and holds its nights until `expiresAt`. Pay for it by `POST /payments/`.
#[utoipa::path(post, path = "/bookings/", operation_id = "createBooking", tag = "bookings", request_body = NewStay,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key from the same guest gives the same booking back, however often it is sent in 24 hours.", min_length = 1, max_length = 255, example = "b7d6f6a0")),
    responses((status = 201, description = "The booking.", body = Booking, headers(
        ("Location" = String, description = "Where the booking is.")))))]
async fn create(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    IdempotencyKey(idempotency_key): IdempotencyKey,
    Query(Nothing {}): Query<Nothing>,
    Body(stay): Body<NewStay>,
) -> Answer {
    let new = NewBooking {
        property_id: PropertyId(stay.property_id.0),
        check_in: stay.check_in.0,
        check_out: stay.check_out.0,
        guests: stay.guests.0,
        idempotency_key,
    };
    let row = Box::pin(services.bookings.create(&actor, new)).await?;
    let place = format!("/bookings/{}/", row.booking_id);
    let booking = Booking::of(&services, &row);
    answer::made(&place, &booking, &booking)
}

/// Shows a booking
///
/// To its guest, its host and admins.
#[utoipa::path(get, path = "/bookings/{id}/", operation_id = "showBooking", tag = "bookings",
    params(("id" = i32, Path, description = "The booking's key.", minimum = 1, example = 12)),
    responses((status = 200, description = "The booking.", body = Booking)))]
async fn show(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Id(id): Id,
    Query(Nothing {}): Query<Nothing>,
) -> Answer {
    let id = BookingId(id);
    let mut found = services.bookings.by_ids(&actor, &[id]).await?;
    let row = found
        .remove(&id)
        .ok_or_else(|| Problem::not_found("booking"))?;
    one(&services, &row)
}

/// Changes dates or guests
///
/// While the booking is pending or confirmed and not begun; by JSON merge patch. Other dates are priced anew. A booking that is paid for may become
/// one that costs the same or less: of the difference comes back what the property's cancellation policy gives back at that moment.
#[utoipa::path(patch, path = "/bookings/{id}/", operation_id = "updateBooking", tag = "bookings",
    params(Versions, ("id" = i32, Path, description = "The booking's key.", minimum = 1, example = 12),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key from the same guest changes it once, however often it is sent in 24 hours.", min_length = 1, max_length = 255, example = "b7d6f6a1")),
    request_body(content((Change = "application/json"), (Change = "application/merge-patch+json"))),
    responses((status = 200, description = "The booking after the change.", body = Booking)))]
async fn change(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Id(id): Id,
    IdempotencyKey(idempotency_key): IdempotencyKey,
    Query(Nothing {}): Query<Nothing>,
    versions: IfMatch,
    Body(change): Body<Change>,
) -> Answer {
    let change = BookingChange {
        check_in: change.check_in.map(|date| date.0),
        check_out: change.check_out.map(|date| date.0),
        guests: change.guests.map(|number| number.0),
        idempotency_key,
    };
    let is_known = |row: &Model| versions.admits(&Booking::of(&services, row));
    let bookings = &services.bookings;
    let changed = bookings.change(&actor, BookingId(id), change, Seen::when(&is_known));
    moved(&services, Box::pin(changed).await)
}

/// Accepts a request
///
/// By the host, once the guest has paid (authorized): captures and confirms.
#[utoipa::path(post, path = "/bookings/{id}/accept/", operation_id = "acceptBooking", tag = "bookings",
    params(("id" = i32, Path, description = "The booking's key.", minimum = 1, example = 12),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key does it once, however often it is sent in 24 hours.", min_length = 1, max_length = 255, example = "b7d6f6a2")),
    responses((status = 200, description = "The booking, CONFIRMED.", body = Booking)))]
async fn accept(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Id(id): Id,
    IdempotencyKey(key): IdempotencyKey,
    Query(Nothing {}): Query<Nothing>,
) -> Answer {
    let bookings = &services.bookings;
    let accepted = bookings.accept(&actor, BookingId(id), key.as_deref());
    moved(&services, Box::pin(accepted).await)
}

/// Declines a request
///
/// By the host: it is cancelled, and what the guest had paid is let go.
#[utoipa::path(post, path = "/bookings/{id}/decline/", operation_id = "declineBooking", tag = "bookings",
    params(("id" = i32, Path, description = "The booking's key.", minimum = 1, example = 12),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key does it once, however often it is sent in 24 hours.", min_length = 1, max_length = 255, example = "b7d6f6a3")),
    responses((status = 200, description = "The booking, CANCELLED.", body = Booking)))]
async fn decline(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Id(id): Id,
    IdempotencyKey(key): IdempotencyKey,
    Query(Nothing {}): Query<Nothing>,
) -> Answer {
    let bookings = &services.bookings;
    let declined = bookings.decline(&actor, BookingId(id), key.as_deref());
    moved(&services, Box::pin(declined).await)
}

/// Cancels a booking
///
/// Refunds what the property's cancellation policy gives back; everything when the host or an admin cancels.
#[utoipa::path(post, path = "/bookings/{id}/cancel/", operation_id = "cancelBooking", tag = "bookings",
    params(("id" = i32, Path, description = "The booking's key.", minimum = 1, example = 12),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key does it once, however often it is sent in 24 hours.", min_length = 1, max_length = 255, example = "b7d6f6a4")),
    responses((status = 200, description = "The booking, CANCELLED.", body = Booking)))]
async fn cancel(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Id(id): Id,
    IdempotencyKey(key): IdempotencyKey,
    Query(Nothing {}): Query<Nothing>,
) -> Answer {
    let bookings = &services.bookings;
    let cancelled = bookings.cancel(&actor, BookingId(id), key.as_deref());
    moved(&services, Box::pin(cancelled).await)
}

/// At which moment.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Moment {
    /// The moment of cancelling; now when left out.
    #[param(example = "2027-03-20T15:00:00Z")]
    at: Option<DateTime<Utc>>,
}

impl Parameters for Moment {}

/// What would come back.
#[derive(Serialize, ToSchema)]
struct RefundPreview {
    /// How much.
    refund: Money,
}

/// Shows what cancelling would give back
///
/// To the guest, by cancelling at that moment. The refund itself comes from the same function.
#[utoipa::path(get, path = "/bookings/{id}/refund-preview/", operation_id = "previewRefund", tag = "bookings",
    params(("id" = i32, Path, description = "The booking's key.", minimum = 1, example = 12), Moment),
    responses((status = 200, description = "What would come back.", body = RefundPreview)))]
async fn preview_refund(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Id(id): Id,
    Query(moment): Query<Moment>,
) -> Answer {
    let id = BookingId(id);
    let mut found = services.bookings.by_ids(&actor, &[id]).await?;
    let row = found
        .remove(&id)
        .ok_or_else(|| Problem::not_found("booking"))?;
    let payments = services.payments.of_bookings(&[id]).await?;
    let bookings = &services.bookings;
    let refund = bookings.refund_preview(&row, payments.get(&id), moment.at);
    let preview = RefundPreview {
        refund: Money::of(&services, refund),
    };
    answer::thing(&preview, &preview)
}

fn moved(services: &Services, moved: Result<Model>) -> Answer {
    one(services, &moved?)
}

fn one(services: &Services, row: &Model) -> Answer {
    let booking = Booking::of(services, row);
    answer::thing(&booking, &booking)
}

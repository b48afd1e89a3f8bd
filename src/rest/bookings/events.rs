//! What became of a booking: its history, and what is added to it from then on as server-sent events.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>: each event has its key as `id`, and a client that says the last one in
//! `Last-Event-ID` goes on after it. How long a stream stays open is the edge's to say.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, header},
    response::IntoResponse as _,
};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::{
        ids::{BookingEventId, BookingId},
        problem::ProblemCode,
    },
    entity::booking_event::Model,
    rest::{
        answer::{self, Answer},
        asked::{Id, Nothing, Query, Somebody},
        problem::Problem,
        words::BookingStatus,
    },
    service::Services,
};

/// The media type of streams.
const MEDIA: &str = "text/event-stream";

/// One change of a booking's status.
#[derive(Serialize, ToSchema)]
#[schema(as = BookingEvent)]
#[serde(rename_all = "camelCase")]
struct Event {
    /// The key; larger is later. Give the last one as `Last-Event-ID` to miss nothing across a reconnect.
    #[schema(example = 51, minimum = 1)]
    id: i64,
    /// Which booking.
    #[schema(example = 12, minimum = 1)]
    booking_id: i32,
    /// The status before; null for the first event.
    #[schema(required)]
    from: Option<BookingStatus>,
    /// The status from then on.
    to: BookingStatus,
    /// When.
    #[schema(example = "2026-11-01T12:00:00Z")]
    at: DateTime<Utc>,
}

/// The history of a booking.
#[derive(Serialize, ToSchema)]
#[schema(as = BookingEvents)]
struct Events {
    /// Every change of its status, oldest first.
    items: Vec<Event>,
}

impl From<Model> for Event {
    fn from(row: Model) -> Self {
        Self {
            id: row.event_id.0,
            booking_id: row.booking_id.0,
            from: row.from_status.map(Into::into),
            to: row.to_status.into(),
            at: row.created_at,
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<Services> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Shows or watches what becomes of a booking
///
/// In JSON its history. For who accepts `text/event-stream` a stream: what was missed since `Last-Event-ID`, then what happens; without that header
/// only what happens from then on. Each event is an `Event` in `data`, with its key as `id`.
#[utoipa::path(get, path = "/bookings/{id}/events/", operation_id = "listBookingEvents", tag = "bookings",
    params(("id" = i32, Path, description = "The booking's key.", minimum = 1, example = 12),
        ("Last-Event-ID" = Option<String>, Header, description = "For streams: the key of the last event that was heard.", example = "51")),
    responses((status = 200, description = "The history, or a stream.", content(
        (Events = "application/json"), (String = "text/event-stream")))))]
async fn list(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Id(id): Id,
    Query(Nothing {}): Query<Nothing>,
    headers: HeaderMap,
) -> Answer {
    let id = BookingId(id);
    let after = last_heard(&headers)?;
    if wants_events(&headers) {
        let watch = services.events.watch_booking(&actor, id, after).await;
        let watch =
            watch.map_err(|error| Problem::from(error).calling("after", "Last-Event-ID"))?;
        let watch = watch.ok_or_else(|| Problem::not_found("booking"))?;
        // A client that is cut off before the first event resumes here.
        let begins = Bytes::from(format!("id: {}\n\n", watch.begins_after));
        let events = watch.events.filter_map(async |row| told(&Event::from(row)));
        let all = stream::once(async { begins }).chain(events);
        let headers = [
            (header::CONTENT_TYPE, MEDIA),
            (header::CACHE_CONTROL, "no-cache, no-transform"),
            // nginx would keep events back.
            (HeaderName::from_static("x-accel-buffering"), "no"),
        ];
        let body = Body::from_stream(all.map(Ok::<_, Infallible>));
        return Ok((headers, body).into_response());
    }
    let seen = services.bookings.by_ids(&actor, &[id]).await?;
    if seen.is_empty() {
        return Err(Problem::not_found("booking"));
    }
    let mut found = services.events.of_bookings(&[id]).await?;
    let rows = found.remove(&id).unwrap_or_default();
    let events = Events {
        items: rows.into_iter().map(Event::from).collect(),
    };
    answer::thing(&events, &events)
}

fn told(event: &Event) -> Option<Bytes> {
    let data = serde_json::to_string(event).ok()?;
    Some(format!("event: status\nid: {}\ndata: {data}\n\n", event.id).into())
}

fn wants_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .any(|media| {
            let essence = media.split(';').next().unwrap_or_default();
            essence.trim().eq_ignore_ascii_case(MEDIA)
        })
}

/// The last event that the client heard. An empty header says nothing.
fn last_heard(headers: &HeaderMap) -> Result<Option<BookingEventId>, Problem> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let id = digits.then(|| text.parse().ok()).flatten();
    id.map(|id| Some(BookingEventId(id))).ok_or_else(|| {
        let message = "This is no key of an event.";
        Problem::wrong("Last-Event-ID", ProblemCode::Invalid, message)
    })
}

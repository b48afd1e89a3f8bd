//! A booking, as it is shown and as it is written.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    entity::booking::Model,
    rest::{
        asked::{Whole, present},
        money::{LineItem, LocalDate, Money},
        words::{BookingStatus, CancellationPolicy, CancellationReason},
    },
    service::Services,
};

/// A stay that was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Booking {
    /// The key.
    #[schema(example = 12, minimum = 1)]
    id: i32,
    /// Where the stay is.
    #[schema(example = 42, minimum = 1)]
    property_id: i32,
    /// Who stays.
    #[schema(example = 7, minimum = 1)]
    guest_id: i32,
    /// Whose property it is.
    #[schema(example = 3, minimum = 1)]
    host_id: i32,
    /// The local date of the first night.
    #[schema(example = "2027-03-28")]
    check_in: NaiveDate,
    /// The local date after the last night.
    #[schema(example = "2027-03-31")]
    check_out: NaiveDate,
    /// How many stay.
    #[schema(example = 2)]
    guests: i32,
    /// What makes up the total, as it was when the booking was made.
    line_items: Vec<LineItem>,
    /// What the guest pays.
    total_price: Money,
    status: BookingStatus,
    /// Why it was cancelled, if it was.
    #[schema(required)]
    cancellation_reason: Option<CancellationReason>,
    /// Whether payment alone confirms it.
    #[schema(example = true)]
    instant_book: bool,
    cancellation_policy: CancellationPolicy,
    /// IANA name; dates and deadlines are local to it.
    #[schema(example = "Europe/Lisbon")]
    time_zone: String,
    /// While pending: when an unpaid hold lapses and its nights are freed or, once the guest has paid, until when the host may answer.
    #[schema(required, example = "2026-11-01T12:15:00Z")]
    expires_at: Option<DateTime<Utc>>,
    /// When it was made.
    #[schema(example = "2026-11-01T12:00:00Z")]
    created_at: DateTime<Utc>,
}

impl Booking {
    pub(super) fn of(services: &Services, row: &Model) -> Self {
        Self {
            id: row.booking_id.0,
            property_id: row.property_id.0,
            guest_id: row.guest_id.0,
            host_id: row.host_id.0,
            check_in: row.check_in_date,
            check_out: row.check_out_date,
            guests: row.guests,
            line_items: LineItem::list(services, &row.price),
            total_price: Money::of(services, row.total_price),
            status: row.status.into(),
            cancellation_reason: row.cancellation_reason.map(Into::into),
            instant_book: row.instant_book,
            cancellation_policy: row.cancellation_policy.into(),
            time_zone: row.time_zone.0.name().to_owned(),
            expires_at: row.expires_at,
            created_at: row.created_at,
        }
    }
}

/// A stay to book.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewBooking, example = json!({"propertyId": 42, "checkIn": "2027-03-28", "checkOut": "2027-03-31", "guests": 2}))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewStay {
    /// Where.
    #[schema(value_type = i32, example = 42, minimum = 1)]
    pub(super) property_id: Whole,
    /// The first night, a date at the property.
    pub(super) check_in: LocalDate,
    /// The day after the last night.
    pub(super) check_out: LocalDate,
    /// How many stay; 1 when left out.
    #[serde(default = "one")]
    #[schema(value_type = i32, required = false, example = 2, minimum = 1, maximum = 50)]
    pub(super) guests: Whole,
}

const fn one() -> Whole {
    Whole(1)
}

/// What is to change of a booking (RFC 7396); what is left out stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = BookingChange, example = json!({"checkIn": "2027-03-28", "checkOut": "2027-03-30", "guests": 2}))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Change {
    /// The first night, a date at the property.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = LocalDate, required = false)]
    pub(super) check_in: Option<LocalDate>,
    /// The day after the last night.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = LocalDate, required = false)]
    pub(super) check_out: Option<LocalDate>,
    /// How many stay.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = i32, required = false, example = 2, minimum = 1, maximum = 50)]
    pub(super) guests: Option<Whole>,
}

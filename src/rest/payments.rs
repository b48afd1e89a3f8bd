//! Paying, and giving back.

use axum::{extract::State, http::Uri};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    answer::{self, Answer},
    asked::{Body, Id, IdempotencyKey, Nothing, Parameters, Query, Somebody, Whole},
    money::{Amount, Money},
    page::{self, List},
    problem::{Document, Problem},
    words::{PaymentMethod, PaymentStatus},
};
use crate::{
    domain::{
        actor::Actor,
        ids::{BookingId, PaymentId},
        page::{Cursor, Page},
        payment,
        problem::ProblemCode,
    },
    entity::payment::Model,
    service::{Services, payments::NewPayment},
};

/// A payment of a booking. Who may see the booking may see it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payment {
    /// The key.
    #[schema(example = 9, minimum = 1)]
    id: i32,
    /// For which booking.
    #[schema(example = 12, minimum = 1)]
    booking_id: i32,
    /// How much.
    amount: Money,
    /// How much of it went back.
    refunded_amount: Money,
    method: PaymentMethod,
    status: PaymentStatus,
    /// What the client's payment form needs to finish the payment; only for the guest, only while PENDING.
    #[schema(required, example = "pi_3OqL_secret_8fT2")]
    client_secret: Option<String>,
    /// When it was begun, or collected.
    #[schema(example = "2026-11-01T12:00:00Z")]
    transaction_date: DateTime<Utc>,
}

/// A booking to pay for.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewPayment)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Attempt {
    /// Which booking.
    #[schema(value_type = i32, example = 12, minimum = 1)]
    booking_id: Whole,
    /// Card or wallet; CARD when left out.
    #[serde(default = "card")]
    method: PaymentMethod,
    /// The provider's token for the card or wallet. A raw card number is refused and never stored or logged.
    #[schema(example = "tok_visa", max_length = 255)]
    payment_token: Option<String>,
}

const fn card() -> PaymentMethod {
    PaymentMethod::Card
}

/// Money to give back.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Refund {
    /// How much. All that is left when left out.
    amount: Option<Amount>,
}

/// Which payments.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Of this booking.
    #[param(example = 12, minimum = 1)]
    booking_id: i32,
}

impl Parameters for Which {}

pub(super) fn routes() -> OpenApiRouter<Services> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show))
        .routes(routes!(refund))
}

/// Shows the payment of a booking
///
/// The newest, which is the one that counts; none before anybody has paid.
#[utoipa::path(get, path = "/payments/", operation_id = "listPayments", tag = "payments", params(Which),
    responses((status = 200, description = "The payment that counts, if there is one.", body = List<Payment>)))]
async fn list(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Query(which): Query<Which>,
    uri: Uri,
) -> Answer {
    if which.booking_id < 1 {
        let message = "A key is a whole number from 1 to 2147483647.";
        return Err(Problem::bad("bookingId", "INVALID", message));
    }
    let id = BookingId(which.booking_id);
    if services.bookings.by_ids(&actor, &[id]).await?.is_empty() {
        let message = "There is no such booking.";
        return Err(Problem::wrong("bookingId", ProblemCode::NotFound, message));
    }
    let mut found = services.payments.of_bookings(&[id]).await?;
    let mut rows = Vec::new();
    if let Some(row) = found.remove(&id) {
        let place = Cursor {
            order: 'y',
            rank: 0,
            id: row.payment_id.0.into(),
        };
        rows.push((place, shown(&services, &actor, row).await?));
    }
    let page = Page {
        rows,
        has_next: false,
        has_previous: false,
    };
    page::list(&uri, page, Ok)
}

/// Pays for a booking
///
/// One that is pending. Instant book: the booking is CONFIRMED by it; otherwise the host has 24 hours to answer. The payment stays PENDING while the
/// guest has something to do in the payment form, the host has not answered, or the provider can't be reached.
#[utoipa::path(post, path = "/payments/", operation_id = "createPayment", tag = "payments", request_body = Attempt,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key from the same guest gives the same payment back, however often it is sent in 24 hours.", min_length = 1, max_length = 255, example = "b7d6f6a5")),
    responses((status = 201, description = "The payment.", body = Payment, headers(
            ("Location" = String, description = "Where the payment is."))),
        (status = 402, description = "The payment provider said no.", body = Document, content_type = "application/problem+json")))]
async fn create(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    IdempotencyKey(idempotency_key): IdempotencyKey,
    Query(Nothing {}): Query<Nothing>,
    Body(new): Body<Attempt>,
) -> Answer {
    let new = NewPayment {
        booking_id: BookingId(new.booking_id.0),
        method: new.method.into(),
        token: new.payment_token,
        idempotency_key,
    };
    let row = Box::pin(services.payments.create(&actor, new)).await?;
    let place = format!("/payments/{}/", row.payment_id);
    let payment = shown(&services, &actor, row).await?;
    answer::made(&place, &payment, &payment)
}

/// Shows a payment
///
/// To the guest and the host of its booking, and to admins.
#[utoipa::path(get, path = "/payments/{id}/", operation_id = "showPayment", tag = "payments",
    params(("id" = i32, Path, description = "The payment's key.", minimum = 1, example = 9)),
    responses((status = 200, description = "The payment.", body = Payment)))]
async fn show(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Id(id): Id,
    Query(Nothing {}): Query<Nothing>,
) -> Answer {
    let id = PaymentId(id);
    let mut found = services.payments.by_ids(&actor, &[id]).await?;
    let row = found
        .remove(&id)
        .ok_or_else(|| Problem::not_found("payment"))?;
    let payment = shown(&services, &actor, row).await?;
    answer::thing(&payment, &payment)
}

/// Gives a guest money back
///
/// Apart from cancelling: by the property's host or an admin, never by the guest.
#[utoipa::path(post, path = "/payments/{id}/refunds/", operation_id = "refundPayment", tag = "payments", request_body = Refund,
    params(("id" = i32, Path, description = "The payment's key.", minimum = 1, example = 9),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gives it back once, however often it is sent in 24 hours.", min_length = 1, max_length = 255, example = "b7d6f6a6")),
    responses((status = 200, description = "The payment after it.", body = Payment)))]
async fn refund(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Id(id): Id,
    IdempotencyKey(key): IdempotencyKey,
    Query(Nothing {}): Query<Nothing>,
    Body(refund): Body<Refund>,
) -> Answer {
    let amount = refund.amount.map(|amount| amount.0);
    let payments = &services.payments;
    let refunded = payments.refund(&actor, PaymentId(id), amount, key.as_deref());
    let payment = shown(&services, &actor, Box::pin(refunded).await?).await?;
    answer::thing(&payment, &payment)
}

/// A payment as this caller sees it, who may see it.
async fn shown(services: &Services, actor: &Actor, row: Model) -> Result<Payment, Problem> {
    let waits = row.payment_status == payment::PaymentStatus::Pending;
    let client_secret = if waits && row.client_secret.is_some() {
        let booking = services.bookings.find(actor, row.booking_id).await?;
        let is_guest = booking.is_some_and(|booking| actor.is(booking.guest_id));
        if is_guest {
            services.payments.client_secret(&row)?
        } else {
            None
        }
    } else {
        None
    };
    Ok(Payment {
        id: row.payment_id.0,
        booking_id: row.booking_id.0,
        amount: Money::of(services, row.amount),
        refunded_amount: Money::of(services, row.refunded_amount),
        method: row.payment_method.into(),
        status: row.payment_status.into(),
        client_secret,
        transaction_date: row.transaction_date,
    })
}

//! Paying.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use crate::{
    entity::payment,
    graphql::{
        context::ContextExt as _,
        errors::{UserError, outcome},
        global_id,
        guards::SignedIn,
        scalars::Decimal,
        types::payment::{Payment, PaymentMethod},
    },
    service::payments::NewPayment,
};

/// A booking to pay for.
#[derive(InputObject)]
pub(in crate::graphql) struct CreatePaymentInput {
    /// Which booking.
    booking_id: ID,
    /// Card or wallet.
    #[graphql(default_with = "PaymentMethod::Card")]
    method: PaymentMethod,
    /// The provider's token for the card or wallet, such as `tok_visa`. A raw card number is refused and never stored or logged.
    payment_token: Option<String>,
    /// The same key from the same guest gives the same payment back, however often it is sent.
    idempotency_key: Option<String>,
}

/// Money to give back.
#[derive(InputObject)]
pub(in crate::graphql) struct RefundPaymentInput {
    /// Of which payment.
    id: ID,
    /// How much. All that is left when left out.
    amount: Option<Decimal>,
    /// The same key gives it back once, however often it is sent.
    idempotency_key: Option<String>,
}

/// The payment after the change.
#[derive(SimpleObject)]
pub(in crate::graphql) struct PaymentPayload {
    /// None when it was not done. PENDING while the guest has something to do in the payment form, the host has not
    /// answered, or the provider can't be reached.
    payment: Option<Payment>,
    /// What the caller can mend; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Paying.
#[derive(Default)]
pub(in crate::graphql) struct PaymentMutations;

#[Object]
impl PaymentMutations {
    /// Pays for a pending booking. Instant book: the booking is CONFIRMED by it; otherwise the host has 24 hours to answer.
    #[graphql(guard = "SignedIn")]
    async fn create_payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is paid for, and how.")] input: CreatePaymentInput,
    ) -> Result<PaymentPayload> {
        let made = async {
            let new = NewPayment {
                booking_id: global_id::parse("bookingId", &input.booking_id)?,
                method: input.method.into(),
                token: input.payment_token,
                idempotency_key: ctx.idempotency_key(input.idempotency_key),
            };
            ctx.services().payments.create(ctx.actor(), new).await
        };
        payload(made.await)
    }

    /// Gives a guest money back, apart from cancelling: by the property's host or an admin; never by the guest.
    #[graphql(guard = "SignedIn")]
    async fn refund_payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which payment, and how much.")] input: RefundPaymentInput,
    ) -> Result<PaymentPayload> {
        let refunded = async {
            let id = global_id::parse("id", &input.id)?;
            let amount = input.amount.map(|amount| amount.0);
            let key = ctx.idempotency_key(input.idempotency_key);
            let payments = &ctx.services().payments;
            payments
                .refund(ctx.actor(), id, amount, key.as_deref())
                .await
        };
        payload(refunded.await)
    }
}

fn payload(made: crate::service::error::Result<payment::Model>) -> Result<PaymentPayload> {
    let (payment, user_errors) = outcome(made)?;
    Ok(PaymentPayload {
        payment: payment.map(|payment| Payment(Arc::new(payment))),
        user_errors,
    })
}

//! Payments.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};

use super::{booking::Booking, money::Money};
use crate::{
    domain::payment as rules,
    entity::payment,
    graphql::{context::ContextExt as _, errors::fail, global_id::GlobalId, scalars::DateTime},
};

/// How a guest pays.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "rules::PaymentMethod")]
pub(in crate::graphql) enum PaymentMethod {
    /// A card.
    Card,
    /// A `PayPal` wallet.
    Paypal,
}

/// Where a payment stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "rules::PaymentStatus")]
pub(in crate::graphql) enum PaymentStatus {
    /// Not settled: waits for the provider, the guest's bank, or the host.
    Pending,
    /// The money has moved.
    Paid,
    /// It did not and will not move.
    Failed,
    /// Some of it went back.
    PartiallyRefunded,
    /// All of it went back.
    Refunded,
}

/// A payment of a booking. Who may see the booking may see it.
#[derive(Clone)]
pub(in crate::graphql) struct Payment(pub(in crate::graphql) Arc<payment::Model>);

/// A payment of a booking. Who may see the booking may see it.
#[Object]
impl Payment {
    /// The global id.
    pub(in crate::graphql) async fn id(&self) -> ID {
        GlobalId::Payment(self.0.payment_id).into()
    }

    /// The key that REST uses.
    async fn database_id(&self) -> i32 {
        self.0.payment_id.0
    }

    /// For which booking.
    async fn booking(&self, ctx: &Context<'_>) -> Result<Booking> {
        Ok(Booking(
            ctx.loaders().bookings.require(self.0.booking_id).await?,
        ))
    }

    /// How much.
    async fn amount(&self, ctx: &Context<'_>) -> Money {
        Money::new(ctx, self.0.amount)
    }

    /// How much of it went back.
    async fn refunded_amount(&self, ctx: &Context<'_>) -> Money {
        Money::new(ctx, self.0.refunded_amount)
    }

    /// Card or wallet.
    async fn method(&self) -> PaymentMethod {
        self.0.payment_method.into()
    }

    /// Where it stands.
    async fn status(&self) -> PaymentStatus {
        self.0.payment_status.into()
    }

    /// What the client's payment form needs to finish the payment; only for the guest, only while PENDING.
    async fn client_secret(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let pending = self.0.payment_status == rules::PaymentStatus::Pending;
        if !pending || self.0.client_secret.is_none() {
            return Ok(None);
        }
        let booking = ctx.loaders().bookings.require(self.0.booking_id).await?;
        if !ctx.actor().is(booking.guest_id) {
            return Ok(None);
        }
        let secret = ctx.services().payments.client_secret(&self.0);
        secret.map_err(fail)
    }

    /// When it was begun, or collected.
    async fn transaction_date(&self) -> DateTime {
        DateTime(self.0.transaction_date)
    }
}

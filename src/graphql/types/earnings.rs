//! What a host earned.

use async_graphql::{Context, Object, Result};

use super::{money::Money, property::Property};
use crate::{
    graphql::{context::ContextExt as _, scalars::Date},
    service::ledger,
};

/// What the viewer's properties earned in some days, by the dates (UTC) on which money moved.
pub(in crate::graphql) struct Earnings {
    pub(in crate::graphql) from: Date,
    pub(in crate::graphql) to: Date,
    pub(in crate::graphql) properties: Vec<ledger::OfProperty>,
}

/// What the viewer's properties earned in some days, by the dates (UTC) on which money moved.
#[Object]
impl Earnings {
    /// The first day.
    async fn from(&self) -> Date {
        self.from
    }

    /// The day after the last one.
    async fn to(&self) -> Date {
        self.to
    }

    /// What guests paid.
    async fn gross(&self, ctx: &Context<'_>) -> Money {
        Money::new(ctx, self.all().gross)
    }

    /// What of it the marketplace kept: its service fee, and tax.
    async fn fees(&self, ctx: &Context<'_>) -> Money {
        Money::new(ctx, self.all().fees)
    }

    /// What went back to guests.
    async fn refunds(&self, ctx: &Context<'_>) -> Money {
        Money::new(ctx, self.all().refunds)
    }

    /// What is left for the host.
    async fn net(&self, ctx: &Context<'_>) -> Money {
        Money::new(ctx, self.all().net)
    }

    /// The same by property; none for a property without any movement.
    async fn properties(&self) -> Vec<PropertyEarnings> {
        self.properties
            .iter()
            .copied()
            .map(PropertyEarnings)
            .collect()
    }
}

impl Earnings {
    fn all(&self) -> ledger::Earnings {
        ledger::Earnings::of_all(&self.properties)
    }
}

/// What one property earned.
pub(in crate::graphql) struct PropertyEarnings(ledger::OfProperty);

/// What one property earned.
#[Object]
impl PropertyEarnings {
    /// Which.
    async fn property(&self, ctx: &Context<'_>) -> Result<Property> {
        let property = ctx.loaders().properties.require(self.0.property_id).await?;
        Ok(property.into())
    }

    /// What guests paid.
    async fn gross(&self, ctx: &Context<'_>) -> Money {
        Money::new(ctx, self.0.earnings.gross)
    }

    /// What of it the marketplace kept: its service fee, and tax.
    async fn fees(&self, ctx: &Context<'_>) -> Money {
        Money::new(ctx, self.0.earnings.fees)
    }

    /// What went back to guests.
    async fn refunds(&self, ctx: &Context<'_>) -> Money {
        Money::new(ctx, self.0.earnings.refunds)
    }

    /// What is left for the host.
    async fn net(&self, ctx: &Context<'_>) -> Money {
        Money::new(ctx, self.0.earnings.net)
    }
}

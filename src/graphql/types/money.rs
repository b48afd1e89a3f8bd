//! Amounts and prices.

use async_graphql::{Context, Enum, SimpleObject};

use crate::{
    domain::{money, price},
    graphql::{context::ContextExt as _, scalars::Decimal},
};

/// An amount of the marketplace's currency.
#[derive(SimpleObject)]
pub(in crate::graphql) struct Money {
    /// Exact, with two decimals, as text.
    amount: Decimal,
    /// ISO 4217, such as USD.
    currency: String,
}

impl Money {
    pub(in crate::graphql) fn new(ctx: &Context<'_>, amount: money::Money) -> Self {
        Self::in_currency(ctx.services().currency(), amount)
    }

    pub(in crate::graphql) fn in_currency(currency: &str, amount: money::Money) -> Self {
        Self {
            amount: Decimal(amount.into()),
            currency: currency.to_owned(),
        }
    }
}

/// What a line of a price is for.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "price::LineItemKind")]
pub(in crate::graphql) enum LineItemKind {
    /// All nights.
    Nights,
    /// The host's fee for cleaning.
    CleaningFee,
    /// The marketplace's fee.
    ServiceFee,
    /// Tax on everything before it.
    Tax,
    /// Something taken off; its amount is negative.
    Discount,
}

/// One line of a price.
#[derive(SimpleObject)]
pub(in crate::graphql) struct LineItem {
    /// What it is for.
    kind: LineItemKind,
    /// In words.
    description: String,
    /// How much.
    amount: Money,
}

impl LineItem {
    pub(in crate::graphql) fn list(ctx: &Context<'_>, price: &price::Price) -> Vec<Self> {
        let line = |line: &price::LineItem| Self {
            kind: line.kind.into(),
            description: line.description.clone(),
            amount: Money::new(ctx, line.amount),
        };
        price.lines.iter().map(line).collect()
    }
}

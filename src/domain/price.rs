//! What a stay costs: each night at its own price or the property's, then the fees.

use std::collections::HashMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{money::Money, stay::Stay};

/// The highest price of one night, and the highest cleaning fee: 100,000.00. With [`Rates::MAX_PERCENT`] on top, a
/// year's stay still fits a money column.
pub const MAX_PRICE: Money = Money::from_cents(10_000_000);

/// The lowest price of one night: 1.00.
pub const MIN_PRICE: Money = Money::from_cents(100);

/// The marketplace's own percentages, from its configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Service fee, in percent of nights and cleaning.
    pub service_percent: Decimal,
    /// Tax, in percent of everything before it.
    pub tax_percent: Decimal,
}

impl Rates {
    /// The highest percentage that a marketplace may configure.
    pub const MAX_PERCENT: Decimal = Decimal::from_parts(50, 0, 0, false, 0);
}

/// What a line of a price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LineItemKind {
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineItem {
    /// What it is for.
    pub kind: LineItemKind,
    /// For people, such as `3 nights`.
    pub description: String,
    /// In cents.
    pub amount: Money,
}

/// A stay's price, night by night and line by line. Frozen on the booking once it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// The price of each night, first to last.
    pub nights: Vec<Money>,
    /// The lines that make up the total; never one of zero.
    pub lines: Vec<LineItem>,
}

impl Price {
    /// The sum of the lines.
    #[must_use]
    pub fn total(&self) -> Money {
        self.lines.iter().map(|line| line.amount).sum()
    }

    /// The amount of one kind of line; zero when there is none.
    #[must_use]
    pub fn of(&self, kind: LineItemKind) -> Money {
        self.lines
            .iter()
            .filter(|line| line.kind == kind)
            .map(|line| line.amount)
            .sum()
    }
}

/// What a property asks.
#[derive(Debug, Clone, Copy)]
pub struct Tariff<'a> {
    /// For a night without a price of its own.
    pub per_night: Money,
    /// Once a stay.
    pub cleaning_fee: Money,
    /// Nights with a price of their own.
    pub own_prices: &'a HashMap<NaiveDate, Money>,
}

/// Prices a stay.
#[must_use]
pub fn price_stay(stay: Stay, tariff: Tariff<'_>, rates: Rates) -> Price {
    let nights: Vec<_> = stay
        .nights()
        .map(|night| {
            tariff
                .own_prices
                .get(&night)
                .copied()
                .unwrap_or(tariff.per_night)
        })
        .collect();
    let count = if stay.night_count() == 1 {
        "1 night".to_owned()
    } else {
        format!("{} nights", stay.night_count())
    };
    let stay_amount = nights.iter().copied().sum::<Money>();
    let before_fees = stay_amount + tariff.cleaning_fee;
    let service = before_fees.percent(rates.service_percent);
    let tax = (before_fees + service).percent(rates.tax_percent);
    let lines = [
        (LineItemKind::Nights, count, stay_amount),
        (
            LineItemKind::CleaningFee,
            "Cleaning".to_owned(),
            tariff.cleaning_fee,
        ),
        (
            LineItemKind::ServiceFee,
            format!("Service fee, {}%", rates.service_percent.normalize()),
            service,
        ),
        (
            LineItemKind::Tax,
            format!("Tax, {}%", rates.tax_percent.normalize()),
            tax,
        ),
    ];
    let lines = lines
        .into_iter()
        .filter(|(_, _, amount)| *amount != Money::ZERO)
        .map(|(kind, description, amount)| LineItem {
            kind,
            description,
            amount,
        })
        .collect();
    Price { nights, lines }
}

#[cfg(test)]
mod tests {
    use chrono::Days;
    use proptest::prelude::*;

    use super::*;

    fn stay(nights: u64) -> Stay {
        let check_in: NaiveDate = "2027-05-01".parse().unwrap();
        Stay::between(check_in, check_in + Days::new(nights)).unwrap()
    }

    #[test]
    fn a_night_with_its_own_price_is_charged_at_that() {
        let own = HashMap::from([("2027-05-02".parse().unwrap(), Money::from_cents(15_000))]);
        let tariff = Tariff {
            per_night: Money::from_cents(10_000),
            cleaning_fee: Money::from_cents(2_500),
            own_prices: &own,
        };
        let price = price_stay(stay(3), tariff, Rates::default());
        assert_eq!(
            price.nights.iter().map(|n| n.cents()).collect::<Vec<_>>(),
            [10_000, 15_000, 10_000]
        );
        assert_eq!(price.total(), Money::from_cents(37_500));
        assert_eq!(price.lines.len(), 2, "lines of zero are left out");
    }

    #[test]
    fn tax_is_on_the_service_fee_too() {
        let tariff = Tariff {
            per_night: Money::from_cents(10_000),
            cleaning_fee: Money::ZERO,
            own_prices: &HashMap::new(),
        };
        let rates = Rates {
            service_percent: 10.into(),
            tax_percent: 20.into(),
        };
        assert_eq!(
            price_stay(stay(1), tariff, rates).total(),
            Money::from_cents(13_200)
        );
    }

    proptest! {
        #[test]
        fn the_dearest_stay_fits_a_money_column(nights in 1_u64..=365, cleaning in 0..=MAX_PRICE.cents()) {
            let tariff = Tariff { per_night: MAX_PRICE, cleaning_fee: Money::from_cents(cleaning), own_prices: &HashMap::new() };
            let rates = Rates { service_percent: Rates::MAX_PERCENT, tax_percent: Rates::MAX_PERCENT };
            let price = price_stay(stay(nights), tariff, rates);
            prop_assert!(price.total() <= Money::MAX);
            prop_assert_eq!(price.of(LineItemKind::Nights), price.nights.iter().copied().sum());
        }
    }
}

//! Money and dates, in and out.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use utoipa::ToSchema;

use super::words::LineItemKind;
use crate::{
    domain::{money, price},
    service::Services,
};

/// An amount of money.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Money {
    /// Exact, with two decimals.
    #[schema(example = "120.50")]
    amount: String,
    /// ISO 4217.
    #[schema(example = "USD", min_length = 3, max_length = 3)]
    currency: String,
}

impl Money {
    pub(super) fn of(services: &Services, amount: money::Money) -> Self {
        Self {
            amount: Decimal::from(amount).to_string(),
            currency: services.currency().to_owned(),
        }
    }
}

/// One line of a price.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct LineItem {
    kind: LineItemKind,
    /// In words.
    #[schema(example = "3 nights")]
    description: String,
    /// How much; less than nothing for what is taken off.
    amount: Money,
}

impl LineItem {
    pub(super) fn list(services: &Services, price: &price::Price) -> Vec<Self> {
        let line = |line: &price::LineItem| Self {
            kind: line.kind.into(),
            description: line.description.clone(),
            amount: Money::of(services, line.amount),
        };
        price.lines.iter().map(line).collect()
    }
}

/// An exact decimal number, as text, in the marketplace's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, pattern = r"^(0|[1-9][0-9]{0,6})(\.[0-9]{1,2})?$", example = "120.50")]
pub(super) struct Amount(pub(super) Decimal);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(given: D) -> Result<Self, D::Error> {
        let text = String::deserialize(given)?;
        amount(&text)
            .map(Self)
            .ok_or_else(|| D::Error::custom("give a decimal number as text, such as \"120.50\""))
    }
}

fn amount(text: &str) -> Option<Decimal> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits(whole)
        && digits(decimals)
        && matches!(decimals.len(), 1..=2)
        && matches!(whole.len(), 1..=7)
        && (whole == "0" || !whole.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

/// A calendar date without a time or a zone, by ISO 8601.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, format = Date, example = "2027-03-28")]
pub(super) struct LocalDate(pub(super) NaiveDate);

impl<'de> Deserialize<'de> for LocalDate {
    fn deserialize<D: Deserializer<'de>>(given: D) -> Result<Self, D::Error> {
        let text = String::deserialize(given)?;
        // Four digits of a year and two of the others, as the standard has it; chrono alone is more lenient.
        let shape = text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
        (text.len() == 10 && shape)
            .then(|| text.parse().ok())
            .flatten()
            .map(Self)
            .ok_or_else(|| D::Error::custom("give a date that exists, such as 2027-03-28"))
    }
}

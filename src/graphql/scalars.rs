//! The schema's own scalars. What can't be read is answered with what would be right.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{NaiveDate, SecondsFormat, Utc};

const DATE: &str = "give a date that exists, such as 2027-03-28";
const DATE_TIME: &str = "give a moment with its offset, such as 2027-03-28T15:00:00Z";
const DECIMAL: &str = "give a decimal number, such as \"120.00\"";

/// What would be right where the executor's message says only which type it expected.
pub(super) fn hint(message: &str) -> Option<&'static str> {
    [
        ("Date", DATE),
        ("DateTime", DATE_TIME),
        ("Decimal", DECIMAL),
    ]
    .into_iter()
    .find(|(name, _)| message.ends_with(&format!("expected type \"{name}\"")))
    .map(|(_, hint)| hint)
}

/// Whether a value is good for the scalar of this name, as far as is looked before anything runs. Of a scalar that is not known here none is.
pub(super) fn is_good(name: &str, value: &Value) -> bool {
    match name {
        "Date" => Date::is_valid(value),
        "DateTime" => DateTime::is_valid(value),
        "Decimal" => Decimal::is_valid(value),
        _ => false,
    }
}

/// A calendar date without a time or a zone, by ISO 8601: `2027-03-28`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date(pub(super) NaiveDate);

/// A calendar date without a time or a zone, by ISO 8601: `2027-03-28`.
#[Scalar(name = "Date")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        // Four digits of a year and two of the others, as the standard has it; chrono alone is more lenient.
        let shape = text.bytes().enumerate().all(|(place, byte)| {
            if matches!(place, 4 | 7) {
                byte == b'-'
            } else {
                byte.is_ascii_digit()
            }
        });
        (text.len() == 10 && shape)
            .then(|| text.parse().ok())
            .flatten()
            .map(Self)
            .ok_or_else(|| InputValueError::custom(DATE))
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A moment in time in UTC, by RFC 3339: `2027-03-28T15:00:00Z`. Any offset is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DateTime(pub(super) chrono::DateTime<Utc>);

/// A moment in time in UTC, by RFC 3339: `2027-03-28T15:00:00Z`. Any offset is understood.
#[Scalar(name = "DateTime")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        chrono::DateTime::parse_from_rfc3339(text)
            .map(|at| Self(at.with_timezone(&Utc)))
            .map_err(|_| InputValueError::custom(DATE_TIME))
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

/// An exact decimal number, as text: `"120.00"`. Plain numbers are understood too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal(pub(super) rust_decimal::Decimal);

/// An exact decimal number, as text: `"120.00"`. Plain numbers are understood too.
#[Scalar(name = "Decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = match &value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(InputValueError::expected_type(value)),
        };
        text.parse()
            .map(Self)
            .map_err(|_| InputValueError::custom(DECIMAL))
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

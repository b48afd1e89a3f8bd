//! Money in whole minor units of the marketplace's one currency.

use std::{
    fmt,
    iter::Sum,
    ops::{Add, Mul, Sub},
};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::problem::Problem;

/// An amount in hundredths (cents) of the marketplace's currency.
///
/// An amount that reaches a table fits `DECIMAL(10,2)`: prices are bounded at the door so that no total can pass it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount that a money column holds: 99,999,999.99.
    pub const MAX: Self = Self(9_999_999_999);

    /// An amount from its cents.
    #[must_use]
    pub const fn from_cents(cents: i64) -> Self {
        Self(cents)
    }

    /// The cents.
    #[must_use]
    pub const fn cents(self) -> i64 {
        self.0
    }

    /// Parses an amount between `min` and `max`, both included.
    ///
    /// # Errors
    /// `INVALID` outside of the bounds, or when it has a fraction of a cent.
    pub fn parse(field: &str, amount: Decimal, min: Self, max: Self) -> Result<Self, Problem> {
        let normal = amount.normalize();
        if normal.scale() > 2 {
            return Err(Problem::invalid(
                field,
                "An amount has at most two decimals, such as 120.50.",
            ));
        }
        Self::try_from(normal)
            .ok()
            .filter(|money| (min..=max).contains(money))
            .ok_or_else(|| Problem::invalid(field, format!("Give an amount from {min} to {max}.")))
    }

    /// `percent` of this amount, rounded half up to the cent.
    #[must_use]
    pub fn percent(self, percent: Decimal) -> Self {
        let exact = Decimal::new(self.0, 0) * percent / Decimal::ONE_HUNDRED;
        let cents =
            exact.round_dp_with_strategy(0, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
        Self(i64::try_from(cents).unwrap_or(i64::MAX))
    }

    /// Half of this amount, an odd cent to the receiver.
    #[must_use]
    pub const fn half(self) -> Self {
        Self((self.0 + 1) / 2)
    }
}

impl From<Money> for Decimal {
    fn from(money: Money) -> Self {
        Self::new(money.0, 2)
    }
}

impl TryFrom<Decimal> for Money {
    type Error = rust_decimal::Error;

    /// Rounds to the cent: `SQLite` keeps decimals as binary fractions, which are exact only once rounded.
    fn try_from(decimal: Decimal) -> Result<Self, Self::Error> {
        let mut cents = decimal.round_dp(2);
        cents.rescale(2);
        i64::try_from(cents.mantissa())
            .map(Self)
            .map_err(|_| rust_decimal::Error::ExceedsMaximumPossibleValue)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Decimal::from(*self).fmt(f)
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Mul<i64> for Money {
    type Output = Self;
    fn mul(self, times: i64) -> Self {
        Self(self.0 * times)
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_amount_prints_with_two_decimals() {
        assert_eq!(Money::from_cents(12_000).to_string(), "120.00");
        assert_eq!(Money::from_cents(5).to_string(), "0.05");
    }

    #[test]
    fn a_fraction_of_a_cent_is_refused() {
        let parse =
            |text: &str| Money::parse("amount", text.parse().unwrap(), Money::ZERO, Money::MAX);
        assert!(parse("1.005").is_err());
        assert!(parse("-0.01").is_err());
        assert!(parse("100000000").is_err());
        assert!(parse("79228162514264337593543950335").is_err());
        assert_eq!(parse("1.500"), Ok(Money::from_cents(150)));
    }

    proptest! {
        #[test]
        fn money_survives_decimal_text_and_binary_fractions(cents in 0..=Money::MAX.cents()) {
            let money = Money::from_cents(cents);
            prop_assert_eq!(Money::try_from(Decimal::from(money)).unwrap(), money);
            prop_assert_eq!(Money::try_from(money.to_string().parse::<Decimal>().unwrap()).unwrap(), money);
            let binary: f64 = money.to_string().parse().unwrap();
            prop_assert_eq!(Money::try_from(Decimal::try_from(binary).unwrap()).unwrap(), money);
        }

        #[test]
        fn both_halves_differ_by_at_most_a_cent(cents in 0..=Money::MAX.cents()) {
            let money = Money::from_cents(cents);
            let kept = money - money.half();
            prop_assert!((money.half() - kept).cents() == cents % 2);
        }
    }
}

//! Sums as Stripe counts them: in the smallest unit of the currency.

use crate::domain::money::Money;

/// Currencies without a smaller unit (<https://docs.stripe.com/currencies#zero-decimal>).
const WHOLE: [&str; 16] = [
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV",
    "XAF", "XOF", "XPF",
];
/// Currencies of a thousand parts, of which the last digit is always 0 (<https://docs.stripe.com/currencies#three-decimal>).
const THOUSANDTHS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// How Stripe writes a sum. None where the currency has no such sum: half a yen.
pub(super) fn to_minor(sum: Money, currency: &str) -> Option<i64> {
    let cents = sum.cents();
    let currency = currency.to_ascii_uppercase();
    if WHOLE.contains(&currency.as_str()) {
        (cents % 100 == 0).then_some(cents / 100)
    } else if THOUSANDTHS.contains(&currency.as_str()) {
        cents.checked_mul(10)
    } else {
        Some(cents)
    }
}

/// What Stripe means by a sum. None where it has more digits than money has here.
pub(super) fn from_minor(minor: i64, currency: &str) -> Option<Money> {
    let currency = currency.to_ascii_uppercase();
    let cents = if WHOLE.contains(&currency.as_str()) {
        minor.checked_mul(100)
    } else if THOUSANDTHS.contains(&currency.as_str()) {
        (minor % 10 == 0).then_some(minor / 10)
    } else {
        Some(minor)
    };
    cents.map(Money::from_cents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_counted_in_the_smallest_unit_of_their_currency() {
        for (cents, currency, minor) in [
            (12_345, "USD", Some(12_345)),
            (12_300, "JPY", Some(123)),
            (12_345, "JPY", None),
            (12_345, "KWD", Some(123_450)),
        ] {
            let sum = Money::from_cents(cents);
            assert_eq!(to_minor(sum, currency), minor, "{currency}");
            if let Some(minor) = minor {
                assert_eq!(from_minor(minor, &currency.to_lowercase()), Some(sum));
            }
        }
        assert_eq!(from_minor(123_451, "kwd"), None);
    }
}

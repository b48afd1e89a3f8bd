//! Sums as Stripe counts them: in the smallest unit of the currency.

use crate::domain::money::Money;

/// Currencies that Stripe charges in whole units alone (<https://docs.stripe.com/currencies#zero-decimal>, and of the special cases there Iceland's and Uganda's).
const WHOLE: [&str; 17] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND",
    "VUV", "XAF", "XOF", "XPF",
];
/// Currencies of a thousand parts, of which the last digit is always 0 (<https://docs.stripe.com/currencies#three-decimal>).
const THOUSANDTHS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// Whether every sum that the marketplace may come to can be charged: prices, fees and refunds have hundredths here.
#[must_use]
pub fn has_hundredths(currency: &str) -> bool {
    !WHOLE.contains(&currency)
}

/// How Stripe writes a sum of a currency that [has hundredths](has_hundredths). None for one that is too large.
pub(super) fn to_minor(sum: Money, currency: &str) -> Option<i64> {
    if has_thousandths(currency) {
        sum.cents().checked_mul(10)
    } else {
        Some(sum.cents())
    }
}

/// What Stripe means by a sum. None where it has more digits than money has here.
pub(super) fn from_minor(minor: i64, currency: &str) -> Option<Money> {
    let cents = if has_thousandths(currency) {
        (minor % 10 == 0).then_some(minor / 10)
    } else {
        Some(minor)
    };
    cents.map(Money::from_cents)
}

fn has_thousandths(currency: &str) -> bool {
    THOUSANDTHS.contains(&currency.to_ascii_uppercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_counted_in_the_smallest_unit_of_their_currency() {
        for (cents, currency, minor) in [(12_345, "USD", 12_345), (12_345, "KWD", 123_450)] {
            let sum = Money::from_cents(cents);
            assert_eq!(to_minor(sum, currency), Some(minor), "{currency}");
            assert_eq!(from_minor(minor, &currency.to_lowercase()), Some(sum));
        }
        assert_eq!(from_minor(123_451, "kwd"), None);
    }

    #[test]
    fn half_a_yen_is_never_charged() {
        for (currency, charges) in [("USD", true), ("KWD", true), ("JPY", false), ("UGX", false)] {
            assert_eq!(has_hundredths(currency), charges, "{currency}");
        }
    }
}

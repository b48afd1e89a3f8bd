//! The books: whose the money is that moved, in double entry. Each movement has an entry for the account that gives and one for each that
//! takes; together they are zero.

use rust_decimal::Decimal;

use super::{
    cancellation::CancellationPolicy,
    money::Money,
    price::{LineItemKind, Price},
};

/// Where money is, or whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// With the payment provider: what was collected and has not gone back. Positive.
    Provider,
    /// The guest's: collected, and to go back. Negative, as all that the marketplace owes.
    Guest,
    /// The host's earnings.
    Host,
    /// The marketplace's service fee.
    Fees,
    /// Tax on everything.
    Tax,
}

/// Why money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Movement {
    /// It was collected when the guest paid.
    Charge,
    /// It had been set aside, and was collected when the host accepted.
    Capture,
    /// It went back to the guest.
    Refund,
}

/// Parts of a sum, by whose they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shares {
    /// What is to go back to the guest anyway.
    pub guest: Money,
    /// Nights and cleaning.
    pub host: Money,
    /// The service fee.
    pub fees: Money,
    /// Tax.
    pub tax: Money,
}

impl Shares {
    /// The sum.
    #[must_use]
    pub fn total(self) -> Money {
        self.guest + self.host + self.fees + self.tax
    }

    /// What each account other than the provider's is given.
    #[must_use]
    pub fn by_account(self) -> [(Account, Money); 4] {
        [
            (Account::Guest, self.guest),
            (Account::Host, self.host),
            (Account::Fees, self.fees),
            (Account::Tax, self.tax),
        ]
    }
}

/// Whose a collected sum is. Of a stay that stands, each line's; what is more than its price is still the guest's, and so is all that was collected for a stay
/// that does not stand.
#[must_use]
pub fn collected(sum: Money, price: &Price, stands: bool) -> Shares {
    if !stands || price.total() > sum {
        return Shares {
            guest: sum,
            ..Shares::default()
        };
    }
    let (fees, tax) = (
        price.of(LineItemKind::ServiceFee),
        price.of(LineItemKind::Tax),
    );
    Shares {
        guest: sum - price.total(),
        host: price.total() - fees - tax,
        fees,
        tax,
    }
}

/// Whose money goes back, of what each has.
///
/// What is the guest's anyway goes first. Then, where the stay stood when it was owed, each gives in proportion, as its price became less. Where it was cancelled, the policy
/// says whether fees come back: with FLEXIBLE they do, and go first; otherwise they go last.
#[must_use]
pub fn given_back(sum: Money, has: Shares, stands: bool, policy: CancellationPolicy) -> Shares {
    let guest = sum.min(has.guest);
    let (rest, of) = (sum - guest, has.total() - has.guest);
    if rest >= of {
        // All of it; more than that can only be an error of the provider's, which is the host's to see.
        return Shares {
            guest,
            host: has.host + (rest - of),
            ..has
        };
    }
    let mut left = rest;
    let mut take = |has: Money| {
        let part = left.min(has);
        left = left - part;
        part
    };
    let (host, fees, tax) = if stands {
        let share = |has: Money| {
            let exact = Decimal::from(rest) * Decimal::from(has) / Decimal::from(of);
            Money::try_from(exact).unwrap_or_default()
        };
        let (fees, tax) = (take(share(has.fees)), take(share(has.tax)));
        (take(has.host), fees, tax)
    } else if policy == CancellationPolicy::Flexible {
        let (fees, tax) = (take(has.fees), take(has.tax));
        (take(has.host), fees, tax)
    } else {
        let host = take(has.host);
        (host, take(has.fees), take(has.tax))
    };
    // Rounding may leave a cent.
    Shares {
        guest,
        host,
        fees: fees + left,
        tax,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICIES: [CancellationPolicy; 3] = [
        CancellationPolicy::Flexible,
        CancellationPolicy::Moderate,
        CancellationPolicy::Strict,
    ];

    fn parts(guest: i64, host: i64, fees: i64, tax: i64) -> Shares {
        Shares {
            guest: Money::from_cents(guest),
            host: Money::from_cents(host),
            fees: Money::from_cents(fees),
            tax: Money::from_cents(tax),
        }
    }

    #[test]
    fn a_refund_comes_from_whose_the_policy_says_it_is() {
        let has = parts(0, 30_000, 3_000, 1_650);
        let back =
            |cents, stands, policy| given_back(Money::from_cents(cents), has, stands, policy);
        let (cancelled, stands) = (false, true);
        let [flexible, moderate, _] = POLICIES;
        // The first night of three stays the host's.
        assert_eq!(
            back(24_650, cancelled, flexible),
            parts(0, 20_000, 3_000, 1_650)
        );
        assert_eq!(back(15_000, cancelled, moderate), parts(0, 15_000, 0, 0));
        // A stay that became a third cheaper.
        assert_eq!(back(11_550, stands, moderate), parts(0, 10_000, 1_000, 550));
        assert_eq!(back(34_650, cancelled, moderate), has);
        let excess = Shares {
            guest: Money::from_cents(500),
            ..has
        };
        let first = given_back(Money::from_cents(700), excess, cancelled, moderate);
        assert_eq!(first, parts(500, 200, 0, 0));
    }

    proptest! {
        #[test]
        fn what_goes_back_is_the_whole_sum_and_of_nobody_more_than_is_there(
            has in (0_i64..5_000, 0_i64..500_000, 0_i64..50_000, 0_i64..50_000), sum in 0_i64..605_000, policy in 0_usize..3, stands: bool,
        ) {
            let has = parts(has.0, has.1, has.2, has.3);
            let sum = Money::from_cents(sum).min(has.total());
            let back = given_back(sum, has, stands, POLICIES[policy]);
            prop_assert_eq!(back.total(), sum);
            for ((_, part), (account, all)) in back.by_account().into_iter().zip(has.by_account()) {
                prop_assert!(part >= Money::ZERO && part <= all, "{account:?} {part:?} of {all:?}");
            }
        }
    }
}

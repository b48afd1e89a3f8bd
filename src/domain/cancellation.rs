//! What comes back when a paid booking is cancelled or changed. The preview and the refund both ask these functions.

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;

use super::{
    money::Money,
    price::{LineItemKind, Price},
    stay::Stay,
};

/// What a host promises to give back to a guest who cancels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CancellationPolicy {
    /// All until 24 hours before check-in; after that all but the first night.
    Flexible,
    /// All until 5 days before check-in; after that half of the nights.
    Moderate,
    /// All within 48 hours of booking if check-in is 14 days or more away; else half of the nights until 7 days before
    /// check-in, after that none.
    Strict,
}

/// Who takes the booking back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelledBy {
    /// The guest: the policy decides.
    Guest,
    /// The host, or an admin in the host's place: everything comes back.
    Host,
}

/// What a cancellation depends on, as it was frozen when the booking was made.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The host's promise.
    pub policy: CancellationPolicy,
    /// The dates.
    pub stay: Stay,
    /// The most that may still come back to a guest who cancels, once the stay was changed (see [`change`]).
    pub limit: Option<Money>,
    /// The property's time zone.
    pub zone: Tz,
    /// When the booking was made.
    pub booked_at: DateTime<Utc>,
    /// What was charged.
    pub price: &'a Price,
}

/// The stay has begun: there is no cancelling any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StayHasBegun;

/// How much of the nights comes back to a guest at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    All,
    AllButFirst,
    Half,
    None,
}

impl Terms<'_> {
    /// What the policy gives back at `at`. Deadlines count back from check-in at 15:00 local time, as elapsed hours; the moment itself
    /// still belongs to the kinder side.
    fn share(&self, at: DateTime<Utc>) -> Share {
        let ahead = self.stay.begins_at(self.zone) - at;
        match self.policy {
            CancellationPolicy::Flexible if ahead >= Duration::hours(24) => Share::All,
            CancellationPolicy::Flexible => Share::AllButFirst,
            CancellationPolicy::Moderate if ahead >= Duration::days(5) => Share::All,
            CancellationPolicy::Strict
                if at - self.booked_at <= Duration::hours(48) && ahead >= Duration::days(14) =>
            {
                Share::All
            }
            CancellationPolicy::Strict if ahead < Duration::days(7) => Share::None,
            CancellationPolicy::Moderate | CancellationPolicy::Strict => Share::Half,
        }
    }

    /// What comes back to a guest who cancels at `at`, before check-in.
    fn refund_to_guest(&self, at: DateTime<Utc>) -> Money {
        let total = self.price.total();
        let cleaning = self.price.of(LineItemKind::CleaningFee);
        let first_night = self.price.nights.first().copied().unwrap_or_default();
        let by_policy = match self.share(at) {
            Share::All => total,
            Share::AllButFirst => total - first_night,
            Share::Half => self.price.of(LineItemKind::Nights).half() + cleaning,
            Share::None => cleaning,
        };
        self.limit.map_or(by_policy, |limit| limit.min(by_policy))
    }
}

/// What comes back of the whole price when the booking is cancelled at `at`.
///
/// Where less than all of the nights comes back, the cleaning fee still does, and the marketplace's service fee and
/// tax come back only with FLEXIBLE. Half of an odd sum gives the odd cent to the guest.
///
/// # Errors
/// [`StayHasBegun`] from check-in on.
pub fn refund(terms: Terms<'_>, by: CancelledBy, at: DateTime<Utc>) -> Result<Money, StayHasBegun> {
    if at >= terms.stay.begins_at(terms.zone) {
        return Err(StayHasBegun);
    }
    Ok(match by {
        CancelledBy::Host => terms.price.total(),
        CancelledBy::Guest => terms.refund_to_guest(at),
    })
}

/// What changing a paid stay means for its money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// What comes back now.
    pub refund: Money,
    /// The most that may come back later, to a guest who cancels.
    pub limit: Money,
}

/// What comes back when a paid stay is changed at `at`, before check-in, to one that costs the same or less: the difference, but never more than
/// cancelling would give back at that moment; and of that, no more by cancelling afterwards. So nobody gets around the policy by booking fewer nights the
/// day before, or by moving a stay away and cancelling it then. The cleaning fee stays with a stay that has one.
///
/// `terms` are those of the stay before the change.
#[must_use]
pub fn change(terms: Terms<'_>, new: &Price, at: DateTime<Utc>) -> Change {
    let back = terms.refund_to_guest(at);
    let cleaning = new.of(LineItemKind::CleaningFee);
    let difference = terms.price.total() - new.total();
    let refund = difference.min(back - cleaning).max(Money::ZERO);
    Change {
        refund,
        limit: back - refund,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use chrono::{Days, NaiveDate};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::price::{Rates, Tariff, price_stay};

    const POLICIES: [CancellationPolicy; 3] = [
        CancellationPolicy::Flexible,
        CancellationPolicy::Moderate,
        CancellationPolicy::Strict,
    ];

    fn price(nights: u64) -> (Stay, Price) {
        let check_in: NaiveDate = "2027-06-20".parse().unwrap();
        let stay = Stay::between(check_in, check_in + Days::new(nights)).unwrap();
        let tariff = Tariff {
            per_night: Money::from_cents(10_001),
            cleaning_fee: Money::from_cents(3_000),
            own_prices: &HashMap::new(),
        };
        (
            stay,
            price_stay(
                stay,
                tariff,
                Rates {
                    service_percent: 10.into(),
                    tax_percent: 5.into(),
                },
            ),
        )
    }

    fn back(policy: CancellationPolicy, booked_days_before: i64, ahead: Duration) -> Money {
        let (stay, price) = price(3);
        let zone = chrono_tz::America::New_York;
        let begins = stay.begins_at(zone);
        let booked_at = begins - Duration::days(booked_days_before);
        refund(
            Terms {
                policy,
                stay,
                limit: None,
                zone,
                booked_at,
                price: &price,
            },
            CancelledBy::Guest,
            begins - ahead,
        )
        .unwrap()
    }

    #[test]
    fn flexible_gives_all_back_until_a_day_before_and_then_all_but_the_first_night() {
        let total = price(3).1.total();
        assert_eq!(
            back(CancellationPolicy::Flexible, 30, Duration::hours(24)),
            total
        );
        let late = back(
            CancellationPolicy::Flexible,
            30,
            Duration::hours(24) - Duration::seconds(1),
        );
        assert_eq!(late, total - Money::from_cents(10_001));
    }

    #[test]
    fn moderate_gives_half_of_the_nights_back_within_five_days() {
        assert_eq!(
            back(CancellationPolicy::Moderate, 30, Duration::days(5)),
            price(3).1.total()
        );
        // Three nights are 300.03; half of that with the odd cent, and the cleaning fee.
        assert_eq!(
            back(CancellationPolicy::Moderate, 30, Duration::days(4)),
            Money::from_cents(15_002 + 3_000)
        );
    }

    #[test]
    fn strict_gives_all_back_only_soon_after_booking_well_ahead() {
        assert_eq!(
            back(CancellationPolicy::Strict, 20, Duration::days(18)),
            price(3).1.total()
        );
        assert_eq!(
            back(CancellationPolicy::Strict, 20, Duration::days(17)),
            Money::from_cents(15_002 + 3_000)
        );
        assert_eq!(
            back(CancellationPolicy::Strict, 13, Duration::days(12)),
            Money::from_cents(15_002 + 3_000)
        );
        assert_eq!(
            back(CancellationPolicy::Strict, 20, Duration::days(6)),
            Money::from_cents(3_000)
        );
    }

    /// A priced stay of some nights from a date on, each at a price of its own.
    fn priced(check_in: NaiveDate, nights: &[i64]) -> (Stay, Price) {
        let stay = Stay::between(check_in, check_in + Days::new(nights.len() as u64)).unwrap();
        let own_prices = stay.nights().zip(nights);
        let own_prices = own_prices.map(|(night, cents)| (night, Money::from_cents(*cents)));
        let tariff = Tariff {
            per_night: Money::ZERO,
            cleaning_fee: Money::from_cents(3_000),
            own_prices: &own_prices.collect(),
        };
        let rates = Rates {
            service_percent: 10.into(),
            tax_percent: 5.into(),
        };
        (stay, price_stay(stay, tariff, rates))
    }

    proptest! {
        #[test]
        fn no_changes_get_more_out_of_a_policy_than_cancelling_did(
            policy in 0_usize..3,
            booked in 0_i64..60,
            stays in prop::collection::vec((0_u64..60, prop::collection::vec(100_i64..50_000, 1..8)), 2..5),
            waits in prop::collection::vec(0_i64..300, 4),
        ) {
            let first: NaiveDate = "2027-06-20".parse().unwrap();
            let zone = chrono_tz::UTC;
            let (mut stay, mut price) = priced(first, &stays[0].1);
            let booked_at = stay.begins_at(zone) - Duration::days(booked) - Duration::hours(400);
            let mut at = booked_at + Duration::days(booked);
            let (mut limit, mut had) = (None, Money::ZERO);
            // The least that cancelling would have given, whenever it was; all of it while the policy gives all.
            let mut least = price.total();
            for ((away, nights), wait) in stays[1..].iter().zip(waits) {
                at += Duration::hours(wait);
                let terms = Terms { policy: POLICIES[policy], stay, limit, zone, booked_at, price: &price };
                let Ok(back) = refund(terms, CancelledBy::Guest, at) else { break };
                least = least.min(had + back);
                let (next, cheaper) = priced(first + Days::new(*away), nights);
                if cheaper.total() > price.total() {
                    continue;
                }
                let Change { refund: now, limit: later } = change(terms, &cheaper, at);
                prop_assert!(now <= price.total() - cheaper.total());
                had = had + now;
                (stay, price, limit) = (next, cheaper, Some(later));
                let terms = Terms { policy: POLICIES[policy], stay, limit, zone, booked_at, price: &price };
                // At once, or as early as can be: long before a stay that was moved away.
                for at in [at, booked_at] {
                    if let Ok(back) = refund(terms, CancelledBy::Guest, at) {
                        prop_assert!(had + back <= least, "{had:?} and {back:?} of {least:?}");
                    }
                }
            }
        }

        #[test]
        fn a_refund_is_within_the_price_and_never_grows_with_waiting(
            policy in 0_usize..3, nights in 1_u64..20, booked in 0_i64..60, first in 1_i64..2000, second in 1_i64..2000,
        ) {
            let (stay, price) = price(nights);
            let zone = chrono_tz::UTC;
            let begins = stay.begins_at(zone);
            let booked_at = begins - Duration::days(booked);
            let (far, near) = (first.max(second), first.min(second));
            let at = |hours| refund(
                Terms { policy: POLICIES[policy], stay, limit: None, zone, booked_at, price: &price },
                CancelledBy::Guest,
                (begins - Duration::hours(hours)).max(booked_at),
            );
            if booked > 0 {
                let (early, late) = (at(far).unwrap(), at(near).unwrap());
                prop_assert!(late <= early);
                prop_assert!(early <= price.total());
                prop_assert!(late >= price.of(LineItemKind::CleaningFee));
            }
        }

        #[test]
        fn a_host_gives_everything_back_and_nobody_cancels_a_begun_stay(policy in 0_usize..3, hours in 1_i64..2000) {
            let (stay, price) = price(2);
            let begins = stay.begins_at(chrono_tz::UTC);
            let terms = Terms { policy: POLICIES[policy], stay, limit: None, zone: chrono_tz::UTC, booked_at: begins - Duration::days(90), price: &price };
            prop_assert_eq!(refund(terms, CancelledBy::Host, begins - Duration::hours(hours)), Ok(price.total()));
            prop_assert_eq!(refund(terms, CancelledBy::Host, begins), Err(StayHasBegun));
            prop_assert_eq!(refund(terms, CancelledBy::Guest, begins + Duration::hours(hours)), Err(StayHasBegun));
        }
    }
}

//! Every change of a clock, in every time zone of the world, of 2026 to 2030: what today is, when stays begin and end, how many nights they
//! have, and on which side of a deadline a moment lies.

use std::collections::HashMap;

use chrono::{DateTime, Days, Duration, NaiveDate, NaiveTime, Offset as _, TimeZone as _, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::{
    cancellation::{CancellationPolicy, CancelledBy, StayHasBegun, Terms, refund},
    clock::local_date,
    money::Money,
    price::{Price, Rates, Tariff, price_stay},
    stay::Stay,
};

/// Less than this is no moment in the databases.
const MOMENT: Duration = Duration::microseconds(1);

/// By how much clocks in a zone are ahead of UTC.
fn ahead(zone: Tz, at: DateTime<Utc>) -> Duration {
    let offset = zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    Duration::seconds(offset.local_minus_utc().into())
}

/// Each zone with the first moments at which its clocks show something else than they would have.
fn changes() -> Vec<(Tz, Vec<DateTime<Utc>>)> {
    let day = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let (first, last) = (day("2026-01-01T00:00:00Z"), day("2031-01-01T00:00:00Z"));
    let mut all = Vec::new();
    for zone in TZ_VARIANTS {
        let (mut at, mut found) = (first, Vec::new());
        while at < last {
            let next = at + Duration::days(1);
            if ahead(zone, at) != ahead(zone, next) {
                // Found by halves, to the second.
                let (mut before, mut after) = (at, next);
                while after - before > Duration::seconds(1) {
                    let middle = before + Duration::seconds((after - before).num_seconds() / 2);
                    if ahead(zone, middle) == ahead(zone, at) {
                        before = middle;
                    } else {
                        after = middle;
                    }
                }
                found.push(after);
            }
            at = next;
        }
        all.push((zone, found));
    }
    all
}

/// Does something for each zone and each day before, of and after one of its changes; some days for zones without any.
fn near_changes(mut check: impl FnMut(Tz, DateTime<Utc>, NaiveDate)) {
    let (mut zones, mut days) = (0, 0);
    for (zone, mut changes) in changes() {
        zones += 1;
        if changes.is_empty() {
            changes = vec!["2028-02-29T00:00:00Z".parse().unwrap()];
        }
        for change in changes {
            let day = (change + ahead(zone, change - MOMENT)).date_naive();
            for date in [day - Days::new(1), day, day + Days::new(1)] {
                days += 1;
                check(zone, change, date);
            }
        }
    }
    // What was looked through was the world, and not nothing.
    assert!(zones > 500 && days > 5_000, "{zones} zones, {days} days");
}

fn price(stay: Stay) -> Price {
    let tariff = Tariff {
        per_night: Money::from_cents(10_001),
        cleaning_fee: Money::from_cents(3_000),
        own_prices: &HashMap::new(),
    };
    price_stay(stay, tariff, Rates::default())
}

#[test]
fn today_is_what_the_wall_shows_around_every_change_of_a_clock() {
    near_changes(|zone, change, _| {
        let hours = (-26..=26).map(|hour| change + Duration::hours(hour));
        for at in hours.chain([change - MOMENT, change + MOMENT]) {
            let wall = (at.naive_utc() + ahead(zone, at)).date();
            assert_eq!(local_date(at, zone), wall, "{zone} at {at}");
        }
    });
}

#[test]
fn a_stay_begins_at_three_and_ends_with_the_first_moment_of_its_last_date_around_every_change() {
    near_changes(|zone, _, date| {
        let stay = Stay::between(date, date + Days::new(1)).unwrap();
        let begins = stay.begins_at(zone);
        let wall = begins.naive_utc() + ahead(zone, begins);
        let three = NaiveTime::from_hms_opt(15, 0, 0).unwrap();
        assert_eq!(wall, date.and_time(three), "{zone}");
        let ends = stay.ends_at(zone);
        assert_eq!(local_date(ends, zone), stay.check_out(), "{zone}");
        assert_eq!(
            local_date(ends - MOMENT, zone),
            date,
            "{zone}: the moment before is still of the last night's date"
        );
        assert!(begins < ends, "{zone}");
    });
}

#[test]
fn a_stay_over_a_change_has_as_many_nights_as_days_lie_between_its_dates() {
    near_changes(|zone, _, date| {
        for (before, nights) in [(0, 1), (1, 2), (2, 3), (3, 14)] {
            let check_in = date - Days::new(before);
            let stay = Stay::between(check_in, check_in + Days::new(nights)).unwrap();
            let dates: Vec<_> = stay.nights().collect();
            assert_eq!(stay.night_count(), i64::try_from(nights).unwrap());
            assert_eq!(dates.len(), usize::try_from(nights).unwrap());
            assert!(
                dates
                    .windows(2)
                    .all(|pair| pair[1] - pair[0] == Duration::days(1))
            );
            assert_eq!(price(stay).nights.len(), dates.len());
            // An hour more or less is no night more or less; no zone changes by more than three.
            let lasts = stay.ends_at(zone) - stay.begins_at(zone);
            let usual = Duration::hours(24 * i64::try_from(nights).unwrap() - 15);
            assert!(
                (lasts - usual).abs() <= Duration::hours(3),
                "{zone}: {lasts}"
            );
        }
    });
}

#[test]
fn deadlines_are_elapsed_hours_before_check_in_around_every_change() {
    use CancellationPolicy::{Flexible, Moderate, Strict};

    near_changes(|zone, _, date| {
        // The change lies between the deadline and check-in, or on the day of either.
        for (policy, hours) in [
            (Flexible, 24),
            (Moderate, 5 * 24),
            (Strict, 14 * 24),
            (Strict, 7 * 24),
        ] {
            for later in [0, hours / 24, hours / 48] {
                let check_in = date + Duration::days(later);
                let stay = Stay::between(check_in, check_in + Days::new(3)).unwrap();
                let price = price(stay);
                let begins = stay.begins_at(zone);
                let deadline = begins - Duration::hours(hours);
                let fresh = hours == 14 * 24;
                let terms = Terms {
                    policy,
                    stay,
                    limit: None,
                    zone,
                    booked_at: if fresh {
                        deadline - Duration::hours(1)
                    } else {
                        begins - Duration::days(60)
                    },
                    price: &price,
                };
                let back = |at| refund(terms, CancelledBy::Guest, at).unwrap();
                let half = Money::from_cents(15_002 + 3_000);
                let (kind, strict) = match policy {
                    Flexible => (price.total(), price.total() - Money::from_cents(10_001)),
                    Moderate => (price.total(), half),
                    Strict if fresh => (price.total(), half),
                    Strict => (half, Money::from_cents(3_000)),
                };
                assert_eq!(back(deadline - MOMENT), kind, "{zone} {date} {policy:?}");
                assert_eq!(
                    back(deadline),
                    kind,
                    "{zone} {date} {policy:?}: the moment itself"
                );
                assert_eq!(back(deadline + MOMENT), strict, "{zone} {date} {policy:?}");
                assert_eq!(
                    refund(terms, CancelledBy::Host, begins - MOMENT),
                    Ok(price.total())
                );
                assert_eq!(refund(terms, CancelledBy::Guest, begins), Err(StayHasBegun));
            }
        }
    });
}

#[test]
fn forty_eight_hours_of_booking_are_elapsed_hours_over_every_change() {
    near_changes(|zone, change, date| {
        let stay = Stay::between(date + Days::new(40), date + Days::new(42)).unwrap();
        let price = price(stay);
        for earlier in [0, 24, 47, 48] {
            let booked_at = change - Duration::hours(earlier);
            let terms = Terms {
                policy: CancellationPolicy::Strict,
                stay,
                limit: None,
                zone,
                booked_at,
                price: &price,
            };
            let back = |at| refund(terms, CancelledBy::Guest, at).unwrap();
            let end = booked_at + Duration::hours(48);
            assert_eq!(back(end - MOMENT), price.total(), "{zone} {booked_at}");
            assert_eq!(
                back(end),
                price.total(),
                "{zone} {booked_at}: the moment itself"
            );
            assert!(back(end + MOMENT) < price.total(), "{zone} {booked_at}");
        }
    });
}

//! A stay: the nights between two dates of a property's own calendar.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::problem::Problem;

/// The most nights one stay may have.
pub const MAX_NIGHTS: i64 = 365;
/// How many days ahead of today the last day of a stay may lie.
pub const MAX_DAYS_AHEAD: u64 = 730;

/// The half-open range `[check_in, check_out)`: the check-out day is free for the next guest. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stay {
    check_in: NaiveDate,
    check_out: NaiveDate,
}

impl Stay {
    /// Parses a stay to come. `today` is the date at the property.
    ///
    /// # Errors
    /// `INVALID` when it has no night, more than [`MAX_NIGHTS`], begins before today, or ends more than [`MAX_DAYS_AHEAD`]
    /// days ahead.
    pub fn parse(
        check_in: NaiveDate,
        check_out: NaiveDate,
        today: NaiveDate,
    ) -> Result<Self, Problem> {
        let stay = Self::between(check_in, check_out)?;
        if check_in < today {
            return Err(Problem::invalid(
                "checkIn",
                format!("A stay can't begin in the past; today is {today} at the property."),
            ));
        }
        if check_out > today + Days::new(MAX_DAYS_AHEAD) {
            return Err(Problem::invalid(
                "checkOut",
                format!("A stay ends at most {MAX_DAYS_AHEAD} days ahead."),
            ));
        }
        Ok(stay)
    }

    /// A stay at any time, past ones too.
    ///
    /// # Errors
    /// `INVALID` when it has no night, or more than [`MAX_NIGHTS`].
    pub fn between(check_in: NaiveDate, check_out: NaiveDate) -> Result<Self, Problem> {
        let nights = (check_out - check_in).num_days();
        if nights < 1 {
            return Err(Problem::invalid(
                "checkOut",
                "The check-out date must be after the check-in date.",
            ));
        }
        if nights > MAX_NIGHTS {
            return Err(Problem::invalid(
                "checkOut",
                format!("A stay has at most {MAX_NIGHTS} nights."),
            ));
        }
        Ok(Self {
            check_in,
            check_out,
        })
    }

    /// The date of the first night.
    #[must_use]
    pub const fn check_in(self) -> NaiveDate {
        self.check_in
    }

    /// The day after the last night.
    #[must_use]
    pub const fn check_out(self) -> NaiveDate {
        self.check_out
    }

    /// The date of each night, first to last.
    pub fn nights(self) -> impl Iterator<Item = NaiveDate> {
        self.check_in
            .iter_days()
            .take_while(move |night| *night < self.check_out)
    }

    /// Whether a night is one of it.
    #[must_use]
    pub fn has(self, night: NaiveDate) -> bool {
        (self.check_in..self.check_out).contains(&night)
    }

    /// How many nights.
    #[must_use]
    pub fn night_count(self) -> i64 {
        (self.check_out - self.check_in).num_days()
    }

    /// The moment at which it begins: 15:00 on the check-in date by the clocks of `zone`.
    #[must_use]
    pub fn begins_at(self, zone: Tz) -> DateTime<Utc> {
        check_in_at(self.check_in, zone)
    }

    /// The moment at which it is over: the first of the check-out date by the clocks of `zone`.
    #[must_use]
    pub fn ends_at(self, zone: Tz) -> DateTime<Utc> {
        instant(self.check_out.and_time(NaiveTime::MIN), zone)
    }
}

/// Check-in time on a date: 15:00 by the clocks of `zone`.
#[must_use]
pub fn check_in_at(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let three = NaiveTime::from_hms_opt(15, 0, 0).unwrap_or_default();
    instant(date.and_time(three), zone)
}

/// The instant of a local time. A time that occurs twice (clocks set back) means the first; one that is skipped
/// (clocks set forward) means the first moment after the gap's start that exists.
fn instant(local: chrono::NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let exists = |local: &chrono::NaiveDateTime| zone.from_local_datetime(local).earliest();
    // No zone has skipped more than a whole day (Samoa did, on 2011-12-30).
    (0..=24 * 4)
        .find_map(|quarter| exists(&(local + chrono::Duration::minutes(15 * quarter))))
        .map_or_else(|| local.and_utc(), |found| found.with_timezone(&Utc))
}

/// A range of dates `[from, to)` to look at, of at most 366 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateRange {
    /// The first date.
    pub from: NaiveDate,
    /// The date after the last.
    pub to: NaiveDate,
}

impl DateRange {
    /// Parses a range.
    ///
    /// # Errors
    /// `INVALID` when it is empty or longer than 366 days.
    pub fn parse(from: NaiveDate, to: NaiveDate) -> Result<Self, Problem> {
        let days = (to - from).num_days();
        if (1..=366).contains(&days) {
            Ok(Self { from, to })
        } else {
            Err(Problem::invalid(
                "to",
                "Give a range of 1 to 366 days: `to` is the day after the last.",
            ))
        }
    }

    /// Each date, first to last.
    pub fn dates(self) -> impl Iterator<Item = NaiveDate> {
        self.from
            .iter_days()
            .take_while(move |date| *date < self.to)
    }
}

impl From<Stay> for DateRange {
    fn from(stay: Stay) -> Self {
        Self {
            from: stay.check_in,
            to: stay.check_out,
        }
    }
}

/// The dates as text ranges (`2027-03-01 to 2027-03-04`), for messages.
#[must_use]
pub fn describe_nights(nights: &[NaiveDate]) -> String {
    let mut runs: Vec<(NaiveDate, NaiveDate)> = Vec::new();
    for &night in nights {
        match runs.last_mut() {
            Some((_, last)) if *last + Days::new(1) == night => *last = night,
            _ => runs.push((night, night)),
        }
    }
    let texts: Vec<_> = runs
        .into_iter()
        .map(|(first, last)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first} to {last}")
            }
        })
        .collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_stay_needs_a_night_and_has_at_most_a_year() {
        let today = date("2027-01-01");
        assert!(Stay::parse(date("2027-02-01"), date("2027-02-01"), today).is_err());
        assert!(Stay::parse(date("2027-02-02"), date("2027-02-01"), today).is_err());
        assert!(Stay::parse(date("2027-02-01"), date("2028-02-01"), today).is_ok());
        assert!(Stay::parse(date("2027-02-01"), date("2028-02-02"), today).is_err());
        assert!(Stay::parse(date("2026-12-31"), date("2027-01-02"), today).is_err());
        assert!(Stay::parse(date("2028-12-30"), date("2028-12-31"), today).is_ok());
        assert!(Stay::parse(date("2028-12-31"), date("2029-01-01"), today).is_err());
    }

    #[test]
    fn a_stay_begins_at_three_in_the_afternoon_where_the_property_is() {
        let stay = Stay::between(date("2027-07-01"), date("2027-07-02")).unwrap();
        assert_eq!(
            stay.begins_at(chrono_tz::Europe::Lisbon).to_rfc3339(),
            "2027-07-01T14:00:00+00:00"
        );
        assert_eq!(
            stay.begins_at(chrono_tz::Asia::Tokyo).to_rfc3339(),
            "2027-07-01T06:00:00+00:00"
        );
    }

    #[test]
    fn midnight_that_a_clock_change_skips_is_the_first_moment_of_that_day() {
        // Beirut sets its clocks forward at midnight.
        let stay = Stay::between(date("2027-03-27"), date("2027-03-28")).unwrap();
        assert_eq!(
            stay.ends_at(chrono_tz::Asia::Beirut).to_rfc3339(),
            "2027-03-27T22:00:00+00:00"
        );
    }

    #[test]
    fn nights_are_described_as_runs() {
        let nights = ["2027-03-01", "2027-03-02", "2027-03-05"].map(date);
        assert_eq!(
            describe_nights(&nights),
            "2027-03-01 to 2027-03-02, 2027-03-05"
        );
    }

    proptest! {
        #[test]
        fn a_stay_has_as_many_nights_as_days_between_its_dates(start in 0_u64..3000, length in 1_i64..=MAX_NIGHTS) {
            let check_in = date("2024-01-01") + Days::new(start);
            let check_out = check_in + chrono::Duration::days(length);
            let stay = Stay::between(check_in, check_out).unwrap();
            let nights: Vec<_> = stay.nights().collect();
            prop_assert_eq!(i64::try_from(nights.len()).unwrap(), length);
            prop_assert_eq!(nights[0], check_in);
            prop_assert!(!nights.contains(&check_out));
        }

        #[test]
        fn every_stay_begins_and_ends_somewhere_on_its_own_dates_in_every_zone(start in 0_u64..3000, zone in 0..chrono_tz::TZ_VARIANTS.len()) {
            let zone = chrono_tz::TZ_VARIANTS[zone];
            let check_in = date("2024-01-01") + Days::new(start);
            let stay = Stay::between(check_in, check_in + Days::new(1)).unwrap();
            prop_assert_eq!(stay.begins_at(zone).with_timezone(&zone).date_naive(), check_in);
            prop_assert_eq!(stay.ends_at(zone).with_timezone(&zone).date_naive(), stay.check_out());
        }
    }
}

//! Which backups stay: the newest of each of the last days, weeks and months that have one.

use std::collections::HashSet;

use chrono::{DateTime, Datelike as _, Utc};

/// How many are kept of each kind. Days, weeks (by ISO 8601, from Monday) and months are those of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How many days that have a backup.
    pub daily: u32,
    /// How many weeks that have one.
    pub weekly: u32,
    /// How many months that have one.
    pub monthly: u32,
}

impl Retention {
    /// Which of these moments stay, in the order in which they are given. The newest one always does. A day without a backup counts for
    /// nothing: whoever made none for a month keeps what there was before.
    #[must_use]
    pub fn keeps(self, moments: &[DateTime<Utc>]) -> Vec<bool> {
        let mut newest_first: Vec<_> = (0..moments.len()).collect();
        newest_first.sort_by_key(|index| std::cmp::Reverse(moments[*index]));
        let mut keeps = vec![false; moments.len()];
        if let Some(newest) = newest_first.first() {
            keeps[*newest] = true;
        }
        let day = |at: DateTime<Utc>| (at.year(), at.ordinal());
        let week = |at: DateTime<Utc>| (at.iso_week().year(), at.iso_week().week());
        let month = |at: DateTime<Utc>| (at.year(), at.month());
        let mut keep = |most: u32, period: &dyn Fn(DateTime<Utc>) -> (i32, u32)| {
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let mut periods = HashSet::new();
            for index in &newest_first {
                if periods.len() == most {
                    break;
                }
                if periods.insert(period(moments[*index])) {
                    keeps[*index] = true;
                }
            }
        };
        keep(self.daily, &day);
        keep(self.weekly, &week);
        keep(self.monthly, &month);
        keeps
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("{text}:00Z").parse().unwrap()
    }

    fn kept(daily: u32, weekly: u32, monthly: u32, moments: &[&str]) -> Vec<String> {
        let retention = Retention {
            daily,
            weekly,
            monthly,
        };
        let parsed: Vec<_> = moments.iter().map(|text| at(text)).collect();
        let kept = retention.keeps(&parsed).into_iter().zip(moments);
        kept.filter(|(keeps, _)| *keeps)
            .map(|(_, text)| (*text).to_owned())
            .collect()
    }

    #[test]
    fn of_each_day_the_newest_stays_whatever_their_order() {
        let three = ["2027-03-10T03:00", "2027-03-10T15:00", "2027-03-09T03:00"];
        assert_eq!(kept(7, 0, 0, &three), [three[1], three[2]]);
        assert_eq!(kept(1, 0, 0, &three), [three[1]]);
    }

    #[test]
    fn the_newest_stays_even_where_nothing_is_to_be_kept() {
        let two = ["2027-03-10T03:00", "2027-03-09T03:00"];
        assert_eq!(kept(0, 0, 0, &two), [two[0]]);
        assert_eq!(kept(0, 0, 0, &[]), Vec::<String>::new());
    }

    #[test]
    fn days_without_a_backup_count_for_nothing() {
        let old = ["2026-01-05T03:00", "2026-01-04T03:00", "2025-12-01T03:00"];
        assert_eq!(kept(3, 0, 0, &old), old);
    }

    #[test]
    fn a_week_begins_on_monday_and_may_belong_to_the_year_before() {
        // 2027-01-03 is a Sunday of the last week of 2026.
        let four = [
            "2027-01-04T03:00",
            "2027-01-03T03:00",
            "2027-01-01T03:00",
            "2026-12-28T03:00",
        ];
        assert_eq!(kept(0, 2, 0, &four), [four[0], four[1]]);
    }

    #[test]
    fn two_years_of_nights_come_down_to_the_defaults() {
        let now = at("2027-03-10T03:00");
        let nights: Vec<_> = (0..730).map(|days| now - Duration::days(days)).collect();
        let retention = Retention {
            daily: 7,
            weekly: 5,
            monthly: 12,
        };
        let kept: Vec<_> = retention
            .keeps(&nights)
            .into_iter()
            .zip(&nights)
            .filter(|(keeps, _)| *keeps)
            .map(|(_, at)| at.date_naive().to_string())
            .collect();
        assert_eq!(kept.len(), 20, "{kept:?}");
        assert_eq!(kept[..7].last().unwrap(), "2027-03-04");
        assert_eq!(kept.last().unwrap(), "2026-04-30");
    }
}

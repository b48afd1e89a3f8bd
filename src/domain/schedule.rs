//! When something is to be done again and again, as cron has it.

use std::str::FromStr as _;

use chrono::{DateTime, Utc};
use croner::Cron;

/// Moments that come back, in UTC: `0 3 * * *` is every night at three.
#[derive(Debug, Clone)]
pub struct Schedule(Cron);

impl Schedule {
    /// Reads five fields (minute, hour, day of the month, month, day of the week), or a word such as `@daily`.
    ///
    /// # Errors
    /// What is wrong with it, in one sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        match Cron::from_str(text.trim()) {
            Ok(cron) if text.trim().starts_with('@') || text.split_whitespace().count() == 5 => {
                Ok(Self(cron))
            }
            Ok(_) => Err("it has five fields: minute, hour, day, month, day of the week".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The last of its moments that is not after `now`. None where there never was one.
    #[must_use]
    pub fn last(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.0.find_previous_occurrence(&now, true).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(schedule: &str, now: &str) -> String {
        let schedule = Schedule::parse(schedule).unwrap();
        let last = schedule.last(now.parse().unwrap()).unwrap();
        last.format("%FT%T").to_string()
    }

    #[test]
    fn the_last_moment_is_now_or_before() {
        let night = "0 3 * * *";
        assert_eq!(last(night, "2027-03-10T03:00:00Z"), "2027-03-10T03:00:00");
        assert_eq!(
            last(night, "2027-03-10T02:59:59.999999Z"),
            "2027-03-09T03:00:00"
        );
        assert_eq!(
            last("@hourly", "2027-03-10T12:00:01.5Z"),
            "2027-03-10T12:00:00"
        );
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in ["", "daily", "24", "* * * * * *", "61 * * * *"] {
            assert!(Schedule::parse(text).is_err(), "{text}");
        }
    }
}

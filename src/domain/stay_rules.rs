//! What a host asks of a stay. Search, quote and booking go by these rules alone; the search has them once more in SQL.

use chrono::{Days, NaiveDate};

use super::{
    problem::{Problem, ProblemCode},
    stay::Stay,
};

/// The most nights that a host may take, the same as [`super::stay::MAX_NIGHTS`].
pub const LONGEST: i32 = 365;
/// The longest notice that a host may ask for, in days.
pub const MAX_NOTICE: i32 = 365;
/// The most nights that a host may keep free between two bookings.
pub const MAX_PREPARATION: i32 = 30;

/// What a host asks of a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StayRules {
    /// How many the property sleeps.
    pub max_guests: i32,
    /// The fewest nights.
    pub min_nights: i32,
    /// The most nights.
    pub max_nights: i32,
    /// How many days before check-in a stay must be booked; 0 allows today.
    pub advance_notice_days: i32,
}

impl StayRules {
    /// Parses a stay to come. `today` is the date at the property.
    ///
    /// # Errors
    /// Every mistake: `INVALID` dates as [`Stay::parse`] has them, and what [`Self::problems`] has.
    pub fn parse(
        self,
        check_in: NaiveDate,
        check_out: NaiveDate,
        guests: i32,
        today: NaiveDate,
    ) -> Result<Stay, Vec<Problem>> {
        match Stay::parse(check_in, check_out, today) {
            Ok(stay) => {
                let problems = self.problems(stay, guests, today);
                if problems.is_empty() {
                    Ok(stay)
                } else {
                    Err(problems)
                }
            }
            Err(problem) => Err([Some(problem), self.check_guests(guests).err()]
                .into_iter()
                .flatten()
                .collect()),
        }
    }

    /// What speaks against a stay: `INVALID` with more or fewer nights than the host takes, a check-in before the notice is over, or no
    /// guest; `TOO_MANY_GUESTS`.
    #[must_use]
    pub fn problems(self, stay: Stay, guests: i32, today: NaiveDate) -> Vec<Problem> {
        let checks = [
            self.check_length(stay),
            self.check_notice(stay, today),
            self.check_guests(guests),
        ];
        checks.into_iter().filter_map(Result::err).collect()
    }

    /// The first date on which a stay may begin.
    #[must_use]
    pub fn earliest(self, today: NaiveDate) -> NaiveDate {
        today + Days::new(u64::from(self.advance_notice_days.unsigned_abs()))
    }

    /// Checks a number of guests.
    ///
    /// # Errors
    /// `INVALID` below one, `TOO_MANY_GUESTS` above what the property sleeps.
    pub fn check_guests(self, guests: i32) -> Result<(), Problem> {
        if guests < 1 {
            return Err(Problem::invalid("guests", "At least one guest stays."));
        }
        if guests > self.max_guests {
            return Err(Problem::new(
                "guests",
                ProblemCode::TooManyGuests,
                format!("This property sleeps at most {}.", self.max_guests),
            ));
        }
        Ok(())
    }

    fn check_length(self, stay: Stay) -> Result<(), Problem> {
        let nights = stay.night_count();
        let message = if nights < i64::from(self.min_nights) {
            format!("A stay here has at least {} nights.", self.min_nights)
        } else if nights > i64::from(self.max_nights) {
            format!("A stay here has at most {} nights.", self.max_nights)
        } else {
            return Ok(());
        };
        Err(Problem::invalid("checkOut", message))
    }

    fn check_notice(self, stay: Stay, today: NaiveDate) -> Result<(), Problem> {
        let earliest = self.earliest(today);
        if stay.check_in() >= earliest {
            return Ok(());
        }
        Err(Problem::invalid(
            "checkIn",
            format!("This host asks for notice: the first check-in is on {earliest}."),
        ))
    }
}

/// Checks the fewest and the most nights of a stay against each other.
///
/// # Errors
/// `INVALID` when the fewest are more than the most.
pub fn check_lengths(min_nights: i32, max_nights: i32) -> Result<(), Problem> {
    if min_nights <= max_nights {
        return Ok(());
    }
    let message = "The fewest nights can't be more than the most.";
    Err(Problem::invalid("minNights", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: StayRules = StayRules {
        max_guests: 2,
        min_nights: 2,
        max_nights: 4,
        advance_notice_days: 3,
    };

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn fields(check_in: &str, check_out: &str, guests: i32) -> Vec<String> {
        RULES
            .parse(date(check_in), date(check_out), guests, date("2027-03-01"))
            .err()
            .unwrap_or_default()
            .iter()
            .map(|problem| problem.field.join("."))
            .collect()
    }

    #[test]
    fn a_stay_keeps_to_all_that_the_host_asks() {
        assert!(fields("2027-03-04", "2027-03-06", 2).is_empty());
        assert!(fields("2027-03-04", "2027-03-08", 1).is_empty());
        assert_eq!(fields("2027-03-03", "2027-03-06", 2), ["checkIn"]);
        assert_eq!(fields("2027-03-04", "2027-03-05", 2), ["checkOut"]);
        assert_eq!(fields("2027-03-04", "2027-03-09", 2), ["checkOut"]);
        assert_eq!(
            fields("2027-03-02", "2027-03-03", 3),
            ["checkOut", "checkIn", "guests"]
        );
    }
}

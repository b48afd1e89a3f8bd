//! Places that were taken ahead: of those that ask often, only every so manieth call asks Redis.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Duration, Utc};
use moka::sync::Cache;

use crate::domain::rate::{Quota, Taken};

/// What was taken ahead, by keys. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Credits(Cache<String, Arc<Mutex<Credit>>>);

/// Places that were taken and not used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Credit {
    places: u32,
    every: Duration,
    /// When all that is taken is free again; then these are worth nothing any more.
    free_at: DateTime<Utc>,
    /// How many were left when they were taken.
    left: u32,
}

impl Credit {
    pub(super) fn new(places: u32, quota: Quota, taken: Taken, now: DateTime<Utc>) -> Self {
        Self {
            places,
            every: quota.every,
            free_at: now + taken.whole_in,
            left: taken.left,
        }
    }

    pub(super) const fn places(self) -> u32 {
        self.places
    }

    /// What is taken by those who know nothing of what was taken ahead.
    fn taken(self, now: DateTime<Utc>) -> Taken {
        let unused = self.every * i32::try_from(self.places).unwrap_or(i32::MAX);
        Taken {
            arrival: self.free_at - unused,
            left: self.left.saturating_add(self.places),
            whole_in: self.free_at - unused - now,
        }
    }
}

impl Credits {
    pub(super) fn with_room_for(keys: u64) -> Self {
        Self(Cache::new(keys))
    }

    /// Takes some places, if as many were taken ahead and are still worth something.
    ///
    /// # Errors
    /// What there was, which is taken with it: give it back where it is of no use.
    pub(super) fn take(&self, key: &str, places: u32, now: DateTime<Utc>) -> Result<Taken, Credit> {
        let Some(kept) = self.0.get(key) else {
            return Err(Credit::default());
        };
        let mut credit = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if credit.free_at <= now {
            credit.places = 0;
        }
        if credit.places < places {
            return Err(std::mem::take(&mut *credit));
        }
        credit.places -= places;
        Ok(credit.taken(now))
    }

    /// Keeps what was taken ahead, and gives what is taken without it.
    pub(super) fn keep(&self, key: String, credit: Credit, now: DateTime<Utc>) -> Taken {
        let taken = credit.taken(now);
        self.give_back(key, credit);
        taken
    }

    /// Gives back what was taken, unless others have taken more ahead by now: then it lapses.
    pub(super) fn give_back(&self, key: String, credit: Credit) {
        if credit.places > 0 {
            self.0.insert(key, Arc::new(Mutex::new(credit)));
        }
    }

    pub(super) fn forget(&self, key: &str) {
        self.0.invalidate(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_ahead_is_given_once_and_not_after_it_is_free_again() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let quota = Quota {
            burst: 100,
            every: Duration::seconds(1),
        };
        let taken = quota.take_some(6, None, now).unwrap();
        let credits = Credits::with_room_for(10);
        let credit = Credit::new(5, quota, taken, now);
        let first = credits.keep("a".to_owned(), credit, now);
        assert_eq!((first.left, first.whole_in), (99, quota.every));
        let next = credits.take("a", 3, now).unwrap();
        assert_eq!((next.left, next.whole_in), (96, quota.every * 4));
        let rest = credits.take("a", 3, now).unwrap_err();
        assert_eq!(rest.places(), 2, "as many were left");
        assert_eq!(credits.take("a", 1, now).unwrap_err().places(), 0);
        credits.give_back("a".to_owned(), rest);
        assert_eq!(credits.take("b", 1, now).unwrap_err().places(), 0);
        assert!(credits.take("a", 1, now + quota.every * 5).is_ok());
        let late = credits.take("a", 1, now + quota.every * 6);
        assert_eq!(late.unwrap_err().places(), 0);
    }
}

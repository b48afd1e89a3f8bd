//! The limiter inside of a process.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Duration, Utc};

use crate::domain::rate::{Quota, Taken};

/// The theoretical arrival time of each key.
type Arrivals = HashMap<String, DateTime<Utc>>;

/// What each key has taken, for a bounded number of keys.
///
/// A cache by recency would let an attacker wash out the key that holds him up, by trying many others. Here the keys that are nearest to
/// being free again go first, and those have the least to lose.
#[derive(Debug)]
pub(super) struct Local {
    arrivals: Mutex<Arrivals>,
    capacity: usize,
}

impl Local {
    pub(super) fn with_room_for(capacity: usize) -> Self {
        Self {
            arrivals: Mutex::default(),
            capacity,
        }
    }

    pub(super) fn take(
        &self,
        key: String,
        quota: Quota,
        places: u32,
        now: DateTime<Utc>,
    ) -> Result<Taken, Duration> {
        let mut arrivals = self.lock();
        let taken = quota.take_some(places, arrivals.get(&key).copied(), now)?;
        if arrivals.len() >= self.capacity && !arrivals.contains_key(&key) {
            self.make_room(&mut arrivals, now);
        }
        arrivals.insert(key, taken.arrival);
        Ok(taken)
    }

    pub(super) fn give_back(&self, key: &str, quota: Quota, places: u32, now: DateTime<Utc>) {
        let mut arrivals = self.lock();
        if let Some(arrival) = arrivals.get_mut(key) {
            *arrival = quota.give_some_back(places, *arrival, now);
            if *arrival <= now {
                arrivals.remove(key);
            }
        }
    }

    pub(super) fn forget(&self, key: &str) {
        self.lock().remove(key);
    }

    /// Drops every key that is free again and, if these are few, the nearest to it: a tenth in all, so that the whole is looked through
    /// once in many takes.
    fn make_room(&self, arrivals: &mut Arrivals, now: DateTime<Utc>) {
        arrivals.retain(|_, arrival| *arrival > now);
        let mut surplus = arrivals
            .len()
            .saturating_sub(self.capacity - self.capacity.div_ceil(10));
        if surplus == 0 {
            return;
        }
        let mut all: Vec<_> = arrivals.values().copied().collect();
        let (_, last, _) = all.select_nth_unstable(surplus - 1);
        // Many may share the last moment; counting keeps those that need not go.
        arrivals.retain(|_, arrival| {
            let goes = *arrival <= *last && surplus > 0;
            surplus -= usize::from(goes);
            !goes
        });
    }

    fn lock(&self) -> MutexGuard<'_, Arrivals> {
        // Each entry is whole by itself, whatever became of the one who held the lock.
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota {
        burst: 5,
        every: Duration::seconds(60),
    };

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn a_flood_of_keys_takes_bounded_memory_and_frees_nobody_who_is_held_up() {
        let local = Local::with_room_for(100);
        for _ in 0..5 {
            local.take("held up".to_owned(), QUOTA, 1, start()).unwrap();
        }
        for flood in 0..10_000 {
            local.take(flood.to_string(), QUOTA, 1, start()).unwrap();
            assert!(local.lock().len() <= 100);
        }
        assert!(local.take("held up".to_owned(), QUOTA, 1, start()).is_err());
    }

    #[test]
    fn keys_that_are_free_again_make_room_before_any_other() {
        let local = Local::with_room_for(20);
        for old in 0..10 {
            local.take(format!("old {old}"), QUOTA, 1, start()).unwrap();
        }
        let now = start() + QUOTA.every;
        for new in 0..11 {
            local.take(format!("new {new}"), QUOTA, 1, now).unwrap();
        }
        let arrivals = local.lock();
        assert!((0..11).all(|new| arrivals.contains_key(&format!("new {new}"))));
        assert_eq!(arrivals.len(), 11);
    }

    #[test]
    fn a_key_that_gave_everything_back_is_not_kept() {
        let local = Local::with_room_for(20);
        local.take("key".to_owned(), QUOTA, 1, start()).unwrap();
        local.give_back("key", QUOTA, 1, start());
        assert!(local.lock().is_empty());
    }
}

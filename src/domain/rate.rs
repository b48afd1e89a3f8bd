//! How often something may be tried: the generic cell rate algorithm (ITU-T I.371, annex A).
//!
//! All that is kept of a series of tries is one moment, the theoretical arrival time: when everything taken so far is paid off, at one place
//! each `every`. How far it lies ahead of now says how many places are taken.

use chrono::{DateTime, Duration, Utc};

/// The longest time that a whole quota may stand for, in microseconds (ten years). Longer ones count as this, so that no arithmetic
/// overflows, and all of it is exact in the double-precision numbers that scripts of Redis have.
const LONGEST: i64 = 10 * 366 * 24 * 60 * 60 * 1_000_000;

/// `burst` tries at once, then one each `every`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many are free after a long rest; 0 counts as 1.
    pub burst: u32,
    /// How long one taken place needs to be free again, in whole microseconds; less than one counts as one.
    pub every: Duration,
}

/// Places that were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The theoretical arrival time, for the next take.
    pub arrival: DateTime<Utc>,
    /// How many places are left.
    pub left: u32,
    /// When all of them are free again, from now.
    pub whole_in: Duration,
}

impl Quota {
    /// Takes some places, if there are as many; of more than there ever are, all. For the rest it is as [`take`](Self::take).
    ///
    /// # Errors
    /// How long to wait until there are as many; more than nothing.
    pub fn take_some(
        self,
        places: u32,
        theoretical_arrival: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Taken, Duration> {
        let lead = theoretical_arrival.map_or(0, |arrival| self.lead(arrival, now));
        self.taken(lead + self.micros_of(places), now)
    }

    /// What it means that so much of the quota would be taken, in microseconds.
    ///
    /// # Errors
    /// How long to wait where that is more than there is; more than nothing.
    pub fn taken(self, taken: i64, now: DateTime<Utc>) -> Result<Taken, Duration> {
        let left = self.whole_micros() - taken;
        if left < 0 {
            return Err(Duration::microseconds(-left));
        }
        Ok(Taken {
            arrival: after(now, taken),
            left: u32::try_from(left / self.every_micros()).unwrap_or(self.burst),
            whole_in: Duration::microseconds(taken),
        })
    }

    /// Takes a place, if there is one. `theoretical_arrival` is what the last take of the same series gave; none when there was none, or when
    /// it lies in the past.
    ///
    /// A moment further ahead than twice the whole quota comes from a clock that has been set back since, or from a larger quota. It
    /// counts as all places but one, so that nobody is shut out for longer than `burst + 1` times `every`. One that is nearer than that is
    /// believed: it may come from a request that read the clock a moment later and was faster, or from an instance whose clock is ahead.
    ///
    /// # Errors
    /// How long to wait until there is one; more than nothing.
    pub fn take(
        self,
        theoretical_arrival: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, Duration> {
        let taken = self.take_some(1, theoretical_arrival, now)?;
        Ok(taken.arrival)
    }

    /// Gives some places back. `theoretical_arrival` is what the last take of the series gave; what comes back takes its place, and equals
    /// `now` when every place is free.
    #[must_use]
    pub fn give_some_back(
        self,
        places: u32,
        theoretical_arrival: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> DateTime<Utc> {
        let lead = self.lead(theoretical_arrival, now) - self.micros_of(places);
        after(now, lead.max(0))
    }

    /// Gives a place back. `theoretical_arrival` is what the last take of the series gave; what comes back takes its place, and equals
    /// `now` when every place is free.
    #[must_use]
    pub fn give_back(
        self,
        theoretical_arrival: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> DateTime<Utc> {
        self.give_some_back(1, theoretical_arrival, now)
    }

    /// Some places, in microseconds; of more than there are, all.
    #[must_use]
    pub fn micros_of(self, places: u32) -> i64 {
        self.every_micros() * i64::from(places.min(self.burst.max(1)))
    }

    /// One place, in microseconds: 1 to ten years.
    #[must_use]
    pub fn every_micros(self) -> i64 {
        let most = LONGEST / i64::from(self.burst.max(1));
        let every = self.every.num_microseconds();
        every.unwrap_or(i64::MAX).clamp(1, most)
    }

    /// All places, in microseconds: 1 to ten years.
    #[must_use]
    pub fn whole_micros(self) -> i64 {
        self.every_micros() * i64::from(self.burst.max(1))
    }

    /// How much of the quota is taken, in microseconds.
    fn lead(self, arrival: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
        let lead = (arrival - now).num_microseconds().unwrap_or(i64::MAX);
        let whole = self.whole_micros();
        if lead > 2 * whole {
            whole - self.every_micros()
        } else {
            lead.max(0)
        }
    }
}

fn after(now: DateTime<Utc>, micros: i64) -> DateTime<Utc> {
    now.checked_add_signed(Duration::microseconds(micros))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(micros: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(1_800_000_000_000_000 + micros).unwrap()
    }

    fn quotas() -> impl Strategy<Value = Quota> {
        (1_u32..20, 1_i64..1_000).prop_map(|(burst, every)| Quota {
            burst,
            every: Duration::microseconds(every),
        })
    }

    /// Pauses between tries, in microseconds.
    fn pauses() -> impl Strategy<Value = Vec<i64>> {
        prop::collection::vec(prop_oneof![Just(0), 0_i64..500, 0_i64..20_000], 1..200)
    }

    /// The moments at which a take succeeded, and the theoretical arrival after the last.
    fn taken(quota: Quota, pauses: &[i64]) -> (Vec<i64>, Option<DateTime<Utc>>) {
        let (mut taken, mut arrival, mut now) = (vec![], None, 0);
        for pause in pauses {
            now += pause;
            if let Ok(next) = quota.take(arrival, at(now)) {
                arrival = Some(next);
                taken.push(now);
            }
        }
        (taken, arrival)
    }

    #[test]
    fn a_burst_is_let_through_and_then_one_each_time() {
        let quota = Quota {
            burst: 3,
            every: Duration::seconds(10),
        };
        let second = 1_000_000;
        let mut arrival = None;
        for _ in 0..3 {
            arrival = Some(quota.take(arrival, at(0)).unwrap());
        }
        assert_eq!(quota.take(arrival, at(0)), Err(Duration::seconds(10)));
        assert_eq!(
            quota.take(arrival, at(4 * second)),
            Err(Duration::seconds(6))
        );
        arrival = Some(quota.take(arrival, at(10 * second)).unwrap());
        assert_eq!(
            quota.take(arrival, at(10 * second)),
            Err(Duration::seconds(10))
        );
    }

    #[test]
    fn a_quota_of_the_wildest_numbers_does_not_panic() {
        let moments = [DateTime::<Utc>::MIN_UTC, at(0), DateTime::<Utc>::MAX_UTC];
        for burst in [0, 1, u32::MAX] {
            for every in [Duration::MIN, Duration::zero(), Duration::MAX] {
                let quota = Quota { burst, every };
                for arrival in moments {
                    for now in moments {
                        if let Err(wait) = quota.take(Some(arrival), now) {
                            assert!(wait > Duration::zero());
                        }
                        let _ = quota.give_back(arrival, now);
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_window_has_more_than_the_burst_and_what_became_free_in_it(quota in quotas(), pauses in pauses()) {
            let (taken, _) = taken(quota, &pauses);
            for (first, start) in taken.iter().enumerate() {
                for (count, end) in (1..).zip(&taken[first..]) {
                    let free = i64::from(quota.burst) + (end - start) / quota.every_micros();
                    prop_assert!(count <= free, "{count} from {start} to {end}, where {free} may be");
                }
            }
        }

        #[test]
        fn a_take_succeeds_after_the_stated_wait_and_not_before(quota in quotas(), pauses in pauses()) {
            let (_, arrival) = taken(quota, &pauses);
            let now = pauses.iter().sum();
            if let Err(wait) = quota.take(arrival, at(now)) {
                prop_assert!(wait > Duration::zero() && wait <= quota.every);
                prop_assert!(quota.take(arrival, at(now) + wait).is_ok());
                prop_assert!(quota.take(arrival, at(now) + wait - Duration::microseconds(1)).is_err());
            }
        }

        #[test]
        fn giving_back_undoes_one_take(quota in quotas(), pauses in pauses(), later in 0_i64..20_000) {
            let (_, arrival) = taken(quota, &pauses);
            let now = at(pauses.iter().sum());
            let later = now + Duration::microseconds(later);
            if let Ok(next) = quota.take(arrival, now) {
                let without = arrival.map_or(later, |arrival| arrival.max(later));
                prop_assert_eq!(quota.give_back(next, later), without);
            }
        }

        #[test]
        fn giving_back_what_was_never_taken_gives_nothing(quota in quotas(), ago in 0_i64..20_000) {
            prop_assert_eq!(quota.give_back(at(-ago), at(0)), at(0));
        }

        #[test]
        fn a_clock_that_is_set_back_shuts_nobody_out_for_long(quota in quotas(), pauses in pauses(), back in 0_i64..1_000_000_000) {
            let (_, arrival) = taken(quota, &pauses);
            let now = at(pauses.iter().sum::<i64>() - back);
            if let Err(wait) = quota.take(arrival, now) {
                prop_assert!(wait.num_microseconds().unwrap() <= quota.whole_micros() + quota.every_micros());
                prop_assert!(quota.take(arrival, now + wait).is_ok());
            }
        }

        #[test]
        fn a_request_that_read_the_clock_earlier_gets_no_place_beyond_the_burst(quota in quotas(), behind in 0_i64..1_000) {
            let mut arrival = None;
            for _ in 0..quota.burst {
                arrival = Some(quota.take(arrival, at(0)).unwrap());
            }
            let behind = behind.min(quota.whole_micros());
            prop_assert!(quota.take(arrival, at(-behind)).is_err());
        }
    }
}

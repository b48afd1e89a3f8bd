//! A quiet window and one under a flood.

use std::fmt;

use super::figures::{Latencies, median};

/// A quiet window beside one under the flood.
pub(crate) struct Compared {
    /// p50 and p99 of the quiet one.
    quiet: [f64; 2],
    /// And of the other.
    flooded: [f64; 2],
    /// Of the 99th percentiles.
    pub(crate) ratio: f64,
}

impl Compared {
    pub(crate) fn of(quiet: &Latencies, flooded: &Latencies) -> Self {
        Self {
            quiet: [quiet.p50, quiet.p99],
            flooded: [flooded.p50, flooded.p99],
            ratio: flooded.p99 / quiet.p99,
        }
    }

    /// The median of each value, of one of these in each round.
    pub(crate) fn median<R>(rounds: &[R], one: fn(&R) -> &Self) -> Self {
        let of = |value: fn(&Self) -> f64| median(rounds.iter().map(|round| value(one(round))));
        Self {
            quiet: [of(|one| one.quiet[0]), of(|one| one.quiet[1])],
            flooded: [of(|one| one.flooded[0]), of(|one| one.flooded[1])],
            ratio: of(|one| one.ratio),
        }
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for value in self.quiet.iter().chain(&self.flooded) {
            write!(f, "{value:>6.2} ")?;
        }
        write!(f, "{:>6.2}", self.ratio)
    }
}

//! Percentiles, medians, and a line for each round.

use std::fmt;

/// The answers of one window, in milliseconds.
pub(super) struct Latencies {
    p50: f64,
    p99: f64,
    pub(super) wrong: u32,
}

impl Latencies {
    pub(super) fn of(answers: Vec<(f64, bool)>) -> Self {
        let wrong = answers.iter().filter(|(_, good)| !good).count();
        let mut times: Vec<f64> = answers.into_iter().map(|(took, _)| took).collect();
        times.sort_by(f64::total_cmp);
        Self {
            p50: times[times.len() / 2],
            p99: times[times.len() * 99 / 100],
            wrong: u32::try_from(wrong).unwrap_or(u32::MAX),
        }
    }
}

/// A quiet window beside one under the flood.
pub(super) struct Compared {
    /// p50 and p99 of the quiet one.
    quiet: [f64; 2],
    /// And of the other.
    flooded: [f64; 2],
    /// Of the 99th percentiles.
    pub(super) ratio: f64,
}

impl Compared {
    pub(super) fn of(quiet: &Latencies, flooded: &Latencies) -> Self {
        Self {
            quiet: [quiet.p50, quiet.p99],
            flooded: [flooded.p50, flooded.p99],
            ratio: flooded.p99 / quiet.p99,
        }
    }

    fn median(rounds: &[Round], one: fn(&Round) -> &Self) -> Self {
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

/// What came of one round.
pub(super) struct Round {
    pub(super) public: Compared,
    pub(super) bare: Compared,
    /// Sign-ins a second in the window under the flood that were answered by a hash.
    pub(super) hashed: f64,
    /// And those that were told to come again.
    pub(super) refused: f64,
    /// Answers of any kind that were not the right one.
    pub(super) wrong: u32,
}

impl Round {
    /// The median of each value; the wrong answers in sum.
    pub(super) fn median(rounds: &[Self]) -> Self {
        Self {
            public: Compared::median(rounds, |round| &round.public),
            bare: Compared::median(rounds, |round| &round.bare),
            hashed: median(rounds.iter().map(|round| round.hashed)),
            refused: median(rounds.iter().map(|round| round.refused)),
            wrong: rounds.iter().map(|round| round.wrong).sum(),
        }
    }
}

/// What stands above the lines.
pub(super) const HEAD: &str = "
                   staygate                              bare route                 sign-ins/s
           quiet         flood                 quiet         flood               answered   told to
round   p50    p99    p50    p99  ratio     p50    p99    p50    p99  ratio     by a hash      wait";

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { public, bare, .. } = self;
        write!(
            f,
            "{public}  {bare}  {:>10.1} {:>8.1}",
            self.hashed, self.refused
        )
    }
}

/// The middle one.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

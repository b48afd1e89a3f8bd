//! A line for each round.

use std::fmt;

use crate::common::{compared::Compared, figures::median};

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

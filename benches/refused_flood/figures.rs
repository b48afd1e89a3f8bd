//! A line for each round.

use std::fmt;

use crate::common::{compared::Compared, figures::median};

/// What came of one round.
pub(super) struct Round {
    pub(super) public: Compared,
    pub(super) bare: Compared,
    /// How many cores the server had in quiet, and for how many more it had work.
    pub(super) quiet: [f64; 2],
    /// The same under the flood.
    pub(super) flooded: [f64; 2],
    /// What the flood sent each second of its window.
    pub(super) sent: f64,
    /// How late its hundredth latest was sent, in milliseconds: whether the benchmark itself keeps up.
    pub(super) late: f64,
    /// The server's memory under the flood, in MiB.
    pub(super) memory: f64,
    /// Answers of any kind that were not the right one.
    pub(super) wrong: u32,
}

impl Round {
    /// The median of each value; the wrong answers in sum.
    pub(super) fn median(rounds: &[Self]) -> Self {
        let of = |value: fn(&Self) -> f64| median(rounds.iter().map(value));
        Self {
            public: Compared::median(rounds, |round| &round.public),
            bare: Compared::median(rounds, |round| &round.bare),
            quiet: [of(|round| round.quiet[0]), of(|round| round.quiet[1])],
            flooded: [of(|round| round.flooded[0]), of(|round| round.flooded[1])],
            sent: of(|round| round.sent),
            late: of(|round| round.late),
            memory: of(|round| round.memory),
            wrong: rounds.iter().map(|round| round.wrong).sum(),
        }
    }
}

/// What stands above the lines.
pub(super) const HEAD: &str = "
                   staygate                              bare route                cores had, waited for   flood
           quiet         flood                 quiet         flood                 quiet        flood      sent  late p99  memory
round   p50    p99    p50    p99  ratio     p50    p99    p50    p99  ratio";

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { public, bare, .. } = self;
        let ([had, wanted], [flood_had, flood_wanted]) = (self.quiet, self.flooded);
        write!(
            f,
            "{public}  {bare}   {had:>4.2} {wanted:>5.2}  {flood_had:>5.2} {flood_wanted:>5.2} {:>7.0}/s {:>8.2} {:>8.1}",
            self.sent, self.late, self.memory
        )
    }
}

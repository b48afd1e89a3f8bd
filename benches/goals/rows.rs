//! The rows of the table: who is measured beside whom, and what came of it.

use std::{fmt, time::Duration};

use super::{
    common::{figures::median, load::Loaded},
    usage::Tree,
};

/// Somebody who answers.
pub(super) trait Contender {
    fn name(&self) -> &'static str;
    /// Lets it answer for so long.
    fn run(&mut self, time: Duration) -> anyhow::Result<Measured>;
}

/// What came of one run.
pub(super) struct Measured {
    /// Answers a second.
    pub(super) rate: f64,
    pub(super) used: Used,
    /// Answers that were not as they should be.
    pub(super) wrong: u32,
}

impl Measured {
    pub(super) fn of(loaded: Loaded, before: Used, used: Used) -> Self {
        let answers = f64::from(loaded.answers);
        if let Some(wrong) = loaded.first_wrong {
            println!("The first wrong answer: {wrong}");
        }
        Self {
            rate: answers / loaded.took.as_secs_f64(),
            used: used.since(before, answers),
            wrong: loaded.wrong,
        }
    }
}

/// Whose processor time counts.
#[derive(Clone, Copy)]
pub(super) struct Meter {
    /// Who answers.
    pub(super) server: Option<Tree>,
    pub(super) postgres: Tree,
    pub(super) redis: Tree,
}

impl Meter {
    pub(super) fn read(&self) -> Used {
        let of = |tree: Tree| tree.processor().as_secs_f64() * 1_000.0;
        Used {
            server: self.server.map(of).unwrap_or_default(),
            postgres: of(self.postgres),
            redis: of(self.redis),
        }
    }
}

/// Processor time, in milliseconds.
#[derive(Clone, Copy)]
pub(super) struct Used {
    server: f64,
    postgres: f64,
    redis: f64,
}

impl Used {
    /// For each of so many answers since another moment.
    pub(super) fn since(self, before: Self, answers: f64) -> Self {
        Self {
            server: (self.server - before.server) / answers,
            postgres: (self.postgres - before.postgres) / answers,
            redis: (self.redis - before.redis) / answers,
        }
    }
}

/// What is asked for, and of whom.
pub(super) struct Row {
    pub(super) name: &'static str,
    /// The first is what the row is about, the second what it is held against; the others are there to look at.
    pub(super) contenders: Vec<Box<dyn Contender>>,
    /// How much of the second the first must reach.
    pub(super) least: Option<f64>,
    /// How much processor time of the server an answer may take, in milliseconds.
    pub(super) most: Option<f64>,
    /// For each round, what came of each contender.
    pub(super) rounds: Vec<Vec<Measured>>,
}

impl Row {
    pub(super) fn new(
        name: &'static str,
        contenders: Vec<Box<dyn Contender>>,
        least: Option<f64>,
    ) -> Self {
        Self {
            name,
            contenders,
            least,
            most: None,
            rounds: Vec::new(),
        }
    }

    /// Lets each answer once, in turn.
    pub(super) fn round(&mut self, time: Duration) -> anyhow::Result<()> {
        let mut round = Vec::new();
        for contender in &mut self.contenders {
            let measured = contender.run(time)?;
            print!("  {} {:.0}/s", contender.name(), measured.rate);
            round.push(measured);
        }
        println!("  {}", self.name);
        self.rounds.push(round);
        Ok(())
    }

    pub(super) fn wrong(&self) -> u32 {
        self.rounds.iter().flatten().map(|one| one.wrong).sum()
    }

    /// Whether it reaches what it must.
    pub(super) fn is_met(&self) -> bool {
        let ratio = self
            .ratio(1)
            .is_none_or(|[_, ratio, _]| self.least.is_none_or(|least| ratio >= least));
        let used = self.median(0, |one| one.used.server);
        ratio && self.most.is_none_or(|most| used <= most)
    }

    fn median(&self, contender: usize, value: impl Fn(&Measured) -> f64) -> f64 {
        median(self.rounds.iter().map(|round| value(&round[contender])))
    }

    /// How much of a contender's rate the first has: the least of the rounds, the median, and the most.
    fn ratio(&self, contender: usize) -> Option<[f64; 3]> {
        self.contenders.get(contender)?;
        let ratio = |round: &Vec<Measured>| round[0].rate / round[contender].rate;
        let ratios = || self.rounds.iter().map(ratio);
        let least = ratios().fold(f64::INFINITY, f64::min);
        let most = ratios().fold(0.0, f64::max);
        Some([least, median(ratios()), most])
    }
}

/// What stands above the rows.
pub(super) const HEAD: &str = "
                                                                                         processor ms of an answer
row                                  answers/s  ratio (of the rounds)  goal              server  PostgreSQL  Redis";

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, contender) in self.contenders.iter().enumerate() {
            let name = if place == 0 {
                format!("{}: {}", self.name, contender.name())
            } else {
                format!("  {}", contender.name())
            };
            write!(
                f,
                "{name:<36} {:>9.0}  ",
                self.median(place, |one| one.rate)
            )?;
            let ratio = self.ratio(place).filter(|_| place > 0);
            let ratio =
                ratio.map(|[least, ratio, most]| format!("{ratio:.2} ({least:.2} to {most:.2})"));
            let goal = match place {
                0 => self.most.map(|most| format!("<= {most} ms")),
                1 => self.least.map(|least| format!(">= {least:.2}")),
                _ => None,
            };
            write!(
                f,
                "{:<21}  {:<16}",
                ratio.unwrap_or_default(),
                goal.unwrap_or_default()
            )?;
            let used = [
                self.median(place, |one| one.used.server),
                self.median(place, |one| one.used.postgres),
                self.median(place, |one| one.used.redis),
            ];
            writeln!(f, "{:>8.3}  {:>10.3}  {:>5.3}", used[0], used[1], used[2])?;
        }
        Ok(())
    }
}

/// What is no row of contenders: one value, and what it may be at most.
pub(super) struct Fact {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) unit: &'static str,
    pub(super) most: Option<f64>,
}

impl Fact {
    pub(super) fn is_met(&self) -> bool {
        self.most.is_none_or(|most| self.value <= most)
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            value,
            unit,
            most,
        } = self;
        write!(f, "{name:<72} {value:>9.2} {unit}")?;
        match most {
            Some(most) => write!(f, "  goal <= {most}"),
            None => Ok(()),
        }
    }
}

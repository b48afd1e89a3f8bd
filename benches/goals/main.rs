//! Does Staygate reach the rates that it promises, beside pgbench with the same statements, a bare route with the same answer, and a peer
//! from npm?
//!
//! `benches/run` starts all that this needs and prints the table; docs/benchmarks.md says what is in it. All contenders of a row answer in
//! turn, in each of some rounds, to 32 connections that ask as fast as they are answered; what counts is the median. It fails when an
//! answer was wrong, or a goal is missed.

mod booking;
#[path = "../common"]
mod common {
    pub(crate) mod figures;
    pub(crate) mod load;
    pub(crate) mod pace;
    pub(crate) mod server;
}
mod data;
mod kinds;
mod operations;
mod pgbench;
mod plan;
mod readers;
mod rows;
mod scripts;
mod servers;
mod sockets;
mod starting;
mod usage;
mod watching;

use std::{process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum};

use self::rows::HEAD;

/// Measures Staygate beside pgbench, a bare route, and a peer.
#[derive(Parser)]
struct Arguments {
    /// How often each contender is measured.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// For how long each time, in seconds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// What is measured.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Part::value_variants().to_vec())]
    rows: Vec<Part>,
    /// Measures searches and homes also among so many properties.
    #[arg(long, value_name = "PROPERTIES", num_args = 0..=1, default_missing_value = "1000000")]
    growth: Option<u32>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A part of the table.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Search,
    Detail,
    Cached,
    Booking,
    Watching,
    Starting,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let time = Duration::from_secs(arguments.seconds);
    let folder = tempfile::tempdir()?;
    let mut plan = plan::Plan::of(&arguments, folder.path())?;
    for round in 1..=arguments.rounds {
        println!("Round {round}");
        plan.round(time)?;
    }
    let (facts, unheard) = plan.facts()?;

    println!("{HEAD}");
    for row in &plan.rows {
        print!("{row}");
    }
    println!();
    for fact in &facts {
        println!("{fact}");
    }
    let wrong: u32 = plan.rows.iter().map(rows::Row::wrong).sum();
    println!("\n{wrong} wrong answers, {unheard} changes that nobody heard of.");
    let mut good = wrong + unheard == 0;
    for row in plan.rows.iter().filter(|row| !row.is_met()) {
        println!("Missed: {}", row.name);
        good = false;
    }
    for fact in facts.iter().filter(|fact| !fact.is_met()) {
        println!("Missed: {}", fact.name);
        good = false;
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

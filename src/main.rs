//! Starts the `staygate` command.

use std::process::ExitCode;

use clap::Parser as _;
use staygate::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("staygate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

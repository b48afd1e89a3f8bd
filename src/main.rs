//! Starts the `staygate` command.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use staygate::cli::Cli;

/// A fifth fewer instructions than with the system's: see `docs/benchmarks.md`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::of_process().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("staygate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

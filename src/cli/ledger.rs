//! Proving the books right.

use anyhow::bail;
use clap::Subcommand;

use crate::service::ledger::Ledger;

/// What is done with the books.
#[derive(Debug, Subcommand)]
pub(super) enum Books {
    /// Read all of the books, and fail when a movement is not zero in all, or a payment says something else.
    Verify,
}

/// Does it.
///
/// # Errors
/// One line that says how much is wrong; what, stands before it.
pub(super) async fn run(ledger: &Ledger, command: Books) -> anyhow::Result<()> {
    let Books::Verify = command;
    let verdict = ledger.verify().await?;
    for wrong in &verdict.wrong {
        println!("{wrong}");
    }
    if !verdict.wrong.is_empty() {
        bail!("{} things are wrong in the books", verdict.wrong.len());
    }
    println!("the books are right: {} payments", verdict.payments);
    if verdict.without_entries > 0 {
        println!(
            "{} payments were collected before there were books",
            verdict.without_entries
        );
    }
    Ok(())
}

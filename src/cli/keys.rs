//! The keys that seal secrets.

use clap::Subcommand;
use indicatif::ProgressBar;

use crate::{
    service::sealing::COLUMNS,
    store::{db::Db, vault::Vault},
};

/// What is done with the keys.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Seal every secret anew with the first key of `STAYGATE_ENCRYPTION_KEYS`, while servers run. What is stopped goes on when it is run again;
    /// afterwards the other keys are needed no more.
    Rotate,
}

/// Does it.
///
/// # Errors
/// One line that names the secret that could not be opened.
pub(super) async fn run(db: &Db, vault: &Vault, command: &Keys) -> anyhow::Result<()> {
    let Keys::Rotate = command;
    for column in &COLUMNS {
        let bar = ProgressBar::new_spinner().with_message(column.name());
        let done = column.rotate(db, vault, |more| bar.inc(more)).await?;
        bar.finish_and_clear();
        println!("{}: {done} sealed anew", column.name());
    }
    Ok(())
}

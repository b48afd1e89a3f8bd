//! The keys that seal secrets.

use anyhow::ensure;
use clap::Subcommand;
use indicatif::ProgressBar;

use crate::{
    service::sealing::Secret,
    store::{db::Db, vault::Vault},
};

/// What is done with the keys.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Seal every secret anew with the first key of `STAYGATE_ENCRYPTION_KEYS`, while servers run that have the same keys. What is stopped goes on when it is
    /// run again; afterwards the other keys are needed no more.
    Rotate,
}

/// Does it.
///
/// # Errors
/// When a secret can't be opened: the others are sealed all the same.
pub(super) async fn run(db: &Db, vault: &Vault, command: &Keys) -> anyhow::Result<()> {
    let Keys::Rotate = command;
    let mut left = 0;
    for secret in Secret::ALL {
        let name = secret.name();
        let bar = ProgressBar::new_spinner().with_message(name.clone());
        let rotated = secret.rotate(db, vault, |more| bar.inc(more)).await?;
        bar.finish_and_clear();
        println!("{name}: {} sealed anew", rotated.sealed);
        for why in &rotated.unopened {
            println!("{name}: {why}");
        }
        left += rotated.unopened.len();
        ensure!(
            !rotated.unfinished,
            "{name}: servers with other keys keep writing; restart them with these keys first"
        );
    }
    ensure!(
        left == 0,
        "{left} secrets can't be opened; they stay as they are"
    );
    db.wipe_what_was_deleted().await
}

//! Backups, and the way back.

use std::{io::IsTerminal as _, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use crate::{
    app::config::Settings,
    domain::clock::{Clock, SystemClock},
    service::backups::{Keeper, Manifest},
    store::{
        answers::Answers,
        archive::{self, Identities},
    },
};

/// What is done with backups.
#[derive(Debug, Subcommand)]
pub(super) enum Backup {
    /// Make one now, and read it back; also without a command.
    Run,
    /// Read a backup back from the store, and look whether it is what was written.
    Verify {
        /// Its name, or latest.
        #[arg(default_value = "latest")]
        name: String,
        /// A file with a private key: the backup is also decrypted and looked through.
        #[arg(long)]
        identity: Option<String>,
    },
    /// Print the backups that there are, oldest first.
    List,
    /// Delete what the settings no longer keep, and what was broken off more than a day ago.
    Prune,
    /// Print a new pair of keys. The public one is for `STAYGATE_BACKUP_RECIPIENTS`; keep the private one away from the server.
    Keygen,
}

/// What is restored, and how.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The backup's name, or latest.
    name: String,
    /// The file with the private key.
    #[arg(long)]
    identity: String,
    /// Lose what is in the database.
    #[arg(long)]
    replace: bool,
}

/// Does it, and says what was done.
///
/// # Errors
/// One clear line.
pub(super) async fn run(settings: &Settings, command: Backup) -> anyhow::Result<()> {
    if let Backup::Keygen = command {
        print!("{}", archive::new_identity());
        return Ok(());
    }
    let keeper = keeper(settings)?;
    match command {
        Backup::Run => make(&keeper, &super::stopping()?).await,
        Backup::Verify { name, identity } => verify(&keeper, &name, identity).await,
        Backup::List => list(&keeper).await,
        Backup::Prune => {
            let pruned = keeper.prune().await?;
            for name in &pruned.backups {
                println!("{name}: deleted");
            }
            let (backups, remains) = (pruned.backups.len(), pruned.remains);
            println!("{backups} backups and {remains} remains deleted");
            Ok(())
        }
        Backup::Keygen => Ok(()),
    }
}

fn keeper(settings: &Settings) -> anyhow::Result<Keeper> {
    // For the clients of the stores; nobody else in this process has built one yet.
    drop(rustls::crypto::ring::default_provider().install_default());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    settings.keeper(&clock)
}

async fn make(keeper: &Keeper, stopping: &CancellationToken) -> anyhow::Result<()> {
    let bar = bar(None)?;
    let sizes = |size: Option<u64>| {
        if let Some(size) = size {
            bar.set_message(format!("of a database of {}", HumanBytes(size)));
        }
    };
    let made = keeper.make(stopping, sizes, &|more| bar.inc(more)).await;
    bar.finish_and_clear();
    let made = made?;
    println!(
        "{}: {} rows in {} tables, {} written to {} and read back",
        made.name,
        made.rows(),
        made.contents.tables.len(),
        HumanBytes(made.archive.bytes),
        keeper.blobs.shown()
    );
    Ok(())
}

async fn verify(keeper: &Keeper, name: &str, identity: Option<String>) -> anyhow::Result<()> {
    let identities = identity.as_deref().map(Identities::from_file).transpose()?;
    let how = match identities {
        Some(_) => "could be decrypted, and can be restored",
        None => "is what was written; --identity FILE looks into it too",
    };
    let of = keeper.find(name).await?;
    let bar = bar(Some(of.archive.bytes))?;
    let verified = keeper.verify(&of, identities, &|more| bar.inc(more)).await;
    bar.finish_and_clear();
    verified?;
    println!("{} {how}", of.name);
    Ok(())
}

async fn list(keeper: &Keeper) -> anyhow::Result<()> {
    let (manifests, unread) = keeper.list().await?;
    println!(
        "{:<32} {:<20} {:<10} {:>12} {:>12} {:>10}  SCHEMA",
        "NAME", "OF (UTC)", "ENGINE", "ROWS", "SIZE", "TOOK"
    );
    for of in &manifests {
        println!("{}", line(of));
    }
    for error in &unread {
        eprintln!("staygate: {error:#}");
    }
    ensure!(unread.is_empty(), "{} backups can't be read", unread.len());
    Ok(())
}

fn line(of: &Manifest) -> String {
    format!(
        "{:<32} {:<20} {:<10} {:>12} {:>12} {:>8} s  {}",
        of.name,
        of.began_at.format("%F %T"),
        of.engine.shown(),
        of.rows(),
        HumanBytes(of.archive.bytes).to_string(),
        (of.ended_at - of.began_at).num_seconds(),
        of.contents.schema_version
    )
}

/// Restores, and says what is left to do.
///
/// # Errors
/// One clear line; then what was in the database is there still.
pub(super) async fn restore(
    settings: &Settings,
    command: Restore,
    stopping: &CancellationToken,
) -> anyhow::Result<()> {
    let keeper = keeper(settings)?;
    let identities = Identities::from_file(&command.identity)?;
    let of = keeper.find(&command.name).await?;
    let bar = bar(Some(of.archive.bytes))?;
    let progress = |more| bar.inc(more);
    let restored = keeper
        .restore(&of, identities, command.replace, stopping, &progress)
        .await;
    bar.finish_and_clear();
    let restored = restored?;
    println!(
        "{}: restored as it was at {} UTC; {} rows in {} tables are those of the backup",
        of.name,
        of.began_at.format("%F %T"),
        of.rows(),
        of.contents.tables.len()
    );
    println!("everybody is signed out ({} sessions)", restored.sessions);
    if restored.is_older {
        println!(
            "its tables are of an older version: staygate serve or migrate brings them up to date"
        );
    }
    if let Some(url) = &settings.redis_url {
        let forgotten = Answers::forget_all(url, &settings.redis_prefix).await;
        forgotten.context(
            "the database is restored, but the answers that Redis keeps could not be forgotten: flush it before you start the servers",
        )?;
        println!("the answers that Redis kept are forgotten");
    }
    Ok(())
}

/// A bar on standard error; hidden where that is no terminal.
fn bar(bytes: Option<u64>) -> anyhow::Result<ProgressBar> {
    let (bar, style) = match bytes {
        Some(bytes) => (
            ProgressBar::new(bytes),
            "{elapsed_precise} {wide_bar} {bytes}/{total_bytes} ({binary_bytes_per_sec}), {eta} to go",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{elapsed_precise} {spinner} {bytes} written ({binary_bytes_per_sec}) {msg}",
        ),
    };
    if std::io::stderr().is_terminal() {
        bar.enable_steady_tick(Duration::from_millis(200));
    }
    Ok(bar.with_style(ProgressStyle::with_template(style)?))
}

//! Proving the audit log whole.

use anyhow::{bail, ensure};
use clap::Subcommand;

use crate::service::audit::{Audit, Verdict};

/// What is done with the log.
#[derive(Debug, Subcommand)]
pub(super) enum Log {
    /// Read the whole log, and fail with the first line that is not as it was written.
    Verify {
        /// A line's number and hash, as an earlier run printed them: the log must still have it. So a log that was cut off or
        /// written anew from some line on is found too.
        #[arg(long, value_name = "NUMBER:HASH")]
        expect: Option<String>,
    },
}

/// Does it.
///
/// # Errors
/// One line that names the first wrong line.
pub(super) async fn run(audit: &Audit, command: Log) -> anyhow::Result<()> {
    let Log::Verify { expect } = command;
    let (mut known, mut found) = (None, false);
    if let Some(text) = &expect {
        let parts = text.split_once(':');
        let parts = parts.and_then(|(number, hash)| Some((number.parse::<i64>().ok()?, hash)));
        ensure!(
            parts.is_some(),
            "--expect takes a line's number and hash, such as 42:9f86d0…"
        );
        known = parts;
    }
    let verdict = audit.verify(|line| {
        if known == Some((line.audit_id, line.hash.as_str())) {
            found = true;
        }
    });
    match verdict.await? {
        Verdict::Broken { line, why } => bail!("line {line} of the audit log: {why}"),
        Verdict::Whole { .. } if known.is_some() && !found => {
            bail!("the audit log is whole in itself, and does not have the line that is expected")
        }
        Verdict::Whole { lines, hash } => {
            println!("the audit log is whole: {lines} lines, the last {lines}:{hash}");
            Ok(())
        }
    }
}

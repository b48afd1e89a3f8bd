//! What was found out about all that a server needs, for a person to read.

use std::{io::Write as _, sync::Arc};

use anyhow::ensure;

use crate::{
    app::{
        config::Settings,
        doctor::{self, Health},
    },
    domain::clock::{Clock, SystemClock},
};

/// Looks at everything and prints it.
///
/// # Errors
/// When something does not serve.
pub(super) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let findings = doctor::examine(settings, &clock).await;
    let mut out = std::io::stdout();
    for finding in &findings {
        let mark = match finding.health {
            Health::Good => "ok  ",
            Health::Doubtful => "look",
            Health::Bad => "BAD ",
        };
        writeln!(out, "{mark}  {:<15}  {}", finding.subject, finding.seen)?;
        if let Some(advice) = &finding.advice {
            writeln!(out, "      {:<15}  → {advice}", "")?;
        }
    }
    let bad = findings
        .iter()
        .filter(|finding| finding.health == Health::Bad)
        .count();
    ensure!(bad == 0, "{bad} of {} do not serve", findings.len());
    Ok(())
}

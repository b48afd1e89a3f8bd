//! Storms: programs that act as many clients at once, and afterwards look into the tables whether everything is right.
//!
//! `STAYGATE_TEST_STORM` says how large they are, in percent of what they are meant to be; a few percent unless it is set.

mod bad_line;
mod bookings;
mod crash;
mod ledger;
mod market;
mod money;
mod news;
mod promises;
mod staleness;
mod trader;
mod watchers;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Percent of the full size, unless the environment says otherwise.
const PERCENT: usize = 3;

/// So many at the size that is wanted, where the full size has `full`; at least `least`.
pub fn scaled(full: usize, least: usize) -> usize {
    #[expect(
        clippy::disallowed_methods,
        reason = "how large the tests are is said in the environment"
    )]
    let percent = std::env::var("STAYGATE_TEST_STORM")
        .map_or(PERCENT, |text| text.parse().expect("a percentage"));
    (full * percent / 100).max(least)
}

/// The key in a global id, or in a cursor.
fn key_of(id: &str) -> i64 {
    let text = URL_SAFE_NO_PAD.decode(id).expect("base64");
    let text = String::from_utf8(text).expect("text");
    let (_, key) = text.rsplit_once(':').expect("a key");
    key.parse().expect("a number")
}

/// What happened how often, and what must not have happened at all.
#[derive(Default)]
pub struct Figures {
    counts: Mutex<BTreeMap<String, u64>>,
    faults: Mutex<Vec<String>>,
}

impl Figures {
    pub fn count(&self, what: impl Into<String>) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(what.into()).or_default() += 1;
    }

    /// How often something happened whose name begins like this.
    pub fn of(&self, what: &str) -> u64 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = counts.iter().filter(|(name, _)| name.starts_with(what));
        counted.map(|(_, count)| count).sum()
    }

    pub fn fault(&self, what: String) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.push(what);
    }

    /// Prints all of it, and fails if there was a fault.
    pub fn report(&self, title: &str, began: Instant) {
        let mut text = format!("{title}: {:.1?}", began.elapsed());
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (what, count) in &*counts {
            let _ = write!(text, "\n  {count:>7}  {what}");
        }
        let _ = write!(
            text,
            "\n  peak memory of this process: {} MiB",
            peak_memory()
        );
        println!("{text}");
        drop(counts);
        self.are_without_fault();
    }

    /// Fails if there was a fault.
    pub fn are_without_fault(&self) {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(
            faults.is_empty(),
            "{} faults, such as {:#?}",
            faults.len(),
            &faults[..faults.len().min(10)]
        );
    }
}

/// In MiB; 0 where the system does not tell.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}

/// The duration that this share of them does not exceed.
pub fn percentile(sorted: &[Duration], share: usize) -> Duration {
    let at = (sorted.len() * share / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

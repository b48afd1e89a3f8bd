//! Hearing what others bump, and knowing when some of it may have been missed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};
use tokio::{
    sync::Notify,
    time::{interval, sleep, timeout},
};

use super::{
    remote::{Remote, read},
    versions::Versions,
};
use crate::domain::freshness::{Moment, Slot};

/// How long Redis may be silent before it counts as away: bumps of others may have been missed.
const SILENCE: Duration = Duration::from_secs(1);
/// How long to wait between two tries to reach it.
const PAUSE: Duration = Duration::from_millis(100);

/// Hears what others bump, as long as the process runs.
pub(super) async fn follow(remote: Remote, versions: Arc<Versions>, contact: Arc<Contact>) {
    // Redis may have been away before this process was there: then it is others who know.
    let mut was_away = false;
    loop {
        let lost = hear(&remote, &versions, &contact, was_away).await;
        let was_heard = contact.lose();
        if was_heard || !was_away {
            let error = lost.err();
            tracing::warn!(?error, "answers are not cached until Redis is back");
        }
        was_away = true;
        sleep(PAUSE).await;
    }
}

async fn hear(
    remote: &Remote,
    versions: &Versions,
    contact: &Contact,
    was_away: bool,
) -> anyhow::Result<()> {
    let mut bumps = remote.subscribe().await?;
    let connection = remote.connection();
    // Bumps that could not be told meanwhile are told now: whoever could not reach Redis bumps everything before it trusts any answer.
    let looking = async {
        if was_away {
            remote.forget_all().await
        } else {
            remote.look().await
        }
    };
    let mut told = timeout(SILENCE, looking).await??.at;
    let mut heard = told;
    versions.forget_before(told);
    contact.make(connection);
    let mut ticks = interval(SILENCE / 2);
    loop {
        tokio::select! {
            // What has come is heard before it is asked whether anything is missing.
            biased;
            () = contact.doubted() => anyhow::bail!("a bump could not be told"),
            bump = bumps.next() => {
                let bump = bump.context("the connection broke")?;
                let (moment, slots) = read_bump(bump.get_payload_bytes()).context("a bump that can't be read")?;
                remote.heard_of(moment);
                versions.raise(moment, &slots);
                // Moments are counted: where one is missing, so is what was bumped then.
                if slots.is_empty() || moment.0 > heard.0 + 1 {
                    versions.forget_before(moment);
                } else {
                    versions.advance(moment);
                }
                heard = heard.max(moment);
            }
            _ = ticks.tick() => {
                bumps.is_there(SILENCE).await?;
                ensure!(heard >= told, "a bump was not heard");
                let look = timeout(SILENCE, remote.look()).await??;
                ensure!(remote.connection() == connection, "Redis is another server now");
                told = look.at;
                if look.is_forgotten {
                    versions.forget_before(told);
                }
            }
        }
    }
}

fn read_bump(message: &[u8]) -> Option<(Moment, Vec<Slot>)> {
    let text = std::str::from_utf8(message).ok()?;
    let (moment, slots) = text.split_once(' ')?;
    Some((Moment(moment.parse().ok()?), read(slots).collect()))
}

/// Whether every bump of others is heard.
#[derive(Debug, Default)]
pub(super) struct Contact {
    /// Odd while it stands; another number is another time.
    turn: AtomicU64,
    /// Over which connection Redis was found to have every bump.
    connection: AtomicU64,
    doubt: Notify,
}

impl Contact {
    pub(super) fn stands(&self) -> bool {
        self.turn() % 2 == 1
    }

    /// Changes whenever contact is made or lost.
    pub(super) fn turn(&self) -> u64 {
        self.turn.load(SeqCst)
    }

    /// Whether it stands, with the server at the other end of this connection.
    pub(super) fn stands_over(&self, connection: u64) -> bool {
        self.stands() && self.connection.load(SeqCst) == connection
    }

    /// A bump of this instance may not have reached Redis: nothing is trusted until it has.
    pub(super) fn doubt(&self) {
        self.lose();
        self.doubt.notify_one();
    }

    async fn doubted(&self) {
        self.doubt.notified().await;
    }

    fn make(&self, connection: u64) {
        self.connection.store(connection, SeqCst);
        self.turn.fetch_or(1, SeqCst);
    }

    /// Gives whether it stood.
    fn lose(&self) -> bool {
        let stood = self
            .turn
            .try_update(SeqCst, SeqCst, |turn| (turn % 2 == 1).then_some(turn + 1));
        stood.is_ok()
    }
}

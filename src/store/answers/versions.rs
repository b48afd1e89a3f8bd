//! When tags were bumped last, as far as this process knows.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering::SeqCst},
};

use tokio::sync::Notify;

use super::Answer;
use crate::domain::freshness::{Moment, SLOTS, Slot};

/// The last bump of each slot.
///
/// An answer is fresh when no slot of its tags was bumped after it began to be read. Whoever begins to read takes [`Versions::now`] first; whoever
/// writes bumps after the commit. So what was read before a commit is never fresh after the bump, whenever it is kept.
#[derive(Debug)]
pub(super) struct Versions {
    slots: Box<[AtomicU64]>,
    /// Every bump up to this one is in the slots.
    clock: AtomicU64,
    /// What began to be read before was bumped by nobody knows whom.
    floor: AtomicU64,
    /// Grows whenever something was bumped: as long as it does not, what was fresh still is.
    generation: AtomicU64,
    bumping: Mutex<()>,
    /// Woken by each bump.
    bumped: Notify,
}

impl Versions {
    pub(super) fn new() -> Self {
        Self::of_slots(SLOTS)
    }

    pub(super) fn of_slots(slots: usize) -> Self {
        Self {
            slots: (0..slots).map(|_| AtomicU64::new(0)).collect(),
            clock: AtomicU64::new(1),
            floor: AtomicU64::new(0),
            generation: AtomicU64::new(1),
            bumping: Mutex::default(),
            bumped: Notify::new(),
        }
    }

    /// When what is read from now on begins to be read.
    pub(super) fn now(&self) -> Moment {
        Moment(self.clock.load(SeqCst))
    }

    /// Bumps slots, where this process is all there is.
    pub(super) fn bump(&self, slots: &[Slot]) {
        let _turn = self.bumping.lock().unwrap_or_else(PoisonError::into_inner);
        let Moment(now) = self.now();
        let next = Moment(now + 1);
        self.raise(next, slots);
        self.advance(next);
    }

    /// Slots were bumped at this moment; there may be other bumps before it that are not known yet.
    pub(super) fn raise(&self, moment: Moment, slots: &[Slot]) {
        for slot in slots {
            self.slots[slot.number()].fetch_max(moment.0, SeqCst);
        }
        self.generation.fetch_add(1, SeqCst);
    }

    /// Every bump up to this one is known now.
    pub(super) fn advance(&self, moment: Moment) {
        self.clock.fetch_max(moment.0, SeqCst);
        self.bumped.notify_one();
    }

    /// Waits for a bump, if there was none since this was waited for last. One may wait.
    pub(super) async fn bumped(&self) {
        self.bumped.notified().await;
    }

    /// Bumps before this moment may be missing: nothing that began to be read before is fresh.
    pub(super) fn forget_before(&self, moment: Moment) {
        self.floor.fetch_max(moment.0, SeqCst);
        self.advance(moment);
        self.generation.fetch_add(1, SeqCst);
    }

    /// Whether an answer is still so.
    pub(super) fn is_fresh(&self, answer: &Answer) -> bool {
        // Before the slots are looked at: one that is bumped meanwhile is looked at again.
        let generation = self.generation();
        if answer.was_fresh_in(generation) {
            return true;
        }
        let is_fresh = self.is_newer_than_its_slots(answer);
        if is_fresh {
            answer.found_fresh_in(generation);
        }
        is_fresh
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(SeqCst)
    }

    pub(super) fn is_newer_than_its_slots(&self, answer: &Answer) -> bool {
        let Moment(began) = answer.began;
        let bumped = |slot: &Slot| self.slots[slot.number()].load(SeqCst);
        began >= self.floor.load(SeqCst) && answer.slots.iter().all(|slot| bumped(slot) <= began)
    }
}

//! What an answer shows, so that it can be given again until that changes.

use std::sync::{Mutex, PoisonError};

use crate::domain::freshness::Tag;

/// What is shown of an answer that is being made.
#[derive(Debug)]
pub struct Showing(Mutex<Option<Vec<Tag>>>);

impl Showing {
    /// Nothing yet.
    pub(super) const fn nothing() -> Self {
        Self(Mutex::new(Some(Vec::new())))
    }

    /// What nobody else is to be shown, whatever it is.
    pub(super) const fn private() -> Self {
        Self(Mutex::new(None))
    }

    /// These are shown.
    pub(super) fn add(&self, tags: impl IntoIterator<Item = Tag>) {
        if let Some(all) = &mut *self.lock() {
            all.extend(tags);
        }
    }

    /// Something is shown that has no tag, or changes by itself: the answer is good for this once.
    pub(super) fn add_what_changes(&self) {
        *self.lock() = None;
    }

    /// The tags of all that is shown; none where the answer is good for this once.
    #[must_use]
    pub fn take(&self) -> Option<Vec<Tag>> {
        self.lock().take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Vec<Tag>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Answers that are being made: of those who ask the same at once, one makes it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

use super::Key;

type Keys = HashMap<Key, CancellationToken>;

/// The questions that somebody is answering.
#[derive(Debug, Clone, Default)]
pub(super) struct Running(Arc<Mutex<Keys>>);

/// The right to answer a question, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    running: Running,
    key: Key,
}

impl Running {
    /// Takes the turn; where somebody else has it, gives what is cancelled when that one ends.
    pub(super) fn begin(&self, key: Key) -> Result<Turn, CancellationToken> {
        let mut keys = self.lock();
        if let Some(ends) = keys.get(&key) {
            return Err(ends.clone());
        }
        keys.insert(key, CancellationToken::new());
        Ok(Turn {
            running: self.clone(),
            key,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let ends = self.running.lock().remove(&self.key);
        if let Some(ends) = ends {
            ends.cancel();
        }
    }
}

//! Streams that several operations of a client share: reserved, then open, and gone when they end.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Duration, Utc};
use rand::RngExt as _;
use tokio::sync::mpsc;

use crate::{
    http::{
        connections::Place,
        running::{Answer, Running},
    },
    service::sessions::Admitted,
};

/// How long a reservation waits for its stream to be opened.
const RESERVED_FOR: Duration = Duration::seconds(30);
/// Letters of a token: 150 bits. No digits, so that none looks like the number of a card.
const TOKEN: usize = 32;

/// The streams of this process, by their tokens.
#[derive(Clone, Default)]
pub struct Streams(Arc<Mutex<HashMap<String, Arc<Shared>>>>);

/// A stream that operations share.
pub(super) struct Shared {
    /// Whose it is, by the newest access token; nobody's where it was reserved signed out.
    owner: Mutex<Option<Admitted>>,
    reserved_until: DateTime<Utc>,
    running: Mutex<Running>,
    /// None once the stream is open.
    queue: Mutex<Option<mpsc::Receiver<Answer>>>,
    _place: Place,
}

/// An open stream. It is gone when this is dropped.
pub(super) struct Open {
    streams: Streams,
    token: String,
}

impl Streams {
    /// Reserves a stream, and gives its token.
    pub(super) fn reserve(
        &self,
        owner: Option<Admitted>,
        place: Place,
        queue: usize,
        now: DateTime<Utc>,
    ) -> String {
        let (running, queue) = Running::new(queue);
        let shared = Shared {
            owner: Mutex::new(owner),
            reserved_until: now + RESERVED_FOR,
            running: Mutex::new(running),
            queue: Mutex::new(Some(queue)),
            _place: place,
        };
        let mut rng = rand::rng();
        let token: String = (0..TOKEN).map(|_| rng.random_range('a'..='z')).collect();
        locked(&self.0).insert(token.clone(), Arc::new(shared));
        token
    }

    /// Forgets reservations that nobody came for.
    pub(super) fn sweep(&self, now: DateTime<Utc>) {
        locked(&self.0).retain(|_, shared| !shared.has_lapsed(now));
    }

    /// The stream of a token, if it is the caller's.
    pub(super) fn find(
        &self,
        token: &str,
        caller: Option<&Admitted>,
        now: DateTime<Utc>,
    ) -> Option<Arc<Shared>> {
        self.live(token, now).filter(|shared| shared.admits(caller))
    }

    /// The same for whoever opens it: a browser's `EventSource` has the token alone to show.
    pub(super) fn find_to_open(
        &self,
        token: &str,
        caller: Option<&Admitted>,
        now: DateTime<Utc>,
    ) -> Option<Arc<Shared>> {
        self.live(token, now)
            .filter(|shared| caller.is_none() || shared.admits(caller))
    }

    fn live(&self, token: &str, now: DateTime<Utc>) -> Option<Arc<Shared>> {
        let shared = locked(&self.0).get(token).cloned();
        shared.filter(|shared| !shared.has_lapsed(now))
    }

    /// Keeps an open stream for as long as what is given lives.
    pub(super) fn open(&self, token: String) -> Open {
        Open {
            streams: self.clone(),
            token,
        }
    }
}

impl Shared {
    fn has_lapsed(&self, now: DateTime<Utc>) -> bool {
        self.reserved_until <= now && locked(&self.queue).is_some()
    }

    /// Whether it is the caller's, whose newer access token it takes over.
    fn admits(&self, caller: Option<&Admitted>) -> bool {
        let mut owner = locked(&self.owner);
        match (owner.as_mut(), caller) {
            (None, None) => true,
            (Some(owner), Some(caller)) if owner.is_same_session(caller) => {
                if caller.until() > owner.until() {
                    *owner = caller.clone();
                }
                true
            }
            _ => false,
        }
    }

    /// Whose it is.
    pub(super) fn owner(&self) -> Option<Admitted> {
        locked(&self.owner).clone()
    }

    /// What its operations answer; none when it is open already.
    pub(super) fn take_queue(&self) -> Option<mpsc::Receiver<Answer>> {
        locked(&self.queue).take()
    }

    /// Its operations. Never held across an await.
    pub(super) fn running(&self) -> MutexGuard<'_, Running> {
        locked(&self.running)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        locked(&self.streams.0).remove(&self.token);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

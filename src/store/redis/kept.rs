//! A connection that is kept for all: made when it is first needed, and anew when the server behind it is not the right one any more.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use redis::{RedisError, RedisResult};

/// How long to wait at least between two tries to connect, however many ask.
const PAUSE: Duration = Duration::from_millis(100);

/// The connection. Cheap to clone.
pub(in crate::store) struct Kept<C>(Arc<Inner<C>>);

struct Inner<C> {
    connect: Box<dyn Fn() -> BoxFuture<'static, RedisResult<C>> + Send + Sync>,
    /// For how long every call may be without a good answer before the connection is made anew.
    patience: Duration,
    /// What a call is answered with by a server that is the wrong one.
    is_wrong: fn(&RedisError) -> bool,
    turn: Mutex<Turn<C>>,
    /// Whether a call had a good answer since the last one that had none.
    goes: AtomicBool,
}

struct Turn<C> {
    number: u64,
    began: Instant,
    fails_since: Option<Instant>,
    is_driven: bool,
    connecting: Shared<BoxFuture<'static, RedisResult<C>>>,
}

/// The connection for one call. Whoever drops it without a result has given the call up.
pub(in crate::store) struct Held<C: Clone + Send + Sync + 'static> {
    pub(super) connection: C,
    kept: Kept<C>,
    number: u64,
    is_done: bool,
}

impl<C> Clone for Kept<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C: Clone + Send + Sync + 'static> Kept<C> {
    pub(super) fn new(
        patience: Duration,
        is_wrong: fn(&RedisError) -> bool,
        connect: impl Fn() -> BoxFuture<'static, RedisResult<C>> + Send + Sync + 'static,
    ) -> Self {
        let first = connect().shared();
        Self(Arc::new(Inner {
            connect: Box::new(connect),
            patience,
            is_wrong,
            turn: Mutex::new(Turn {
                number: 1,
                began: Instant::now(),
                fails_since: None,
                is_driven: false,
                connecting: first,
            }),
            goes: AtomicBool::new(false),
        }))
    }

    /// Which connection this is: another number is another connection, perhaps to another server.
    pub(super) fn number(&self) -> u64 {
        self.turn().number
    }

    pub(super) async fn hold(&self) -> RedisResult<Held<C>> {
        let (number, connecting) = {
            let mut turn = self.turn();
            if !turn.is_driven {
                turn.is_driven = true;
                // It goes on also when whoever asks first does not wait for it.
                tokio::spawn(turn.connecting.clone().map(drop));
            }
            (turn.number, turn.connecting.clone())
        };
        match connecting.await {
            Ok(connection) => Ok(Held {
                connection,
                kept: self.clone(),
                number,
                is_done: false,
            }),
            Err(error) => {
                self.renew(number, true);
                Err(error)
            }
        }
    }

    /// Connects anew, unless somebody else has, or has just tried.
    fn renew(&self, number: u64, at_once: bool) {
        let mut turn = self.turn();
        if turn.number != number || turn.began.elapsed() < PAUSE {
            return;
        }
        if !at_once {
            if self.0.goes.swap(false, SeqCst) {
                turn.fails_since = None;
            }
            let fails_since = *turn.fails_since.get_or_insert_with(Instant::now);
            if fails_since.elapsed() < self.0.patience {
                return;
            }
        }
        *turn = Turn {
            number: number + 1,
            began: Instant::now(),
            fails_since: None,
            is_driven: false,
            connecting: (self.0.connect)().shared(),
        };
    }

    fn turn(&self) -> MutexGuard<'_, Turn<C>> {
        self.0.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Clone + Send + Sync + 'static> Held<C> {
    /// The call has ended, with this.
    pub(super) fn ends<T>(mut self, result: RedisResult<T>) -> RedisResult<T> {
        self.is_done = true;
        let inner = &self.kept.0;
        match &result {
            Ok(_) if inner.goes.load(SeqCst) => {}
            Ok(_) => inner.goes.store(true, SeqCst),
            Err(error) => self.kept.renew(self.number, (inner.is_wrong)(error)),
        }
        result
    }
}

impl<C: Clone + Send + Sync + 'static> Drop for Held<C> {
    fn drop(&mut self) {
        if !self.is_done {
            self.kept.renew(self.number, false);
        }
    }
}

//! One reader of the history for everybody who watches in this process.
//!
//! While somebody watches it reads the table on from the last event that it knows: whenever the bus says that a booking moved, and once a
//! second whatever the bus says, so that an event is late by a second at most when Redis is away, and costs one query however many watch.
//! It hands each event to those concerned through small bounded channels. Who is too slow for theirs is told to look into the table, and so
//! holds up nobody and fills no memory.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use tokio::{
    sync::{Notify, Semaphore, broadcast},
    time::{sleep, timeout},
};

use crate::{
    domain::ids::{BookingEventId, BookingId, UserId},
    entity::booking_event::{Column, Entity, Model},
    service::error::Result,
    store::{
        bus::{Bus, Listener, Notice},
        db::Db,
    },
};

/// How often the table is looked at while somebody watches, and how long to wait after a failure.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long one look may take.
const LOOK_WITHIN: Duration = Duration::from_secs(10);
/// Events read at a time.
const BATCH: u64 = 100;
/// Events that a watcher may fall behind by before it has to look into the table. Room for them is kept for each that is watched.
const BACKLOG: usize = 16;
/// How many watchers look into the table at a time: half of the connections of a pool by default, so that a thousand who come back at once
/// leave the other half to everybody else.
const LOOKS_AT_A_TIME: usize = 4;

/// Whose events are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    Booking(BookingId),
    /// As a guest and as a host.
    Person(UserId),
}

impl Scope {
    fn condition(self) -> Condition {
        match self {
            Self::Booking(id) => Condition::all().add(Column::BookingId.eq(id)),
            Self::Person(id) => Condition::any()
                .add(Column::GuestId.eq(id))
                .add(Column::HostId.eq(id)),
        }
    }
}

/// What a watcher is told.
#[derive(Debug, Clone)]
enum Told {
    Event(Arc<Model>),
    /// There may be events that it was not told of.
    Look,
}

/// The reader, and whom it tells. Cheap to clone.
#[derive(Clone)]
pub(super) struct Tail(Arc<Inner>);

struct Inner {
    db: Db,
    watched: Mutex<HashMap<Scope, broadcast::Sender<Told>>>,
    woken: Arc<Notify>,
    looks: Semaphore,
}

impl Tail {
    /// Begins to follow the history, for as long as anybody has a use for it.
    pub(super) fn follow(db: Db, bus: &Bus) -> Self {
        let woken = Arc::new(Notify::new());
        let inner = Arc::new(Inner {
            db,
            watched: Mutex::default(),
            woken: Arc::clone(&woken),
            looks: Semaphore::new(LOOKS_AT_A_TIME),
        });
        tokio::spawn(keep_reading(Arc::downgrade(&inner), woken, bus.listen()));
        Self(inner)
    }

    /// Watches from after `last`. The events come in order, each once, first from the table and then as they happen.
    pub(super) fn watch(&self, scope: Scope, last: BookingEventId) -> Watcher {
        // It is told of new events from before its first look, so that nothing falls between the two.
        let told = {
            let mut watched = self.0.watched();
            let sender = watched
                .entry(scope)
                .or_insert_with(|| broadcast::channel(BACKLOG).0);
            sender.subscribe()
        };
        self.0.woken.notify_one();
        Watcher {
            watching: Watching {
                inner: Arc::clone(&self.0),
                scope,
            },
            told,
            last,
            found: vec![].into_iter(),
            looks: true,
        }
    }

    /// The newest event of all.
    pub(super) async fn newest(&self) -> Result<BookingEventId> {
        let _turn = self.0.looks.acquire().await;
        self.0.newest(Condition::all()).await
    }

    /// The newest event of a scope.
    pub(super) async fn newest_of(&self, scope: Scope) -> Result<BookingEventId> {
        let _turn = self.0.looks.acquire().await;
        self.0.newest(scope.condition()).await
    }
}

impl Inner {
    fn watched(&self) -> MutexGuard<'_, HashMap<Scope, broadcast::Sender<Told>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn newest(&self, of: Condition) -> Result<BookingEventId> {
        let newest: Option<Option<BookingEventId>> = Entity::find()
            .select_only()
            .column_as(Column::EventId.max(), "newest")
            .filter(of)
            .into_tuple()
            .one(self.db.read())
            .await?;
        Ok(newest.flatten().unwrap_or(BookingEventId(0)))
    }

    async fn since(&self, of: Condition, last: BookingEventId) -> Result<Vec<Model>> {
        let batch = Entity::find()
            .filter(of)
            .filter(Column::EventId.gt(last))
            .order_by_asc(Column::EventId)
            .limit(BATCH);
        Ok(batch.all(self.db.read()).await?)
    }

    /// Reads from `position` to the end of the table. Without a position it begins at the end, and has everybody look for themselves.
    async fn read_on(&self, position: &mut Option<BookingEventId>) -> Result<()> {
        let Some(position) = position else {
            *position = Some(self.newest(Condition::all()).await?);
            for sender in self.watched().values() {
                // An error only says that nobody listens.
                let _ = sender.send(Told::Look);
            }
            return Ok(());
        };
        loop {
            let batch = self.since(Condition::all(), *position).await?;
            let more = batch.len() as u64 == BATCH;
            for event in batch {
                *position = event.event_id;
                self.tell(event);
            }
            if !more {
                return Ok(());
            }
        }
    }

    fn tell(&self, event: Model) {
        let event = Arc::new(event);
        let watched = self.watched();
        for scope in [
            Scope::Booking(event.booking_id),
            Scope::Person(event.guest_id),
            Scope::Person(event.host_id),
        ] {
            if let Some(sender) = watched.get(&scope) {
                let _ = sender.send(Told::Event(Arc::clone(&event)));
            }
        }
    }
}

async fn keep_reading(inner: Weak<Inner>, woken: Arc<Notify>, mut told: Listener) {
    let mut position = None;
    let mut is_watched = false;
    loop {
        tokio::select! {
            notice = told.next() => match notice.as_deref() {
                Some(Notice::Booking { .. } | Notice::Resync) => {}
                Some(_) => continue,
                None => return,
            },
            () = woken.notified() => {}
            () = sleep(LOOK_EVERY), if is_watched => {}
        }
        // One look serves all that was said before it.
        told.skip();
        let Some(inner) = inner.upgrade() else { return };
        is_watched = !inner.watched().is_empty();
        if !is_watched {
            position = None;
            continue;
        }
        let why = match timeout(LOOK_WITHIN, inner.read_on(&mut position)).await {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it took too long".to_owned(),
        };
        tracing::warn!(why, "could not look for new events; trying again");
        sleep(LOOK_EVERY).await;
    }
}

/// Somebody who watches.
pub(super) struct Watcher {
    // Dropped before `watching`, which looks whether anybody is left: fields are dropped in the order of their declaration.
    told: broadcast::Receiver<Told>,
    watching: Watching,
    last: BookingEventId,
    found: std::vec::IntoIter<Model>,
    /// Whether there may be more in the table.
    looks: bool,
}

impl Watcher {
    /// The next event. A database that does not answer is asked again until it does. None once the reader is gone.
    ///
    /// May be cancelled and called again; nothing is lost by it.
    pub(super) async fn next(&mut self) -> Option<Model> {
        loop {
            if let Some(event) = self.found.next() {
                self.last = event.event_id;
                return Some(event);
            }
            if self.looks {
                self.look().await;
                continue;
            }
            match self.told.recv().await {
                Ok(Told::Event(event)) if event.event_id > self.last => {
                    self.last = event.event_id;
                    return Some(Model::clone(&event));
                }
                // It was found in the table already.
                Ok(Told::Event(_)) => {}
                Ok(Told::Look) | Err(broadcast::error::RecvError::Lagged(_)) => self.looks = true,
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    async fn look(&mut self) {
        let Watching { inner, scope } = &self.watching;
        let looked = {
            let _turn = inner.looks.acquire().await;
            inner.since(scope.condition(), self.last).await
        };
        match looked {
            Ok(found) => {
                self.looks = found.len() as u64 == BATCH;
                self.found = found.into_iter();
            }
            Err(error) => {
                tracing::warn!(%error, "could not look for events that were missed; trying again");
                sleep(LOOK_EVERY).await;
            }
        }
    }
}

/// Takes a scope out of the books when nobody watches it any more.
struct Watching {
    inner: Arc<Inner>,
    scope: Scope,
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut watched = self.inner.watched();
        if watched
            .get(&self.scope)
            .is_some_and(|sender| sender.receiver_count() == 0)
        {
            watched.remove(&self.scope);
        }
    }
}

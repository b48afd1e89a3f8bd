//! Which sessions stand, known without asking the database for each request.
//!
//! The database is the truth. Whatever changes a session appends its person to a feed in the same transaction
//! ([`crate::entity::session_change`]). Each instance keeps what it has read of sessions, reads the feed on, and forgets whom it finds there. It
//! trusts what it keeps only while it has read the feed within [`TRUSTED_FOR`]; otherwise it asks the database. So whoever has changed a session
//! and then waits that long can be sure that every instance knows, without hearing from any of them: with the bus lost, or another
//! instance hung, the promise holds. The bus only wakes the reader early.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    RelationTrait as _,
};
use tokio::{
    sync::{Notify, broadcast},
    time::timeout,
};
use uuid::Uuid;

use crate::{
    domain::{actor::SignedIn, clock::Clock, ids::UserId, people::Role},
    entity::{
        session,
        session_change::{Column, Entity},
        user,
    },
    service::error::Result,
    store::{
        bus::{Bus, Listener},
        db::Db,
        tokens::AccessToken,
    },
};

/// For how long what was read of the feed is trusted.
const TRUSTED_FOR: Duration = Duration::from_millis(300);
/// After how long a request has the feed read on, so that under load none finds it too old.
const READ_ON_AFTER: Duration = Duration::from_millis(100);
/// How often the feed is read while signed-in sockets are open, whether or not anybody asks.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long reading the feed may take.
const READ_WITHIN: Duration = Duration::from_secs(1);
/// After a failure to read.
const PAUSE: Duration = Duration::from_millis(200);
/// After so long without reading, all is forgotten: old rows of the feed may have been swept.
const FORGET_AFTER: chrono::Duration = chrono::Duration::minutes(10);
/// Sessions that are kept.
const SESSIONS: u64 = 100_000;
/// People whose changes are kept; with more, all is forgotten.
const PEOPLE: usize = 10_000;
/// Rows of the feed that are read at a time.
const BATCH: u64 = 1_000;

/// Which sessions stand. Cheap to clone.
#[derive(Clone)]
pub struct Standings(Arc<Inner>);

struct Inner {
    /// For what a request needs to know.
    db: Db,
    /// For the feed and for open sockets, so that both learn what they must even while requests wait for a connection.
    feed_db: Db,
    clock: Arc<dyn Clock>,
    feed: RwLock<Feed>,
    kept: moka::sync::Cache<Uuid, Kept>,
    changed: broadcast::Sender<Changed>,
    read_on: Arc<Notify>,
    sockets: Arc<AtomicUsize>,
}

/// How far the feed was read.
#[derive(Default)]
struct Feed {
    position: i64,
    /// When the last reading began.
    read: Option<(Instant, DateTime<Utc>)>,
    /// Where each person's last change stands.
    changed: HashMap<UserId, i64>,
    /// What was kept before this position is forgotten.
    floor: i64,
}

/// What was read of a session.
#[derive(Clone, Copy)]
struct Kept {
    user_id: UserId,
    standing: Option<Standing>,
    /// How far the feed had been read then.
    at: i64,
}

/// A session that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    role: Role,
    token_version: i32,
}

/// Whose sessions may have changed.
#[derive(Debug, Clone, Copy)]
enum Changed {
    Of(UserId),
    Anyones,
}

impl Standings {
    /// Begins to follow the feed, over `feed_db`, which nobody else uses.
    #[must_use]
    pub fn follow(db: Db, feed_db: Db, bus: &Bus, clock: Arc<dyn Clock>) -> Self {
        let read_on = Arc::new(Notify::new());
        let sockets = Arc::new(AtomicUsize::new(0));
        let inner = Arc::new(Inner {
            db,
            feed_db,
            clock,
            feed: RwLock::default(),
            kept: moka::sync::Cache::builder()
                .max_capacity(SESSIONS)
                .time_to_idle(Duration::from_mins(10))
                .build(),
            changed: broadcast::channel(1_024).0,
            read_on: Arc::clone(&read_on),
            sockets: Arc::clone(&sockets),
        });
        tokio::spawn(keep_reading(
            Arc::downgrade(&inner),
            read_on,
            sockets,
            bus.listen_to_sessions(),
        ));
        Self(inner)
    }

    /// Who a good access token stands for, if its session stands and the person's tokens still have its number.
    pub(super) async fn of(&self, token: &AccessToken) -> Result<Option<SignedIn>> {
        self.over(&self.0.db, token).await
    }

    async fn over(&self, db: &Db, token: &AccessToken) -> Result<Option<SignedIn>> {
        let standing = match self.0.recall(token) {
            Some(kept) => kept.standing,
            None => self.0.look(db, token).await?,
        };
        Ok(standing
            .filter(|standing| standing.token_version == token.version)
            .map(|standing| SignedIn {
                user_id: token.user_id,
                role: standing.role,
                session_id: token.session_id,
                token_version: token.version,
            }))
    }

    /// Waits until a token's session does not stand any more, or the token has another number than the person's.
    pub(super) async fn lost(&self, token: &AccessToken) {
        let mut changed = self.0.changed.subscribe();
        let _watched = Watched::new(&self.0);
        loop {
            match self.over(&self.0.feed_db, token).await {
                Ok(Some(_)) => {}
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%error, "could not look whether a session has ended");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            }
            loop {
                match changed.recv().await {
                    Ok(Changed::Of(user_id)) if user_id != token.user_id => {}
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => break,
                    Err(broadcast::error::RecvError::Closed) => {
                        return std::future::pending().await;
                    }
                }
            }
        }
    }

    /// Waits until every instance knows what was committed before.
    pub(in crate::service) async fn until_everyone_knows(&self) {
        self.0.read_on.notify_one();
        tokio::time::sleep(TRUSTED_FOR).await;
    }
}

/// Counts open sockets, for as long as it is there.
struct Watched(Arc<AtomicUsize>);

impl Watched {
    fn new(inner: &Inner) -> Self {
        inner.sockets.fetch_add(1, Ordering::Relaxed);
        inner.read_on.notify_one();
        Self(Arc::clone(&inner.sockets))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Inner {
    /// What is kept of a session, if it can be trusted.
    fn recall(&self, token: &AccessToken) -> Option<Kept> {
        let feed = self.feed.read().unwrap_or_else(PoisonError::into_inner);
        let (read, at) = feed.read?;
        // By both clocks: that of the process stands still while the machine sleeps, that of the wall may be set.
        let slept = (self.clock.now() - at).abs().to_std().unwrap_or_default();
        let age = read.elapsed().max(slept);
        if age > READ_ON_AFTER {
            self.read_on.notify_one();
        }
        let kept = self.kept.get(&token.session_id)?;
        let unchanged = kept.user_id == token.user_id
            && kept.at >= feed.floor
            && feed
                .changed
                .get(&kept.user_id)
                .is_none_or(|change| *change <= kept.at);
        (age <= TRUSTED_FOR && unchanged).then_some(kept)
    }

    /// Asks the database, and keeps the answer.
    async fn look(&self, db: &Db, token: &AccessToken) -> Result<Option<Standing>> {
        let at = {
            let feed = self.feed.read().unwrap_or_else(PoisonError::into_inner);
            if feed
                .read
                .is_none_or(|(read, _)| read.elapsed() > READ_ON_AFTER)
            {
                self.read_on.notify_one();
            }
            feed.position
        };
        let found: Option<(Role, i32)> = session::Entity::find_by_id(token.session_id)
            .join(sea_orm::JoinType::InnerJoin, session::Relation::User.def())
            .filter(session::Column::UserId.eq(token.user_id))
            .filter(session::Column::EndedAt.is_null())
            .filter(user::Column::SuspendedAt.is_null())
            .select_only()
            .column(user::Column::Role)
            .column(user::Column::TokenVersion)
            .into_tuple()
            .one(db.read())
            .await?;
        let standing = found.map(|(role, token_version)| Standing {
            role,
            token_version,
        });
        let kept = Kept {
            user_id: token.user_id,
            standing,
            at,
        };
        self.kept.insert(token.session_id, kept);
        Ok(standing)
    }

    /// Reads the feed to its end.
    async fn read_feed(&self) -> Result<()> {
        loop {
            let began = (Instant::now(), self.clock.now());
            let (position, follows_on) = {
                let feed = self.feed.read().unwrap_or_else(PoisonError::into_inner);
                let follows_on = feed
                    .read
                    .is_some_and(|(_, read)| (began.1 - read).abs() < FORGET_AFTER);
                (feed.position, follows_on && feed.changed.len() < PEOPLE)
            };
            if !follows_on {
                let end: Option<Option<i64>> = Entity::find()
                    .select_only()
                    .column_as(Column::ChangeId.max(), "end")
                    .into_tuple()
                    .one(self.feed_db.read())
                    .await?;
                self.forget(end.flatten().unwrap_or(0), began);
                return Ok(());
            }
            let changes: Vec<(i64, UserId)> = Entity::find()
                .select_only()
                .columns([Column::ChangeId, Column::UserId])
                .filter(Column::ChangeId.gt(position))
                .order_by_asc(Column::ChangeId)
                .limit(BATCH)
                .into_tuple()
                .all(self.feed_db.read())
                .await?;
            let more = changes.len() as u64 == BATCH;
            self.apply(&changes, began, !more);
            if !more {
                return Ok(());
            }
        }
    }

    fn apply(&self, changes: &[(i64, UserId)], began: (Instant, DateTime<Utc>), to_the_end: bool) {
        {
            let mut feed = self.feed.write().unwrap_or_else(PoisonError::into_inner);
            for (change, user_id) in changes {
                feed.changed.insert(*user_id, *change);
                feed.position = *change;
            }
            if to_the_end {
                feed.read = Some(began);
            }
        }
        for (_, user_id) in changes {
            // An error only says that nobody listens.
            let _ = self.changed.send(Changed::Of(*user_id));
        }
    }

    fn forget(&self, end: i64, began: (Instant, DateTime<Utc>)) {
        {
            let mut feed = self.feed.write().unwrap_or_else(PoisonError::into_inner);
            *feed = Feed {
                position: end,
                read: Some(began),
                changed: HashMap::new(),
                floor: end,
            };
        }
        self.kept.invalidate_all();
        let _ = self.changed.send(Changed::Anyones);
    }
}

/// Reads the feed on whenever somebody asks for it, the bus tells of a change, or sockets are open, for as long as anybody has a use for it.
async fn keep_reading(
    inner: Weak<Inner>,
    read_on: Arc<Notify>,
    sockets: Arc<AtomicUsize>,
    mut told: Listener,
) {
    loop {
        tokio::select! {
            () = read_on.notified() => {}
            // The bus is gone only when everything is.
            notice = told.next() => if notice.is_none() { return },
            () = tokio::time::sleep(LOOK_EVERY), if sockets.load(Ordering::Relaxed) > 0 => {}
        }
        let Some(inner) = inner.upgrade() else { return };
        let why = match timeout(READ_WITHIN, inner.read_feed()).await {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it took too long".to_owned(),
        };
        tracing::warn!(
            why,
            "could not read which sessions changed; requests ask the database"
        );
        tokio::time::sleep(PAUSE).await;
    }
}

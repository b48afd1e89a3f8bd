//! Answers to questions that many ask, kept as they go out until what they show changes: in this process and, where several instances share them,
//! in Redis. The protocol is explained, with the races that it closes, in `docs/caching.md`.
//!
//! [`Answers::find`] gives an answer that is fresh, or the right to make one. Whoever changes what answers show calls [`Answers::bump`] after the
//! commit, and before anybody is told that it is done.

mod following;
#[cfg(test)]
mod model;
mod remote;
mod running;
mod versions;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use moka::sync::Cache;
use tokio::time::timeout;

use self::{
    following::Contact,
    remote::{Got, Remote},
    running::{Running, Turn},
    versions::Versions,
};
use crate::domain::freshness::{Moment, Slot, Tag, slots};

/// What an answer is kept under: a digest of the question.
pub type Key = [u8; 32];

/// An answer, as it goes out.
#[derive(Debug)]
pub struct Answer {
    /// The body, in JSON.
    pub body: Bytes,
    began: Moment,
    slots: Box<[Slot]>,
    until: DateTime<Utc>,
    /// The generation of bumps in which it was found fresh last.
    fresh_in: AtomicU64,
}

/// Where answers are kept. Cheap to clone.
#[derive(Clone)]
pub struct Answers(Option<Arc<Inner>>);

struct Inner {
    /// None where the layer in this process is off.
    local: Option<Cache<Key, Arc<Answer>>>,
    versions: Arc<Versions>,
    shared: Option<Shared>,
    running: Running,
}

struct Shared {
    remote: Remote,
    contact: Arc<Contact>,
}

/// What there is to a question.
pub enum Found {
    /// An answer that is fresh.
    Answer(Arc<Answer>),
    /// None: whoever asks makes one.
    Nothing(Reading),
}

/// An answer that is being made. As long as this is there, others who ask the same wait for it.
pub struct Reading {
    inner: Option<Arc<Inner>>,
    key: Key,
    began: Moment,
    /// The contact with Redis in which it began. After another one, moments are no longer comparable with its own.
    contact: u64,
    _turn: Option<Turn>,
}

impl Answers {
    /// No answer is kept.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Answers in this process, of so many bytes at most.
    #[must_use]
    pub fn in_process(bytes: u64) -> Self {
        Self(Some(Arc::new(Inner {
            local: Some(local(bytes)),
            versions: Arc::new(Versions::new()),
            shared: None,
            running: Running::default(),
        })))
    }

    /// Answers of every instance that uses the same Redis and `prefix`, so many bytes of them in this process too. While Redis is away nothing is cached.
    ///
    /// # Errors
    /// When the URL is not one of Redis.
    pub fn over_redis(url: &str, prefix: &str, bytes: u64) -> anyhow::Result<Self> {
        let versions = Arc::new(Versions::new());
        let contact = Arc::<Contact>::default();
        let remote = Remote::open(url, prefix)?;
        tokio::spawn(following::follow(
            remote.clone(),
            Arc::clone(&versions),
            Arc::clone(&contact),
        ));
        Ok(Self(Some(Arc::new(Inner {
            local: (bytes > 0).then(|| local(bytes)),
            versions,
            shared: Some(Shared { remote, contact }),
            running: Running::default(),
        }))))
    }

    /// Makes every answer stale that any instance has, because the database is another one now.
    ///
    /// # Errors
    /// When Redis does not say that it has done so.
    pub async fn forget_all(url: &str, prefix: &str) -> anyhow::Result<()> {
        let remote = Remote::open(url, prefix)?;
        let forgotten = timeout(PATIENCE, remote.forget_all()).await;
        forgotten.context("Redis does not answer")??;
        Ok(())
    }

    /// Whether answers are kept at all.
    #[must_use]
    pub const fn are_kept(&self) -> bool {
        self.0.is_some()
    }

    /// The present moment: what is read from now on has what was written before. Where no answers are kept there is but one.
    #[must_use]
    pub fn moment(&self) -> Moment {
        self.0
            .as_ref()
            .map_or(Moment(0), |inner| inner.versions.now())
    }

    /// Waits until something is bumped, for one who follows what is written.
    pub async fn bumped(&self) {
        match &self.0 {
            Some(inner) => inner.versions.bumped().await,
            None => std::future::pending().await,
        }
    }

    /// Whether it is certain that no instance has bumped this since a moment. It is not where instances don't hear of each other.
    pub async fn is_certainly_as_it_was(&self, tag: Tag, since: Moment) -> bool {
        let shared = self.0.as_ref().and_then(|inner| inner.shared.as_ref());
        let Some(Shared { remote, contact }) = shared else {
            return false;
        };
        let last = remote.last_bump(tag.slot()).await;
        // A bump of this instance that could not be told is nowhere else, and another server may lack some.
        contact.stands_over(remote.connection()) && last.is_some_and(|last| last <= since)
    }

    /// A fresh answer or, where there is none, the right to make it. Of those who ask the same at once one makes it, and the others wait.
    pub async fn find(&self, key: Key, now: DateTime<Utc>) -> Found {
        let Some(inner) = &self.0 else {
            return Found::Nothing(Reading::unkept(key));
        };
        let mut waits = true;
        loop {
            let contact = inner.contact();
            if let Some(answer) = inner.here(&key, now) {
                count("hit");
                return Found::Answer(answer);
            }
            let began = match inner.elsewhere(&key, now).await {
                Elsewhere::Answer(answer) => {
                    count("hit_shared");
                    return Found::Answer(answer);
                }
                Elsewhere::Nothing(began) => began,
                Elsewhere::Away => {
                    count("away");
                    return Found::Nothing(Reading::unkept(key));
                }
            };
            let turn = match inner.running.begin(key) {
                Ok(turn) => Some(turn),
                Err(other) if waits => {
                    other.cancelled().await;
                    // Once: what can't be kept would have them all go one after the other.
                    waits = false;
                    continue;
                }
                Err(_) => None,
            };
            count("miss");
            return Found::Nothing(Reading {
                inner: Some(Arc::clone(inner)),
                key,
                began,
                contact,
                _turn: turn,
            });
        }
    }

    /// Makes every answer stale that shows one of these: of this instance when it returns, of others as soon as they hear of it.
    pub async fn bump(&self, tags: impl IntoIterator<Item = Tag>) {
        let Some(inner) = &self.0 else { return };
        let slots = slots(tags);
        if slots.is_empty() {
            return;
        }
        let Some(Shared { remote, contact }) = &inner.shared else {
            inner.versions.bump(&slots);
            return;
        };
        match remote.bump(&slots).await {
            Some(moment) => inner.versions.raise(moment, &slots),
            None => contact.doubt(),
        }
    }
}

/// What another layer has.
enum Elsewhere {
    Answer(Arc<Answer>),
    Nothing(Moment),
    /// It does not say.
    Away,
}

impl Inner {
    /// What this process has.
    fn here(&self, key: &Key, now: DateTime<Utc>) -> Option<Arc<Answer>> {
        if self
            .shared
            .as_ref()
            .is_some_and(|shared| !shared.contact.stands())
        {
            return None;
        }
        let answer = self.local.as_ref()?.get(key)?;
        if answer.until > now && self.versions.is_fresh(&answer) {
            return Some(answer);
        }
        count("stale");
        None
    }

    async fn elsewhere(&self, key: &Key, now: DateTime<Utc>) -> Elsewhere {
        let Some(Shared { remote, contact }) = &self.shared else {
            return Elsewhere::Nothing(self.versions.now());
        };
        // Bumps of others that were not told are made up for first.
        if !contact.stands() {
            return Elsewhere::Away;
        }
        match remote.get(key).await {
            None => Elsewhere::Away,
            // A master that took over has not been asked yet whether it lacks bumps.
            Some(_) if !contact.stands_over(remote.connection()) => Elsewhere::Away,
            Some(Got::Nothing { at, was_stale }) => {
                if was_stale {
                    count("stale");
                }
                Elsewhere::Nothing(at)
            }
            Some(Got::Fresh { at, slots, body }) => {
                // What is fresh at a moment is as if it had begun to be read then.
                let answer = Arc::new(Answer::new(body, at, slots, now + KEPT));
                self.keep_here(*key, &answer);
                Elsewhere::Answer(answer)
            }
        }
    }

    fn contact(&self) -> u64 {
        self.shared
            .as_ref()
            .map_or(0, |shared| shared.contact.turn())
    }

    fn keep_here(&self, key: Key, answer: &Arc<Answer>) {
        if let Some(local) = &self.local {
            local.insert(key, Arc::clone(answer));
        }
    }
}

impl Reading {
    fn unkept(key: Key) -> Self {
        Self {
            inner: None,
            key,
            began: Moment(0),
            contact: 0,
            _turn: None,
        }
    }

    /// What is made of it has not everything that was written after an earlier moment: it began to be read then.
    #[must_use]
    pub fn as_of(self, moment: Moment) -> Self {
        let began = self.began.min(moment);
        Self { began, ..self }
    }

    /// Keeps what was made of it for so long, a minute at the most.
    pub fn keep(
        self,
        body: Bytes,
        tags: impl IntoIterator<Item = Tag>,
        time: Duration,
        now: DateTime<Utc>,
    ) {
        let Some(inner) = &self.inner else { return };
        if body.len() > LARGEST || inner.contact() != self.contact {
            return;
        }
        let time = time.min(KEPT);
        let answer = Arc::new(Answer::new(body, self.began, slots(tags), now + time));
        inner.keep_here(self.key, &answer);
        if let Some(Shared { remote, .. }) = &inner.shared {
            let remote = remote.clone();
            // Nobody who has the answer waits for it. Those who wait for their turn do.
            tokio::spawn(async move {
                remote.put(&self.key, &answer, time).await;
                drop(self);
            });
        }
    }
}

impl Answer {
    fn new(body: Bytes, began: Moment, slots: Box<[Slot]>, until: DateTime<Utc>) -> Self {
        Self {
            body,
            began,
            slots,
            until,
            fresh_in: AtomicU64::new(0),
        }
    }

    fn was_fresh_in(&self, generation: u64) -> bool {
        self.fresh_in.load(Ordering::SeqCst) == generation
    }

    fn found_fresh_in(&self, generation: u64) {
        self.fresh_in.store(generation, Ordering::SeqCst);
    }

    fn weight(&self) -> usize {
        // What the entry itself takes, in round numbers.
        self.body.len() + self.slots.len() * size_of::<Slot>() + 256
    }
}

fn local(bytes: u64) -> Cache<Key, Arc<Answer>> {
    Cache::builder()
        .max_capacity(bytes)
        .weigher(|_, answer: &Arc<Answer>| u32::try_from(answer.weight()).unwrap_or(u32::MAX))
        .time_to_live(KEPT)
        .build()
}

fn count(what: &'static str) {
    metrics::counter!("staygate_answer_cache_total", "result" => what).increment(1);
}

/// How long an answer is kept at most: should a bump ever be lost, it is stale no longer than this.
const KEPT: Duration = Duration::from_mins(1);
/// How long Redis may take to forget everything.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest that is kept, in bytes.
const LARGEST: usize = 1 << 20;

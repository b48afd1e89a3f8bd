//! Answers and bumps in Redis, for all instances that share one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::time::timeout;

use super::{Answer, Key};
use crate::{
    domain::freshness::{Moment, Slot},
    store::redis::{Connection, Redis, Script, Subscription},
};

/// How long Redis may take: somebody waits, and can do without.
const PATIENCE: Duration = Duration::from_millis(250);

/// The way to Redis. Cheap to clone.
#[derive(Clone)]
pub(super) struct Remote {
    redis: Redis,
    connection: Connection,
    get: Arc<Script>,
    bump: Arc<Script>,
    look: Arc<Script>,
    /// Where the moments of all bumps are.
    moments: Arc<str>,
    /// Before the names of answers.
    answers: Arc<str>,
    channel: Arc<str>,
    /// The latest moment that this process has heard of.
    latest: Arc<AtomicU64>,
}

/// What `get.lua` gives.
type Reply = (u8, u64, Option<String>, Option<Vec<u8>>);

/// What Redis has under a key.
pub(super) enum Got {
    Fresh {
        at: Moment,
        slots: Box<[Slot]>,
        body: Bytes,
    },
    /// Nothing, or what is not fresh.
    Nothing { at: Moment, was_stale: bool },
}

/// What `look.lua` gives.
pub(super) struct Look {
    /// The moment of the last bump.
    pub(super) at: Moment,
    /// Whether everything before it was forgotten just now.
    pub(super) is_forgotten: bool,
}

impl Remote {
    pub(super) fn open(url: &str, prefix: &str) -> anyhow::Result<Self> {
        let redis = Redis::open(url)?;
        let (moments, answers) = if redis.is_spread() {
            // A script has all its keys on one node.
            let own = format!("{{{prefix}:answers}}");
            (own.clone(), own + ":")
        } else {
            (format!("{prefix}:answers"), format!("{prefix}:answer:"))
        };
        Ok(Self {
            connection: redis.connection()?,
            redis,
            get: Arc::new(Script::new(include_str!("get.lua"))),
            bump: Arc::new(Script::new(include_str!("bump.lua"))),
            look: Arc::new(Script::new(include_str!("look.lua"))),
            moments: moments.into(),
            answers: answers.into(),
            channel: format!("{prefix}:answers:bumps").into(),
            latest: Arc::default(),
        })
    }

    /// What Redis has under a key, and the moment of the look. None when it does not tell in time.
    pub(super) async fn get(&self, key: &Key) -> Option<Got> {
        let mut connection = self.connection.clone();
        let name = self.name(key);
        let call = self.get.call(&mut connection, |call| {
            call.arg(2).arg(&*self.moments).arg(&name);
        });
        let (how, at, slots, body): Reply = in_time(call).await?;
        let at = self.heard_of(Moment(at));
        Some(match (how, slots, body) {
            (1, Some(slots), Some(body)) => Got::Fresh {
                at,
                slots: read(&slots).collect(),
                body: body.into(),
            },
            (how, ..) => Got::Nothing {
                at,
                was_stale: how == 2,
            },
        })
    }

    /// Keeps an answer for so long.
    pub(super) async fn put(&self, key: &Key, answer: &Answer, time: Duration) {
        let name = self.name(key);
        let mut both = redis::pipe();
        // Whole or not at all: of another answer under this key nothing stays.
        both.atomic().del(&name).ignore();
        both.hset_multiple(
            &name,
            &[
                ("began", answer.began.0.to_string().as_bytes()),
                ("slots", write(&answer.slots).as_bytes()),
                ("body", &answer.body),
            ],
        )
        .ignore();
        let time = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        both.pexpire(&name, time).ignore();
        let mut connection = self.connection.clone();
        let _: Option<()> = in_time(both.query_async(&mut connection)).await;
    }

    /// Bumps slots for everybody. None when Redis does not say in time that it has.
    pub(super) async fn bump(&self, slots: &[Slot]) -> Option<Moment> {
        let mut connection = self.connection.clone();
        let call = self.bump.call(&mut connection, |call| {
            call.arg(1).arg(&*self.moments).arg(&*self.channel);
            for slot in slots {
                call.arg(slot.number());
            }
        });
        let at = in_time(call).await?;
        Some(self.heard_of(Moment(at)))
    }

    /// When a slot was bumped last; the moment before which nothing is known, where that is later. None when Redis does not tell in time.
    pub(super) async fn last_bump(&self, slot: Slot) -> Option<Moment> {
        let mut connection = self.connection.clone();
        let mut ask = redis::cmd("HMGET");
        ask.arg(&*self.moments).arg("floor").arg(slot.number());
        let last: (Option<u64>, Option<u64>) = in_time(ask.query_async(&mut connection)).await?;
        match last {
            (Some(floor), bump) => Some(Moment(floor.max(bump.unwrap_or_default()))),
            // It has lost everything, and nobody has begun to count anew.
            (None, _) => None,
        }
    }

    /// The moment of the last bump, where this is still the Redis that has heard of all of them. Where it may not be, all is forgotten that was
    /// before, for everybody.
    pub(super) async fn look(&self) -> redis::RedisResult<Look> {
        self.look_or_forget(false).await
    }

    /// Makes every answer stale, for everybody.
    pub(super) async fn forget_all(&self) -> redis::RedisResult<Look> {
        self.look_or_forget(true).await
    }

    async fn look_or_forget(&self, all: bool) -> redis::RedisResult<Look> {
        let mut connection = self.connection.clone();
        let call = self.look.call(&mut connection, |call| {
            call.arg(1)
                .arg(&*self.moments)
                .arg(&*self.channel)
                .arg(self.latest.load(SeqCst))
                .arg(u8::from(all));
        });
        let (at, is_forgotten): (u64, bool) = call.await?;
        Ok(Look {
            at: self.heard_of(Moment(at)),
            is_forgotten,
        })
    }

    /// Hears the bumps of all, from now on.
    pub(super) async fn subscribe(&self) -> redis::RedisResult<Subscription> {
        self.redis.subscribe(&self.channel).await
    }

    /// Which connection this is ([`Connection::number`]).
    pub(super) fn connection(&self) -> u64 {
        self.connection.number()
    }

    pub(super) fn heard_of(&self, moment: Moment) -> Moment {
        self.latest.fetch_max(moment.0, SeqCst);
        moment
    }

    fn name(&self, key: &Key) -> Vec<u8> {
        [self.answers.as_bytes(), key].concat()
    }
}

async fn in_time<T>(call: impl Future<Output = redis::RedisResult<T>>) -> Option<T> {
    match timeout(PATIENCE, call).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::debug!(%error, "Redis has no answers");
            None
        }
        Err(_late) => None,
    }
}

pub(super) fn read(slots: &str) -> impl Iterator<Item = Slot> {
    slots.split(' ').filter_map(Slot::parse)
}

fn write(slots: &[Slot]) -> String {
    let numbers: Vec<_> = slots.iter().map(|slot| slot.number().to_string()).collect();
    numbers.join(" ")
}

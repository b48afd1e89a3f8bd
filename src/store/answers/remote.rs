//! Answers and bumps in Redis, for all instances that share one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::StreamExt as _;
use redis::{Client, Script, aio::ConnectionManager};
use tokio::{
    sync::Notify,
    time::{interval, sleep, timeout},
};

use super::{Answer, Key, versions::Versions};
use crate::{
    domain::freshness::{Moment, Slot},
    store::redis::connection,
};

/// How long Redis may take: somebody waits, and can do without.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long Redis may be silent before it counts as away: bumps of others may have been missed.
const SILENCE: Duration = Duration::from_secs(1);
/// How long to wait between two tries to reach it.
const PAUSE: Duration = Duration::from_millis(100);

/// The way to Redis. Cheap to clone.
#[derive(Clone)]
pub(super) struct Remote {
    connection: ConnectionManager,
    get: Arc<Script>,
    bump: Arc<Script>,
    /// Where the moments of all bumps are.
    moments: Arc<str>,
    /// Before the names of answers.
    answers: Arc<str>,
    channel: Arc<str>,
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

impl Remote {
    pub(super) fn open(url: &str, prefix: &str) -> anyhow::Result<Self> {
        Ok(Self {
            connection: connection(url)?,
            get: Arc::new(Script::new(include_str!("get.lua"))),
            bump: Arc::new(Script::new(include_str!("bump.lua"))),
            moments: format!("{prefix}:answers").into(),
            answers: format!("{prefix}:answer:").into(),
            channel: format!("{prefix}:answers:bumps").into(),
        })
    }

    /// What Redis has under a key, and the moment of the look. None when it does not tell in time.
    pub(super) async fn get(&self, key: &Key) -> Option<Got> {
        let mut connection = self.connection.clone();
        let mut call = self.get.prepare_invoke();
        call.key(&*self.moments).key(self.name(key));
        let call = call.invoke_async(&mut connection);
        let (how, at, slots, body): Reply = in_time(call).await?;
        let at = Moment(at);
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

    /// Bumps slots for everybody; without any, all of them. None when Redis does not say in time that it has.
    pub(super) async fn bump(&self, slots: &[Slot]) -> Option<Moment> {
        let mut connection = self.connection.clone();
        let mut call = self.bump.prepare_invoke();
        call.key(&*self.moments).arg(&*self.channel);
        for slot in slots {
            call.arg(slot.number());
        }
        in_time(call.invoke_async(&mut connection))
            .await
            .map(Moment)
    }

    /// The moment of the last bump.
    async fn clock(&self) -> Option<Moment> {
        match self.get(&Key::default()).await? {
            Got::Fresh { at, .. } | Got::Nothing { at, .. } => Some(at),
        }
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

fn read(slots: &str) -> impl Iterator<Item = Slot> {
    slots.split(' ').filter_map(Slot::parse)
}

fn write(slots: &[Slot]) -> String {
    let numbers: Vec<_> = slots.iter().map(|slot| slot.number().to_string()).collect();
    numbers.join(" ")
}

/// Hears what others bump, as long as the process runs.
pub(super) async fn follow(
    client: Client,
    remote: Remote,
    versions: Arc<Versions>,
    contact: Arc<Contact>,
) {
    // Redis may have been away before this process was there: then it is others who know.
    let mut was_away = false;
    loop {
        let lost = hear(&client, &remote, &versions, &contact, was_away).await;
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
    client: &Client,
    remote: &Remote,
    versions: &Versions,
    contact: &Contact,
    was_away: bool,
) -> anyhow::Result<()> {
    let subscribe = async {
        let mut subscription = client.get_async_pubsub().await?;
        subscription.subscribe(&*remote.channel).await?;
        redis::RedisResult::Ok(subscription.split())
    };
    let (mut sink, mut bumps) = timeout(SILENCE, subscribe).await??;
    // Bumps that could not be told meanwhile are told now: whoever could not reach Redis bumps everything before it trusts any answer.
    let at = if was_away {
        remote.bump(&[]).await
    } else {
        remote.clock().await
    };
    versions.forget_before(at.context("Redis does not tell the moment")?);
    contact.make();
    let mut ticks = interval(SILENCE / 2);
    loop {
        tokio::select! {
            bump = bumps.next() => {
                let bump = bump.context("the connection broke")?;
                let (moment, slots) = read_bump(bump.get_payload_bytes()).context("a bump that can't be read")?;
                if slots.is_empty() {
                    versions.forget_before(moment);
                } else {
                    versions.raise(moment, &slots);
                    versions.advance(moment);
                }
            }
            _ = ticks.tick() => {
                let _: redis::Value = timeout(SILENCE, sink.ping()).await??;
            }
            () = contact.doubted() => anyhow::bail!("a bump could not be told"),
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
    stands: AtomicBool,
    doubt: Notify,
}

impl Contact {
    pub(super) fn stands(&self) -> bool {
        self.stands.load(SeqCst)
    }

    /// A bump of this instance may not have reached Redis: nothing is trusted until it has.
    pub(super) fn doubt(&self) {
        self.lose();
        self.doubt.notify_one();
    }

    async fn doubted(&self) {
        self.doubt.notified().await;
    }

    fn make(&self) {
        self.stands.store(true, SeqCst);
    }

    /// Gives whether it stood.
    fn lose(&self) -> bool {
        self.stands.swap(false, SeqCst)
    }
}

//! The bus between instances, over Redis publish and subscribe.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::{
    sync::mpsc,
    time::{interval, timeout},
};
use uuid::Uuid;

use super::{Local, Notice};
use crate::store::redis::{Connection, Redis, Subscription};

/// How long Redis may take for one thing before it counts as away.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait between two tries to reach it.
const PAUSE: Duration = Duration::from_secs(1);

/// The way out to the other instances.
#[derive(Debug, Clone)]
pub(super) struct Remote(mpsc::Sender<Notice>);

impl Remote {
    /// Hands a notice on. When the queue is full the notice is dropped: Redis is away then, and everyone looks again once
    /// it is back.
    pub(super) fn publish(&self, notice: Notice) {
        let _ = self.0.try_send(notice);
    }
}

/// What travels: an instance must not hear its own notices twice.
#[derive(Serialize, Deserialize)]
struct Envelope {
    from: Uuid,
    notice: Notice,
}

pub(super) fn connect(url: &str, prefix: &str, local: Local) -> anyhow::Result<Remote> {
    let redis = Redis::open(url)?;
    let out = redis.connection()?;
    let channel = format!("{prefix}:notices");
    let me = Uuid::new_v4();
    let (sender, queue) = mpsc::channel(super::BACKLOG);
    tokio::spawn(send(out, channel.clone(), me, queue));
    tokio::spawn(hear(redis, channel, me, local));
    Ok(Remote(sender))
}

/// Publishes what is queued, in order. After a failure the others are told to look for themselves.
async fn send(mut out: Connection, channel: String, me: Uuid, mut queue: mpsc::Receiver<Notice>) {
    let mut lost = false;
    while let Some(notice) = queue.recv().await {
        let notice = if lost { Notice::Resync } else { notice };
        let sent = publish(&mut out, &channel, &Envelope { from: me, notice }).await;
        if let Err(error) = &sent {
            tracing::warn!(%error, "could not publish to Redis; other instances look for themselves");
        }
        lost = sent.is_err();
    }
}

async fn publish(out: &mut Connection, channel: &str, envelope: &Envelope) -> anyhow::Result<()> {
    let body = serde_json::to_string(envelope)?;
    let send = async {
        let () = redis::cmd("PUBLISH")
            .arg(channel)
            .arg(body)
            .query_async(out)
            .await?;
        anyhow::Ok(())
    };
    timeout(PATIENCE, send).await?
}

/// Hears the others. While Redis is away, listeners here are told once a second to look for themselves.
async fn hear(redis: Redis, channel: String, me: Uuid, local: Local) {
    loop {
        match redis.subscribe(&channel).await {
            Ok(messages) => {
                // What was said before this subscription stood is not heard.
                local.tell(Notice::Resync);
                let lost = listen(messages, me, &local).await;
                let error = lost.err();
                tracing::warn!(
                    ?error,
                    "lost Redis; looking into the database each second until it is back"
                );
            }
            Err(error) => tracing::warn!(%error, "could not reach Redis"),
        }
        local.tell(Notice::Resync);
        tokio::time::sleep(PAUSE).await;
    }
}

/// Hears the others until the connection breaks, or nothing answers at its other end: a machine that is gone closes no connection.
async fn listen(mut messages: Subscription, me: Uuid, local: &Local) -> anyhow::Result<()> {
    let mut ticks = interval(PAUSE);
    loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(message) => deliver(message.get_payload_bytes(), me, local),
                None => return Ok(()),
            },
            _ = ticks.tick() => messages.is_there(PATIENCE).await?,
        }
    }
}

fn deliver(body: &[u8], me: Uuid, local: &Local) {
    match serde_json::from_slice::<Envelope>(body) {
        Ok(envelope) if envelope.from == me => {}
        Ok(envelope) => local.tell(envelope.notice),
        // A newer instance may say what this one does not know yet.
        Err(_) => local.tell(Notice::Resync),
    }
}

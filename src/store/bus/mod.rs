//! Tells every instance what has just been committed.
//!
//! A notice is a hint to look, never the truth: the truth is in the tables, and whoever needs all of it reads them from the last
//! place that it knows. So a lost or doubled notice costs time, not data.

mod redis;

use std::{sync::Arc, time::Duration};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tokio::{sync::broadcast, time::timeout};

use crate::domain::ids::{BookingId, PropertyId, UserId};

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// A booking's status changed.
    Booking {
        /// Which booking.
        booking_id: BookingId,
        /// Its guest.
        guest_id: UserId,
        /// Its host.
        host_id: UserId,
    },
    /// Nights of a property were taken or freed.
    Nights {
        /// Which property.
        property_id: PropertyId,
        /// Which nights.
        nights: Vec<NaiveDate>,
    },
    /// Sessions of a person ended.
    Sessions {
        /// Whose.
        user_id: UserId,
    },
    /// Notices may have been lost: look again.
    Resync,
}

/// The bus. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bus {
    local: Local,
    remote: Option<redis::Remote>,
}

/// Those who listen in this process: to what happens to the marketplace, and, apart from it because every open socket does and it is
/// rare, to sessions that end.
#[derive(Debug, Clone)]
struct Local {
    market: broadcast::Sender<Arc<Notice>>,
    sessions: broadcast::Sender<Arc<Notice>>,
}

impl Local {
    fn new() -> Self {
        Self {
            market: broadcast::channel(BACKLOG).0,
            sessions: broadcast::channel(BACKLOG).0,
        }
    }

    fn tell(&self, notice: Notice) {
        let listeners = match notice {
            Notice::Sessions { .. } => &[&self.sessions][..],
            Notice::Booking { .. } | Notice::Nights { .. } => &[&self.market][..],
            Notice::Resync => &[&self.sessions, &self.market][..],
        };
        let notice = Arc::new(notice);
        for listeners in listeners {
            // An error only says that nobody listens.
            let _ = listeners.send(Arc::clone(&notice));
        }
    }
}

/// How long a listener that hears nothing waits before it looks for itself.
const LOOK_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// Notices that a slow listener may fall behind by before it is told to look again.
const BACKLOG: usize = 4_096;

impl Bus {
    /// A bus inside of this process.
    #[must_use]
    pub fn in_process() -> Self {
        Self {
            local: Local::new(),
            remote: None,
        }
    }

    /// A bus over every instance that uses the same Redis and `prefix`. It keeps trying when Redis is away; listeners are then
    /// told once a second to look for themselves.
    ///
    /// # Errors
    /// When the URL is not one of Redis.
    pub fn over_redis(url: &str, prefix: &str) -> anyhow::Result<Self> {
        let local = Local::new();
        let remote = redis::connect(url, prefix, local.clone())?;
        Ok(Self {
            local,
            remote: Some(remote),
        })
    }

    /// Tells everyone. Never waits and never fails: listeners here hear at once, other instances as soon as Redis has it.
    pub fn publish(&self, notice: Notice) {
        if let Some(remote) = &self.remote {
            remote.publish(notice.clone());
        }
        self.local.tell(notice);
    }

    /// Listens from now on to what happens to bookings and nights.
    #[must_use]
    pub fn listen(&self) -> Listener {
        Listener(self.local.market.subscribe())
    }

    /// Listens from now on to sessions that end.
    #[must_use]
    pub fn listen_to_sessions(&self) -> Listener {
        Listener(self.local.sessions.subscribe())
    }
}

/// Hears what is published after it was made.
#[derive(Debug)]
pub struct Listener(broadcast::Receiver<Arc<Notice>>);

impl Listener {
    /// The next notice; [`Notice::Resync`] when this listener was too slow for some, and once in a while when nothing is heard: a notice may
    /// be lost, and a process without Redis hears nobody else. None once the bus is gone.
    pub async fn next(&mut self) -> Option<Arc<Notice>> {
        let Ok(heard) = timeout(LOOK_AGAIN_AFTER, self.0.recv()).await else {
            return Some(Arc::new(Notice::Resync));
        };
        match heard {
            Ok(notice) => Some(notice),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Arc::new(Notice::Resync)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }

    /// Passes over what was published until now.
    pub fn skip(&mut self) {
        self.0 = self.0.resubscribe();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listener_that_was_too_slow_is_told_to_look_again() {
        let bus = Bus::in_process();
        let mut listener = bus.listen();
        for property in 0..=i32::try_from(BACKLOG).unwrap() {
            bus.publish(Notice::Nights {
                property_id: PropertyId(property),
                nights: vec![],
            });
        }
        assert_eq!(listener.next().await.as_deref(), Some(&Notice::Resync));
    }
}

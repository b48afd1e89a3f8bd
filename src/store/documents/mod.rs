//! Documents by their digests, so that a client need not send one twice: kept for a day after their last use, in this process and, where several
//! instances share them, in Redis. One that is gone is sent again, so whoever makes up a thousand takes nobody's place for long.

mod remote;

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;

use self::remote::Remote;

/// How long a document is kept after it was last asked for here.
const KEPT: Duration = Duration::from_hours(24);
/// How long one is kept in Redis that nobody has asked for yet.
const KEPT_UNUSED: Duration = Duration::from_mins(10);
/// The largest that is kept, in bytes: those of applications have a few thousand.
const LARGEST: usize = 16 << 10;
/// How many bytes of documents are kept in one process.
const CAPACITY: u64 = 16 << 20;

/// Documents. Cheap to clone.
#[derive(Clone)]
pub struct Documents {
    local: Cache<String, Arc<str>>,
    remote: Option<Remote>,
}

impl Documents {
    /// Documents inside of this process.
    #[must_use]
    pub fn in_process() -> Self {
        let local = Cache::builder()
            .max_capacity(CAPACITY)
            .weigher(|key: &String, document: &Arc<str>| {
                u32::try_from(key.len() + document.len()).unwrap_or(u32::MAX)
            })
            .time_to_idle(KEPT)
            .build();
        Self {
            local,
            remote: None,
        }
    }

    /// Documents of every instance that uses the same Redis and `prefix`. One that Redis does not tell in time is taken for gone.
    ///
    /// # Errors
    /// When the URL is not one of Redis.
    pub fn over_redis(url: &str, prefix: &str) -> anyhow::Result<Self> {
        Ok(Self {
            remote: Some(Remote::new(url, prefix)?),
            ..Self::in_process()
        })
    }

    /// The document with this digest, if it is still kept.
    pub async fn get(&self, digest: &str) -> Option<Arc<str>> {
        if let Some(document) = self.local.get(digest) {
            return Some(document);
        }
        let document: Arc<str> = self.remote.as_ref()?.get(digest, KEPT).await?.into();
        self.local.insert(digest.to_owned(), Arc::clone(&document));
        Some(document)
    }

    /// Keeps a document under its digest, unless it is a large one.
    pub async fn keep(&self, digest: &str, document: &str) {
        if document.len() > LARGEST || self.local.contains_key(digest) {
            return;
        }
        self.local.insert(digest.to_owned(), document.into());
        if let Some(remote) = &self.remote {
            remote.keep(digest, document, KEPT_UNUSED).await;
        }
    }
}

//! One kind of thing, loaded in batches: what the fields of an answer ask for in one pass over them is loaded in one statement.
//!
//! All fields of an answer are one task. The first that asks for a key opens a batch and yields, so that all others of the pass have asked
//! before the next pass closes the batch and loads it. Whoever drives a batch may be given up, because a sibling of that field failed;
//! then the next of those who wait for it loads it.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::BoxFuture;
use tokio::{sync::OnceCell, task::yield_now};

use super::errors::fail;
use crate::service::error::{Error, Result};

/// The largest batch; more is loaded in several.
const MOST: usize = 1_000;

type Load<K, T> = Box<dyn Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, T>>> + Send + Sync>;

type Loaded<K, T> = std::result::Result<HashMap<K, Arc<T>>, Arc<Error>>;

/// Loads one kind of thing in batches, each key once.
pub(super) struct Batched<K, T> {
    load: Load<K, T>,
    asked: Mutex<Asked<K, T>>,
}

/// What was asked for so far.
struct Asked<K, T> {
    /// The batch of each key.
    batches: HashMap<K, Arc<Batch<K, T>>>,
    /// The one that takes further keys.
    open: Option<Arc<Batch<K, T>>>,
}

struct Batch<K, T> {
    keys: Mutex<Vec<K>>,
    loaded: OnceCell<Loaded<K, T>>,
}

impl<K, T> Batched<K, T>
where
    K: Eq + Hash + Copy + std::fmt::Debug,
{
    pub(super) fn new(
        load: impl Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, T>>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            load: Box::new(load),
            asked: Mutex::new(Asked {
                batches: HashMap::new(),
                open: None,
            }),
        }
    }

    /// What belongs to a key, if there is something.
    pub(super) async fn get(&self, key: K) -> async_graphql::Result<Option<Arc<T>>> {
        let batch = self.batch_with(key);
        if !batch.loaded.initialized() {
            yield_now().await;
        }
        let loaded = batch.loaded.get_or_init(|| self.load(&batch)).await;
        match loaded {
            Ok(found) => Ok(found.get(&key).map(Arc::clone)),
            Err(error) => Err(fail(error)),
        }
    }

    /// What must belong to a key.
    pub(super) async fn require(&self, key: K) -> async_graphql::Result<Arc<T>> {
        self.get(key)
            .await?
            .ok_or_else(|| fail(Error::Internal(anyhow::anyhow!("{key:?} is gone"))))
    }

    /// The batch that a key is or was loaded with.
    fn batch_with(&self, key: K) -> Arc<Batch<K, T>> {
        let mut asked = lock(&self.asked);
        let Asked { batches, open } = &mut *asked;
        let batch = batches.entry(key).or_insert_with(|| {
            let batch = Arc::clone(open.get_or_insert_default());
            let full = {
                let mut keys = lock(&batch.keys);
                keys.push(key);
                keys.len() == MOST
            };
            if full {
                *open = None;
            }
            batch
        });
        Arc::clone(batch)
    }

    async fn load(&self, batch: &Arc<Batch<K, T>>) -> Loaded<K, T> {
        {
            let open = &mut lock(&self.asked).open;
            if open.as_ref().is_some_and(|open| Arc::ptr_eq(open, batch)) {
                *open = None;
            }
        }
        let keys = lock(&batch.keys).clone();
        let found = (self.load)(keys).await.map_err(Arc::new)?;
        Ok(found
            .into_iter()
            .map(|(key, value)| (key, Arc::new(value)))
            .collect())
    }
}

impl<K, T> Default for Batch<K, T> {
    fn default() -> Self {
        Self {
            keys: Mutex::default(),
            loaded: OnceCell::new(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

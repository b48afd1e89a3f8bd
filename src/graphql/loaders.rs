//! Relations load in batches: whatever one request asks for of one kind, in one statement. One set a request, so that nothing is shared
//! between callers and nothing outlives an answer.

use std::{collections::HashMap, future::Future, hash::Hash, sync::Arc};

use chrono::NaiveDate;
use dataloader::{BatchFn, cached::Loader};
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::errors::fail;
use crate::{
    domain::{
        actor::Actor,
        ids::{BookingId, FeedId, PaymentId, PropertyId, ReviewId, UserId},
        page::{Page, PageRequest},
        stay::DateRange,
    },
    entity::{booking, booking_event, payment, property, review, session, user},
    service::{
        Services,
        calendar::Calendar,
        error::{Error, Result},
        feeds::Shown,
    },
};

/// Every relation of the schema.
pub(super) struct Loaders {
    pub(super) users: Batched<UserId, user::Model>,
    pub(super) properties: Batched<PropertyId, property::Model>,
    pub(super) visible_properties: Batched<PropertyId, property::Model>,
    pub(super) payments_by_id: Batched<PaymentId, payment::Model>,
    pub(super) reviews_by_id: Batched<ReviewId, review::Model>,
    pub(super) sessions: Batched<Uuid, session::Model>,
    pub(super) amenities: Batched<PropertyId, Vec<String>>,
    pub(super) calendars: Batched<(PropertyId, DateRange), Calendar>,
    pub(super) calendar_urls: Batched<PropertyId, String>,
    pub(super) calendar_feeds: Batched<PropertyId, Vec<Shown>>,
    pub(super) feeds_by_id: Batched<FeedId, Shown>,
    pub(super) feed_night_counts: Batched<FeedId, i64>,
    pub(super) feed_conflicts: Batched<FeedId, Vec<NaiveDate>>,
    pub(super) bookings: Batched<BookingId, booking::Model>,
    pub(super) events: Batched<BookingId, Vec<booking_event::Model>>,
    pub(super) payments: Batched<BookingId, payment::Model>,
    pub(super) booking_reviews: Batched<BookingId, review::Model>,
    pub(super) property_reviews: Batched<(PropertyId, PageRequest), Page<review::Model>>,
    pub(super) author_reviews: Batched<(UserId, PageRequest), Page<review::Model>>,
    pub(super) author_review_counts: Batched<UserId, i64>,
    pub(super) host_properties: Batched<(UserId, PageRequest), Page<property::Model>>,
    pub(super) host_property_counts: Batched<UserId, i64>,
}

impl Loaders {
    pub(super) fn new(services: &Services, actor: &Actor) -> Self {
        /// A loader whose batches are one service call.
        macro_rules! load {
            ($service:ident.$method:ident($($argument:ident),*)) => {{
                let service = services.$service.clone();
                $(let $argument = $argument.clone();)*
                Batched::new(move |keys| {
                    let service = service.clone();
                    $(let $argument = $argument.clone();)*
                    Box::pin(async move { service.$method($(&$argument,)* &keys).await })
                })
            }};
        }
        /// The same for keys that carry an argument: one call for each distinct one.
        macro_rules! load_by {
            ($service:ident.$method:ident($($argument:ident),*)) => {{
                let service = services.$service.clone();
                $(let $argument = $argument.clone();)*
                Batched::new(move |keys| {
                    let service = service.clone();
                    $(let $argument = $argument.clone();)*
                    Box::pin(by_argument(keys, move |ids, by| {
                        let service = service.clone();
                        $(let $argument = $argument.clone();)*
                        async move { service.$method($(&$argument,)* &ids, by).await }
                    }))
                })
            }};
        }
        Self {
            users: load!(people.by_ids()),
            properties: load!(properties.by_ids()),
            visible_properties: load!(properties.visible_by_ids(actor)),
            payments_by_id: load!(payments.by_ids(actor)),
            reviews_by_id: load!(reviews.by_ids()),
            sessions: load!(sessions.by_ids(actor)),
            amenities: load!(properties.amenities()),
            calendars: load_by!(calendar.load()),
            calendar_urls: load!(feeds.addresses(actor)),
            calendar_feeds: load!(feeds.of_properties(actor)),
            feeds_by_id: load!(feeds.by_ids(actor)),
            feed_night_counts: load!(feeds.night_counts()),
            feed_conflicts: load!(feeds.conflicts()),
            bookings: load!(bookings.by_ids(actor)),
            events: load!(events.of_bookings()),
            payments: load!(payments.of_bookings()),
            booking_reviews: load!(reviews.of_bookings()),
            property_reviews: load_by!(reviews.pages_of_properties()),
            author_reviews: load_by!(reviews.pages_of_authors()),
            author_review_counts: load!(reviews.counts_of_authors()),
            host_properties: load_by!(properties.pages_of_hosts(actor)),
            host_property_counts: load!(properties.counts_of_hosts(actor)),
        }
    }
}

/// Loads one kind of thing in batches, each key once a request.
pub(super) struct Batched<K, T>(Loader<K, Loaded<T>, Batch<K, T>>)
where
    K: Eq + Hash + Clone;

type Loaded<T> = std::result::Result<Option<Arc<T>>, Arc<Error>>;

/// The largest batch; more is loaded in several.
const MOST: usize = 1_000;

impl<K, T> Batched<K, T>
where
    K: Eq + Hash + Clone + std::fmt::Debug,
{
    fn new(
        load: impl Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, T>>> + Send + Sync + 'static,
    ) -> Self {
        Self(Loader::new(Batch(Box::new(load))).with_max_batch_size(MOST))
    }

    /// What belongs to a key, if there is something.
    pub(super) async fn get(&self, key: K) -> async_graphql::Result<Option<Arc<T>>> {
        loop {
            // A batch is lost when the field that drives it is given up, because a sibling of that field failed. Whoever else
            // waited for it asks again; each time at least one field fewer is left to give up.
            if let Ok(loaded) = self.0.try_load(key.clone()).await {
                return loaded.map_err(fail);
            }
        }
    }

    /// What must belong to a key.
    pub(super) async fn require(&self, key: K) -> async_graphql::Result<Arc<T>> {
        let name = format!("{key:?}");
        self.get(key)
            .await?
            .ok_or_else(|| fail(Error::Internal(anyhow::anyhow!("{name} is gone"))))
    }
}

type Load<K, T> = Box<dyn Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, T>>> + Send + Sync>;

struct Batch<K, T>(Load<K, T>);

impl<K: Eq + Hash + Clone, T> BatchFn<K, Loaded<T>> for Batch<K, T> {
    async fn load(&mut self, keys: &[K]) -> HashMap<K, Loaded<T>> {
        match (self.0)(keys.to_vec()).await {
            Ok(mut found) => keys
                .iter()
                .map(|key| (key.clone(), Ok(found.remove(key).map(Arc::new))))
                .collect(),
            Err(error) => {
                let error = Arc::new(error);
                keys.iter()
                    .map(|key| (key.clone(), Err(Arc::clone(&error))))
                    .collect()
            }
        }
    }
}

async fn by_argument<K, A, T, F>(
    keys: Vec<(K, A)>,
    load: impl Fn(Vec<K>, A) -> F + Send,
) -> Result<HashMap<(K, A), T>>
where
    K: Eq + Hash + Copy + Send,
    A: Eq + Hash + Copy + Send,
    T: Send,
    F: Future<Output = Result<HashMap<K, T>>> + Send,
{
    let mut groups: HashMap<A, Vec<K>> = HashMap::new();
    for (key, argument) in keys {
        groups.entry(argument).or_default().push(key);
    }
    let mut found = HashMap::new();
    for (argument, keys) in groups {
        found.extend(
            load(keys, argument)
                .await?
                .into_iter()
                .map(|(key, value)| ((key, argument), value)),
        );
    }
    Ok(found)
}

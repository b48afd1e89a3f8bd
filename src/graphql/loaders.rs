//! Relations load in batches: whatever one request asks for of one kind, in one statement. One set a request, so that nothing is shared
//! between callers and nothing outlives an answer.

use std::{collections::HashMap, future::Future, hash::Hash, sync::Arc};

use chrono::NaiveDate;
use uuid::Uuid;

use super::{batched::Batched, selected::Selected, showing::Showing};
use crate::{
    domain::{
        actor::Actor,
        freshness::Tag,
        ids::{BookingId, FeedId, PaymentId, PropertyId, ReviewId, UserId},
        page::{Page, PageRequest},
        stay::DateRange,
    },
    entity::{booking, booking_event, part::Row, payment, property, review, session, user},
    service::{Services, calendar::Calendar, error::Result, feeds::Shown},
};

/// Every relation of the schema.
pub(super) struct Loaders {
    pub(super) users: Batched<UserId, Row<user::Entity>>,
    pub(super) present_users: Batched<UserId, Row<user::Entity>>,
    pub(super) properties: Batched<PropertyId, Row<property::Entity>>,
    pub(super) visible_properties: Batched<PropertyId, Row<property::Entity>>,
    pub(super) payments_by_id: Batched<PaymentId, payment::Model>,
    pub(super) reviews_by_id: Batched<ReviewId, Row<review::Entity>>,
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
    pub(super) booking_reviews: Batched<BookingId, Row<review::Entity>>,
    pub(super) property_reviews: Batched<(PropertyId, PageRequest), Page<Row<review::Entity>>>,
    pub(super) author_reviews: Batched<(UserId, PageRequest), Page<Row<review::Entity>>>,
    pub(super) author_review_counts: Batched<UserId, i64>,
    pub(super) host_properties: Batched<(UserId, PageRequest), Page<Row<property::Entity>>>,
    pub(super) host_property_counts: Batched<UserId, i64>,
}

impl Loaders {
    /// Loaders for a caller, of an operation that shows `selected`. What they load is `shown` in its answer; what has
    /// no tag beside it is shown to nobody else.
    pub(super) fn new(
        services: &Services,
        actor: &Actor,
        selected: Selected,
        shown: &Arc<Showing>,
    ) -> Self {
        let Selected {
            users,
            properties,
            reviews,
        } = selected;
        /// A loader whose batches are one service call, and the tags of what it loads.
        macro_rules! load {
            ($service:ident.$method:ident($($argument:ident),*) $(, $columns:ident)? $(; $tag:expr)?) => {{
                let service = services.$service.clone();
                let shown = Arc::clone(shown);
                $(let $argument = $argument.clone();)*
                Batched::new(move |keys| {
                    let service = service.clone();
                    tell!(shown, keys $(, $tag)?);
                    $(let $argument = $argument.clone();)*
                    Box::pin(async move { service.$method($(&$argument,)* &keys $(, $columns)?).await })
                })
            }};
        }
        macro_rules! tell {
            ($shown:ident, $keys:ident) => {
                $shown.add_what_changes()
            };
            ($shown:ident, $keys:ident, $tag:expr) => {
                $shown.add($keys.iter().copied().map($tag))
            };
        }
        /// The same for keys that carry an argument: one call for each distinct one.
        macro_rules! load_by {
            ($service:ident.$method:ident($($argument:ident),*) $(, $columns:ident)? $(; $tag:expr)?) => {{
                let service = services.$service.clone();
                let shown = Arc::clone(shown);
                $(let $argument = $argument.clone();)*
                Batched::new(move |keys| {
                    let service = service.clone();
                    tell!(shown, keys $(, $tag)?);
                    $(let $argument = $argument.clone();)*
                    Box::pin(by_argument(keys, move |ids, by| {
                        let service = service.clone();
                        $(let $argument = $argument.clone();)*
                        async move { service.$method($(&$argument,)* &ids, by $(, $columns)?).await }
                    }))
                })
            }};
        }
        Self {
            users: load!(people.by_ids(), users; Tag::Person),
            present_users: load!(people.present_by_ids(), users; Tag::Person),
            properties: load!(properties.by_ids(), properties; Tag::Property),
            visible_properties: load!(properties.visible_by_ids(actor), properties; Tag::Property),
            payments_by_id: load!(payments.by_ids(actor)),
            reviews_by_id: load!(reviews.by_ids(), reviews),
            sessions: load!(sessions.by_ids(actor)),
            amenities: load!(properties.amenities(); Tag::Property),
            calendars: load_by!(calendar.load()),
            calendar_urls: load!(feeds.addresses(actor)),
            calendar_feeds: load!(feeds.of_properties(actor)),
            feeds_by_id: load!(feeds.by_ids(actor)),
            feed_night_counts: load!(feeds.night_counts()),
            feed_conflicts: load!(feeds.conflicts()),
            bookings: load!(bookings.by_ids(actor)),
            events: load!(events.of_bookings()),
            payments: load!(payments.of_bookings()),
            booking_reviews: load!(reviews.of_bookings(), reviews),
            property_reviews: load_by!(reviews.pages_of_properties(), reviews; |(id, _)| Tag::Property(id)),
            author_reviews: load_by!(reviews.pages_of_authors(), reviews; |(id, _)| Tag::Person(id)),
            author_review_counts: load!(reviews.counts_of_authors(); Tag::Person),
            host_properties: load_by!(properties.pages_of_hosts(actor), properties; |(id, _)| Tag::Person(id)),
            host_property_counts: load!(properties.counts_of_hosts(actor); Tag::Person),
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

//! Calendars of other platforms.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};

use crate::{
    domain::feed,
    graphql::{
        context::ContextExt as _,
        global_id::GlobalId,
        scalars::{Date, DateTime},
    },
    service::feeds::Shown,
};

/// How an imported calendar does.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "feed::Health")]
pub(in crate::graphql) enum CalendarFeedHealth {
    /// It was not fetched yet.
    Pending,
    /// Its nights are here as they last were.
    Ok,
    /// It could not be fetched, or not all of it could be read; `problem` says why. What was imported before stays taken.
    Failing,
}

/// A calendar of another platform, whose nights are imported. Its property's host sees it, and admins do.
#[derive(Clone)]
pub(in crate::graphql) struct CalendarFeed(pub(in crate::graphql) Arc<Shown>);

impl From<Shown> for CalendarFeed {
    fn from(shown: Shown) -> Self {
        Self(Arc::new(shown))
    }
}

/// A calendar of another platform, whose nights are imported. Its property's host sees it, and admins do.
#[Object]
impl CalendarFeed {
    /// The global id.
    pub(in crate::graphql) async fn id(&self) -> ID {
        GlobalId::CalendarFeed(self.0.row.feed_id).into()
    }

    /// What the host calls it.
    async fn name(&self) -> &str {
        &self.0.row.name
    }

    /// Where it is; for the host alone, as most platforms put a secret into it.
    async fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// When it was added.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.row.created_at)
    }

    /// When it was last fetched without a failure; null before the first time.
    async fn last_synced_at(&self) -> Option<DateTime> {
        self.0.row.last_synced_at.map(DateTime)
    }

    /// How it does.
    async fn health(&self) -> CalendarFeedHealth {
        self.0.health().into()
    }

    /// Why it could not be fetched the last time, or what of it could not be read; null when all is well.
    async fn problem(&self) -> Option<&str> {
        self.0.row.problem.as_deref()
    }

    /// How many nights it takes, by its last sync.
    async fn night_count(&self, ctx: &Context<'_>) -> Result<i64> {
        let loaders = ctx.loaders();
        let count = loaders.feed_night_counts.get(self.0.row.feed_id).await?;
        Ok(count.map_or(0, |count| *count))
    }

    /// The nights to come that it takes and a booking holds: two guests may stand before one door. The booking stands; one of the two
    /// sides has to be cancelled, unless the other platform only repeats the booking.
    async fn conflicts(&self, ctx: &Context<'_>) -> Result<Vec<Date>> {
        let loaders = ctx.loaders();
        let nights = loaders.feed_conflicts.require(self.0.row.feed_id).await?;
        Ok(nights.iter().copied().map(Date).collect())
    }
}

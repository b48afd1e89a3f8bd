//! Fetching calendars on a schedule. Any number of workers may do it at once: each takes a feed for a while before it asks, and writes what came
//! of it only if it still has it then.

use std::time::Instant;

use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use futures_util::future::join_all;
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{LockBehavior, LockType},
};
use url::Url;

use super::{Feeds, nights};
use crate::{
    domain::{
        audit::{Action, Outcome, Subject},
        clock::local_date,
        feed::{DAYS_AHEAD, retry_at},
        ical::{self, Reading, Unreadable, Window, own_suffix},
        ids::FeedId,
        stay::describe_nights,
    },
    entity::{
        calendar_export,
        calendar_feed::{ActiveModel, Column, Entity, Model},
        property,
    },
    service::{
        changes::Changes,
        error::Result,
        mails::{Mail, feed_conflicts::FeedConflicts},
        queue,
        sealing::Secret,
    },
    store::{
        db::Tx,
        feeds::{Fetched, Version},
        traces::{About, Span},
    },
};

/// How many are fetched at a time.
const AT_ONCE: u64 = 8;
/// For how long a round takes up more.
const ROUND: std::time::Duration = std::time::Duration::from_secs(5);
/// How long a worker may take before another one takes the same feed. A fetch is over after 10 seconds.
const LEASE: Duration = Duration::minutes(2);
/// How old a calendar may be before all of it is asked for, whether it has changed or not: nights come into view that were too far ahead
/// when it was read, and its times may be other dates where the property now is.
const READ_AGAIN: Duration = Duration::hours(24);

/// What came of a try.
enum Came {
    /// It is as it was.
    AsItWas,
    /// It says this.
    Read(Reading, Version),
    /// It could not be had, for a reason that its host may know.
    Failed(String),
}

impl Feeds {
    /// Fetches what is due, and writes its nights into the ledger. Any number of instances may do it at once. Gives how many were asked.
    ///
    /// # Errors
    /// When the database can't be read. One calendar that can't be synced is left to a later round, and stops no other.
    pub async fn sync_due(&self) -> Result<usize> {
        let begun = Instant::now();
        let due = Entity::find()
            .filter(Column::NextSyncAt.lte(self.0.clock.now()))
            .select_only()
            .column(Column::FeedId)
            .limit(AT_ONCE)
            .into_tuple::<FeedId>()
            .all(self.0.db.read())
            .await?;
        let asked = join_all(due.iter().map(|_| self.sync_until(begun + ROUND))).await;
        asked.into_iter().sum()
    }

    /// Takes one feed after the other, as long as there are some and it is not yet late.
    async fn sync_until(&self, late: Instant) -> Result<usize> {
        let mut asked = 0;
        while Instant::now() < late {
            let Some(feed) = self.take_due().await? else {
                break;
            };
            asked += 1;
            let span = Span::apart(|| About::left("calendar sync"));
            if let Err(error) = span.around(self.sync(&feed)).await {
                span.failed("later");
                tracing::warn!(feed_id = %feed.feed_id, %error, "a calendar is left to a later round");
            }
        }
        Ok(asked)
    }

    /// Takes a feed that is due, so that for a while nobody else does.
    async fn take_due(&self) -> Result<Option<Model>> {
        let now = self.0.clock.now();
        let tx = self.0.db.begin().await?;
        let due = Entity::find()
            .filter(Column::NextSyncAt.lte(now))
            .order_by_asc(Column::NextSyncAt)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .one(&*tx)
            .await?;
        let Some(feed) = due else {
            return Ok(None);
        };
        let row = ActiveModel {
            feed_id: Unchanged(feed.feed_id),
            next_sync_at: Set(now + LEASE),
            last_tried_at: Set(Some(now)),
            ..ActiveModel::default()
        };
        let taken = Entity::update(row).exec(&*tx).await?;
        tx.commit().await?;
        Ok(Some(taken))
    }

    /// Asks for one feed that this worker has taken, and writes what came of it.
    async fn sync(&self, feed: &Model) -> Result<()> {
        let property = property::Entity::find_by_id(feed.property_id)
            .filter(property::Column::DeletedAt.is_null())
            .one(self.0.db.read())
            .await?;
        let came = match &property {
            Some(property) => self.ask(feed, property).await?,
            // It is forgotten below, under the property's lock.
            None => Came::AsItWas,
        };
        let tx = self.0.db.begin().await?;
        let property = property::Entity::find_by_id(feed.property_id)
            .lock(LockType::NoKeyUpdate)
            .one(&*tx)
            .await?;
        let still = Entity::find_by_id(feed.feed_id)
            .filter(Column::LastTriedAt.eq(feed.last_tried_at))
            .lock_exclusive()
            .one(&*tx)
            .await?;
        let (Some(property), Some(feed)) = (property, still) else {
            return Ok(());
        };
        let now = self.0.clock.now();
        let times = (local_date(now, property.time_zone.0), now);
        let mut changes = Changes::by_nobody();
        if property.deleted_at.is_some() {
            nights::let_go(&tx, &feed, times, &mut changes).await?;
        } else {
            self.write(&tx, &feed, &property, came, times, &mut changes)
                .await?;
        }
        changes.commit(tx, &self.0).await
    }

    /// Fetches a feed and reads it.
    async fn ask(&self, feed: &Model, property: &property::Model) -> Result<Came> {
        let now = self.0.clock.now();
        let is_fresh = feed.last_read_at.is_some_and(|at| now - at < READ_AGAIN);
        let known = if feed.failures == 0 && is_fresh {
            Version {
                etag: feed.etag.clone(),
                last_modified: feed.last_modified.clone(),
            }
        } else {
            Version::default()
        };
        let url = self
            .0
            .vault
            .open(Secret::FeedUrl.place(feed.feed_id.0), &feed.url)?;
        let url = Url::parse(&url).map_err(anyhow::Error::from)?;
        let (body, version) = match self.0.fetcher.fetch(&url, &known).await {
            Ok(Fetched::NotModified) => return Ok(Came::AsItWas),
            Ok(Fetched::Calendar { body, version }) => (body, version),
            Err(error) => return Ok(Came::Failed(error.to_string())),
        };
        let export = calendar_export::Entity::find_by_id(feed.property_id)
            .one(self.0.db.read())
            .await?;
        let own = export.map(|export| own_suffix(export.calendar_id));
        let zone = property.time_zone.0;
        let today = local_date(now, zone);
        let window = Window {
            from: today - Days::new(1),
            to: today + Days::new(DAYS_AHEAD),
        };
        let read =
            tokio::task::spawn_blocking(move || ical::read(&body, zone, window, own.as_deref()));
        Ok(match read.await {
            Ok(Ok(reading)) => Came::Read(reading, version),
            Ok(Err(why)) => Came::Failed(sentence(why).to_owned()),
            Err(error) => {
                tracing::error!(feed_id = %feed.feed_id, %error, "reading a calendar failed");
                Came::Failed("The calendar could not be read.".to_owned())
            }
        })
    }

    async fn write(
        &self,
        tx: &Tx,
        feed: &Model,
        property: &property::Model,
        came: Came,
        (today, now): (NaiveDate, DateTime<Utc>),
        changes: &mut Changes,
    ) -> Result<()> {
        let next = now + self.0.terms.feed_interval;
        let mut row = ActiveModel {
            feed_id: Unchanged(feed.feed_id),
            next_sync_at: Set(next),
            ..ActiveModel::default()
        };
        match came {
            Came::Failed(why) => {
                let failures = feed.failures.saturating_add(1);
                row.next_sync_at = Set(retry_at(now, failures));
                row.failures = Set(failures);
                row.problem = Set(Some(why));
            }
            // Asked for only after a sync without a failure: what was wrong with it then still is.
            Came::AsItWas => row.last_synced_at = Set(Some(now)),
            Came::Read(reading, version) => {
                let times = (today, now);
                // What can't be read may be what took a night.
                let frees = reading.unread == 0;
                let replaced =
                    nights::replace(tx, feed, &reading.nights, frees, times, changes).await?;
                row.etag = Set(version.etag);
                row.last_modified = Set(version.last_modified);
                row.last_synced_at = Set(Some(now));
                row.last_read_at = Set(Some(now));
                row.failures = Set(0);
                row.problem = Set(unread(reading.unread));
                self.report(tx, feed, property, replaced, now, changes)
                    .await?;
            }
        }
        Entity::update(row).exec(&**tx).await?;
        Ok(())
    }

    /// What changed goes into the audit log, and what stands in the way of each other to the host.
    async fn report(
        &self,
        tx: &Tx,
        feed: &Model,
        property: &property::Model,
        replaced: nights::Replaced,
        now: DateTime<Utc>,
        changes: &mut Changes,
    ) -> Result<()> {
        let nights::Replaced {
            taken,
            freed,
            conflicts,
        } = replaced;
        if taken + freed > 0 {
            let (action, subject) = (Action::FeedSynced, Subject::Feed(feed.feed_id));
            let detail = format!("{taken} nights taken, {freed} freed");
            changes.note(action, subject, Outcome::Done, Some(detail));
        }
        if !conflicts.is_empty() {
            let conflicts = FeedConflicts {
                property: property.title.clone(),
                feed: feed.name.clone(),
                nights: describe_nights(&conflicts),
            };
            let mail = Mail::FeedConflicts(property.host_id, conflicts);
            queue::enqueue(tx, &mail, now).await?;
        }
        Ok(())
    }
}

fn sentence(why: Unreadable) -> &'static str {
    match why {
        Unreadable::NotACalendar => "What the server sent is no calendar.",
        Unreadable::CutOff => "The calendar is cut off: its end is missing.",
        Unreadable::TooManyEvents => "The calendar has more than 10,000 events.",
    }
}

fn unread(count: usize) -> Option<String> {
    let events = if count == 1 { "event" } else { "events" };
    (count > 0).then(|| {
        format!(
            "{count} {events} could not be read. The rest was imported, and no night was freed."
        )
    })
}

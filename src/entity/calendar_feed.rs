//! `calendar_feeds`: calendars of other platforms whose nights are imported.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{FeedId, PropertyId};

/// A calendar of another platform.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "calendar_feeds")]
pub struct Model {
    /// Key.
    #[sea_orm(primary_key)]
    pub feed_id: FeedId,
    /// Whose nights it takes.
    pub property_id: PropertyId,
    /// What the host calls it.
    pub name: String,
    /// Where it is, sealed: most platforms put a secret into it.
    pub url: String,
    /// What tells it from the property's others.
    pub url_digest: Option<String>,
    /// What the other side calls the version that was read last.
    pub etag: Option<String>,
    /// When the other side says that this version was made, in its own words.
    pub last_modified: Option<String>,
    /// When it was added.
    pub created_at: DateTimeUtc,
    /// When it is due; while a worker has it, when that worker is given up.
    pub next_sync_at: DateTimeUtc,
    /// When a worker last took it. That worker alone may write what came of it.
    pub last_tried_at: Option<DateTimeUtc>,
    /// When it last was, or still was, as its nights are here.
    pub last_synced_at: Option<DateTimeUtc>,
    /// When it was last read as a whole.
    pub last_read_at: Option<DateTimeUtc>,
    /// How often in a row it could not be had.
    pub failures: i32,
    /// Why it could not be had, or what of it could not be read.
    pub problem: Option<String>,
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

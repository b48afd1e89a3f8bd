//! How many nights imported calendars take, and which of them a booking of ours has too.

use std::collections::HashMap;

use chrono::{Days, NaiveDate};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, FromQueryResult, QueryFilter as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _, JoinType, Order},
};

use super::Feeds;
use crate::{
    domain::{clock::local_date, feed::DAYS_AHEAD, ids::FeedId, stay::DateRange},
    entity::{
        calendar_feed_night::{Column, Entity},
        night::{self, NightKind},
        property::{self, TimeZone},
    },
    service::{booking_rows::taken_nights, error::Result, keys::among},
};

#[derive(FromQueryResult)]
struct Row {
    feed_id: FeedId,
    night: NaiveDate,
    time_zone: TimeZone,
}

impl Feeds {
    /// How many nights each of some calendars takes, by its last sync.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn night_counts(&self, ids: &[FeedId]) -> Result<HashMap<FeedId, i64>> {
        let rows: Vec<(FeedId, i64)> = Entity::find()
            .filter(among(self.0.db.backend(), Column::FeedId, ids))
            .select_only()
            .column(Column::FeedId)
            .column_as(Column::Night.count(), "count")
            .group_by(Column::FeedId)
            .into_tuple()
            .all(self.0.db.read())
            .await?;
        Ok(rows.into_iter().collect())
    }

    /// The nights to come that each of some calendars takes and a booking of ours holds, by date. They are looked for now, so they are true
    /// whatever has happened since the last sync.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn conflicts(&self, ids: &[FeedId]) -> Result<HashMap<FeedId, Vec<NaiveDate>>> {
        let now = self.0.clock.now();
        let range = DateRange {
            // Where the property is, it may be yesterday still.
            from: now.date_naive() - Days::new(1),
            to: now.date_naive() + Days::new(DAYS_AHEAD + 2),
        };
        let mut rows = taken_nights(range, now);
        let same = Expr::col((Entity, Column::PropertyId))
            .equals((night::Entity, night::Column::PropertyId))
            .and(Expr::col((Entity, Column::Night)).equals((night::Entity, night::Column::Night)));
        let of_it = Expr::col((property::Entity, property::Column::PropertyId))
            .equals((night::Entity, night::Column::PropertyId));
        rows.columns([(Entity, Column::FeedId), (Entity, Column::Night)])
            .column((property::Entity, property::Column::TimeZone))
            .join(JoinType::InnerJoin, Entity, same)
            .join(JoinType::InnerJoin, property::Entity, of_it)
            .and_where(night::Column::Kind.eq(NightKind::Booking))
            .and_where(among(self.0.db.backend(), Column::FeedId, ids))
            .order_by((Entity, Column::Night), Order::Asc);
        let read = self.0.db.read();
        let statement = self.0.db.backend().build(&rows);
        let mut conflicts: HashMap<_, Vec<_>> = ids.iter().map(|id| (*id, vec![])).collect();
        for row in Row::find_by_statement(statement).all(read).await? {
            if row.night >= local_date(now, row.time_zone.0) {
                conflicts.entry(row.feed_id).or_default().push(row.night);
            }
        }
        Ok(conflicts)
    }
}

//! The nights of imported calendars in the ledger.
//!
//! A night that a feed has stands in `calendar_feed_nights`, whoever holds it; in the ledger it is a row of kind FEED, unless a booking or
//! a block has it. So a feed overwrites nothing, and who frees a night asks here whether a feed still has it ([`give_back`]).
//!
//! Feeds of one property wait for each other by its row. With those who free nights they meet at two places, and the one who is second
//! sees what the first one did: a feed that wants a night waits for whoever is about to free it, and keeps it from being freed until it has
//! written that it wants it; who frees a night keeps a feed from letting go of it meanwhile.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, FromQueryResult, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _, LockType, OnConflict, Order, Query},
};

use crate::{
    domain::{ids::PropertyId, stay::Stay},
    entity::{
        calendar_feed,
        calendar_feed_night::{self, Column, Entity},
        night::{self, NightKind},
    },
    service::{bookings::lapse_in_the_way, changes::Changes, error::Result},
    store::db::Tx,
};

/// What a feed's new nights changed.
#[derive(Debug, Default)]
pub(super) struct Replaced {
    /// How many nights it has that it had not.
    pub(super) taken: usize,
    /// How many it had, and has no more. Nights gone by are not counted.
    pub(super) freed: usize,
    /// Those that it has now, and a booking has too.
    pub(super) conflicts: Vec<NaiveDate>,
}

/// Gives the nights of `[from, to)` that have just been freed, and that a feed of the property has, back to the feeds. Call it in the
/// transaction that frees them, after that. What somebody holds stays as it is.
pub(in crate::service) async fn give_back(
    tx: &Tx,
    property_id: PropertyId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<()> {
    // The lock makes a feed wait that is about to let go of such a night: it would otherwise not see what is written here.
    let of_feeds = Query::select()
        .columns([Column::PropertyId, Column::Night])
        .expr(Expr::val(NightKind::Feed))
        .from(Entity)
        .and_where(Expr::col(Column::PropertyId).eq(property_id))
        .and_where(Expr::col(Column::Night).gte(from))
        .and_where(Expr::col(Column::Night).lt(to))
        .order_by(Column::Night, Order::Asc)
        .lock(LockType::KeyShare)
        .to_owned();
    let mut rows = Query::insert();
    rows.into_table(night::Entity)
        .columns([
            night::Column::PropertyId,
            night::Column::Night,
            night::Column::Kind,
        ])
        .select_from(of_feeds)
        .map_err(anyhow::Error::from)?
        .on_conflict(OnConflict::new().do_nothing().to_owned());
    tx.execute(&rows).await?;
    Ok(())
}

/// Makes `nights` the nights of a feed, in the transaction that has locked its property; unless it `frees`, beside those that it has.
/// `today` is the date there; what was before it is of no more interest to anybody.
pub(super) async fn replace(
    tx: &Tx,
    feed: &calendar_feed::Model,
    nights: &BTreeSet<NaiveDate>,
    frees: bool,
    (today, now): (NaiveDate, DateTime<Utc>),
    changes: &mut Changes,
) -> Result<Replaced> {
    let had = nights_of(tx, feed).await?;
    let added: BTreeSet<_> = nights.difference(&had).copied().collect();
    let is_over = |night: &&NaiveDate| frees || **night < today;
    let gone: BTreeSet<_> = had.difference(nights).filter(is_over).copied().collect();
    let conflicts = take(tx, feed, &added, now, changes).await?;
    free(tx, feed, &gone).await?;
    let to_come = |night: &&NaiveDate| **night >= today;
    let others: BTreeSet<_> = added.union(&gone).filter(to_come).copied().collect();
    for (from, to) in runs(others) {
        if let Ok(stay) = Stay::between(from, to) {
            changes.nights(feed.property_id, stay);
        }
    }
    Ok(Replaced {
        taken: added.iter().filter(to_come).count(),
        freed: gone.iter().filter(to_come).count(),
        conflicts: conflicts.into_iter().filter(|n| *n >= today).collect(),
    })
}

/// Forgets a feed, and frees its nights.
pub(super) async fn let_go(
    tx: &Tx,
    feed: &calendar_feed::Model,
    (today, now): (NaiveDate, DateTime<Utc>),
    changes: &mut Changes,
) -> Result<()> {
    replace(tx, feed, &BTreeSet::new(), true, (today, now), changes).await?;
    calendar_feed::Entity::delete_by_id(feed.feed_id)
        .exec(&**tx)
        .await?;
    Ok(())
}

async fn nights_of(tx: &Tx, feed: &calendar_feed::Model) -> Result<BTreeSet<NaiveDate>> {
    let nights: Vec<NaiveDate> = Entity::find()
        .select_only()
        .column(Column::Night)
        .filter(Column::FeedId.eq(feed.feed_id))
        .into_tuple()
        .all(&**tx)
        .await?;
    Ok(nights.into_iter().collect())
}

/// Takes nights that nobody has. Gives those that a booking has.
async fn take(
    tx: &Tx,
    feed: &calendar_feed::Model,
    nights: &BTreeSet<NaiveDate>,
    now: DateTime<Utc>,
    changes: &mut Changes,
) -> Result<Vec<NaiveDate>> {
    #[derive(FromQueryResult)]
    struct Row {
        night: NaiveDate,
        kind: NightKind,
    }
    let (Some(first), Some(last)) = (nights.first(), nights.last()) else {
        return Ok(vec![]);
    };
    let property_id = feed.property_id;
    let to = *last + chrono::Days::new(1);
    lapse_in_the_way(tx, property_id, *first, to, now, changes).await?;
    let rows = nights.iter().map(|night| calendar_feed_night::ActiveModel {
        feed_id: Set(feed.feed_id),
        night: Set(*night),
        property_id: Set(property_id),
    });
    Entity::insert_many(rows)
        .exec_without_returning(&**tx)
        .await?;
    let mut rows = Query::insert();
    rows.into_table(night::Entity).columns([
        night::Column::PropertyId,
        night::Column::Night,
        night::Column::Kind,
    ]);
    for night in nights {
        rows.values_panic([property_id.into(), (*night).into(), NightKind::Feed.into()]);
    }
    // What is there stays as it is. It is written all the same: that waits for whoever is about to free it, and then takes it after all, and it
    // keeps the row until this is committed. Doing nothing would do neither.
    let as_it_is = Expr::col((night::Entity, night::Column::Kind));
    rows.on_conflict(
        OnConflict::columns([night::Column::PropertyId, night::Column::Night])
            .value(night::Column::Kind, as_it_is)
            .to_owned(),
    )
    .returning(Query::returning().columns([night::Column::Night, night::Column::Kind]));
    let statement = tx.get_database_backend().build(&rows);
    let held = Row::find_by_statement(statement).all(&**tx).await?;
    let held = held
        .into_iter()
        .filter(|row| row.kind == NightKind::Booking);
    let mut held: Vec<_> = held.map(|row| row.night).collect();
    held.sort_unstable();
    Ok(held)
}

/// Lets go of nights. In the ledger they are free then, unless somebody holds them or another feed has them.
async fn free(tx: &Tx, feed: &calendar_feed::Model, nights: &BTreeSet<NaiveDate>) -> Result<()> {
    if nights.is_empty() {
        return Ok(());
    }
    let own = Column::FeedId
        .eq(feed.feed_id)
        .and(Column::Night.is_in(nights.iter().copied()));
    // Locked by date first, as those do who free nights: a deletion goes about in an order of its own.
    Entity::find()
        .filter(own.clone())
        .order_by_asc(Column::Night)
        .lock_exclusive()
        .all(&**tx)
        .await?;
    Entity::delete_many().filter(own).exec(&**tx).await?;
    let of_others = Query::select()
        .column(Column::Night)
        .from(Entity)
        .and_where(Column::PropertyId.eq(feed.property_id))
        .to_owned();
    night::Entity::delete_many()
        .filter(night::Column::PropertyId.eq(feed.property_id))
        .filter(night::Column::Kind.eq(NightKind::Feed))
        .filter(night::Column::Night.is_in(nights.iter().copied()))
        .filter(night::Column::Night.not_in_subquery(of_others))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Dates in order, as ranges `[from, to)` of those that follow each other, none of more than a year.
pub(super) fn runs(
    dates: impl IntoIterator<Item = NaiveDate>,
) -> impl Iterator<Item = (NaiveDate, NaiveDate)> {
    let mut dates = dates.into_iter().peekable();
    std::iter::from_fn(move || {
        let from = dates.next()?;
        let mut to = from + chrono::Days::new(1);
        while (to - from).num_days() < crate::domain::stay::MAX_NIGHTS
            && dates.next_if_eq(&to).is_some()
        {
            to = to + chrono::Days::new(1);
        }
        Some((from, to))
    })
}

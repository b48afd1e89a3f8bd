//! What guests say of finished stays, and what hosts answer. Reading is here; [`writing`] keeps the properties' averages.

mod writing;

use std::collections::HashMap;

use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _};

use super::{
    error,
    keys::among,
    paging::{self, Keyset},
    public::Public,
};
use crate::{
    domain::{
        ids::{BookingId, PropertyId, ReviewId, UserId},
        page::{Cursor, Page, PageRequest},
    },
    entity::{
        part::{self, Columns, Row},
        review::{Column, Entity},
    },
};

/// Reviews.
#[derive(Clone)]
pub struct Reviews(pub(super) Public);

/// The mark of lists of reviews, newest first.
pub const NEWEST: char = 'v';

const BY_KEY: Keyset<Column> = Keyset {
    rank: None,
    id: Column::ReviewId,
    copy: None,
    descending: true,
};

impl Reviews {
    /// Reviews by their keys; everyone may read them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_ids(
        &self,
        ids: &[ReviewId],
        columns: Columns<Entity>,
    ) -> error::Result<HashMap<ReviewId, Row<Entity>>> {
        let of = (Column::ReviewId, ids);
        Ok(self.0.by_keys(Entity::find(), of, columns).await?)
    }

    /// The reviews of each of some properties, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pages_of_properties(
        &self,
        ids: &[PropertyId],
        request: PageRequest,
        columns: Columns<Entity>,
    ) -> error::Result<HashMap<PropertyId, Page<Row<Entity>>>> {
        let pages = paging::pages_by_owner(
            &self.0.place,
            ids,
            BY_KEY,
            request,
            (Entity::find(), Column::PropertyId),
            columns,
            place,
        );
        Ok(pages.await?)
    }

    /// The reviews that each of some people wrote, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pages_of_authors(
        &self,
        ids: &[UserId],
        request: PageRequest,
        columns: Columns<Entity>,
    ) -> error::Result<HashMap<UserId, Page<Row<Entity>>>> {
        let pages = paging::pages_by_owner(
            &self.0.place,
            ids,
            BY_KEY,
            request,
            (Entity::find(), Column::GuestId),
            columns,
            place,
        );
        Ok(pages.await?)
    }

    /// How many reviews each of some people wrote.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counts_of_authors(&self, ids: &[UserId]) -> error::Result<HashMap<UserId, i64>> {
        let rows: Vec<(UserId, i64)> = Entity::find()
            .filter(among(self.0.db.backend(), Column::GuestId, ids))
            .select_only()
            .column(Column::GuestId)
            .column_as(Column::ReviewId.count(), "count")
            .group_by(Column::GuestId)
            .into_tuple()
            .all(&self.0.place)
            .await?;
        Ok(rows.into_iter().collect())
    }

    /// The review of each of some bookings.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_bookings(
        &self,
        ids: &[BookingId],
        columns: Columns<Entity>,
    ) -> error::Result<HashMap<BookingId, Row<Entity>>> {
        let find = Entity::find().filter(among(self.0.db.backend(), Column::BookingId, ids));
        Ok(columns
            .by(Column::BookingId, find, self.0.db.read())
            .await?)
    }
}

fn place(review: &Row<Entity>) -> Result<Cursor, DbErr> {
    Ok(Cursor {
        order: NEWEST,
        rank: 0,
        id: i64::from(part::read(&review.review_id)?.0),
    })
}

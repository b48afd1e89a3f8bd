//! What guests say of finished stays, and what hosts answer. Reading is here; [`writing`] keeps the properties' averages.

mod writing;

use std::{collections::HashMap, sync::Arc};

use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _};

use super::{
    Parts,
    error::Result,
    paging::{self, Keyset},
};
use crate::{
    domain::{
        ids::{BookingId, PropertyId, ReviewId, UserId},
        page::{Cursor, Page, PageRequest},
    },
    entity::review::{Column, Entity, Model},
};

/// Reviews.
#[derive(Clone)]
pub struct Reviews(pub(super) Arc<Parts>);

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
    pub async fn by_ids(&self, ids: &[ReviewId]) -> Result<HashMap<ReviewId, Model>> {
        let rows = Entity::find()
            .filter(Column::ReviewId.is_in(ids.iter().copied()))
            .all(self.0.db.read())
            .await?;
        Ok(rows
            .into_iter()
            .map(|review| (review.review_id, review))
            .collect())
    }

    /// The reviews of each of some properties, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pages_of_properties(
        &self,
        ids: &[PropertyId],
        request: PageRequest,
    ) -> Result<HashMap<PropertyId, Page<Model>>> {
        let list = |id: PropertyId| Entity::find().filter(Column::PropertyId.eq(id));
        let pages = paging::pages_by_owner(
            self.0.db.read(),
            ids,
            BY_KEY,
            request,
            list,
            |review| review.property_id,
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
    ) -> Result<HashMap<UserId, Page<Model>>> {
        let list = |id: UserId| Entity::find().filter(Column::GuestId.eq(id));
        let pages = paging::pages_by_owner(
            self.0.db.read(),
            ids,
            BY_KEY,
            request,
            list,
            |review| review.guest_id,
            place,
        );
        Ok(pages.await?)
    }

    /// How many reviews each of some people wrote.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counts_of_authors(&self, ids: &[UserId]) -> Result<HashMap<UserId, i64>> {
        let rows: Vec<(UserId, i64)> = Entity::find()
            .filter(Column::GuestId.is_in(ids.iter().copied()))
            .select_only()
            .column(Column::GuestId)
            .column_as(Column::ReviewId.count(), "count")
            .group_by(Column::GuestId)
            .into_tuple()
            .all(self.0.db.read())
            .await?;
        Ok(rows.into_iter().collect())
    }

    /// The review of each of some bookings.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_bookings(&self, ids: &[BookingId]) -> Result<HashMap<BookingId, Model>> {
        let rows = Entity::find()
            .filter(Column::BookingId.is_in(ids.iter().copied()))
            .all(self.0.db.read())
            .await?;
        Ok(rows
            .into_iter()
            .map(|review| (review.booking_id, review))
            .collect())
    }
}

fn place(review: &Model) -> Cursor {
    Cursor {
        order: NEWEST,
        rank: 0,
        id: i64::from(review.review_id.0),
    }
}

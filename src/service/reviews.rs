//! What guests say of finished stays. A property's average is changed in the review's own transaction.

use std::{collections::HashMap, sync::Arc};

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _},
};

use super::{
    Parts,
    changes::Changes,
    error::{Error, Result, as_guest},
    paging::{self, Keyset},
};
use crate::{
    domain::{
        actor::Actor,
        audit::{Action, Subject},
        booking::BookingStatus,
        ids::{BookingId, PropertyId, ReviewId, UserId},
        page::{Cursor, Page, PageRequest},
        problem::Problem,
        review::Opinion,
    },
    entity::{
        booking, property,
        review::{ActiveModel, Column, Entity, Model},
    },
    store::db::{Tx, is_unique_violation},
};

/// Reviews.
#[derive(Clone)]
pub struct Reviews(pub(super) Arc<Parts>);

/// The mark of lists of reviews, newest first.
pub const NEWEST: char = 'v';

const BY_KEY: Keyset<Column> = Keyset {
    rank: None,
    id: Column::ReviewId,
    descending: true,
};

impl Reviews {
    /// Reviews a stay of the caller's that is over.
    ///
    /// # Errors
    /// `NOT_FOUND` for somebody else's booking, `WRONG_STATE` before the stay is over or when it was reviewed; every mistake in the input.
    pub async fn create(
        &self,
        actor: &Actor,
        booking_id: BookingId,
        rating: i32,
        comment: Option<&str>,
    ) -> Result<Model> {
        let guest = as_guest(actor)?.user_id;
        let opinion = Opinion::parse(rating, comment)?;
        let tx = self.0.db.begin().await?;
        let booking = booking::Entity::find_by_id(booking_id)
            .filter(booking::Column::GuestId.eq(guest))
            .one(&*tx)
            .await?
            .ok_or_else(|| Problem::not_found("bookingId", "booking of yours"))?;
        if booking.status != BookingStatus::Completed {
            return Err(Problem::wrong_state("A stay can be reviewed once it is over.").into());
        }
        rate(&tx, booking.property_id, opinion.rating).await?;
        let row = ActiveModel {
            review_id: NotSet,
            property_id: Set(booking.property_id),
            guest_id: Set(guest),
            booking_id: Set(booking_id),
            rating: Set(opinion.rating),
            comment: Set(opinion.comment),
            host_response: Set(None),
            created_at: Set(self.0.clock.now()),
        };
        let review = Entity::insert(row)
            .exec_with_returning(&*tx)
            .await
            .map_err(|error| {
                if is_unique_violation(&error) {
                    Problem::wrong_state("You have reviewed this stay.").into()
                } else {
                    Error::from(error)
                }
            })?;
        let mut changes = Changes::by(actor);
        changes.record(Action::ReviewCreated, Subject::Review(review.review_id));
        changes.commit(tx, &self.0).await?;
        Ok(review)
    }

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

/// Adds a rating to a property's average. The row's own lock makes concurrent ones add up.
async fn rate(tx: &Tx, property_id: PropertyId, rating: i32) -> Result<()> {
    use property::Column::{PropertyId as Key, RatingHundredths, RatingSum, ReviewCount};
    let sum = || Expr::col(RatingSum).add(rating);
    let count = || Expr::col(ReviewCount).add(1);
    property::Entity::update_many()
        .col_expr(RatingSum, sum())
        .col_expr(ReviewCount, count())
        // Integer division in both engines; half of the divisor rounds to the nearest.
        .col_expr(
            RatingHundredths,
            sum().mul(100).add(count().div(2)).div(count()),
        )
        .filter(Key.eq(property_id))
        .exec(&**tx)
        .await?;
    Ok(())
}

fn place(review: &Model) -> Cursor {
    Cursor {
        order: NEWEST,
        rank: 0,
        id: i64::from(review.review_id.0),
    }
}

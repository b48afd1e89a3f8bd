//! Writing, changing, deleting and answering reviews. Whoever changes a rating locks the property's row first, so that its average is
//! changed in the review's own transaction, and by one at a time; then the review.

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    sea_query::{Expr, LockType},
};

use super::Reviews;
use crate::{
    domain::{
        actor::Actor,
        audit::{Action, Subject},
        booking::BookingStatus,
        freshness::Tag,
        ids::{BookingId, PropertyId, ReviewId},
        problem::Problem,
        review::{Opinion, Revision, parse_response},
    },
    entity::{
        booking, property,
        review::{ActiveModel, Column, Entity, Model},
    },
    service::{
        changes::Changes,
        error::{Error, Result, as_guest, signed_in},
        seen::Seen,
    },
    store::db::{Tx, is_unique_violation},
};

impl Reviews {
    /// Reviews a stay of the caller's that is over.
    ///
    /// # Errors
    /// `NOT_FOUND` for somebody else's booking, `WRONG_STATE` before the stay is over, when it is reviewed, or when an admin has taken its
    /// review away; every mistake in the input.
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
        let stayed =
            || booking::Entity::find_by_id(booking_id).filter(booking::Column::GuestId.eq(guest));
        let not_found = || Problem::not_found("bookingId", "booking of yours");
        let booking = stayed().one(&*tx).await?.ok_or_else(not_found)?;
        let property = lock_property(&tx, booking.property_id).await?;
        // Anew, because an admin may have been at its review until now.
        let booking = stayed().one(&*tx).await?.ok_or_else(not_found)?;
        if booking.status != BookingStatus::Completed {
            return Err(Problem::wrong_state("A stay can be reviewed once it is over.").into());
        }
        if booking.review_removed_at.is_some() {
            let gone = "The review of this stay was removed, and no other can be written.";
            return Err(Problem::wrong_state(gone).into());
        }
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
        rate(&tx, &property, opinion.rating, 1).await?;
        self.done(tx, actor, Action::ReviewCreated, review).await
    }

    /// Changes a review of the caller's own: what is left out stays as it is, and an empty comment takes the old one away.
    ///
    /// # Errors
    /// `NOT_FOUND` for somebody else's review, [`Error::Changed`] for one that is not as the caller has `seen` it;
    /// every mistake in the input.
    pub async fn update(
        &self,
        actor: &Actor,
        id: ReviewId,
        rating: Option<i32>,
        comment: Option<&str>,
        seen: Seen<'_, Model>,
    ) -> Result<Model> {
        let author = signed_in(actor)?.user_id;
        let revision = Revision::parse(rating, comment)?;
        let tx = self.0.db.begin().await?;
        let (property, mut review) = lock_both(&tx, id)
            .await?
            .filter(|(_, review)| review.guest_id == author)
            .ok_or_else(|| Problem::not_found("id", "review of yours"))?;
        seen.must_be(&review)?;
        let rating = revision.rating.unwrap_or(review.rating);
        rate(&tx, &property, rating - review.rating, 0).await?;
        review.rating = rating;
        if let Some(comment) = revision.comment {
            review.comment = comment;
        }
        Entity::update_many()
            .col_expr(Column::Rating, Expr::val(review.rating))
            .col_expr(Column::Comment, Expr::val(review.comment.clone()))
            .filter(Column::ReviewId.eq(id))
            .exec(&*tx)
            .await?;
        self.done(tx, actor, Action::ReviewUpdated, review).await
    }

    /// Deletes a review. Its author may write another one; after an admin has done it, nobody may.
    ///
    /// # Errors
    /// `NOT_FOUND` for somebody else's review, [`Error::Changed`] for one that is not as the caller has `seen` it.
    pub async fn delete(
        &self,
        actor: &Actor,
        id: ReviewId,
        seen: Seen<'_, Model>,
    ) -> Result<ReviewId> {
        let user = signed_in(actor)?.user_id;
        let tx = self.0.db.begin().await?;
        let (property, review) = lock_both(&tx, id)
            .await?
            .filter(|(_, review)| review.guest_id == user || actor.is_admin())
            .ok_or_else(|| Problem::not_found("id", "review of yours"))?;
        seen.must_be(&review)?;
        Entity::delete_by_id(id).exec(&*tx).await?;
        rate(&tx, &property, -review.rating, -1).await?;
        let action = if review.guest_id == user {
            Action::ReviewDeleted
        } else {
            let now = Some(self.0.clock.now());
            booking::Entity::update_many()
                .col_expr(booking::Column::ReviewRemovedAt, Expr::val(now))
                .filter(booking::Column::BookingId.eq(review.booking_id))
                .exec(&*tx)
                .await?;
            Action::ReviewRemoved
        };
        Ok(self.done(tx, actor, action, review).await?.review_id)
    }

    /// Answers a review of the caller's property, once and for all.
    ///
    /// # Errors
    /// `NOT_FOUND` for a review of somebody else's property, `WRONG_STATE` when it has an answer; `REQUIRED` or `INVALID` when the answer has
    /// not 1 to 4,000 characters.
    pub async fn respond(&self, actor: &Actor, id: ReviewId, response: &str) -> Result<Model> {
        let host = signed_in(actor)?.user_id;
        let response = parse_response("response", response)?;
        let tx = self.0.db.begin().await?;
        let (_, mut review) = lock_both(&tx, id)
            .await?
            .filter(|(property, _)| property.host_id == host)
            .ok_or_else(|| Problem::not_found("id", "review of a property of yours"))?;
        if review.host_response.is_some() {
            return Err(Problem::wrong_state("You have answered this review.").into());
        }
        review.host_response = Some(response);
        Entity::update_many()
            .col_expr(
                Column::HostResponse,
                Expr::val(review.host_response.clone()),
            )
            .filter(Column::ReviewId.eq(id))
            .exec(&*tx)
            .await?;
        self.done(tx, actor, Action::ReviewAnswered, review).await
    }

    async fn done(&self, tx: Tx, actor: &Actor, action: Action, review: Model) -> Result<Model> {
        let mut changes = Changes::by(actor);
        changes.record(action, Subject::Review(review.review_id));
        changes.shown([
            Tag::Ratings,
            Tag::Property(review.property_id),
            Tag::Person(review.guest_id),
        ]);
        changes.commit(tx, &self.0).await?;
        Ok(review)
    }
}

/// Locks a property until the transaction ends, but not against bookings of it, and reads it as it then is. Deleted ones are there too.
async fn lock_property(tx: &Tx, id: PropertyId) -> Result<property::Model> {
    property::Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(&**tx)
        .await?
        .ok_or_else(|| anyhow::anyhow!("property {id} of a review is gone").into())
}

/// Locks a review and its property until the transaction ends, and reads them as they then are.
async fn lock_both(tx: &Tx, id: ReviewId) -> Result<Option<(property::Model, Model)>> {
    let Some(seen) = Entity::find_by_id(id).one(&**tx).await? else {
        return Ok(None);
    };
    let property = lock_property(tx, seen.property_id).await?;
    let review = Entity::find_by_id(id).lock_exclusive().one(&**tx).await?;
    Ok(review.map(|review| (property, review)))
}

/// Changes the ratings of a property, which must be locked, by a sum and a number of reviews.
async fn rate(tx: &Tx, property: &property::Model, sum: i32, count: i32) -> Result<()> {
    use property::Column::{PropertyId as Key, RatingHundredths, RatingSum, ReviewCount};
    if (sum, count) == (0, 0) {
        return Ok(());
    }
    let (sum, count) = (property.rating_sum + sum, property.review_count + count);
    // Half of the divisor rounds to the nearest.
    let hundredths = if count == 0 {
        0
    } else {
        (sum * 100 + count / 2) / count
    };
    property::Entity::update_many()
        .col_expr(RatingSum, Expr::val(sum))
        .col_expr(ReviewCount, Expr::val(count))
        .col_expr(RatingHundredths, Expr::val(hundredths))
        .filter(Key.eq(property.property_id))
        .exec(&**tx)
        .await?;
    Ok(())
}

//! Reviewing, and answering reviews.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use crate::{
    domain::ids::{BookingId, ReviewId},
    entity::review,
    graphql::{
        context::ContextExt as _,
        errors::{UserError, outcome},
        global_id::{self, GlobalId},
        guards::SignedIn,
        mutations::properties::DeletedPayload,
        types::review::Review,
    },
    service::{self, seen::Seen},
};

/// What a guest says of a stay.
#[derive(InputObject)]
pub(in crate::graphql) struct CreateReviewInput {
    /// Which stay.
    booking_id: ID,
    /// From 1 (poor) to 5 (excellent).
    rating: i32,
    /// At most 4,000 characters.
    comment: Option<String>,
}

/// What is to change of a review.
#[derive(InputObject)]
pub(in crate::graphql) struct UpdateReviewInput {
    /// Which review.
    id: ID,
    /// From 1 (poor) to 5 (excellent); left out or null, it stays as it is.
    rating: Option<i32>,
    /// At most 4,000 characters; left out or null, it stays as it is, and an empty one takes the old one away.
    comment: Option<String>,
}

/// What a host answers to a review.
#[derive(InputObject)]
pub(in crate::graphql) struct RespondToReviewInput {
    /// Which review.
    id: ID,
    /// 1 to 4,000 characters.
    response: String,
}

/// The review after the change.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ReviewPayload {
    /// None when it was not done.
    review: Option<Review>,
    /// What the caller can mend; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Reviewing, and answering reviews.
#[derive(Default)]
pub(in crate::graphql) struct ReviewMutations;

#[Object]
impl ReviewMutations {
    /// One a booking, by its guest, once the stay is over.
    #[graphql(guard = "SignedIn")]
    async fn create_review(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is said.")] input: CreateReviewInput,
    ) -> Result<ReviewPayload> {
        let made = async {
            let booking: BookingId = global_id::parse("bookingId", &input.booking_id)?;
            let reviews = &ctx.services().reviews;
            reviews
                .create(ctx.actor(), booking, input.rating, input.comment.as_deref())
                .await
        };
        payload(made.await)
    }

    /// Changes a review of one's own.
    #[graphql(guard = "SignedIn")]
    async fn update_review(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to change.")] input: UpdateReviewInput,
    ) -> Result<ReviewPayload> {
        let changed = async {
            let id: ReviewId = global_id::parse("id", &input.id)?;
            let reviews = &ctx.services().reviews;
            reviews
                .update(
                    ctx.actor(),
                    id,
                    input.rating,
                    input.comment.as_deref(),
                    Seen::whatever(),
                )
                .await
        };
        payload(changed.await)
    }

    /// Deletes a review of one's own, so that another one may be written; or, as an admin, any, so that none may.
    #[graphql(guard = "SignedIn")]
    async fn delete_review(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which review.")] id: ID,
    ) -> Result<DeletedPayload> {
        let deleted = async {
            let id: ReviewId = global_id::parse("id", &id)?;
            let reviews = &ctx.services().reviews;
            reviews.delete(ctx.actor(), id, Seen::whatever()).await
        };
        let (deleted, user_errors) = outcome(deleted.await)?;
        Ok(DeletedPayload::of(
            deleted.map(GlobalId::Review),
            user_errors,
        ))
    }

    /// Answers a review of a property of one's own, once.
    #[graphql(guard = "SignedIn")]
    async fn respond_to_review(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The answer.")] input: RespondToReviewInput,
    ) -> Result<ReviewPayload> {
        let answered = async {
            let id: ReviewId = global_id::parse("id", &input.id)?;
            let reviews = &ctx.services().reviews;
            reviews.respond(ctx.actor(), id, &input.response).await
        };
        payload(answered.await)
    }
}

fn payload(made: service::error::Result<review::Model>) -> Result<ReviewPayload> {
    let (review, user_errors) = outcome(made)?;
    Ok(ReviewPayload {
        review: review.map(Into::into),
        user_errors,
    })
}

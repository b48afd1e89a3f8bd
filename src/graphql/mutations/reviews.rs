//! Reviewing.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use crate::{
    domain::ids::BookingId,
    graphql::{
        context::ContextExt as _,
        errors::{UserError, outcome},
        global_id,
        guards::SignedIn,
        types::review::Review,
    },
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

/// The review after the change.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ReviewPayload {
    /// None when it was not done.
    review: Option<Review>,
    /// What the caller can mend; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Reviewing.
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
        let (review, user_errors) = outcome(made.await)?;
        Ok(ReviewPayload {
            review: review.map(Into::into),
            user_errors,
        })
    }
}

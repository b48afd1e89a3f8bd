//! What guests say of stays, and what hosts answer.

use axum::{extract::State, http::Uri};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    answer::{self, Answer},
    asked::{
        Anyone, Body, Id, Nothing, OrNull, Parameters, Public, Query, Somebody, Whole, present,
    },
    conditional::{IfMatch, Versions},
    page::{self, List, Wanted},
    problem::Problem,
    properties::visible,
};
use crate::{
    domain::{
        ids::{BookingId, PropertyId, ReviewId, UserId},
        page::Page,
        problem::ProblemCode,
    },
    entity::{part::Columns, review::Model},
    service::{Services, error::Error, reviews, seen::Seen},
};

/// What a guest said of a stay.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Review {
    /// The key.
    #[schema(example = 5, minimum = 1)]
    id: i32,
    /// Of which property.
    #[schema(example = 42, minimum = 1)]
    property_id: i32,
    /// After which stay.
    #[schema(example = 12, minimum = 1)]
    booking_id: i32,
    /// By whom.
    #[schema(example = 7, minimum = 1)]
    author_id: i32,
    /// From 1 (poor) to 5 (excellent).
    #[schema(example = 5, minimum = 1, maximum = 5)]
    rating: i32,
    /// Paragraphs.
    #[schema(required, example = "Quiet, bright, and close to everything.")]
    comment: Option<String>,
    /// What the host answered.
    #[schema(required, example = "Thank you!")]
    host_response: Option<String>,
    /// When it was written.
    #[schema(example = "2026-11-01T12:00:00Z")]
    created_at: DateTime<Utc>,
}

impl From<Model> for Review {
    fn from(row: Model) -> Self {
        Self {
            id: row.review_id.0,
            property_id: row.property_id.0,
            booking_id: row.booking_id.0,
            author_id: row.guest_id.0,
            rating: row.rating,
            comment: row.comment,
            host_response: row.host_response,
            created_at: row.created_at,
        }
    }
}

/// What a guest says of a stay.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewReview {
    /// Which stay.
    #[schema(value_type = i32, example = 12, minimum = 1)]
    booking_id: Whole,
    /// From 1 (poor) to 5 (excellent).
    #[schema(value_type = i32, example = 5, minimum = 1, maximum = 5)]
    rating: Whole,
    /// Paragraphs.
    #[schema(example = "Quiet, bright, and close to everything.", max_length = 4000)]
    comment: Option<String>,
}

/// What is to change of a review (RFC 7396); what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ReviewChange {
    /// From 1 (poor) to 5 (excellent).
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = i32, required = false, example = 4, minimum = 1, maximum = 5)]
    rating: Option<Whole>,
    /// Paragraphs; null takes them away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, required = false, example = "Quiet, bright, and close to everything.", max_length = 4000)]
    comment: Option<OrNull<String>>,
}

/// What a host answers to a review.
#[derive(Deserialize, ToSchema)]
#[schema(as = ReviewResponse)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Response {
    /// Paragraphs.
    #[schema(example = "Thank you!", min_length = 1, max_length = 4000)]
    response: String,
}

/// Which reviews: of a property, or by an author.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Of this property.
    #[param(example = 42, minimum = 1)]
    property_id: Option<i32>,
    /// By this person.
    #[param(example = 7, minimum = 1)]
    author_id: Option<i32>,
    /// How many rows.
    #[param(example = 20, minimum = 1, maximum = 100, default = 20)]
    limit: Option<i32>,
    /// Only rows after this cursor.
    #[param(example = "djowOjQy", max_length = 200)]
    after: Option<String>,
    /// Only rows before this cursor.
    #[param(example = "djowOjYx", max_length = 200)]
    before: Option<String>,
}

impl Parameters for Which {}

pub(super) fn routes() -> OpenApiRouter<Services> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, update, delete))
        .routes(routes!(respond))
}

/// Lists reviews
///
/// Of a property, or by an author; newest first.
#[utoipa::path(get, path = "/reviews/", operation_id = "listReviews", tag = "reviews", security((), ("bearer" = [])), params(Which),
    responses((status = 200, description = "A page of reviews.", body = List<Review>)))]
async fn list(
    Public(services): Public,
    Anyone(actor): Anyone,
    Query(which): Query<Which>,
    uri: Uri,
) -> Answer {
    for (field, key) in [
        ("propertyId", which.property_id),
        ("authorId", which.author_id),
    ] {
        if key.is_some_and(|key| key < 1) {
            let message = "A key is a whole number from 1 to 2147483647.";
            return Err(Problem::bad(field, "INVALID", message));
        }
    }
    let wanted = Wanted {
        limit: which.limit,
        after: which.after,
        before: which.before,
    };
    let request = wanted.parse(&[reviews::NEWEST])?;
    let columns = Columns::all();
    let page = match (which.property_id, which.author_id) {
        (Some(property), None) => {
            let id = PropertyId(property);
            visible(&services, &actor, id).await?;
            let mut pages = services
                .reviews
                .pages_of_properties(&[id], request, columns)
                .await?;
            pages.remove(&id)
        }
        (None, Some(author)) => {
            let id = UserId(author);
            let mut pages = services
                .reviews
                .pages_of_authors(&[id], request, columns)
                .await?;
            pages.remove(&id)
        }
        _ => {
            let message = "Give `propertyId` or `authorId`.";
            return Err(Problem::wrong("propertyId", ProblemCode::Required, message));
        }
    };
    let page = page.unwrap_or_else(|| Page::cut(request, vec![]));
    page::list(&uri, page, |row| {
        Ok(Review::from(row.whole().map_err(Error::from)?))
    })
}

/// Reviews a stay
///
/// One a booking, by its guest, once the stay is over.
#[utoipa::path(post, path = "/reviews/", operation_id = "createReview", tag = "reviews", request_body = NewReview,
    responses((status = 201, description = "The review.", body = Review, headers(
        ("Location" = String, description = "Where the review is.")))))]
async fn create(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Query(Nothing {}): Query<Nothing>,
    Body(new): Body<NewReview>,
) -> Answer {
    let booking = BookingId(new.booking_id.0);
    let made = services
        .reviews
        .create(&actor, booking, new.rating.0, new.comment.as_deref());
    let review = Review::from(made.await?);
    answer::made(&format!("/reviews/{}/", review.id), &review, &review)
}

/// Shows a review
#[utoipa::path(get, path = "/reviews/{id}/", operation_id = "showReview", tag = "reviews", security((), ("bearer" = [])),
    params(("id" = i32, Path, description = "The review's key.", minimum = 1, example = 5)),
    responses((status = 200, description = "The review.", body = Review)))]
async fn show(
    Public(services): Public,
    Anyone(_): Anyone,
    Id(id): Id,
    Query(Nothing {}): Query<Nothing>,
) -> Answer {
    let id = ReviewId(id);
    let found = services.reviews.by_ids(&[id], Columns::all()).await?;
    let row = found.get(&id).ok_or_else(|| Problem::not_found("review"))?;
    one(row.whole().map_err(Error::from)?)
}

/// Changes a review of one's own
///
/// By JSON merge patch.
#[utoipa::path(patch, path = "/reviews/{id}/", operation_id = "updateReview", tag = "reviews",
    params(Versions, ("id" = i32, Path, description = "The review's key.", minimum = 1, example = 5)),
    request_body(content((ReviewChange = "application/json"), (ReviewChange = "application/merge-patch+json"))),
    responses((status = 200, description = "The review after the change.", body = Review)))]
async fn update(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Id(id): Id,
    Query(Nothing {}): Query<Nothing>,
    versions: IfMatch,
    Body(change): Body<ReviewChange>,
) -> Answer {
    let is_known = |row: &Model| versions.admits(&Review::from(row.clone()));
    // To the service an empty comment is none.
    let comment = change.comment.map(|text| text.0.unwrap_or_default());
    let changed = services.reviews.update(
        &actor,
        ReviewId(id),
        change.rating.map(|number| number.0),
        comment.as_deref(),
        Seen::when(&is_known),
    );
    one(changed.await?)
}

/// Deletes a review
///
/// One of one's own, so that another one may be written; or, as an admin, any, so that none may.
#[utoipa::path(delete, path = "/reviews/{id}/", operation_id = "deleteReview", tag = "reviews",
    params(Versions, ("id" = i32, Path, description = "The review's key.", minimum = 1, example = 5)),
    responses((status = 204, description = "It is deleted.")))]
async fn delete(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Id(id): Id,
    Query(Nothing {}): Query<Nothing>,
    versions: IfMatch,
) -> Answer {
    let is_known = |row: &Model| versions.admits(&Review::from(row.clone()));
    services
        .reviews
        .delete(&actor, ReviewId(id), Seen::when(&is_known))
        .await?;
    Ok(answer::done())
}

/// Answers a review
///
/// By the host of its property, once.
#[utoipa::path(post, path = "/reviews/{id}/response/", operation_id = "respondToReview", tag = "reviews", request_body = Response,
    params(("id" = i32, Path, description = "The review's key.", minimum = 1, example = 5)),
    responses((status = 200, description = "The review with the answer.", body = Review)))]
async fn respond(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Id(id): Id,
    Query(Nothing {}): Query<Nothing>,
    Body(answer): Body<Response>,
) -> Answer {
    let reviews = &services.reviews;
    one(reviews
        .respond(&actor, ReviewId(id), &answer.response)
        .await?)
}

fn one(row: Model) -> Answer {
    let review = Review::from(row);
    answer::thing(&review, &review)
}

//! REST: plain resources over the services that GraphQL uses.
//!
//! A handler reads what is asked for strictly, calls one service, and shows what it gives. It has no rule of its own. What it takes and gives is
//! described where it is written; the description of the whole ([`document()`]) is made of that, so that neither can be without the other.
//!
//! Addresses end in a slash; the edge adds one where a client leaves it out. Keys are the database's, GraphQL's `databaseId`. A mistake is a
//! problem document ([`problem`]). Changes can be made to depend on the version that was read ([`conditional`]).

mod answer;
mod asked;
mod bookings;
mod calendar;
mod conditional;
mod document;
mod money;
mod page;
mod payments;
mod person;
mod problem;
mod properties;
mod reviews;
mod sessions;
mod users;
mod words;

use axum::{Router, extract::DefaultBodyLimit, http::StatusCode, middleware};
use utoipa_axum::router::OpenApiRouter;

pub use self::{
    answer::ROOT,
    document::document,
    problem::{MEDIA as PROBLEM, Problem},
};
use crate::service::Services;

fn resources() -> OpenApiRouter<Services> {
    OpenApiRouter::new()
        .merge(users::routes())
        .merge(sessions::routes())
        .merge(properties::routes())
        .merge(calendar::routes())
        .merge(bookings::routes())
        .merge(payments::routes())
        .merge(reviews::routes())
}

/// The resources, by their addresses below [`ROOT`]. Each request has its [`Actor`](crate::domain::actor::Actor) among its extensions, and a body
/// that is not too large.
pub fn router(services: Services) -> Router {
    let (router, _) = resources().split_for_parts();
    router
        .fallback(async || {
            let detail = "There is nothing at this address.";
            Problem::new(StatusCode::NOT_FOUND, "NOT_FOUND", detail)
        })
        .method_not_allowed_fallback(async || {
            let detail = "This address does not take this method; the header Allow says which.";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "BAD_USER_INPUT", detail)
        })
        .with_state(services)
        .layer(middleware::from_fn(conditional::answers))
        .layer(DefaultBodyLimit::disable())
}

/// What a request costs of what its caller may ask for, as the same costs by GraphQL: a thing costs one, a list as many as it may have, a change ten.
#[must_use]
pub fn cost_of(reads: bool, path: &str, query: &str) -> u32 {
    const LISTS: [&str; 4] = ["/users/", "/properties/", "/bookings/", "/reviews/"];
    match (reads, LISTS.contains(&path)) {
        (false, _) => 10,
        (true, false) => 1,
        (true, true) => page::rows(query),
    }
}

//! The GraphQL face. A resolver is: actor, one service call, map.
//!
//! Types are in [`types`], each mutation family with its inputs and payloads in [`mutations`]; the roots merge them. Relations load in
//! batches through [`loaders`], which live as long as one request.

mod arguments;
mod connection;
pub mod context;
mod errors;
mod global_id;
mod guards;
mod loaders;
mod mutations;
mod queries;
mod scalars;
mod subscriptions;
mod types;

pub use errors::finish;

use async_graphql::{MergedObject, Schema};

use crate::service::Services;

/// The schema that is served.
pub type StaygateSchema = Schema<QueryRoot, MutationRoot, subscriptions::Subscriptions>;

/// Everything that can be read.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
pub struct QueryRoot(
    queries::PeopleQueries,
    queries::PropertyQueries,
    queries::BookingQueries,
    queries::NodeQueries,
    queries::AuditQueries,
);

/// Everything that can be changed.
#[derive(MergedObject, Default)]
#[graphql(name = "Mutation")]
pub struct MutationRoot(
    mutations::accounts::AccountMutations,
    mutations::sessions::SessionMutations,
    mutations::properties::PropertyMutations,
    mutations::feeds::FeedMutations,
    mutations::calendar::CalendarMutations,
    mutations::bookings::BookingMutations,
    mutations::payments::PaymentMutations,
    mutations::reviews::ReviewMutations,
);

/// The deepest selection that is answered. Introspection by the usual tools needs 13.
const DEPTH: usize = 15;
/// The most fields that one operation may select. Introspection by the usual tools needs about 200.
const FIELDS: usize = 1_000;

/// The schema over these services.
#[must_use]
pub fn schema(services: Services) -> StaygateSchema {
    builder()
        .limit_depth(DEPTH)
        .limit_complexity(FIELDS)
        .data(services)
        .finish()
}

/// The schema in the schema definition language.
#[must_use]
pub fn sdl() -> String {
    builder().finish().sdl()
}

fn builder() -> async_graphql::SchemaBuilder<QueryRoot, MutationRoot, subscriptions::Subscriptions>
{
    Schema::build(
        QueryRoot::default(),
        MutationRoot::default(),
        subscriptions::Subscriptions,
    )
    .register_output_type::<types::Node>()
}

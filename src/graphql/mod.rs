//! The GraphQL face. A resolver is: actor, one service call, map.
//!
//! Types are in [`types`], each mutation family with its inputs and payloads in [`mutations`]; the roots merge them. Relations load in
//! batches through [`loaders`], which live as long as one request.

mod age;
mod arguments;
mod batched;
mod connection;
pub mod context;
mod cost;
mod definitions;
mod errors;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod global_id;
mod guards;
mod inputs;
mod loaders;
mod mutations;
mod queries;
mod scalars;
mod selected;
mod showing;
mod subscriptions;
mod titles;
mod types;

pub use age::Ages;
pub use cost::Costs;
pub use errors::finish;
pub use inputs::Inputs;
pub use titles::Titles;

use async_graphql::{MergedObject, Schema, ValidationMode};

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

/// Whether the executor looks if operations are valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validation {
    /// Each of them.
    Each,
    /// It was done.
    Done,
}

/// The schema over these services. `is_open` says whether it tells of itself: by introspection, and by naming what a misspelt field may have meant. How large
/// operations may be is decided before they come here.
#[must_use]
pub fn schema(services: Services, is_open: bool, validation: Validation) -> StaygateSchema {
    let mut builder = builder().data(services);
    if validation == Validation::Done {
        builder = builder.validation_mode(ValidationMode::Fast);
    }
    if !is_open {
        builder = builder.disable_introspection().disable_suggestions();
    }
    builder.finish()
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

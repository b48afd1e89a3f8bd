//! Staygate: the backend of a marketplace for short stays, served through a GraphQL API gateway.
//!
//! The house has floors, and imports go down only. A test walks this folder and refuses one that goes up, or sideways between the faces.
//!
//! | floor | module | what it is |
//! |---|---|---|
//! | 6 | [`cli`] | the command line: serve, worker, migrate, seed, schema |
//! | 5 | [`app`] | the composition root: reads the settings, builds every part once, starts the server |
//! | 4 | [`http`] | the edge: routes, GraphQL over HTTP and WebSocket, who is asking, pages |
//! | 3 | [`graphql`], [`rest`], [`jobs`] | the faces of the same services; none of them knows another |
//! | 2 | [`service`] | what can be done: one file a noun, one method a use case; transactions live here |
//! | 1 | [`entity`], [`store`] | tables; the outside world behind small faces |
//! | 0 | [`domain`] | pure rules: money, stays, prices, bookings, refunds, ids, the clock |

pub mod app;
pub mod cli;
pub mod domain;
pub mod entity;
pub mod graphql;
pub mod http;
pub mod jobs;
pub mod rest;
pub mod service;
pub mod store;

/// The readers of what strangers send, for fuzzers (`fuzz/`). No product has them.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::{
        domain::fuzzing::{card_number, cursor},
        graphql::fuzzing::{event_cursor, global_id},
        http::fuzzing::{address, body, document, message},
    };
}

//! What can be changed. A family a file: its inputs, its payloads, its resolvers.

pub(super) mod accounts;
pub(super) mod bookings;
pub(super) mod calendar;
pub(super) mod feeds;
pub(super) mod payments;
pub(super) mod properties;
pub(super) mod reviews;
pub(super) mod sessions;

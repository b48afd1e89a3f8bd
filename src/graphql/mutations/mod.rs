//! What can be changed. A family a file: its inputs, its payloads, its resolvers.

pub(super) mod bookings;
pub(super) mod payments;
pub(super) mod people;
pub(super) mod properties;
pub(super) mod reviews;

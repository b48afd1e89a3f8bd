//! The schema's object types, one noun a file.

pub(super) mod audit;
pub(super) mod booking;
pub(super) mod earnings;
pub(super) mod feed;
pub(super) mod money;
pub(super) mod payment;
pub(super) mod person;
pub(super) mod property;
pub(super) mod review;

use async_graphql::{ID, Interface};

/// Anything with a global id. Ids are opaque to clients and the same wherever the object appears.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The global id."))]
pub(super) enum Node {
    User(person::User),
    Session(person::Session),
    Property(property::Property),
    Booking(booking::Booking),
    Payment(payment::Payment),
    Review(review::Review),
    CalendarFeed(feed::CalendarFeed),
}

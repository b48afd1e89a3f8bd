//! The tables as types, in SeaORM's compact format. One file a table; names are the database's own.

mod columns;
pub mod part;

pub mod alert;
pub mod audit_entry;
pub mod audit_head;
pub mod booking;
pub mod booking_event;
pub mod calendar_export;
pub mod calendar_feed;
pub mod calendar_feed_night;
pub mod encryption_key;
pub mod idempotency_key;
pub mod job;
pub mod ledger_entry;
pub mod mailed_token;
pub mod night;
pub mod night_price;
pub mod payment;
pub mod property;
pub mod property_amenity;
pub mod property_search;
pub mod provider_event;
pub mod refund;
pub mod review;
pub mod schedule;
pub mod session;
pub mod session_change;
pub mod signing_key;
pub mod user;

//! The ground floor: what is true of a marketplace for short stays, whoever asks and wherever it is kept.
//!
//! Pure types and functions. Nothing here does I/O, waits, or knows a table, a schema or a clock of its own.

pub mod actor;
pub mod audit;
pub mod booking;
pub mod cancellation;
pub mod card_number;
pub mod clock;
pub mod digest;
pub mod feed;
pub mod fold;
pub mod freshness;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod ical;
pub mod ids;
pub mod ledger;
pub mod listing;
pub mod money;
pub mod page;
pub mod password;
pub mod payment;
pub mod people;
pub mod price;
pub mod problem;
pub mod rate;
pub mod retention;
pub mod review;
pub mod schedule;
pub mod stay;
pub mod stay_rules;
pub mod text;

#[cfg(test)]
mod time_zones;

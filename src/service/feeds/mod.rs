//! Calendars to and from other platforms.
//!
//! A property's own calendar is a file at a secret address ([`export`]), for other platforms to read. Theirs are imported: [`hosting`] says whose
//! and which, [`sync`] fetches them on a schedule, [`nights`] writes them into the ledger. What was imported is not exported again: two platforms that
//! re-export each other's nights would keep a freed night taken for ever.

mod conflicts;
mod export;
mod hosting;
pub(super) mod nights;
mod sync;

use std::sync::Arc;

pub use self::{
    export::CalendarFile,
    hosting::{NewFeed, Shown},
};

pub(super) use hosting::forget;

use super::Parts;

/// Calendars to and from other platforms.
#[derive(Clone)]
pub struct Feeds(pub(super) Arc<Parts>);

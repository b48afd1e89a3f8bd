//! Calendar files (iCalendar, RFC 5545): a property's own nights written into one, and the nights that another one takes read out of it.
//!
//! The lines of a file are walked here, in one pass and without recursion, because a stranger wrote them; single lines are parsed by the
//! `icalendar` crate, and repeating events laid out by `rrule`.

mod event;
mod lines;
mod read;
mod repeat;
mod write;

pub use self::{
    read::{Reading, Unreadable, Window, read},
    write::{Entry, write},
};

use uuid::Uuid;

/// What the identifiers of a property's own events end with, wherever they go. So an event that comes back is known.
#[must_use]
pub fn own_suffix(calendar_id: Uuid) -> String {
    format!("@{calendar_id}.staygate")
}

//! What strangers' texts are read by on this floor, for fuzzers.

use async_graphql::ID;

use super::{
    global_id::{self, GlobalId},
    types::booking::BookingEvent,
};
use crate::domain::{
    ids::{BookingId, PropertyId, UserId},
    problem::ProblemCode,
};

/// A global id: one thing has one id, of one kind.
///
/// # Panics
/// When that is not so.
pub fn global_id(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let id = ID(text.to_owned());
    let kinds = [
        global_id::parse::<UserId>("id", &id).map(GlobalId::User),
        global_id::parse::<PropertyId>("id", &id).map(GlobalId::Property),
        global_id::parse::<BookingId>("id", &id).map(GlobalId::Booking),
    ];
    match GlobalId::parse("id", &id) {
        Ok(found) => {
            assert_eq!(ID::from(found), id);
            for read in kinds.into_iter().flatten() {
                assert_eq!(read, found);
            }
        }
        Err(problem) => {
            assert_eq!(problem.code, ProblemCode::Invalid);
            assert!(kinds.iter().all(Result::is_err));
        }
    }
}

/// The cursor of an event: one that is read is written as one that says the same.
///
/// # Panics
/// When that is not so.
pub fn event_cursor(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(event) = BookingEvent::parse_cursor(&text) {
        let written = BookingEvent::cursor_of(event);
        assert_eq!(BookingEvent::parse_cursor(&written), Ok(event));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::domain::fuzzing::tests::{corpus, mutants};

    #[test]
    fn what_is_kept_for_this_floor_is_read_as_promised() {
        for one in corpus("global_id") {
            super::global_id(&one);
        }
        for one in corpus("cursor") {
            super::event_cursor(&one);
        }
    }

    proptest! {
        #[test]
        fn ids_like_those_that_are_kept_are_too(one in mutants("global_id")) {
            super::global_id(&one);
        }

        #[test]
        fn cursors_like_those_that_are_kept_are_too(one in mutants("cursor")) {
            super::event_cursor(&one);
        }
    }
}

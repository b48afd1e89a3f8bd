//! What the positions of two servers in the write-ahead log show.
//!
//! The primary is asked how far its log is, and the replica how far it has replayed it. Once the replica is as far as the primary was, it has
//! everything that was committed before the primary was asked. No clock of theirs is looked at, so that it does not matter what they show.

use std::{collections::VecDeque, time::Instant};

use crate::domain::freshness::Moment;

/// How many questions wait for a replica that lags behind.
const MOST: usize = 512;
/// The longest header of a page of the log, in bytes.
const HEADER: i64 = 40;

/// Where the primary was, when.
#[derive(Debug)]
pub(super) struct Asked {
    /// Before it was asked.
    pub(super) at: Instant,
    /// The same by the count of those who change what answers show.
    pub(super) moment: Moment,
    /// How far its log was.
    pub(super) end: i64,
}

/// What the replica has still to come up with.
#[derive(Debug, Default)]
pub(super) struct Proof {
    asked: VecDeque<Asked>,
}

impl Proof {
    /// The primary has said how far it is.
    pub(super) fn expect(&mut self, asked: Asked) {
        self.asked.push_back(asked);
        if self.asked.len() > MOST {
            // How long ago is then known half as well, for a replica that is far behind.
            let mut is_kept = false;
            self.asked.retain(|_| {
                is_kept = !is_kept;
                is_kept
            });
        }
    }

    /// The replica has said how far it is: gives the latest moment up to which it has everything, if there is news of that.
    pub(super) fn reached(&mut self, replayed: i64) -> Option<Asked> {
        let mut latest = None;
        while self
            .asked
            .front()
            .is_some_and(|asked| asked.end <= replayed)
        {
            latest = self.asked.pop_front();
        }
        latest
    }

    /// Whether there is something that the replica has still to come up with.
    pub(super) fn is_behind(&self) -> bool {
        !self.asked.is_empty()
    }

    /// What the primary said is of no use any more.
    pub(super) fn forget(&mut self) {
        self.asked.clear();
    }
}

/// The end of the last record before a position. Where the next one is to begin at a page, the position is behind that page's header, and
/// the replica, which has replayed the record before, is still in front of it. No record ends inside of a header.
pub(super) const fn end_of_record(position: i64, page: i64) -> i64 {
    let in_page = position % page;
    if in_page <= HEADER {
        position - in_page
    } else {
        position
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_has_what_was_there_when_the_primary_was_asked_and_no_more() {
        let mut proof = Proof::default();
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        for (number, end) in [(1, 100), (2, 200), (3, 200), (4, 300)] {
            let moment = Moment(number);
            let at = after(number);
            proof.expect(Asked { at, moment, end });
        }
        assert!(proof.reached(99).is_none());
        let reached = proof.reached(250).expect("it has come on");
        assert_eq!((reached.at, reached.moment), (after(3), Moment(3)));
        assert!(proof.reached(299).is_none());
        assert!(proof.is_behind());
        assert_eq!(proof.reached(300).map(|asked| asked.at), Some(after(4)));
        assert!(!proof.is_behind());
    }

    #[test]
    fn of_one_that_lags_for_hours_no_more_is_remembered_than_is_of_use() {
        let mut proof = Proof::default();
        let at = Instant::now();
        for end in 1..=100_000_i64 {
            let moment = Moment(end.unsigned_abs());
            proof.expect(Asked { at, moment, end });
        }
        assert!(proof.asked.len() <= MOST);
        assert_eq!(proof.reached(100_000).map(|asked| asked.end), Some(100_000));
    }

    #[test]
    fn a_position_behind_the_header_of_a_page_is_the_end_of_the_page_before() {
        for (position, end) in [
            (8_192, 8_192),
            (8_192 + 24, 8_192),
            (8_192 + 40, 8_192),
            (8_192 + 48, 8_192 + 48),
            (8_192 + 8_191, 8_192 + 8_191),
        ] {
            assert_eq!(end_of_record(position, 8_192), end);
        }
    }
}

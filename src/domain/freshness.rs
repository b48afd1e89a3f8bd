//! Whether what was read is still so: what an answer shows has tags, whoever changes something bumps its tags, and an answer is fresh as long as none
//! of its tags was bumped after it began to be read.
//!
//! Moments are counted, not measured: each bump is a later one. Tags share a bounded number of slots, so that what is remembered of them has a
//! bounded size; two that share one only make answers stale without need.

use super::ids::{PropertyId, UserId};

/// How many slots there are.
pub const SLOTS: usize = 1 << 16;
/// The slots that are no property's and no person's.
const OWN: u64 = 16;

/// What an answer shows and a write changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag {
    /// Which properties are listed, and what they are looked for by, but their ratings.
    Listings,
    /// The ratings of properties, where they decide which are shown.
    Ratings,
    /// A property, what it offers, and its reviews.
    Property(PropertyId),
    /// A person as everybody sees them, their properties and the reviews that they wrote.
    Person(UserId),
    /// Whatever a person has written: it is shown to them from where it is.
    Writer(UserId),
}

/// Where a tag's last bump is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

/// When something was bumped, or began to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl Tag {
    /// Its slot: the same in every instance.
    #[must_use]
    pub fn slot(self) -> Slot {
        let (kind, key) = match self {
            Self::Listings => return Slot(0),
            Self::Ratings => return Slot(1),
            Self::Property(PropertyId(key)) => (1, key),
            Self::Person(UserId(key)) => (2, key),
            Self::Writer(UserId(key)) => (3, key),
        };
        let number = (u64::from(key.cast_unsigned()) << 2) | kind;
        // Neighbours stand apart: what is shown together seldom shares a slot. The factor is that of Fibonacci hashing.
        let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
        let places = u64::try_from(SLOTS).unwrap_or(u64::MAX) - OWN;
        Slot(u16::try_from(OWN + spread % places).unwrap_or(u16::MAX))
    }
}

impl Slot {
    /// Its number, less than [`SLOTS`].
    #[must_use]
    pub fn number(self) -> usize {
        self.0.into()
    }

    /// The slot of a number that an instance has sent; none for what is no slot.
    #[must_use]
    pub fn parse(number: &str) -> Option<Self> {
        number.parse().ok().map(Self)
    }
}

/// The slots of some tags, each once.
#[must_use]
pub fn slots(tags: impl IntoIterator<Item = Tag>) -> Box<[Slot]> {
    let mut slots: Vec<_> = tags.into_iter().map(Tag::slot).collect();
    slots.sort_unstable();
    slots.dedup();
    slots.into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn tags_have_slots_of_their_own_as_far_as_there_are() {
        let properties = (1..1_000).map(|key| Tag::Property(PropertyId(key)));
        let people = (1..1_000).map(|key| Tag::Person(UserId(key)));
        let writers = (1..1_000).map(|key| Tag::Writer(UserId(key)));
        let tags: Vec<_> = properties
            .chain(people)
            .chain(writers)
            .chain([Tag::Listings, Tag::Ratings])
            .collect();
        let distinct: HashSet<_> = tags.iter().map(|tag| tag.slot()).collect();
        assert!(
            distinct.len() * 100 > tags.len() * 96,
            "{} of {}",
            distinct.len(),
            tags.len()
        );
        assert!(tags.iter().all(|tag| tag.slot().number() < SLOTS));
        let of_lists = [Tag::Listings.slot(), Tag::Ratings.slot()];
        let shared = |tag: &&Tag| of_lists.contains(&tag.slot());
        assert_eq!(tags.iter().filter(shared).count(), 2);
    }
}

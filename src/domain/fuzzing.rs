//! What strangers' texts are read by on this floor, for fuzzers.

use super::{card_number, page::Cursor, problem::ProblemCode};

/// A cursor: one that is read is written as one that says the same, and is of no other order.
///
/// # Panics
/// When that is not so.
pub fn cursor(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut read = None;
    for order in "neprqNPRQ\u{e9}:".chars() {
        match Cursor::decode("after", text, order) {
            Ok(cursor) => {
                assert_eq!(cursor.order, order);
                assert_eq!(Cursor::decode("after", &cursor.encode(), order), Ok(cursor));
                assert_eq!(read.replace(cursor), None, "a cursor of two orders");
            }
            Err(problem) => assert_eq!(problem.code, ProblemCode::Invalid),
        }
    }
}

/// A text that may have a card number in it: one that is put into it is found, whatever stands around.
///
/// # Panics
/// When that is not so.
pub fn card_number(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let digits = text.chars().filter(|c| c.is_numeric()).count();
    // One character may mean two digits.
    assert!(!card_number::is_in(&text) || digits * 2 >= 13);
    let middle = (0..=text.len() / 2)
        .rev()
        .find(|at| text.is_char_boundary(*at));
    let (before, after) = text.split_at(middle.unwrap_or_default());
    for number in ["4242424242424242", "3782 822463 10005"] {
        let planted = format!("{before} {number} {after}");
        assert!(card_number::is_in(&planted), "{planted}");
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{fs, path::Path};

    use proptest::{prelude::*, sample::Index};

    /// The inputs that are kept for a target in `fuzz/corpus`.
    pub(crate) fn corpus(target: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz/corpus")
            .join(target);
        let mut paths: Vec<_> = fs::read_dir(folder)
            .expect("a folder of the corpus")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        paths.sort();
        let read = |path| fs::read(path).expect("a file of the corpus");
        paths.into_iter().map(read).collect()
    }

    /// What is done to an input, at places in it.
    #[derive(Debug, Clone, Copy)]
    enum Edit {
        Cut(Index, Index),
        Repeat(Index, Index, usize),
        Splice(Index, Index, Index, Index),
        Flip(Index, u8),
        Insert(Index, &'static str),
    }

    /// What means something to one of the readers.
    const WORDS: [&str; 24] = [
        "\"", "\"\"\"", "\\", "\\u", "\\uD8", "{", "}", "[", "]", "(", ")", "...", "$a", ":", "00",
        "-1", "1e9", "true", "null", "#", "\n", "\u{feff}", "\u{662}", "4242",
    ];

    /// Inputs like those that are kept for a target: cut, repeated, spliced, flipped.
    pub(crate) fn mutants(target: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
        let kept = corpus(target);
        let place = any::<Index>;
        let edit = prop_oneof![
            (place(), place()).prop_map(|(from, to)| Edit::Cut(from, to)),
            (place(), place(), 1..20_usize).prop_map(|(from, to, n)| Edit::Repeat(from, to, n)),
            (place(), place(), place(), place())
                .prop_map(|(at, other, from, to)| Edit::Splice(at, other, from, to)),
            (place(), 0..8_u8).prop_map(|(at, bit)| Edit::Flip(at, 1 << bit)),
            (place(), prop::sample::select(&WORDS[..]))
                .prop_map(|(at, word)| Edit::Insert(at, word)),
        ];
        let first = prop::sample::select(kept.clone());
        (first, prop::collection::vec(edit, 0..6)).prop_map(move |(mut input, edits)| {
            for edit in edits {
                apply(&mut input, edit, &kept);
            }
            input
        })
    }

    fn apply(input: &mut Vec<u8>, edit: Edit, kept: &[Vec<u8>]) {
        let range = |length: usize, from: &Index, to: &Index| {
            let (one, other) = (from.index(length + 1), to.index(length + 1));
            one.min(other)..one.max(other)
        };
        match edit {
            Edit::Cut(from, to) => drop(input.drain(range(input.len(), &from, &to))),
            Edit::Repeat(from, to, times) => {
                let range = range(input.len(), &from, &to);
                let part = input[range.clone()].repeat(times);
                input.splice(range, part);
            }
            Edit::Splice(at, other, from, to) => {
                let other = &kept[other.index(kept.len())];
                let part = other[range(other.len(), &from, &to)].to_vec();
                let at = at.index(input.len() + 1);
                input.splice(at..at, part);
            }
            Edit::Flip(_, _) if input.is_empty() => {}
            Edit::Flip(at, bit) => {
                let at = at.index(input.len());
                input[at] ^= bit;
            }
            Edit::Insert(at, word) => {
                let at = at.index(input.len() + 1);
                input.splice(at..at, word.bytes());
            }
        }
    }

    #[test]
    fn what_is_kept_for_this_floor_is_read_as_promised() {
        for one in corpus("cursor") {
            super::cursor(&one);
        }
        for one in corpus("card_number") {
            super::card_number(&one);
        }
    }

    proptest! {
        #[test]
        fn cursors_like_those_that_are_kept_are_too(one in mutants("cursor")) {
            super::cursor(&one);
        }

        #[test]
        fn texts_like_those_that_are_kept_are_too(one in mutants("card_number")) {
            super::card_number(&one);
        }
    }
}

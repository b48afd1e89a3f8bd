//! Keyset pagination: a page begins after a row that the client has seen, not after a count of rows.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::problem::Problem;

/// Rows of a page when the client does not say.
pub const DEFAULT_PAGE: u64 = 20;
/// The most rows of a page.
pub const MAX_PAGE: u64 = 100;

/// A place in an ordered list: the rank by which it is ordered, then the row's key as the tie-break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Which order it belongs to. A cursor of one order says nothing in another.
    pub order: char,
    /// The row's value in that order; 0 where the key alone orders.
    pub rank: i64,
    /// The row's key.
    pub id: i64,
}

impl Cursor {
    /// The cursor's opaque text.
    #[must_use]
    pub fn encode(self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{}:{}", self.order, self.rank, self.id))
    }

    /// Reads a cursor back.
    ///
    /// # Errors
    /// `INVALID` for anything that is not a cursor of this `order`.
    pub fn decode(field: &str, text: &str, order: char) -> Result<Self, Problem> {
        let parse = || {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            let text = std::str::from_utf8(&bytes).ok()?;
            let mut parts = text.splitn(3, ':');
            let found = parts.next()?.parse().ok()?;
            Some(Self {
                order: found,
                rank: parts.next()?.parse().ok()?,
                id: parts.next()?.parse().ok()?,
            })
        };
        (text.len() <= 200)
            .then(parse)
            .flatten()
            .filter(|cursor| cursor.order == order)
            .ok_or_else(|| {
                Problem::invalid(
                    field,
                    "This is not a cursor of this list; take it from pageInfo or an edge.",
                )
            })
    }
}

/// Which end of a list a page is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the start, or after a cursor.
    Forward,
    /// From the end, or before a cursor.
    Backward,
}

/// What part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// At most this many rows; 0 to [`MAX_PAGE`].
    pub limit: u64,
    /// Which end it is counted from.
    pub direction: Direction,
    /// Only rows after this place.
    pub after: Option<Cursor>,
    /// Only rows before this place.
    pub before: Option<Cursor>,
}

/// The four arguments of a Relay connection, as they came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PageArguments {
    /// Rows from the start.
    pub first: Option<i32>,
    /// Only rows after this cursor.
    pub after: Option<String>,
    /// Rows from the end.
    pub last: Option<i32>,
    /// Only rows before this cursor.
    pub before: Option<String>,
}

impl PageArguments {
    /// Parses the arguments for a list in `order`.
    ///
    /// # Errors
    /// `INVALID` when both `first` and `last` are given, either is outside of 0 to [`MAX_PAGE`], or a cursor is not one of this list.
    pub fn parse(&self, order: char) -> Result<PageRequest, Problem> {
        let (field, count, direction) = match (self.first, self.last) {
            (Some(_), Some(_)) => {
                return Err(Problem::invalid(
                    "last",
                    "Give `first` or `last`, not both.",
                ));
            }
            (None, Some(last)) => ("last", Some(last), Direction::Backward),
            (first, None) => ("first", first, Direction::Forward),
        };
        let limit = match count {
            None => DEFAULT_PAGE,
            Some(count) => u64::try_from(count)
                .ok()
                .filter(|limit| *limit <= MAX_PAGE)
                .ok_or_else(|| {
                    Problem::invalid(field, format!("Ask for 0 to {MAX_PAGE} rows at a time."))
                })?,
        };
        let cursor = |field, text: &Option<String>| {
            text.as_deref()
                .map(|text| Cursor::decode(field, text, order))
                .transpose()
        };
        Ok(PageRequest {
            limit,
            direction,
            after: cursor("after", &self.after)?,
            before: cursor("before", &self.before)?,
        })
    }
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows in the list's order, each with its place.
    pub rows: Vec<(Cursor, T)>,
    /// Whether rows follow. Known only for a page counted from the start, else whether `before` was given.
    pub has_next: bool,
    /// Whether rows stand before. Known only for a page counted from the end, else whether `after` was given.
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// Makes a page of the rows of a query that asked for one row more than the page's limit, in the direction's order.
    #[must_use]
    pub fn from_rows(request: PageRequest, rows: Vec<T>, place: impl Fn(&T) -> Cursor) -> Self {
        let rows = rows.into_iter().map(|row| (place(&row), row));
        Self::cut(request, rows.collect())
    }

    /// The same of rows that have their places already.
    #[must_use]
    pub fn cut(request: PageRequest, mut rows: Vec<(Cursor, T)>) -> Self {
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let (has_next, has_previous) = match request.direction {
            Direction::Forward => (more, request.after.is_some()),
            Direction::Backward => {
                rows.reverse();
                (request.before.is_some(), more)
            }
        };
        Self {
            rows,
            has_next,
            has_previous,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_is_twenty_rows_unless_asked_otherwise_and_a_hundred_at_most() {
        let parse = |first, last| {
            PageArguments {
                first,
                last,
                ..PageArguments::default()
            }
            .parse('n')
            .map(|p| p.limit)
        };
        assert_eq!(parse(None, None), Ok(20));
        assert_eq!(parse(Some(100), None), Ok(100));
        assert_eq!(parse(None, Some(0)), Ok(0));
        assert!(parse(Some(101), None).is_err());
        assert!(parse(Some(-1), None).is_err());
        assert!(parse(Some(1), Some(1)).is_err());
    }

    proptest! {
        #[test]
        fn a_cursor_comes_back_whole_and_only_in_its_own_order(rank in any::<i64>(), id in any::<i64>()) {
            let cursor = Cursor { order: 'p', rank, id };
            prop_assert_eq!(Cursor::decode("after", &cursor.encode(), 'p'), Ok(cursor));
            prop_assert!(Cursor::decode("after", &cursor.encode(), 'n').is_err());
        }
    }
}

//! What a guest says of a stay.

use super::{
    problem::{Problem, Problems},
    text::{self, Lines},
};

/// A review's content, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion {
    /// 1 (poor) to 5 (excellent).
    pub rating: i32,
    /// At most 4,000 characters; none is as good as an empty one.
    pub comment: Option<String>,
}

impl Opinion {
    /// Parses a review's content.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse(rating: i32, comment: Option<&str>) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let rating = problems.take(parse_rating(rating));
        let comment = problems.take(parse_comment("comment", comment.unwrap_or_default()));
        problems.finish(|| {
            Some(Self {
                rating: rating?,
                comment: comment?,
            })
        })
    }
}

/// Checks a rating.
///
/// # Errors
/// `INVALID` outside of 1 to 5.
pub fn parse_rating(rating: i32) -> Result<i32, Problem> {
    if (1..=5).contains(&rating) {
        Ok(rating)
    } else {
        Err(Problem::invalid("rating", "Give a rating from 1 to 5."))
    }
}

/// Checks a comment; an empty one is none.
///
/// # Errors
/// `INVALID` over 4,000 characters.
pub fn parse_comment(field: &str, raw: &str) -> Result<Option<String>, Problem> {
    text::parse(field, raw, 0..=4_000, Lines::Many)
        .map(|comment| Some(comment).filter(|c| !c.is_empty()))
}

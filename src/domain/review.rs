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

/// What is to change of a review, checked. What is none stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// 1 (poor) to 5 (excellent).
    pub rating: Option<i32>,
    /// Another comment; an inner none takes the old one away.
    pub comment: Option<Option<String>>,
}

impl Revision {
    /// Parses what is to change. An empty comment takes the old one away.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse(rating: Option<i32>, comment: Option<&str>) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let rating = problems.take(rating.map(parse_rating).transpose());
        let comment = comment.map(|comment| parse_comment("comment", comment));
        let comment = problems.take(comment.transpose());
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

/// Checks what a host answers to a review.
///
/// # Errors
/// `REQUIRED` for nothing, `INVALID` over 4,000 characters.
pub fn parse_response(field: &str, raw: &str) -> Result<String, Problem> {
    text::parse(field, raw, 1..=4_000, Lines::Many)
}

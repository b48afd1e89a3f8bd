//! Free text that people type: trimmed, bounded, and without invisible control characters.

use super::problem::{Problem, ProblemCode};

/// Whether line breaks may stand in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// One line.
    One,
    /// Paragraphs.
    Many,
}

/// Trims `raw` and checks its length in characters.
///
/// # Errors
/// `REQUIRED` when nothing is left of a text that must have something, `INVALID` when it is too short, too long, or has a
/// control character.
pub fn parse(
    field: &str,
    raw: &str,
    lengths: std::ops::RangeInclusive<usize>,
    lines: Lines,
) -> Result<String, Problem> {
    let text = raw.trim();
    let (min, max) = (*lengths.start(), *lengths.end());
    // Bytes first: a text of many megabytes is refused without counting its characters.
    let length = if text.len() > max * 4 {
        usize::MAX
    } else {
        text.chars().count()
    };
    if length == 0 && min > 0 {
        return Err(Problem::new(
            field,
            ProblemCode::Required,
            format!("Give between {min} and {max} characters."),
        ));
    }
    if !lengths.contains(&length) {
        return Err(Problem::invalid(
            field,
            format!("Give between {min} and {max} characters."),
        ));
    }
    let forbidden =
        |c: char| c.is_control() && !(lines == Lines::Many && matches!(c, '\n' | '\r' | '\t'));
    if text.chars().any(forbidden) {
        return Err(Problem::invalid(
            field,
            "Control characters are not allowed here.",
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_trimmed_and_bounded_in_characters() {
        assert_eq!(
            parse("t", "  häuschen ", 3..=8, Lines::One).as_deref(),
            Ok("häuschen")
        );
        assert_eq!(
            parse("t", " ", 1..=8, Lines::One).map_err(|p| p.code),
            Err(ProblemCode::Required)
        );
        assert_eq!(
            parse("t", "abcdefghi", 1..=8, Lines::One).map_err(|p| p.code),
            Err(ProblemCode::Invalid)
        );
        assert!(parse("t", &"x".repeat(10 << 20), 1..=8, Lines::One).is_err());
    }

    #[test]
    fn control_characters_are_refused() {
        assert!(parse("t", "a\u{0}b", 1..=8, Lines::Many).is_err());
        assert!(parse("t", "a\nb", 1..=8, Lines::One).is_err());
        assert!(parse("t", "a\nb", 1..=8, Lines::Many).is_ok());
    }
}

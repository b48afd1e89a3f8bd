//! The lines of a calendar file, unfolded (RFC 5545, section 3.1).

use std::borrow::Cow;

/// Each line as it was before it was folded, without its end. Empty ones are left out.
pub(super) fn unfolded(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parts = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .peekable();
    let lines = std::iter::from_fn(move || {
        let mut line = Cow::Borrowed(parts.next()?);
        while let Some(more) = parts.next_if(|part| part.starts_with([' ', '\t'])) {
            line.to_mut().push_str(&more[1..]);
        }
        Some(line)
    });
    lines.filter(|line| !line.trim().is_empty())
}

/// What a line is about.
pub(super) fn name_of(line: &str) -> &str {
    line.split([':', ';']).next().unwrap_or_default().trim()
}

/// What stands behind the first colon, where there are no parameters.
pub(super) fn value_of(line: &str) -> &str {
    line.split_once(':').map_or("", |(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_again_whatever_ends_them() {
        let text = "\u{feff}BEGIN:A\r\nSUMMARY:on\r\n e \r\n\t two\n\n \nEND:A";
        let lines: Vec<_> = unfolded(text).collect();
        assert_eq!(lines, ["BEGIN:A", "SUMMARY:one  two", "END:A"]);
    }
}

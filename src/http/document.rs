//! A look at a document before it is parsed: what costs too much, or what the parser can't take.

/// What begins a block string, and ends it.
const BLOCK: &[u8] = b"\"\"\"";
/// How many brackets may stand within each other: the parser calls itself for each of them, and a stack has an end.
const DEEPEST: usize = 64;

/// How many tokens a document has. It takes time in proportion to the document, and the parser reads no more than these.
///
/// # Errors
/// A sentence, for brackets that stand too deep, for a string that is not closed, and for escapes of half a character.
pub(super) fn tokens(query: &str) -> Result<usize, &'static str> {
    let (mut rest, mut tokens, mut open) = (query.as_bytes(), 0, 0_usize);
    while let Some(&byte) = rest.first() {
        let (length, is_token) = match byte {
            b'#' => (run(rest, |byte| !matches!(byte, b'\n' | b'\r')), false),
            b' ' | b'\t' | b'\n' | b'\r' | b',' => (1, false),
            b'"' => (string(rest)?, true),
            b'0'..=b'9' => (number(rest), true),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => (word(rest), true),
            _ => (1, true),
        };
        match byte {
            b'(' | b'[' | b'{' if open == DEEPEST => {
                return Err("Brackets stand at most 64 deep within each other.");
            }
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        rest = &rest[length..];
        tokens += usize::from(is_token);
    }
    Ok(tokens)
}

/// How many bytes of a kind a text begins with.
fn run(text: &[u8], is_of_it: impl Fn(u8) -> bool) -> usize {
    text.iter().take_while(|byte| is_of_it(**byte)).count()
}

/// The length of a word.
fn word(text: &[u8]) -> usize {
    // Within a list the parser takes what follows one of these for the next value, though nothing stands between.
    let values = [b"true".as_slice(), b"false", b"null"];
    match values.iter().find(|value| text.starts_with(value)) {
        Some(value) => value.len(),
        None => run(text, |byte| byte.is_ascii_alphanumeric() || byte == b'_'),
    }
}

/// The length of a number, without its sign. To the parser `00` is two of them.
fn number(text: &[u8]) -> usize {
    let digits = |from: usize| run(&text[from..], |byte| byte.is_ascii_digit());
    let mut end = if text[0] == b'0' { 1 } else { digits(0) };
    if text.get(end) == Some(&b'.') {
        let decimals = digits(end + 1);
        end += if decimals > 0 { decimals + 1 } else { 0 };
    }
    if let Some(b'e' | b'E') = text.get(end) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let digits = digits(end + 1 + sign);
        end += if digits > 0 { digits + sign + 1 } else { 0 };
    }
    end
}

/// The length of a string.
fn string(text: &[u8]) -> Result<usize, &'static str> {
    if text.starts_with(BLOCK) {
        let mut at = BLOCK.len();
        while !text[at..].starts_with(BLOCK) {
            at += match text[at..] {
                // The parser would look for its end at every mark again, and take it for two strings in the end.
                [] => return Err("A block string is not closed."),
                [b'\\', b'"', b'"', b'"', ..] => 4,
                _ => 1,
            };
        }
        return Ok(at + BLOCK.len());
    }
    let mut at = 1;
    loop {
        at += match text[at..] {
            [b'"', ..] => return Ok(at + 1),
            [] | [b'\n' | b'\r', ..] => return Err("A string is not closed."),
            [
                b'\\',
                b'u',
                b'd' | b'D',
                b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F',
                ..,
            ] => return Err("Write a character beyond U+FFFF as itself, not as an escape."),
            [b'\\', _, ..] => 2,
            _ => 1,
        };
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn tokens_are_counted_whatever_stands_between_them() {
        for (document, count) in [
            ("{ a }".to_owned(), 3),
            ("{a,b}".to_owned(), 4),
            (format!("# {}\n{{ a }}", "x ".repeat(50)), 3),
            (format!("{{ a(b: \"{}\") }}", "x ".repeat(50)), 8),
            (format!("{{ a(b: \"\"\"{}\"\"\") }}", "x \" ".repeat(50)), 8),
            ("{ a(b: [-1.50e+7 0.25 10]) }".to_owned(), 13),
            ("{ a(b: [007]) }".to_owned(), 12),
            ("{ a(b: [truefalsenull0]) }".to_owned(), 13),
        ] {
            assert_eq!(tokens(&document), Ok(count), "{document}");
        }
    }

    #[test]
    fn half_a_character_is_refused_with_what_would_be_right() {
        assert!(tokens(r#"{ a(b: "\uD800") }"#).is_err());
        assert!(tokens(r#"{ a(b: "\u00e9") }"#).is_ok());
        assert!(
            tokens(r#"{ a(b: "\\uD800") }"#).is_ok(),
            "an escaped backslash, and plain letters"
        );
    }

    #[test]
    fn a_string_that_is_not_closed_is_refused_whatever_the_parser_makes_of_it() {
        for document in [
            r#"{ a(b: ""#,
            r#"{ a(b: "\"#,
            "{ a(b: \"\n\") }",
            r#"{ a(b: [""""]) }"#,
            r#"{ a(b: ["""x" [1 1]]) }"#,
            r#"{ a(b: ["""\""]) }"#,
        ] {
            assert!(tokens(document).is_err(), "{document}");
        }
    }

    #[test]
    fn brackets_stand_no_deeper_than_a_small_stack_lets_them_be_parsed() {
        for (open, close) in [("[", "]"), ("{b:", "}")] {
            let value = |deep: usize| open.repeat(deep) + "1" + &close.repeat(deep);
            let document = |deep| format!("{{ a(b: {}) }}", value(deep));
            assert!(tokens(&document(DEEPEST - 1)).is_err());
            let fine = document(DEEPEST - 2);
            assert!(tokens(&fine).is_ok());
            let small = std::thread::Builder::new().stack_size(1 << 20);
            let parsed = small.spawn(move || parse_query(fine).is_ok());
            assert!(parsed.unwrap().join().unwrap());
        }
    }
}

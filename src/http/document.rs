//! A look at a document before it is parsed: what costs too much, or what the parser can't take.

/// How many tokens a document has.
///
/// # Errors
/// A sentence, for escapes of half a character: the parser panics on them.
pub(super) fn tokens(query: &str) -> Result<usize, &'static str> {
    let bytes = query.as_bytes();
    let (mut at, mut tokens) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'#' => {
                at += bytes[at..]
                    .iter()
                    .take_while(|byte| !matches!(byte, b'\n' | b'\r'))
                    .count();
                continue;
            }
            b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                at += 1;
                continue;
            }
            b'"' if bytes[at..].starts_with(b"\"\"\"") => {
                at += 3;
                while at < bytes.len() && !bytes[at..].starts_with(b"\"\"\"") {
                    at += if bytes[at..].starts_with(b"\\\"\"\"") {
                        4
                    } else {
                        1
                    };
                }
                at += 3;
            }
            b'"' => {
                at += 1;
                while let Some(&byte) = bytes.get(at).filter(|byte| **byte != b'"') {
                    if byte == b'\\' {
                        if let [
                            b'u',
                            b'd' | b'D',
                            b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F',
                            ..,
                        ] = bytes[at + 1..]
                        {
                            return Err(
                                "Write a character beyond U+FFFF as itself, not as an escape.",
                            );
                        }
                        at += 1;
                    }
                    at += 1;
                }
                at += 1;
            }
            byte if byte.is_ascii_alphanumeric() || byte == b'_' => {
                at += bytes[at..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                    .count();
            }
            _ => at += 1,
        }
        tokens += 1;
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::tokens;

    #[test]
    fn tokens_are_counted_whatever_stands_between_them() {
        for (document, count) in [
            ("{ a }".to_owned(), 3),
            ("{a,b}".to_owned(), 4),
            (format!("# {}\n{{ a }}", "x ".repeat(50)), 3),
            (format!("{{ a(b: \"{}\") }}", "x ".repeat(50)), 8),
            (format!("{{ a(b: \"\"\"{}\"\"\") }}", "x \" ".repeat(50)), 8),
            ("{ a(b: \"".to_owned(), 6),
        ] {
            assert_eq!(tokens(&document), Ok(count), "{document}");
        }
    }

    #[test]
    fn half_a_character_is_refused_before_the_parser_panics_on_it() {
        assert!(tokens(r#"{ a(b: "\uD800") }"#).is_err());
        assert!(tokens(r#"{ a(b: "\u00e9") }"#).is_ok());
        assert!(
            tokens(r#"{ a(b: "\\uD800") }"#).is_ok(),
            "an escaped backslash, and plain letters"
        );
    }

    proptest! {
        #[test]
        fn what_is_let_through_never_makes_the_parser_panic(document in r#"[{}()\[\]a-c"\\u0-9Dd8:$@!|.#\n ,-]{0,80}"#) {
            if tokens(&document).is_ok() {
                let _ = async_graphql::parser::parse_query(&document);
            }
        }
    }
}

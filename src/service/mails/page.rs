//! What every letter looks like, as plain text and as HTML. The words are the letter's own; see `templates` for the rest.

use askama::Template;

use crate::store::mail::Message;

/// What stands in a letter. Every text in it may come from a stranger: one layout escapes it for HTML, and in the other it is only text.
pub(super) struct Page {
    /// The marketplace's name.
    pub(super) site_name: String,
    /// Where the marketplace's pages are.
    pub(super) site_url: String,
    /// What it is about.
    pub(super) subject: String,
    /// Who is greeted, if it has a name.
    pub(super) name: Option<String>,
    /// Paragraphs before the link.
    pub(super) before: Vec<String>,
    /// What to do.
    pub(super) link: Option<Link>,
    /// Lines as they are.
    pub(super) quote: Option<String>,
    /// Paragraphs after it.
    pub(super) after: Vec<String>,
}

/// A page to open.
pub(super) struct Link {
    /// What it does, as a command.
    pub(super) words: &'static str,
    /// Where it is.
    pub(super) url: String,
    /// What to paste when the page can't be opened from the mail.
    pub(super) code: Option<String>,
}

#[derive(Template)]
#[template(
    path = "letter.txt",
    config = "src/service/mails/templates/askama.toml"
)]
struct Text<'a> {
    page: &'a Page,
}

#[derive(Template)]
#[template(
    path = "letter.html",
    config = "src/service/mails/templates/askama.toml"
)]
struct Html<'a> {
    page: &'a Page,
}

impl Page {
    /// The page as plain text.
    pub(super) fn text(&self) -> String {
        Text { page: self }.to_string()
    }

    /// The page as an HTML document.
    pub(super) fn html(&self) -> String {
        Html { page: self }.to_string()
    }

    /// The page as the mail of that name to `to`.
    pub(super) fn into_message(self, to: String, id: String) -> Message {
        Message {
            id,
            to,
            text: self.text(),
            html: self.html(),
            subject: self.subject,
        }
    }
}

/// A text of others in one line: control characters and line breaks become spaces, and what would turn the direction of the text around it
/// is left out.
pub(super) fn one_line(text: &str) -> String {
    let printable = text
        .chars()
        .filter(|c| !turns_direction(*c))
        .map(|c| if c.is_control() { ' ' } else { c });
    let words: String = printable.collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Marks, embeddings, overrides and isolates of the Unicode bidirectional algorithm (UAX #9).
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text of others, cleaned line by line.
pub(super) fn lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(one_line).collect();
    lines.join("\n")
}

/// How a person of that name is greeted: by name, unless the name is one that mail programs make a link of. Whoever signs up with another's
/// address chooses the name in the mail that goes there, and must not advertise by it.
pub(super) fn greeted(full_name: &str) -> Option<String> {
    unlinked(full_name).filter(|name| !name.contains(['/', ':']))
}

/// A title, or another text of others, in one line; none when a mail program would make a link of something in it, or nothing is left.
pub(super) fn unlinked(text: &str) -> Option<String> {
    let line = one_line(text);
    let is_host = |word: &str| {
        word.match_indices('.').any(|(dot, _)| {
            let label = word[dot + 1..].chars().take_while(|c| c.is_alphanumeric());
            // The shortest top-level domain has two letters; initials, as in J.R.R., have one.
            dot > 0 && label.count() >= 2
        })
    };
    let is_link = line.contains('@') || line.contains("//") || line.split(' ').any(is_host);
    (!is_link && !line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_others_is_one_line() {
        assert_eq!(
            one_line(" Ann\r\n\tBcc: eve\u{0}\u{2028}x "),
            "Ann Bcc: eve x"
        );
        assert_eq!(one_line("Ann\u{202e}nnA"), "AnnnnA");
        assert_eq!(lines("one\r\ntwo\u{7}\n\nthree"), "one\ntwo\n\nthree");
    }

    #[test]
    fn a_name_is_greeted_unless_it_is_a_link() {
        for name in [
            "Ann",
            "J.R.R. Tolkien",
            "Dr. Zoë O'Neill-García Jr.",
            "李小龍",
            "<b>Ann",
        ] {
            assert_eq!(greeted(name).as_deref(), Some(name));
        }
        for link in [
            "",
            " \n",
            "You won http://evil.example",
            "evil.example",
            "Ann www.evil.example/x",
            "//evil",
            "eve@evil",
            "(evil.example)",
        ] {
            assert_eq!(greeted(link), None, "{link:?} was greeted");
        }
    }

    #[test]
    fn a_title_is_named_unless_it_is_a_link() {
        for title in ["Loft: river view / 2 beds", "No. 5, Rua do Sol", "24/7"] {
            assert_eq!(unlinked(title).as_deref(), Some(title));
        }
        for link in [" ", "Pay at evil.example", "https://evil", "mail eve@evil"] {
            assert_eq!(unlinked(link), None, "{link:?} was named");
        }
    }
}

//! A mail as it travels: its headers, and both forms of what it says.

use anyhow::Context as _;
use lettre::{
    Address,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};

use super::{MailError, Message};

/// RFC 3834: a machine wrote this, so that no other machine answers it.
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// Who the mail is from: an address, or a name and an address such as `Staygate <no-reply@example.com>`.
pub(super) fn sender(from: &str) -> anyhow::Result<Mailbox> {
    from.parse().with_context(|| {
        format!("mail can't be sent from {from:?}: give an address, or a name and an <address>")
    })
}

/// The mail with all of its headers.
pub(super) fn compose(from: &Mailbox, message: &Message) -> Result<lettre::Message, MailError> {
    let refused = |error: &dyn std::fmt::Display| {
        MailError::Refused(format!("{:?} can't be written to: {error}", message.to))
    };
    let to: Address = message.to.parse().map_err(|error| refused(&error))?;
    // By the sender's domain, not by the host's name, which is nobody's business.
    let id = format!("<{}@{}>", message.id, from.email.domain());
    lettre::Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(message.subject.as_str())
        .date_now()
        .message_id(Some(id))
        .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".into()))
        .multipart(MultiPart::alternative_plain_html(
            message.text.clone(),
            message.html.clone(),
        ))
        .map_err(|error| refused(&error))
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;

    fn message(to: &str, subject: &str) -> Message {
        Message {
            id: "0a1b".into(),
            to: to.into(),
            subject: subject.into(),
            text: "Hello Zoë,\n.\nhttp://127.0.0.1/#token=abc\n".into(),
            html: "<p>Hello Zoë</p>".into(),
        }
    }

    fn composed(to: &str, subject: &str) -> Result<Vec<u8>, MailError> {
        let from = sender("Staygate <no-reply@example.com>").unwrap();
        compose(&from, &message(to, subject)).map(|mail| mail.formatted())
    }

    #[test]
    fn a_mail_has_the_headers_that_mail_needs_and_both_forms() {
        let raw = composed("ann@example.com", "Grüße").unwrap();
        let mail = MessageParser::default().parse(&raw).unwrap();
        let from = mail.from().and_then(|list| list.first()).unwrap();
        assert_eq!(from.name(), Some("Staygate"));
        assert_eq!(from.address(), Some("no-reply@example.com"));
        assert_eq!(mail.subject(), Some("Grüße"));
        assert_eq!(
            mail.header_raw("Auto-Submitted").map(str::trim),
            Some("auto-generated")
        );
        assert!(mail.date().is_some());
        assert_eq!(mail.message_id(), Some("0a1b@example.com"));
        let text = mail.body_text(0).unwrap().replace("\r\n", "\n");
        assert_eq!(text, message("", "").text);
        assert_eq!(mail.body_html(0).unwrap().trim(), "<p>Hello Zoë</p>");
    }

    #[test]
    fn a_line_break_in_the_subject_starts_no_header() {
        for hostile in [
            "Hello\r\nBcc: eve@evil.example",
            "Hello\nBcc: eve@evil.example\n\nanother body",
            "Hello\rBcc: eve@evil.example",
            "Grüße\r\nBcc: eve@evil.example",
        ] {
            let raw = composed("ann@example.com", hostile).unwrap();
            let mail = MessageParser::default().parse(&raw).unwrap();
            assert!(mail.bcc().is_none(), "{hostile:?}");
            assert!(mail.body_text(0).unwrap().starts_with("Hello Zoë"));
            let raw = String::from_utf8(raw).unwrap();
            assert!(
                !raw.split(['\r', '\n']).any(|line| line.starts_with("Bcc")),
                "{raw}"
            );
        }
    }

    #[test]
    fn what_is_no_single_address_is_refused() {
        for bad in [
            "",
            "ann",
            "ann@example.com, eve@evil.example",
            "Ann <ann@example.com>",
            "ann@example.com\r\nBcc: eve@evil.example",
            "ann\r\nBcc: eve@evil.example\r\n@example.com",
            "\"ann\r\nBcc: eve@evil.example\r\n\"@example.com",
            "\"ann\nBcc: eve@evil.example\n\"@example.com",
            "ann@example.com>\r\nRCPT TO:<eve@evil.example",
        ] {
            let refused = composed(bad, "Hello");
            assert!(
                matches!(refused, Err(MailError::Refused(_))),
                "{bad:?} was taken"
            );
        }
    }

    #[test]
    fn a_sender_is_an_address_with_or_without_a_name() {
        assert!(sender("no-reply@example.com").is_ok());
        assert!(sender("Staygate <no-reply@example.com>").is_ok());
        for bad in [
            "",
            "Staygate",
            "Staygate <no-reply>",
            "a@example.com\r\nBcc: b@example.com",
        ] {
            assert!(sender(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_message_never_shows_what_it_says() {
        let shown = format!("{:?}", message("ann@example.com", "Hello"));
        assert!(
            shown.contains("ann@example.com") && !shown.contains("token"),
            "{shown}"
        );
    }
}

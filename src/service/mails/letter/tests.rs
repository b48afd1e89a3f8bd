use super::*;

const HOSTILE: &str = "<script src=//evil.example>\"'&\r\nBcc: eve@evil.example\r\n\r\n<img src=x>";

fn site() -> Site {
    Site {
        name: "Staygate & Sons".into(),
        url: "https://www.example.com".into(),
    }
}

fn at() -> DateTime<Utc> {
    "2027-03-10T12:05:00Z".parse().unwrap()
}

fn written(letter: &Letter) -> Message {
    letter.write(&site(), "ann@example.com".into(), "0a1b".into())
}

fn all(text: &str) -> Vec<Letter> {
    let text = || text.to_owned();
    vec![
        Letter::VerifyEmail {
            full_name: text(),
            token: "a-secret_1".into(),
        },
        Letter::ResetPassword {
            full_name: text(),
            token: "a-secret_1".into(),
        },
        Letter::PasswordChanged {
            full_name: text(),
            at: at(),
        },
        Letter::EmailChanging {
            full_name: text(),
            new_email: text(),
        },
        Letter::EmailChanged {
            full_name: text(),
            new_email: text(),
        },
        Letter::Suspended { full_name: text() },
        Letter::Erased,
        Letter::FeedConflicts {
            full_name: text(),
            conflicts: FeedConflicts {
                property: text(),
                feed: text(),
                nights: "2027-03-10 to 2027-03-12".into(),
            },
        },
        Letter::Alert {
            cause: text(),
            detail: text(),
            at: at(),
        },
    ]
}

#[test]
fn a_link_carries_its_token_in_the_fragment_and_the_text_has_it_alone() {
    for (letter, page) in all("Ann").iter().zip(["verify-email", "reset-password"]) {
        let mail = written(letter);
        let url = format!("https://www.example.com/{page}#token=a-secret_1");
        assert!(mail.text.lines().any(|line| line == url), "{}", mail.text);
        assert!(
            mail.text.lines().any(|line| line == "a-secret_1"),
            "{}",
            mail.text
        );
        assert!(
            mail.html.contains(&format!("<a href=\"{url}\"")),
            "{}",
            mail.html
        );
        assert!(!mail.subject.contains("a-secret_1"));
    }
}

#[test]
fn a_letter_reads_well_as_plain_text() {
    let letter = Letter::ResetPassword {
        full_name: "Zoë O'Neill".into(),
        token: "a-secret_1".into(),
    };
    let mail = written(&letter);
    assert_eq!(mail.to, "ann@example.com");
    assert_eq!(mail.subject, "Reset your password at Staygate & Sons");
    assert_eq!(
        mail.text,
        "Hello Zoë O'Neill,

Somebody asked for a new password for your account at Staygate & Sons.

Choose a new password:

https://www.example.com/reset-password#token=a-secret_1

Where you are asked for a code, paste this one:

a-secret_1

The link is good for 30 minutes, and works once.

If this was not you, ignore this mail: your password stays as it is.

-- \nStaygate & Sons
https://www.example.com"
    );
}

#[test]
fn an_alert_keeps_the_lines_of_its_detail() {
    let letter = Letter::Alert {
        cause: "A refund failed".into(),
        detail: "refund 7\nthe provider said <no>".into(),
        at: at(),
    };
    let mail = written(&letter);
    assert_eq!(mail.subject, "Staygate & Sons alert: A refund failed");
    assert!(mail.text.starts_with("Hello,\n\n"), "{}", mail.text);
    assert!(
        mail.text.contains("\nrefund 7\nthe provider said <no>\n"),
        "{}",
        mail.text
    );
    assert!(
        mail.text.contains("10 March 2027 at 12:05 UTC"),
        "{}",
        mail.text
    );
    assert!(
        mail.html
            .contains("refund 7\nthe provider said &#60;no&#62;</pre>"),
        "{}",
        mail.html
    );
}

#[test]
fn a_hostile_text_is_harmless_in_every_letter() {
    for letter in all(HOSTILE) {
        let mail = written(&letter);
        assert!(
            !mail.subject.contains(char::is_control),
            "{:?}",
            mail.subject
        );
        let html = mail.html.to_lowercase();
        for active in ["<script", "<img", "onerror=", "javascript:"] {
            assert!(!html.contains(active), "{active} in {html}");
        }
        // Only the lines of an alert's detail are kept, after what it is about and when.
        if !matches!(letter, Letter::Alert { .. }) {
            assert!(
                !mail.text.lines().any(|line| line.starts_with("Bcc")),
                "{}",
                mail.text
            );
        }
    }
}

#[test]
fn a_name_full_of_markup_is_shown_as_it_was_typed() {
    let letter = Letter::Suspended {
        full_name: "<script>\"'&\nAnn".into(),
    };
    let mail = written(&letter);
    assert!(
        mail.text.starts_with("Hello <script>\"'& Ann,\n"),
        "{}",
        mail.text
    );
    assert!(
        mail.html
            .contains("<p>Hello &#60;script&#62;&#34;&#39;&#38; Ann,</p>"),
        "{}",
        mail.html
    );
}

#[test]
fn a_name_can_t_advertise_to_whoever_has_the_address() {
    let letter = Letter::VerifyEmail {
        full_name: "You won: https://evil.example".into(),
        token: "a-secret_1".into(),
    };
    let mail = written(&letter);
    assert!(!mail.text.contains("evil") && !mail.html.contains("evil"));
    assert!(mail.text.starts_with("Hello,\n"));
}

#[test]
fn html_loads_nothing_and_says_its_language() {
    for letter in all("Ann") {
        let mail = written(&letter);
        assert!(
            mail.html.starts_with("<!doctype html>\n<html lang=\"en\""),
            "{}",
            mail.html
        );
        for loading in ["src=", "@import", "url(", "<link", "<img"] {
            assert!(!mail.html.contains(loading), "{loading} in {}", mail.html);
        }
    }
}

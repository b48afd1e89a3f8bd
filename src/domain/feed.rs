//! Calendars of other platforms: where they are, how they do, and when they are asked again.

use chrono::{DateTime, Duration, Utc};
use url::Url;

use super::problem::{Problem, ProblemCode};

/// The most calendars that one property imports.
pub const MOST_FEEDS: u64 = 10;
/// The longest address, in characters.
pub const LONGEST_ADDRESS: usize = 2_000;
/// How many days ahead of today nights are imported and exported. A stay ends at most 730 days ahead.
pub const DAYS_AHEAD: u64 = 731;

/// How an imported calendar does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It was not asked yet.
    Pending,
    /// All of it is here as it last was.
    Ok,
    /// It could not be had, or not all of it could be read.
    Failing,
}

/// Parses the address of a calendar: of the web, without a password in it. What a browser would not send, the part after `#`, is left
/// out.
///
/// # Errors
/// `REQUIRED` and `INVALID`.
pub fn parse_address(field: &str, raw: &str) -> Result<Url, Problem> {
    let raw = raw.trim();
    let invalid = |message: &str| Problem::invalid(field, message);
    if raw.is_empty() {
        let message = "Give the address of the calendar.";
        return Err(Problem::new(field, ProblemCode::Required, message));
    }
    let too_long = || invalid("An address has at most 2,000 characters.");
    if raw.len() > LONGEST_ADDRESS * 4 || raw.chars().count() > LONGEST_ADDRESS {
        return Err(too_long());
    }
    let not_web = || invalid("Give the calendar's address; it begins with https:// or http://.");
    let mut url = Url::parse(raw).map_err(|_| not_web())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(not_web());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("The address must not carry a user or a password."));
    }
    url.set_fragment(None);
    // It may have grown: what is not ASCII is written in more characters.
    if url.as_str().len() > LONGEST_ADDRESS {
        return Err(too_long());
    }
    Ok(url)
}

/// When a calendar is asked again that has failed so often in a row: after 5 minutes, then twice as long each time, up to 6 hours.
#[must_use]
pub fn retry_at(now: DateTime<Utc>, failures: i32) -> DateTime<Utc> {
    let doublings = (failures.clamp(1, 10) - 1).unsigned_abs();
    now + (Duration::minutes(5) * 2_i32.pow(doublings)).min(Duration::hours(6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_the_web_and_has_one_spelling() {
        for (raw, kept) in [
            (" https://Example.com ", "https://example.com/"),
            (
                "http://example.com:80/a.ics?s=1#x",
                "http://example.com/a.ics?s=1",
            ),
            ("https://example.com/ä", "https://example.com/%C3%A4"),
            ("http://0x7f.1/", "http://127.0.0.1/"),
        ] {
            assert_eq!(parse_address("url", raw).unwrap().as_str(), kept, "{raw}");
        }
        let (long, grown) = ("a".repeat(1_990), "ä".repeat(1_000));
        for raw in [
            "",
            "example.com/a.ics",
            "ftp://example.com/",
            "file:///etc/passwd",
            "webcal://example.com/a.ics",
            "https://",
            "https://user@example.com/",
            "https://:secret@example.com/",
            "javascript:alert(1)",
            "http://exa mple.com",
            &format!("https://example.com/{long}"),
            &format!("https://example.com/{grown}"),
        ] {
            assert!(parse_address("url", raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn who_fails_is_asked_less_and_less_often() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let waits: Vec<_> = [1, 2, 3, 7, 8, 1_000]
            .map(|failures| (retry_at(now, failures) - now).num_minutes())
            .to_vec();
        assert_eq!(waits, [5, 10, 20, 320, 360, 360]);
    }
}

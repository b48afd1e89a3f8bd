//! Writing a calendar file.

use chrono::{DateTime, NaiveDate, Utc};
use icalendar::{Calendar, Component as _, Event, EventLike as _, Property};

/// Days that are taken, as others are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its identifier, the same each time that the file is written.
    pub uid: String,
    /// The first date.
    pub from: NaiveDate,
    /// The date after the last.
    pub to: NaiveDate,
    /// Why, without a word about whom.
    pub summary: &'static str,
    /// Since when it is so. Not the moment of writing: what has not changed is written the same again.
    pub stamp: DateTime<Utc>,
}

/// A file of all-day events.
#[must_use]
pub fn write(name: &str, entries: &[Entry]) -> String {
    let mut calendar = Calendar::empty();
    calendar
        .append_property(Property::new("VERSION", "2.0"))
        .append_property(Property::new("PRODID", "-//Staygate//Calendar//EN"))
        .append_property(Property::new("CALSCALE", "GREGORIAN"))
        // The newer NAME says the same; the crate writes it as it stands, without the escapes that a text needs.
        .append_property(Property::new("X-WR-CALNAME", name));
    for entry in entries {
        let event = Event::with_uid(&entry.uid)
            .timestamp(entry.stamp)
            .starts(entry.from)
            .ends(entry.to)
            .summary(entry.summary)
            .done();
        calendar.push(event);
    }
    calendar.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_the_standard_asks_for() {
        let date = |day| NaiveDate::from_ymd_opt(2027, 3, day).unwrap();
        let name = "Häuschen; with a view, \"quiet\" \\ at night, above the river of the old town: 老虎老虎老虎老虎\nEND:VCALENDAR";
        let entry = Entry {
            uid: "booking-7@x.staygate".into(),
            from: date(10),
            to: date(12),
            summary: "Reserved",
            stamp: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        };
        let file = write(name, &[entry]);
        assert!(file.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:"));
        assert!(file.ends_with("END:VCALENDAR\r\n"));
        assert_eq!(file.matches('\n').count(), file.matches("\r\n").count());
        assert!(file.split("\r\n").all(|line| line.len() <= 75), "{file}");
        for line in [
            "UID:booking-7@x.staygate",
            "DTSTAMP:20270115T080000Z",
            "DTSTART;VALUE=DATE:20270310",
            "DTEND;VALUE=DATE:20270312",
            "SUMMARY:Reserved",
        ] {
            assert_eq!(
                file.matches(&format!("\r\n{line}\r\n")).count(),
                1,
                "{line} in {file}"
            );
        }
        assert_eq!(file.matches("\r\nEND:VCALENDAR").count(), 1, "{file}");
        let read: Calendar = file.parse().unwrap();
        assert_eq!(read.events().count(), 1);
        assert_eq!(read.property_value("X-WR-CALNAME"), Some(name));
    }
}

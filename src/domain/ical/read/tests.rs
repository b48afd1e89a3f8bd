use proptest::prelude::*;

use super::*;

const HERE: Tz = Tz::Europe__Lisbon;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn window() -> Window {
    Window {
        from: date("2027-03-01"),
        to: date("2029-03-01"),
    }
}

fn file(body: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{body}\nEND:VCALENDAR\n").replace('\n', "\r\n")
}

fn event(lines: &str) -> String {
    format!("BEGIN:VEVENT\nUID:a\n{lines}\nEND:VEVENT")
}

fn reading(body: &str) -> Reading {
    read(file(body).as_bytes(), HERE, window(), Some("@own")).unwrap()
}

/// The nights that one event takes, by their day in March 2027.
fn taken(lines: &str) -> Vec<String> {
    let reading = reading(&event(lines));
    assert_eq!(reading.unread, 0, "{lines}");
    reading
        .nights
        .iter()
        .map(|night| night.format("%m-%d").to_string())
        .collect()
}

#[test]
fn an_event_takes_the_nights_from_its_start_to_its_end() {
    for (lines, nights) in [
        (
            "DTSTART;VALUE=DATE:20270310\nDTEND;VALUE=DATE:20270312",
            &["03-10", "03-11"][..],
        ),
        ("DTSTART:20270310\nDTEND:20270311", &["03-10"]),
        ("DTSTART;VALUE=DATE:20270310", &["03-10"]),
        (
            "DTSTART;VALUE=DATE:20270310\nDTEND;VALUE=DATE:20270310",
            &["03-10"],
        ),
        (
            "DTSTART;VALUE=DATE:20270310\nDTEND;VALUE=DATE:20270308",
            &["03-10"],
        ),
        (
            "DTSTART;VALUE=DATE:20270310\nDURATION:P2D",
            &["03-10", "03-11"],
        ),
        (
            "DTSTART;VALUE=DATE:20270310\nDURATION:PT36H",
            &["03-10", "03-11"],
        ),
        (
            "DTSTART:20270310T150000\nDTEND:20270312T100000",
            &["03-10", "03-11"],
        ),
        ("DTSTART:20270310T150000\nDURATION:PT2H", &["03-10"]),
        ("DTSTART:20270310T150000", &["03-10"]),
        // The window begins on the 1st.
        (
            "DTSTART;VALUE=DATE:20200101\nDTEND;VALUE=DATE:20270303",
            &["03-01", "03-02"],
        ),
        (
            "DTSTART;VALUE=DATE:20290228\nDTEND;VALUE=DATE:20990101",
            &["02-28"],
        ),
        (
            "DTSTART;VALUE=DATE:20290301\nDTEND;VALUE=DATE:20990101",
            &[],
        ),
        (
            "dtstart;value=date:20270310\nsummary:of another case",
            &["03-10"],
        ),
    ] {
        assert_eq!(taken(lines), nights, "{lines}");
    }
}

#[test]
fn a_time_of_another_zone_is_a_date_of_the_propertys() {
    for (lines, nights) in [
        // In March, Lisbon has the time of UTC, New York has four or five hours less and Auckland thirteen more.
        (
            "DTSTART:20270310T233000Z\nDTEND:20270311T013000Z",
            &["03-10"][..],
        ),
        (
            "DTSTART;TZID=America/New_York:20270310T200000\nDTEND;TZID=America/New_York:20270311T200000",
            &["03-11"],
        ),
        (
            "DTSTART;TZID=Pacific/Auckland:20270310T090000\nDURATION:P1D",
            &["03-09"],
        ),
        (
            "DTSTART;TZID=\"Pacific/Auckland\":20270310T090000\nDTEND:20270311T200000Z",
            &["03-09", "03-10"],
        ),
        // A zone that nobody knows is the property's own.
        (
            "DTSTART;TZID=W. Europe Standard Time:20270310T233000\nDURATION:PT12H",
            &["03-10"],
        ),
        // Clocks go from 01:00 to 02:00 on the 28th.
        (
            "DTSTART;TZID=Europe/Lisbon:20270328T013000\nDTEND:20270329T120000Z",
            &["03-28"],
        ),
    ] {
        assert_eq!(taken(lines), nights, "{lines}");
    }
}

#[test]
fn what_is_cancelled_free_or_our_own_takes_nothing() {
    let on = "DTSTART;VALUE=DATE:20270310";
    for more in [
        "STATUS:CANCELLED",
        "TRANSP:TRANSPARENT",
        "UID:booking-7@own",
    ] {
        assert_eq!(taken(&format!("{on}\n{more}")), [""; 0], "{more}");
    }
    for more in [
        "STATUS:TENTATIVE",
        "TRANSP:OPAQUE",
        "UID:booking-7@other",
        "STATUS:",
    ] {
        assert_eq!(taken(&format!("{on}\n{more}")), ["03-10"], "{more}");
    }
}

#[test]
fn an_event_that_repeats_takes_each_of_its_times() {
    let daily = "DTSTART;VALUE=DATE:20270310\nRRULE:FREQ=DAILY";
    for (lines, nights) in [
        (format!("{daily};COUNT=3"), &["03-10", "03-11", "03-12"][..]),
        (format!("{daily};INTERVAL=2;UNTIL=20270314"), &["03-10", "03-12", "03-14"]),
        (format!("{daily};COUNT=4\nEXDATE;VALUE=DATE:20270311,20270313"), &["03-10", "03-12"]),
        (format!("{daily};COUNT=1\nRDATE;VALUE=DATE:20270320"), &["03-10", "03-20"]),
        ("DTSTART;VALUE=DATE:20250305\nDTEND;VALUE=DATE:20250307\nRRULE:FREQ=YEARLY;UNTIL=20280101".into(), &["03-05", "03-06"]),
        ("DTSTART;TZID=America/New_York:20270312T200000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;UNTIL=20270320T000000Z".into(), &["03-13", "03-20"]),
        ("DTSTART:20270310T100000\nRRULE:FREQ=WEEKLY;BYDAY=WE,FR;COUNT=3".into(), &["03-10", "03-12", "03-17"]),
        // The end of dates is a date, whatever time is written with it; the end of times is a moment.
        (format!("{daily};UNTIL=20270312T000000Z"), &["03-10", "03-11", "03-12"]),
        (format!("{daily};UNTIL=20270312T235959Z"), &["03-10", "03-11", "03-12"]),
        ("DTSTART;TZID=Europe/Lisbon:20270310T150000\nRRULE:FREQ=DAILY;UNTIL=20270312T000000Z".into(), &["03-10", "03-11"]),
        ("DTSTART;tzid=America/New_York:20270310T200000".into(), &["03-11"]),
        ("DTSTART;VALUE=DATE:19900314\nRRULE:FREQ=YEARLY;UNTIL=20280101".into(), &["03-14"]),
    ] {
        assert_eq!(taken(&lines), nights, "{lines}");
    }
    let moved = format!(
        "{}\n{}",
        event(&format!("{daily};COUNT=3")),
        event("RECURRENCE-ID;VALUE=DATE:20270311\nDTSTART;VALUE=DATE:20270320"),
    );
    let nights = reading(&moved).nights;
    assert_eq!(
        nights.into_iter().collect::<Vec<_>>(),
        ["2027-03-10", "2027-03-12", "2027-03-20"].map(date)
    );
}

#[test]
fn what_can_not_be_read_is_counted_and_the_rest_is_read() {
    let good = event("DTSTART;VALUE=DATE:20270310");
    for lines in [
        "SUMMARY:never",
        "DTSTART:soon",
        "DTSTART;VALUE=DATE:20270230",
        "DTSTART;VALUE=DATE:00000101",
        "DTSTART;VALUE=DATE:+2621421231",
        "DTSTART;VALUE=DATE:20270310\nDTEND:later",
        "DTSTART;VALUE=DATE:20270310\nDURATION:-P1D",
        "DTSTART;VALUE=DATE:20270310\nRRULE:FREQ=SECONDLY",
        "DTSTART;VALUE=DATE:20270310\nRRULE:FREQ=NEVER",
        "DTSTART;VALUE=DATE:20160101\nRRULE:FREQ=DAILY",
        "DTSTART;VALUE=DATE:20270310\nDURATION:P99999999999D99999999999D",
        "DTSTART;VALUE=DATE:20270310\nRRULE:FREQ=MONTHLY;BYDAY=MO,1TU",
    ] {
        let reading = reading(&format!("{good}\n{}", event(lines)));
        assert_eq!((reading.nights.len(), reading.unread), (1, 1), "{lines}");
    }
}

#[test]
fn what_ended_long_ago_takes_nothing_and_counts_for_nothing() {
    let ended = event("DTSTART;VALUE=DATE:20100101\nRRULE:FREQ=DAILY;UNTIL=20110101") + "\n";
    let goes_on = event("DTSTART;VALUE=DATE:20270310\nRRULE:FREQ=DAILY;COUNT=2");
    let reading = reading(&format!("{}{goes_on}", ended.repeat(300)));
    assert_eq!((reading.nights.len(), reading.unread), (2, 0));
}

#[test]
fn what_stands_in_an_event_or_elsewhere_is_passed_over() {
    let alarm =
        "BEGIN:VALARM\nDTSTART;VALUE=DATE:20270401\nTRIGGER:-PT15M\nSTATUS:CANCELLED\nEND:VALARM";
    assert_eq!(
        taken(&format!("{alarm}\nDTSTART;VALUE=DATE:20270310")),
        ["03-10"]
    );
    let zone = "BEGIN:VTIMEZONE\nBEGIN:STANDARD\nDTSTART:20270310T000000\nRRULE:FREQ=YEARLY\nEND:STANDARD\nEND:VTIMEZONE";
    let todo = "BEGIN:VTODO\nDTSTART;VALUE=DATE:20270310\nEND:VTODO";
    assert_eq!(reading(&format!("{zone}\n{todo}")), Reading::default());
}

#[test]
fn what_is_no_whole_calendar_says_nothing_at_all() {
    let whole = file(&event("DTSTART;VALUE=DATE:20270310"));
    for (text, why) in [
        (String::new(), Unreadable::NotACalendar),
        (
            "<!doctype html><p>BEGIN:VCALENDAR".into(),
            Unreadable::NotACalendar,
        ),
        (
            "BEGIN:VEVENT\nEND:VEVENT\n".into(),
            Unreadable::NotACalendar,
        ),
        ("\u{0}\u{1}\u{fffd}".into(), Unreadable::NotACalendar),
        (whole.replace("END:VCALENDAR\r\n", ""), Unreadable::CutOff),
        (whole.chars().take(60).collect(), Unreadable::CutOff),
        (format!("{whole}<script>"), Unreadable::NotACalendar),
    ] {
        assert_eq!(
            read(text.as_bytes(), HERE, window(), None),
            Err(why),
            "{text}"
        );
    }
    assert!(
        read(
            format!("\u{feff}{whole}\r\n{whole}").as_bytes(),
            HERE,
            window(),
            None
        )
        .is_ok()
    );
}

/// Five megabytes, each made to cost as much as can be.
fn hostile() -> Vec<(&'static str, String)> {
    let fill = |line: &str| line.repeat((5 << 20) / line.len());
    let events = |lines: &str| fill(&format!("{}\n", event(lines)));
    let start = "DTSTART;VALUE=DATE:20270310";
    let few = |lines: &str| format!("{}\n", event(lines)).repeat(9_999);
    vec![
        ("nesting", fill("BEGIN:A\n")),
        ("folds", format!("X:{}", fill("\n "))),
        (
            "an endless line",
            format!("BEGIN:VEVENT\nDTSTART;{}", fill("a=b;")),
        ),
        ("many events", events(start)),
        (
            "long events",
            few(&format!("{start}\nDTEND;VALUE=DATE:99991231")),
        ),
        (
            "never",
            few(&format!(
                "{start}\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"
            )),
        ),
        (
            "never, by days of the week",
            few("DTSTART;VALUE=DATE:20270309\nRRULE:FREQ=DAILY;INTERVAL=7;BYDAY=MO"),
        ),
        (
            "never, by the day it began",
            few("DTSTART;VALUE=DATE:20270131\nRRULE:FREQ=YEARLY;BYMONTH=2"),
        ),
        (
            "never, by numbered days",
            few("DTSTART;VALUE=DATE:20270310\nRRULE:FREQ=MONTHLY;BYDAY=MO,1TU"),
        ),
        (
            "always",
            few("DTSTART;VALUE=DATE:20180310\nRRULE:FREQ=DAILY"),
        ),
        (
            "by hours",
            few(
                "DTSTART:20180310T000000\nRRULE:FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12;BYMINUTE=1,2,3,4,5,6,7,8;BYSECOND=1,2,3,4,5,6",
            ),
        ),
        (
            "positions",
            few(
                "DTSTART:20180310T000000\nRRULE:FREQ=YEARLY;BYYEARDAY=-1,-2,1,2,3,4,5;BYWEEKNO=53;BYDAY=MO;BYSETPOS=-366,366",
            ),
        ),
        (
            "dates",
            event(&format!(
                "{start}\nRRULE:FREQ=DAILY\n{}",
                fill(&format!(
                    "RDATE;VALUE=DATE:{}20270310\n",
                    "20270311,".repeat(2_000)
                ))
            )),
        ),
        (
            "exceptions",
            event(&format!(
                "{start}\nRRULE:FREQ=DAILY\n{}",
                fill("EXDATE;VALUE=DATE:20270310\n")
            )),
        ),
        ("many replacements of many", {
            let moments = "20270310T000000Z,".repeat(1_000);
            let line = format!("RECURRENCE-ID:{moments}20270310T000000Z\n{start}");
            let repeating = format!("{}\n", event(&format!("{start}\nRRULE:FREQ=DAILY")));
            format!(
                "{}{}",
                format!("{}\n", event(&line)).repeat(250),
                repeating.repeat(100)
            )
        }),
        (
            "replacements",
            format!(
                "{}\n{}",
                few(&format!("RECURRENCE-ID:20270310T000000Z\n{start}")),
                event(&format!("{start}\nRRULE:FREQ=DAILY"))
            ),
        ),
    ]
}

#[test]
fn hostile_files_come_to_an_end() {
    for (what, body) in hostile() {
        let file = file(&body);
        let begun = std::time::Instant::now();
        let reading = read(file.as_bytes(), HERE, window(), None);
        let reading = reading.map(|reading| (reading.nights.len(), reading.unread));
        println!("{what}: {:?}, {reading:?}", begun.elapsed());
        assert!(begun.elapsed().as_secs() < 10, "{what}");
    }
}

proptest! {
    #[test]
    fn whatever_is_read_stays_in_the_window(
        lines in proptest::collection::vec("(DTSTART|DTEND|DURATION|RRULE|RDATE|EXDATE|BEGIN|END|UID|RECURRENCE-ID)(;TZID=[A-Z/a-z]{0,9}|;VALUE=DATE)?:(P[0-9]{1,18}[DWTHMS]|VEVENT|[0-9]{8}(T[0-9]{6}Z?)?|FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY);(COUNT|INTERVAL|UNTIL|BYMONTHDAY|BYSETPOS)=[0-9]{1,8})", 0..12)
    ) {
        let body = event(&lines.join("\n"));
        if let Ok(reading) = read(file(&body).as_bytes(), HERE, window(), None) {
            prop_assert!(reading.nights.iter().all(|night| (window().from..window().to).contains(night)));
        }
    }
}

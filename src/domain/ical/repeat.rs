//! Events that repeat, laid out one by one.

use std::collections::{HashMap, HashSet};

use chrono::{Duration, NaiveDateTime, NaiveTime, TimeZone as _};
use chrono_tz::Tz;
use icalendar::rrule::{self, Frequency, RRule, RRuleSet, Unvalidated};

use super::event::{Event, Moment, moments};

/// The most times that one event is laid out.
const MOST_TIMES: u16 = 1_000;
/// The furthest back that an event that still goes on may have begun: each time since then has to be counted.
const LONGEST_AGO: Duration = Duration::days(366 * 10);

/// The beginnings between two moments of an event that repeats, by the clocks of its own zone. None when its rule can't be read, or would
/// cost too much to lay out.
pub(super) fn beginnings(
    event: &Event<'_>,
    first: Moment,
    between: (NaiveDateTime, NaiveDateTime),
    here: Tz,
) -> Option<Vec<Moment>> {
    let mut locals = match &event.rule {
        Some(rule) => by_rule(rule, first, between)?,
        None => vec![first.local],
    };
    for line in &event.more {
        let more = moments(line, here)?;
        locals.extend(more.iter().map(|moment| moment.local_in(first.zone)));
    }
    let mut but = HashSet::new();
    for line in &event.but {
        let times = moments(line, here)?;
        but.extend(times.iter().map(|moment| moment.local_in(first.zone)));
    }
    locals.retain(|local| !but.contains(local));
    Some(
        locals
            .into_iter()
            .map(|local| Moment { local, ..first })
            .collect(),
    )
}

/// The rule is laid out by wall clocks, as people mean it: a night at 15:00 stays at 15:00 when clocks change. To the crate they are UTC.
fn by_rule(
    text: &str,
    first: Moment,
    (from, to): (NaiveDateTime, NaiveDateTime),
) -> Option<Vec<NaiveDateTime>> {
    if !comes_again(text) {
        return None;
    }
    let mut rule: RRule<Unvalidated> = text.parse().ok()?;
    let by_day = [
        Frequency::Daily,
        Frequency::Weekly,
        Frequency::Monthly,
        Frequency::Yearly,
    ];
    if !by_day.contains(&rule.get_freq()) || from - first.local > LONGEST_AGO {
        return None;
    }
    let wall = |local: NaiveDateTime| rrule::Tz::UTC.from_utc_datetime(&local);
    if let Some(until) = rule.get_until().copied() {
        let local = if until.timezone() == rrule::Tz::UTC {
            let utc = Moment {
                local: until.naive_utc(),
                zone: Tz::UTC,
                is_date: false,
            };
            utc.local_in(first.zone)
        } else {
            until.naive_local()
        };
        // Until a date means until that day is over.
        let local = if local.time() == NaiveTime::MIN {
            local + Duration::seconds(86_399)
        } else {
            local
        };
        rule = rule.until(wall(local.max(first.local)));
    }
    let rule = rule.validate(wall(first.local)).ok()?;
    let set = RRuleSet::new(wall(first.local))
        .rrule(rule)
        .after(wall(from))
        .before(wall(to));
    let found = set.all(MOST_TIMES);
    (!found.limited).then(|| {
        found
            .dates
            .iter()
            .map(chrono::DateTime::naive_utc)
            .collect()
    })
}

/// Whether a rule is one of those that calendars are full of, such as every second week on Monday. Others can be made so that no day
/// ever meets them, and the crate then counts for tens of thousands of years.
fn comes_again(rule: &str) -> bool {
    let rule = rule.to_ascii_uppercase();
    let mut parts: HashMap<&str, &str> = HashMap::new();
    for part in rule.split(';') {
        let Some((name, value)) = part.split_once('=') else {
            return false;
        };
        parts.insert(name, value);
    }
    let within = |name: &str, most: i32| {
        let number = |value: &str| {
            let value = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            value.is_empty() || value.parse().is_ok_and(|n: i32| n.abs() <= most)
        };
        parts
            .get(name)
            .is_none_or(|values| values.split(',').all(number))
    };
    let known = [
        "FREQ",
        "INTERVAL",
        "COUNT",
        "UNTIL",
        "WKST",
        "BYDAY",
        "BYMONTHDAY",
        "BYMONTH",
    ];
    let has = |name| parts.contains_key(name);
    parts.keys().all(|name| known.contains(name))
        && !(has("BYDAY") && has("BYMONTHDAY"))
        && (!has("BYMONTH") || parts.get("FREQ") == Some(&"YEARLY"))
        && within("BYDAY", 4)
        && within("BYMONTHDAY", 28)
}

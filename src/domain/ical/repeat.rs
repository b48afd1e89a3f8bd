//! Events that repeat, laid out one by one.

use std::collections::{HashMap, HashSet};

use chrono::{Datelike as _, Duration, NaiveDateTime, NaiveTime, TimeZone as _};
use chrono_tz::Tz;
use icalendar::rrule::{self, Frequency, RRule, RRuleSet, Unvalidated};

use super::event::{Event, Moment, moments};

/// The most times that one event is laid out.
const MOST_TIMES: u16 = 1_000;
/// The furthest back that an event that is every few days may have begun: each time since then has to be counted.
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

impl Event<'_> {
    /// Whether its rule ended before a moment, and it has no further beginnings.
    pub(super) fn ended_before(&self, first: Moment, from: NaiveDateTime) -> bool {
        let rule = self.rule.as_deref().filter(|_| self.more.is_empty());
        let rule = rule.and_then(|text| Some((text, text.parse().ok()?)));
        rule.and_then(|(text, rule)| until(text, &rule, first))
            .is_some_and(|last| last < from)
    }
}

/// The last moment at which a rule lets an event begin, by the clocks of the event's zone.
fn until(text: &str, rule: &RRule<Unvalidated>, first: Moment) -> Option<NaiveDateTime> {
    let until = rule.get_until()?;
    let is_utc = until.timezone() == rrule::Tz::UTC;
    let written = if is_utc {
        until.naive_utc()
    } else {
        until.naive_local()
    };
    let text = text.to_ascii_uppercase();
    let value = text.split(';').find_map(|part| part.strip_prefix("UNTIL="));
    // Until a date means until that day is over; of an event of dates, the date counts as it is written.
    if first.is_date || !value.is_some_and(|value| value.contains('T')) {
        return Some(written.date().and_time(NaiveTime::MIN) + Duration::seconds(86_399));
    }
    let zone = if is_utc { Tz::UTC } else { first.zone };
    let at = Moment {
        local: written,
        zone,
        is_date: false,
    };
    Some(at.local_in(first.zone))
}

/// The rule is laid out by wall clocks, as people mean it: a night at 15:00 stays at 15:00 when clocks change. To the crate they are UTC.
fn by_rule(
    text: &str,
    first: Moment,
    (from, to): (NaiveDateTime, NaiveDateTime),
) -> Option<Vec<NaiveDateTime>> {
    if !comes_again(text, first) {
        return None;
    }
    let mut rule: RRule<Unvalidated> = text.parse().ok()?;
    if rule.get_freq() == Frequency::Daily && from - first.local > LONGEST_AGO {
        return None;
    }
    let wall = |local: NaiveDateTime| rrule::Tz::UTC.from_utc_datetime(&local);
    if let Some(until) = until(text, &rule, first) {
        rule = rule.until(wall(until.max(first.local)));
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
fn comes_again(rule: &str, first: Moment) -> bool {
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
    let frequency = parts.get("FREQ").copied().unwrap_or_default();
    let days = parts.get("BYDAY").copied().unwrap_or_default();
    let numbered = days.split(',').filter(|day| day.len() > 2).count();
    let by_day = match frequency {
        "DAILY" => {
            numbered == 0 && (!has("BYDAY") || parts.get("INTERVAL").is_none_or(|n| *n == "1"))
        }
        "WEEKLY" => numbered == 0,
        // Numbered and plain ones together: the crate asks for both at once.
        "MONTHLY" | "YEARLY" => numbered == 0 || numbered == days.split(',').count(),
        _ => false,
    };
    let by_month = !has("BYMONTH")
        || frequency == "YEARLY" && (has("BYDAY") || has("BYMONTHDAY") || first.local.day() <= 28);
    parts.keys().all(|name| known.contains(name))
        && !(has("BYDAY") && has("BYMONTHDAY"))
        && by_day
        && by_month
        && within("BYDAY", 4)
        && within("BYMONTHDAY", 28)
}

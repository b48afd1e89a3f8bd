//! One event: when it is, and whether it takes anything.

use std::borrow::Cow;

use chrono::{Duration, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _};
use chrono_tz::Tz;
use icalendar::{CalendarDateTime, DatePerhapsTime, Property};

use super::lines::{name_of, value_of};

/// The longest line that is looked into. A list of hundreds of dates is no longer.
const LONGEST_LINE: usize = 20_000;

/// What stands in the file of one event, as far as it counts.
#[derive(Debug, Default)]
pub(super) struct Event<'t> {
    pub(super) uid: String,
    pub(super) start: Option<Property>,
    end: Option<Property>,
    duration: Option<String>,
    pub(super) rule: Option<String>,
    /// Further beginnings, as they stand there: there may be a great many.
    pub(super) more: Vec<Cow<'t, str>>,
    /// Beginnings that are left out.
    pub(super) but: Vec<Cow<'t, str>>,
    pub(super) instead_of: Option<Cow<'t, str>>,
    takes_nothing: bool,
    /// A line that counts is not a line of this standard.
    broken: bool,
}

/// When an event begins, by the clocks of its own zone; a date is its midnight where the property is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) local: NaiveDateTime,
    pub(super) zone: Tz,
    pub(super) is_date: bool,
}

impl<'t> Event<'t> {
    /// Takes in a line of it.
    pub(super) fn take(&mut self, line: Cow<'t, str>) {
        let known = [
            "UID",
            "STATUS",
            "TRANSP",
            "DURATION",
            "RRULE",
            "DTSTART",
            "DTEND",
            "RDATE",
            "EXDATE",
            "RECURRENCE-ID",
        ];
        let name = name_of(&line);
        let Some(name) = known
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(name))
        else {
            return;
        };
        if line.len() > LONGEST_LINE {
            self.broken = true;
            return;
        }
        match name {
            "UID" => value_of(&line).clone_into(&mut self.uid),
            "STATUS" => self.takes_nothing |= value_of(&line).eq_ignore_ascii_case("CANCELLED"),
            "TRANSP" => self.takes_nothing |= value_of(&line).eq_ignore_ascii_case("TRANSPARENT"),
            "DURATION" => self.duration = Some(value_of(&line).to_owned()),
            "RDATE" => self.more.push(line),
            "EXDATE" => self.but.push(line),
            "RECURRENCE-ID" => self.instead_of = Some(line),
            "RRULE" => self.rule = Some(value_of(&line).to_owned()),
            name => {
                let Ok(property) = line.parse::<Property>() else {
                    self.broken = true;
                    return;
                };
                if name == "DTSTART" {
                    self.start = Some(property);
                } else {
                    self.end = Some(property);
                }
            }
        }
    }

    /// Whether it says of itself that it takes nothing.
    pub(super) fn takes_nothing(&self) -> bool {
        self.takes_nothing
    }

    /// Its begin and its length. None when it can't be read. `here` is the property's zone.
    pub(super) fn when(&self, here: Tz) -> Option<(Moment, Duration)> {
        if self.broken {
            return None;
        }
        let start = moment(self.start.as_ref()?, here)?;
        let length = match (&self.end, &self.duration) {
            (Some(end), _) => moment(end, here)?.local_in(start.zone) - start.local,
            (None, Some(duration)) => parse_duration(duration)?,
            (None, None) => Duration::zero(),
        };
        Some((start, length.max(Duration::zero())))
    }
}

impl Moment {
    /// The same moment by the clocks of another zone.
    pub(super) fn local_in(&self, zone: Tz) -> NaiveDateTime {
        if self.zone == zone {
            return self.local;
        }
        // A time that clocks skip is taken as if they did not: what matters here is the date.
        let resolved = self.zone.from_local_datetime(&self.local).earliest();
        resolved.map_or(self.local, |at| at.with_timezone(&zone).naive_local())
    }

    /// The dates `[first, last)` that an event takes which begins here: each night that begins in it, and one at least.
    pub(super) fn dates(&self, length: Duration, here: Tz) -> Option<(NaiveDate, NaiveDate)> {
        let end = Self {
            local: self.local.checked_add_signed(length)?,
            ..*self
        };
        let first = self.local_in(here).date();
        let mut last = end.local_in(here).date();
        if self.is_date && end.local.time() != NaiveTime::MIN {
            last = last.succ_opt()?;
        }
        Some((first, last.max(first.succ_opt()?)))
    }
}

/// The property of a line with another value. Names of parameters are the standard's, in capitals: any case means the same.
fn with_value(property: &Property, value: &str) -> Property {
    let mut single = Property::new(property.key(), value);
    for parameter in property.params().values() {
        single.add_parameter(&parameter.key().to_ascii_uppercase(), parameter.value());
    }
    single
}

/// The moment that a line names. A zone that nobody knows is taken for the property's own: what is meant is most often there.
fn moment(property: &Property, here: Tz) -> Option<Moment> {
    let at = |local, zone| Moment {
        local,
        zone,
        is_date: false,
    };
    // Beyond these, dates can't be counted with.
    let possible = |moment: &Moment| (1900..=9999).contains(&chrono::Datelike::year(&moment.local));
    let property = with_value(property, property.value());
    let moment = match DatePerhapsTime::from_property(&property)? {
        DatePerhapsTime::Date(date) => Moment {
            local: date.and_time(NaiveTime::MIN),
            zone: here,
            is_date: true,
        },
        DatePerhapsTime::DateTime(CalendarDateTime::Utc(utc)) => at(utc.naive_utc(), Tz::UTC),
        DatePerhapsTime::DateTime(CalendarDateTime::Floating(local)) => at(local, here),
        DatePerhapsTime::DateTime(CalendarDateTime::WithTimezone { date_time, tzid }) => {
            at(date_time, tzid.trim_matches('/').parse().unwrap_or(here))
        }
    };
    Some(moment).filter(possible)
}

/// The moments of a line that may have several. None when one can't be read.
pub(super) fn moments(line: &str, here: Tz) -> Option<Vec<Moment>> {
    let property: Property = line.parse().ok()?;
    let values = property.value().split(',');
    let each = values.map(|value| moment(&with_value(&property, value.trim()), here));
    each.collect()
}

/// A length such as `P1DT12H`, `P2W` or `PT30M` (RFC 5545, section 3.3.6); not one that goes back.
fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let mut rest = text.strip_prefix('P')?;
    let (mut total, mut in_time) = (Duration::zero(), false);
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            (rest, in_time) = (time, true);
            continue;
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        // Ten thousand years in seconds have twelve digits.
        let count: i64 = rest.get(..digits.min(12))?.parse().ok()?;
        let unit = match (rest.as_bytes()[digits], in_time) {
            (b'W', false) => 604_800,
            (b'D', false) => 86_400,
            (b'H', true) => 3_600,
            (b'M', true) => 60,
            (b'S', true) => 1,
            _ => return None,
        };
        let more = Duration::try_seconds(count.checked_mul(unit)?)?;
        total = total.checked_add(&more)?;
        rest = &rest[digits + 1..];
    }
    (total < Duration::days(40_000)).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_the_standard_writes_them() {
        for (text, hours) in [
            ("P1D", 24),
            ("P1W", 168),
            ("+P1DT2H", 26),
            ("PT90M", 1),
            ("P", 0),
        ] {
            assert_eq!(
                parse_duration(text).map(|d| d.num_hours()),
                Some(hours),
                "{text}"
            );
        }
        for text in [
            "",
            "1D",
            "PD",
            "P1",
            "-P1D",
            "P1H",
            "PT1D",
            "P99999999999W",
            "P99999999999D99999999999D",
            "P1é",
            "P999999999999999999999D",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}

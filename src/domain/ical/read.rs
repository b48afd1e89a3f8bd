//! Reading which nights a calendar file takes.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{Duration, NaiveDate, NaiveTime};
use chrono_tz::Tz;

use super::{
    event::{Event, Moment, moments},
    lines::{name_of, unfolded, value_of},
    repeat::beginnings,
};

/// The most events that one file may have.
const MOST_EVENTS: usize = 10_000;
/// The most events that are laid out because they repeat: one costs up to some milliseconds.
const MOST_REPEATING: usize = 100;

/// The dates `[from, to)` that are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// The first date.
    pub from: NaiveDate,
    /// The date after the last.
    pub to: NaiveDate,
}

/// What a file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The nights that it takes.
    pub nights: BTreeSet<NaiveDate>,
    /// How many of its events could not be read. They take nothing.
    pub unread: usize,
}

/// Why a file says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// It is something else.
    NotACalendar,
    /// Its end is missing.
    CutOff,
    /// It has more than 10,000 events.
    TooManyEvents,
}

/// The nights that a file takes, by the dates of the property's zone `here`. Events whose identifier ends with `own` are the property's
/// own that come back, and take nothing. It takes time in proportion to the file, and memory too; do it away from threads that others
/// wait for.
///
/// # Errors
/// When the whole of it is no calendar.
pub fn read(
    file: &[u8],
    here: Tz,
    window: Window,
    own: Option<&str>,
) -> Result<Reading, Unreadable> {
    let text = String::from_utf8_lossy(file);
    let events = events(&text)?;
    let (mut days, mut unread) = (Days::of(window), 0);
    let (mut replaced, mut laid_out) = (HashMap::<&str, Vec<Moment>>::new(), 0);
    for event in &events {
        let times = event
            .instead_of
            .as_deref()
            .and_then(|line| moments(line, here));
        // An event stands for one time of another.
        if let Some([time]) = times.as_deref() {
            replaced.entry(&event.uid).or_default().push(*time);
        }
    }
    for event in &events {
        let is_own = own.is_some_and(|own| event.uid.ends_with(own));
        if is_own || event.takes_nothing() {
            continue;
        }
        let replaced = replaced.get(event.uid.as_str());
        let replaced = replaced.map_or(&[][..], Vec::as_slice);
        match spans(event, here, window, replaced, &mut laid_out) {
            Some(spans) => spans.into_iter().for_each(|span| days.take(span)),
            None => unread += 1,
        }
    }
    Ok(Reading {
        nights: days.taken(),
        unread,
    })
}

/// The dates `[from, to)` that one event takes, each time that it is. None when it can't be read, or repeats and too many have been laid out.
fn spans(
    event: &Event<'_>,
    here: Tz,
    window: Window,
    replaced: &[Moment],
    laid_out: &mut usize,
) -> Option<Vec<(NaiveDate, NaiveDate)>> {
    let (first, length) = event.when(here)?;
    let mut times = vec![first];
    if event.rule.is_some() || !event.more.is_empty() {
        // Zones differ by a day at most.
        let slack = Duration::days(2);
        let from = window.from.and_time(NaiveTime::MIN) - length - slack;
        let to = window.to.and_time(NaiveTime::MIN) + slack;
        if event.ended_before(first, from) {
            return Some(vec![]);
        }
        *laid_out += 1;
        if *laid_out > MOST_REPEATING {
            return None;
        }
        times = beginnings(event, first, (from, to), here)?;
        let replaced: HashSet<_> = replaced.iter().map(|at| at.local_in(first.zone)).collect();
        times.retain(|time| !replaced.contains(&time.local));
    }
    let spans = times.into_iter().map(|time| time.dates(length, here));
    spans.collect()
}

/// The days of a window, and how many spans begin and end on each. However long spans are, each is taken in at once.
struct Days {
    window: Window,
    turns: Vec<i32>,
}

impl Days {
    fn of(window: Window) -> Self {
        let count = (window.to - window.from).num_days().max(0);
        let turns = vec![0; usize::try_from(count).unwrap_or_default() + 1];
        Self { window, turns }
    }

    fn take(&mut self, (from, to): (NaiveDate, NaiveDate)) {
        let (from, to) = (from.max(self.window.from), to.min(self.window.to));
        let place = |date: NaiveDate| usize::try_from((date - self.window.from).num_days()).ok();
        if from < to
            && let (Some(from), Some(to)) = (place(from), place(to))
        {
            self.turns[from] += 1;
            self.turns[to] -= 1;
        }
    }

    fn taken(&self) -> BTreeSet<NaiveDate> {
        let mut open = 0;
        let days = self.window.from.iter_days().zip(&self.turns);
        days.filter_map(|(day, turn)| {
            open += turn;
            (open > 0).then_some(day)
        })
        .collect()
    }
}

/// The events of a file: what stands in a VEVENT that stands in a VCALENDAR. What stands in anything else, alarms or the rules of
/// time zones, is passed over.
fn events(text: &str) -> Result<Vec<Event<'_>>, Unreadable> {
    let (mut events, mut depth, mut calendars) = (Vec::new(), 0_usize, 0);
    let mut open: Option<Event<'_>> = None;
    for line in unfolded(text) {
        let name = name_of(&line);
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        if is("BEGIN") {
            let what = value_of(&line);
            if depth == 0 {
                if !what.eq_ignore_ascii_case("VCALENDAR") {
                    return Err(Unreadable::NotACalendar);
                }
                calendars += 1;
            } else if depth == 1 && what.eq_ignore_ascii_case("VEVENT") {
                open = Some(Event::default());
            }
            depth += 1;
        } else if depth == 0 {
            return Err(Unreadable::NotACalendar);
        } else if is("END") {
            depth -= 1;
            if depth == 1 {
                events.extend(open.take());
            }
            if events.len() > MOST_EVENTS {
                return Err(Unreadable::TooManyEvents);
            }
        } else if depth == 2
            && let Some(event) = &mut open
        {
            event.take(line);
        }
    }
    match (calendars, depth) {
        (0, _) => Err(Unreadable::NotACalendar),
        (_, 0) => Ok(events),
        _ => Err(Unreadable::CutOff),
    }
}

#[cfg(test)]
mod tests;

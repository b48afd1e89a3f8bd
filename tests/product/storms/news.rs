//! Whether everybody is told what became of a booking. What is to be told is read from the tables, and compared with the mails that wait
//! and with those that were sent.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
};

use chrono::{DateTime, Duration, NaiveDate, Utc};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde_json::Value;
use staygate::{
    domain::{
        audit::{Action, Subject},
        booking::{
            BookingStatus::{Cancelled, Confirmed, Pending},
            CancellationReason,
        },
        ids::BookingId,
        stay::Stay,
    },
    entity::{audit_entry, booking, booking_event, job, payment},
    store::db::Db,
};

use crate::support::{Mail, all_mails_in};

/// How often something is told: a booking's key, the side that is written to, and the news, by the product's own words for them.
type Count = BTreeMap<(i64, String, String), usize>;

/// How long before check-in a guest is reminded of a confirmed stay.
const REMINDED_BEFORE: Duration = Duration::hours(24);

/// What letters say, by the side that is written to. Where one says several of these, the first counts.
const WORDS: [(&str, &str, &str); 12] = [
    ("Guest", "are held for you until", "Held"),
    ("Guest", "The money is only set aside", "Requested"),
    ("Host", "would like to stay", "Requested"),
    ("Guest", "is paid and confirmed", "Confirmed"),
    ("Host", "and has paid", "Confirmed"),
    ("Guest", "accepted your request", "Accepted"),
    ("Guest", "did not accept your request", "Declined"),
    ("Guest", "You cancelled your stay", "CancelledByGuest"),
    ("Host", "cancelled the stay", "CancelledByGuest"),
    ("Guest", "was changed. It now reads", "Changed"),
    ("Host", "changed the booking", "Changed"),
    ("Guest", "begins soon", "Reminder"),
];

/// Asserts that everything waits that is to be told, and nothing else: for a market whose mails nobody has sent yet. Gives how many mails
/// that is, without reminders.
pub async fn all_wait(db: &Db, now: DateTime<Utc>) -> usize {
    let (waiting, reminders) = waiting(db).await;
    let (mut expected, mut forgotten) = (Count::new(), vec![]);
    for story in stories(db).await {
        for (reader, news) in story.told() {
            *expected.entry(story.key(reader, news)).or_default() += 1;
        }
        if !story.is_reminded(&reminders, now) {
            forgotten.push(story.key("Guest", "Reminder"));
        }
    }
    let lost = beyond(&expected, &waiting);
    let untrue = beyond(&waiting, &expected);
    assert!(
        lost.is_empty() && forgotten.is_empty() && untrue.is_empty(),
        "lost: {lost:?} {forgotten:?}, untrue: {untrue:?}"
    );
    waiting.values().sum()
}

/// Asserts that everything was sent that is to be told and was true all the time, and nothing that never was: for a market whose mails are
/// all done. `hold` is how long its holds lasted. A mail counts once, however often a copy of it was sent. Gives how many were sent, without
/// reminders, and how many copies.
pub async fn all_are_sent(
    db: &Db,
    folder: &Path,
    hold: Duration,
    now: DateTime<Utc>,
) -> (usize, usize) {
    let (waiting, reminders) = waiting(db).await;
    assert!(waiting.is_empty(), "not sent: {waiting:?}");
    let (mut sent, mut ids, mut copies) = (Count::new(), HashSet::new(), 0);
    for mail in all_mails_in(folder) {
        let Some((key, reader, news)) = read(&mail) else {
            continue;
        };
        if !ids.insert(mail.id) {
            copies += 1;
        } else if news != "Reminder" {
            *sent.entry((key, reader, news)).or_default() += 1;
        }
    }
    let (mut possible, mut certain, mut forgotten) = (Count::new(), Count::new(), vec![]);
    for story in stories(db).await {
        for (reader, news) in story.told() {
            let key = story.key(reader, news);
            if story.was_true_all_the_time(reader, news, hold) {
                *certain.entry(key.clone()).or_default() += 1;
            }
            *possible.entry(key).or_default() += 1;
        }
        if !story.is_reminded(&reminders, now) {
            forgotten.push(story.key("Guest", "Reminder"));
        }
    }
    let lost = beyond(&certain, &sent);
    let untrue = beyond(&sent, &possible);
    assert!(
        lost.is_empty() && forgotten.is_empty() && untrue.is_empty(),
        "lost: {lost:?} {forgotten:?}, untrue: {untrue:?}"
    );
    (sent.values().sum(), copies)
}

/// What is told more often in the one than in the other.
fn beyond(one: &Count, other: &Count) -> Vec<(i64, String, String)> {
    let more = one
        .iter()
        .filter(|(told, count)| other.get(told).unwrap_or(&0) < count);
    more.map(|(told, _)| told.clone()).collect()
}

/// A booking, and what else decides about its mails.
struct Story {
    booking: booking::Model,
    confirmed_at: Option<DateTime<Utc>>,
    /// When payments of it were set aside for its host to answer.
    requested_at: Vec<DateTime<Utc>>,
    changes: usize,
}

impl Story {
    fn key(&self, reader: &str, news: &str) -> (i64, String, String) {
        let key = i64::from(self.booking.booking_id.0);
        (key, reader.to_owned(), news.to_owned())
    }

    /// Who is to be told, and what; without reminders.
    fn told(&self) -> Vec<(&'static str, &'static str)> {
        let both = |news| [("Guest", news), ("Host", news)];
        let mut told = vec![("Guest", "Held")];
        for _ in &self.requested_at {
            told.extend(both("Requested"));
        }
        match self.confirmed_at {
            Some(_) if self.booking.instant_book => told.extend(both("Confirmed")),
            Some(_) => told.push(("Guest", "Accepted")),
            None => {}
        }
        for _ in 0..self.changes {
            told.extend(both("Changed"));
        }
        match self.booking.cancellation_reason {
            None | Some(CancellationReason::PaymentExpired) => {}
            Some(CancellationReason::DeclinedByHost) => told.push(("Guest", "Declined")),
            Some(CancellationReason::CancelledByGuest) => told.extend(both("CancelledByGuest")),
            // By the host itself: a storm has no admin.
            Some(CancellationReason::CancelledByHost) => told.push(("Guest", "CancelledByHost")),
        }
        told
    }

    /// Whether news hold now, and held whenever a letter may have been written since: what is no longer true is not sent.
    fn was_true_all_the_time(&self, reader: &str, news: &str, hold: Duration) -> bool {
        let status = self.booking.status;
        let until = self.booking.created_at + hold;
        let paid_at = self.requested_at.last().copied().or(self.confirmed_at);
        match (reader, news) {
            (_, "Held") => status == Pending && paid_at.is_none(),
            (_, "Requested") => status == Pending,
            (_, "Confirmed" | "Accepted") => status == Confirmed,
            // A hold that has run out may still be paid, as long as nobody has ended it; in between it stands for nothing.
            ("Guest", "Changed") => status != Cancelled && paid_at.is_none_or(|at| at < until),
            ("Guest", _) => true,
            // A host hears of these only where the guest had paid by the time of writing.
            _ => false,
        }
    }

    /// Whether the guest of a confirmed stay will be reminded of it. Reminders of dates that it had before may wait too; they are not sent.
    fn is_reminded(&self, reminders: &HashSet<(i64, NaiveDate)>, now: DateTime<Utc>) -> bool {
        let booking = &self.booking;
        let stay = Stay::between(booking.check_in_date, booking.check_out_date).expect("a stay");
        let due_at = stay.begins_at(booking.time_zone.0) - REMINDED_BEFORE;
        let waits = reminders.contains(&(booking.booking_id.0.into(), booking.check_in_date));
        booking.status != Confirmed || due_at <= now || waits
    }
}

async fn stories(db: &Db) -> Vec<Story> {
    let db = db.read();
    let bookings = booking::Entity::find().all(db).await.expect("bookings");
    let confirmed = booking_event::Entity::find()
        .filter(booking_event::Column::ToStatus.eq(Confirmed))
        .all(db)
        .await
        .expect("events");
    let confirmed: HashMap<_, _> = confirmed
        .iter()
        .map(|event| (event.booking_id, event.created_at))
        .collect();
    let set_aside = payment::Entity::find()
        .filter(payment::Column::AuthorizedAt.is_not_null())
        .all(db)
        .await
        .expect("payments");
    let mut requested: HashMap<BookingId, Vec<DateTime<Utc>>> = HashMap::new();
    for payment in set_aside {
        let of_booking = requested.entry(payment.booking_id).or_default();
        of_booking.extend(payment.authorized_at);
    }
    let lines = audit_entry::Entity::find()
        .filter(audit_entry::Column::Action.eq(Action::BookingChanged.as_str()))
        .all(db)
        .await
        .expect("lines of the audit log");
    let mut changes: HashMap<String, usize> = HashMap::new();
    for line in lines {
        let subject = line.subject.expect("a booking");
        *changes.entry(subject).or_default() += 1;
    }
    let stories = bookings.into_iter().map(|booking| {
        let id = booking.booking_id;
        let subject = Subject::Booking(id).to_string();
        Story {
            booking,
            confirmed_at: confirmed.get(&id).copied(),
            requested_at: requested.remove(&id).unwrap_or_default(),
            changes: changes.get(&subject).copied().unwrap_or_default(),
        }
    });
    stories.collect()
}

/// The mails about bookings that wait, and apart from them the reminders, by the days that they are for.
async fn waiting(db: &Db) -> (Count, HashSet<(i64, NaiveDate)>) {
    let jobs = job::Entity::find().all(db.read()).await.expect("jobs");
    let (mut waiting, mut reminders) = (Count::new(), HashSet::new());
    for job in jobs {
        let Value::Object(mail) = &job.payload["Booking"] else {
            continue;
        };
        let key = mail["booking_id"].as_i64().expect("a key");
        let text = |value: &Value| value.as_str().expect("a word").to_owned();
        if let Some(check_in) = mail["news"]["Reminder"]["check_in"].as_str() {
            reminders.insert((key, check_in.parse().expect("a date")));
        } else {
            let told = (key, text(&mail["reader"]), text(&mail["news"]));
            *waiting.entry(told).or_default() += 1;
        }
    }
    (waiting, reminders)
}

/// What a mail says about which booking to whom; None for one about something else.
fn read(mail: &Mail) -> Option<(i64, String, String)> {
    let (_, link) = mail.text.split_once("/bookings/")?;
    let key = link.split_whitespace().next()?.parse().expect("a key");
    let words: Vec<_> = mail.text.split_whitespace().collect();
    let words = words.join(" ");
    let reader = if mail.to.starts_with("host") {
        "Host"
    } else {
        "Guest"
    };
    let news = WORDS
        .iter()
        .find(|(to, says, _)| *to == reader && words.contains(says));
    let (_, _, news) = news.unwrap_or_else(|| panic!("to a {reader}: {words}"));
    Some((key, reader.to_owned(), (*news).to_owned()))
}

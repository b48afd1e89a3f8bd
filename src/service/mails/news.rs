//! What becomes of a booking, and who is written to about it.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::Mail;
use crate::{
    domain::{
        actor::Actor,
        booking::{BookingStatus, CancellationReason},
    },
    entity::booking,
    service::booking_rows::stay_of,
};

/// How long before check-in its guest is reminded of a stay.
const REMINDED_BEFORE: Duration = Duration::hours(24);

/// A side of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::service) enum Party {
    Guest,
    Host,
}

/// What became of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::service) enum News {
    /// Its nights are held, and wait for payment.
    Held,
    /// It is paid (authorized), and waits for its host.
    Requested,
    /// It is confirmed, by payment alone.
    Confirmed,
    /// It is confirmed: its host said yes.
    Accepted,
    /// Its host said no, or nothing in time.
    Declined,
    /// Its guest took it back.
    CancelledByGuest,
    /// Its host took it back.
    CancelledByHost,
    /// An admin took it back.
    CancelledByAdmin,
    /// Its payment went through when it had ended, and goes back.
    PaidTooLate,
    /// It has other dates, or another number of guests.
    Changed,
    /// It begins soon; made for this check-in.
    Reminder { check_in: NaiveDate },
    /// Its stay is over and may be reviewed.
    ReviewInvitation,
}

/// A mail to leave, and when it is due.
#[derive(Debug)]
pub(in crate::service) struct Note {
    pub(in crate::service) mail: Mail,
    /// None for at once. What is for a time that is past already is not left at all.
    pub(in crate::service) due_at: Option<DateTime<Utc>>,
}

/// News for one side, at once.
pub(in crate::service) fn note(booking: &booking::Model, reader: Party, news: News) -> Note {
    let booking_id = booking.booking_id;
    let mail = Mail::Booking {
        booking_id,
        reader,
        news,
    };
    Note { mail, due_at: None }
}

/// News for both sides.
pub(in crate::service) fn both(booking: &booking::Model, news: News) -> Vec<Note> {
    [Party::Guest, Party::Host]
        .map(|reader| note(booking, reader, news))
        .into()
}

/// What reminds the guest of a confirmed stay, a day before it begins.
pub(in crate::service) fn reminder(booking: &booking::Model) -> Note {
    let check_in = booking.check_in_date;
    let begins = stay_of(booking).begins_at(booking.time_zone.0);
    Note {
        due_at: Some(begins - REMINDED_BEFORE),
        ..note(booking, Party::Guest, News::Reminder { check_in })
    }
}

/// Who is told of a move of a booking, and what. Of a hold that lapsed unpaid nobody is.
pub(in crate::service) fn of_move(
    actor: &Actor,
    booking: &booking::Model,
    to: BookingStatus,
    reason: Option<CancellationReason>,
) -> Vec<Note> {
    let to_guest = |news| note(booking, Party::Guest, news);
    match (to, reason) {
        (BookingStatus::Pending, _) => vec![to_guest(News::Held)],
        (BookingStatus::Confirmed, _) if booking.instant_book => {
            let mut notes = both(booking, News::Confirmed);
            notes.push(reminder(booking));
            notes
        }
        (BookingStatus::Confirmed, _) => vec![to_guest(News::Accepted), reminder(booking)],
        (BookingStatus::Completed, _) => vec![to_guest(News::ReviewInvitation)],
        (BookingStatus::Cancelled, None | Some(CancellationReason::PaymentExpired)) => vec![],
        (BookingStatus::Cancelled, Some(CancellationReason::DeclinedByHost)) => {
            vec![to_guest(News::Declined)]
        }
        (BookingStatus::Cancelled, Some(CancellationReason::CancelledByGuest)) => {
            both(booking, News::CancelledByGuest)
        }
        (BookingStatus::Cancelled, Some(CancellationReason::CancelledByHost)) => {
            if actor.is(booking.host_id) {
                vec![to_guest(News::CancelledByHost)]
            } else {
                both(booking, News::CancelledByAdmin)
            }
        }
    }
}

//! The audit log's words, and the chain that holds its lines together.

use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    digest::sha256_hex,
    ids::{BookingId, FeedId, PaymentId, PropertyId, ReviewId, UserId},
};

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What was done. The text stands in the log for good: a new word is a new action, and none is ever given another meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $name,)*
        }

        impl Action {
            /// The word in the log.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

actions! {
    /// An account was made.
    SignedUp = "account.signed_up";
    /// A name was changed, or another mail address asked for.
    ProfileUpdated = "account.updated";
    /// Somebody has shown to read a mail address.
    EmailVerified = "account.email_verified";
    /// A password was changed by who knew the old one.
    PasswordChanged = "account.password_changed";
    /// Somebody who is signed in was asked for the password.
    PasswordChecked = "account.password_checked";
    /// A mail with a link to a new password was asked for.
    PasswordResetRequested = "account.password_reset_requested";
    /// A password was changed by such a link.
    PasswordReset = "account.password_reset";
    /// Somebody has another role now.
    RoleChanged = "account.role_changed";
    /// An account was suspended.
    Suspended = "account.suspended";
    /// A suspended account was let in again.
    Reinstated = "account.reinstated";
    /// An account was deleted by its owner.
    Erased = "account.erased";
    /// Somebody signed in, or tried to.
    SignedIn = "session.signed_in";
    /// A refresh token was used a second time.
    RefreshReused = "session.refresh_reused";
    /// Sessions were ended by their owner.
    SignedOut = "session.signed_out";
    /// A property was listed.
    PropertyCreated = "property.created";
    /// A property was changed.
    PropertyUpdated = "property.updated";
    /// A host closed or opened nights of a property, or gave them other prices.
    CalendarUpdated = "property.calendar_updated";
    /// A property was deleted.
    PropertyDeleted = "property.deleted";
    /// A property's calendar got a new secret address.
    CalendarPublished = "calendar.published";
    /// A calendar of another platform is imported from now on.
    FeedAdded = "calendar_feed.added";
    /// It is no more.
    FeedRemoved = "calendar_feed.removed";
    /// It took nights, or let go of some.
    FeedSynced = "calendar_feed.synced";
    /// A booking was made.
    BookingCreated = "booking.created";
    /// A booking got other dates, or another number of guests.
    BookingChanged = "booking.changed";
    /// A booking was confirmed.
    BookingConfirmed = "booking.confirmed";
    /// A booking ended before its stay.
    BookingCancelled = "booking.cancelled";
    /// A stay is over.
    BookingCompleted = "booking.completed";
    /// A payment was begun.
    PaymentCreated = "payment.created";
    /// Money was set aside.
    PaymentAuthorized = "payment.authorized";
    /// Money moved.
    PaymentPaid = "payment.paid";
    /// The provider said no, or the payment was let go.
    PaymentFailed = "payment.failed";
    /// A host or an admin had money given back.
    RefundOrdered = "refund.ordered";
    /// Money was given back.
    PaymentRefunded = "payment.refunded";
    /// A stay was reviewed.
    ReviewCreated = "review.created";
    /// A review was changed by its author.
    ReviewUpdated = "review.updated";
    /// A review was taken back by its author.
    ReviewDeleted = "review.deleted";
    /// A review was taken away by an admin.
    ReviewRemoved = "review.removed";
    /// A host answered a review.
    ReviewAnswered = "review.answered";
    /// An admin read what is somebody's own.
    AdminRead = "admin.read";
    /// The watch noticed something suspicious.
    AlertRaised = "alert.raised";
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

impl Outcome {
    /// The word in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "DONE",
            Self::Refused => "REFUSED",
        }
    }
}

/// What it was done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Nothing that has a key.
    None,
    /// A person.
    User(UserId),
    /// A signed-in device.
    Session(Uuid),
    /// A property.
    Property(PropertyId),
    /// A booking.
    Booking(BookingId),
    /// A payment.
    Payment(PaymentId),
    /// A review.
    Review(ReviewId),
    /// A calendar of another platform.
    Feed(FeedId),
    /// The audit log itself.
    AuditLog,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::User(id) => write!(f, "user:{id}"),
            Self::Session(id) => write!(f, "session:{id}"),
            Self::Property(id) => write!(f, "property:{id}"),
            Self::Booking(id) => write!(f, "booking:{id}"),
            Self::Payment(id) => write!(f, "payment:{id}"),
            Self::Review(id) => write!(f, "review:{id}"),
            Self::Feed(id) => write!(f, "calendar-feed:{id}"),
            Self::AuditLog => f.write_str("audit-log"),
        }
    }
}

/// All that a line says; what its hash is made of, with the hash of the line before.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Its place in the chain, from 1, without gaps.
    pub number: i64,
    /// When, in whole microseconds.
    pub at: DateTime<Utc>,
    /// By whom; nobody for what happens by itself.
    pub actor: Option<UserId>,
    /// What was done.
    pub action: &'a str,
    /// To what.
    pub subject: Option<&'a str>,
    /// What became of it.
    pub outcome: &'a str,
    /// What else there is to say.
    pub detail: Option<&'a str>,
    /// From where.
    pub ip_address: Option<&'a str>,
    /// By which program.
    pub user_agent: Option<&'a str>,
    /// In which request.
    pub request_id: Option<&'a str>,
}

impl Line<'_> {
    /// The line's hash: SHA-256 of a JSON list of the hash before it and of all that it says, in hexadecimal. A list in JSON can be read in
    /// one way alone, so that nothing can be moved from one part to the next.
    #[must_use]
    pub fn hash(&self, before: &str) -> String {
        let parts = serde_json::json!([
            before,
            self.number,
            self.at.timestamp_micros(),
            self.actor,
            self.action,
            self.subject,
            self.outcome,
            self.detail,
            self.ip_address,
            self.user_agent,
            self.request_id,
        ]);
        sha256_hex(parts.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_line_and_the_line_before_it_make_its_hash() {
        let line = Line {
            number: 7,
            at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            actor: Some(UserId(1)),
            action: "session.signed_in",
            subject: Some("user:1"),
            outcome: "DONE",
            detail: None,
            ip_address: Some("127.0.0.1"),
            user_agent: None,
            request_id: None,
        };
        let hash = line.hash("before");
        assert_eq!(hash, line.hash("before"));
        for other in [
            line.hash("another"),
            Line { number: 8, ..line }.hash("before"),
            Line {
                at: line.at + chrono::Duration::microseconds(1),
                ..line
            }
            .hash("before"),
            Line {
                actor: None,
                ..line
            }
            .hash("before"),
            Line {
                outcome: "REFUSED",
                ..line
            }
            .hash("before"),
            Line {
                ip_address: None,
                user_agent: Some("127.0.0.1"),
                ..line
            }
            .hash("before"),
        ] {
            assert_ne!(other, hash);
        }
    }
}

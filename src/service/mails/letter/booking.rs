//! The letters about bookings, and their words. Dates are the property's own; the names and titles in them are strangers' text.

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    super::{
        news::{News, Party},
        page::{Link, Page, greeted, unlinked},
    },
    Site,
};
use crate::{domain::money::Money, entity::booking, store::mail::Message};

/// What a letter about a booking is made of.
pub(in crate::service::mails) struct Facts {
    /// Who is written to.
    pub(in crate::service::mails) reader: Party,
    pub(in crate::service::mails) news: News,
    pub(in crate::service::mails) reader_name: String,
    /// The full name of the other side: all that is told of it.
    pub(in crate::service::mails) counterpart: String,
    pub(in crate::service::mails) title: String,
    pub(in crate::service::mails) location: String,
    pub(in crate::service::mails) currency: String,
    /// None when nothing was charged.
    pub(in crate::service::mails) returned: Option<Returned>,
    pub(in crate::service::mails) booking: booking::Model,
}

/// What was charged for a booking, and what of it comes back.
pub(in crate::service::mails) struct Returned {
    pub(in crate::service::mails) charged: Money,
    pub(in crate::service::mails) back: Money,
}

/// The letter as a mail to `to`. `id` is what [`Message::id`] asks for.
pub(in crate::service::mails) fn write(
    facts: &Facts,
    site: &Site,
    to: String,
    id: String,
) -> Message {
    let page = Page {
        before: facts.words(&site.name),
        quote: Some(facts.stay()),
        link: Some(Link {
            words: facts.command(),
            url: format!("{}/bookings/{}", site.url, facts.booking.booking_id),
            code: None,
        }),
        ..site.page(&facts.reader_name, &facts.subject(&site.name))
    };
    page.into_message(to, id)
}

impl Facts {
    fn subject(&self, market: &str) -> String {
        let (title, other) = (self.title(), self.counterpart());
        match (self.news, self.reader) {
            (News::Held, _) => format!("Pay to keep your nights at {title}"),
            (News::Requested, Party::Host) => format!("{other} would like to stay at {title}"),
            (News::Requested, Party::Guest) => format!("Your request for {title} went to its host"),
            (News::Confirmed | News::Accepted, Party::Guest) => {
                format!("Your stay at {title} is confirmed")
            }
            (News::Confirmed | News::Accepted, Party::Host) => format!("New booking of {title}"),
            (News::Declined, _) => format!("Your request for {title} was not accepted"),
            (News::CancelledByGuest, Party::Host) => format!("{other} cancelled a stay at {title}"),
            (News::CancelledByGuest, Party::Guest) => {
                format!("You cancelled your stay at {title}")
            }
            (News::CancelledByHost | News::CancelledByAdmin, Party::Guest) => {
                format!("Your stay at {title} was cancelled")
            }
            (News::CancelledByHost | News::CancelledByAdmin, Party::Host) => {
                format!("A stay at {title} was cancelled by {market}")
            }
            (News::PaidTooLate, _) => format!("Your payment for {title} came too late"),
            (News::Changed, Party::Guest) => format!("Your booking of {title} was changed"),
            (News::Changed, Party::Host) => format!("A booking of {title} was changed"),
            (News::Reminder { .. }, _) => format!("Soon: your stay at {title}"),
            (News::ReviewInvitation, _) => format!("How was your stay at {title}?"),
        }
    }

    fn words(&self, market: &str) -> Vec<String> {
        let (title, other) = (self.title(), self.counterpart());
        let until = self.until();
        match (self.news, self.reader) {
            (News::Held, _) => vec![
                format!("Your nights at {title} are held for you until {until}."),
                "Pay before then to keep them. A booking that is not paid ends by itself, \
                 and costs nothing."
                    .to_owned(),
            ],
            (News::Requested, Party::Host) => vec![
                format!("{other} would like to stay at {title}, and has set the money aside."),
                format!(
                    "Please answer by {until}. Without an answer the request ends, \
                     and the nights are free again."
                ),
            ],
            (News::Requested, Party::Guest) => vec![
                format!("Your request for {title} went to {other}, who answers by {until}."),
                "The money is only set aside. You are charged when the host accepts, \
                 and not otherwise."
                    .to_owned(),
            ],
            (News::Confirmed, Party::Guest) => {
                vec![format!(
                    "Your stay at {title} is paid and confirmed. Your host is {other}."
                )]
            }
            (News::Accepted, Party::Guest) => {
                vec![format!(
                    "{other} accepted your request: your stay at {title} is confirmed."
                )]
            }
            (News::Confirmed | News::Accepted, Party::Host) => {
                vec![format!("{other} booked {title}, and has paid.")]
            }
            (News::Declined, _) => vec![
                format!(
                    "{other} did not accept your request for {title}, or did not answer in time."
                ),
                "Nothing is charged: what was set aside is let go.".to_owned(),
            ],
            (News::CancelledByGuest, Party::Guest) => {
                vec![
                    format!("You cancelled your stay at {title}."),
                    self.money_back(),
                ]
            }
            (News::CancelledByGuest, Party::Host) => {
                vec![format!(
                    "{other} cancelled the stay at {title}. Its nights are free again."
                )]
            }
            (News::CancelledByHost, _) => vec![
                format!("We are sorry: {other} cancelled your stay at {title}."),
                self.money_back(),
            ],
            (News::CancelledByAdmin, Party::Guest) => vec![
                format!("We are sorry: {market} cancelled your stay at {title}."),
                self.money_back(),
            ],
            (News::CancelledByAdmin, Party::Host) => vec![
                format!("{market} cancelled the stay of {other} at {title}."),
                "Its guest gets everything back, and its nights are free again.".to_owned(),
            ],
            (News::PaidTooLate, _) => vec![
                format!("Your payment for {title} went through after the booking had ended."),
                "All of it goes back to you.".to_owned(),
            ],
            (News::Changed, Party::Guest) => {
                let changed =
                    format!("Your booking of {title} was changed. It now reads as below.");
                let back = self.returned.as_ref().filter(|of| of.back > Money::ZERO);
                let back = back.map(|_| self.money_back());
                std::iter::once(changed).chain(back).collect()
            }
            (News::Changed, Party::Host) => {
                vec![format!(
                    "{other} changed the booking of {title}. It now reads as below."
                )]
            }
            (News::Reminder { .. }, _) => vec![
                format!("Your stay at {title} begins soon. Your host is {other}."),
                format!(
                    "Check-in is from 15:00 on {}.",
                    date(self.booking.check_in_date)
                ),
            ],
            (News::ReviewInvitation, _) => vec![
                format!("We hope that you had a good time at {title}."),
                "A few words from you help the next guests, and your host.".to_owned(),
            ],
        }
    }

    /// What the reader is to do.
    fn command(&self) -> &'static str {
        match (self.news, self.reader) {
            (News::Held, _) => "Pay for your booking",
            (News::Requested, Party::Host) => "Answer the request",
            (News::ReviewInvitation, _) => "Write a review",
            _ => "See the booking",
        }
    }

    /// What was booked, line by line.
    fn stay(&self) -> String {
        let booking = &self.booking;
        let mut lines = vec![self.title()];
        lines.extend(unlinked(&self.location));
        lines.push(format!(
            "Check-in: {}, from 15:00",
            date(booking.check_in_date)
        ));
        lines.push(format!("Check-out: {}", date(booking.check_out_date)));
        lines.push(format!("Guests: {}", booking.guests));
        lines.push(format!("Price: {}", self.money(booking.total_price)));
        lines.join("\n")
    }

    fn money_back(&self) -> String {
        let Some(Returned { charged, back }) = self.returned else {
            return "Nothing was charged.".to_owned();
        };
        let charged = self.money(charged);
        if back == Money::ZERO {
            format!("By the cancellation policy nothing comes back of the {charged} that you paid.")
        } else {
            let back = self.money(back);
            format!("Of the {charged} that you paid, {back} comes back to you the way it came.")
        }
    }

    fn money(&self, amount: Money) -> String {
        format!("{amount} {}", self.currency)
    }

    fn title(&self) -> String {
        unlinked(&self.title).unwrap_or_else(|| "the place".to_owned())
    }

    fn counterpart(&self) -> String {
        greeted(&self.counterpart).unwrap_or_else(|| {
            match self.reader {
                Party::Guest => "your host",
                Party::Host => "a guest",
            }
            .to_owned()
        })
    }

    /// When the hold, or the host's time to answer, runs out, by the property's clocks.
    fn until(&self) -> String {
        let moment = |at: DateTime<Utc>| {
            let zone = self.booking.time_zone.0;
            let local = at.with_timezone(&zone).format("%H:%M on %A, %-d %B %Y");
            format!("{local} ({} time)", zone.name())
        };
        self.booking.expires_at.map(moment).unwrap_or_default()
    }
}

fn date(date: NaiveDate) -> impl std::fmt::Display {
    date.format("%A, %-d %B %Y")
}

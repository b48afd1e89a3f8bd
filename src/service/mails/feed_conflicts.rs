//! The letter to a host whose other calendar takes nights that are booked here.

use serde::{Deserialize, Serialize};

use super::page::{Page, one_line};

/// Nights that are taken twice. The texts are the host's own: any text, made harmless here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FeedConflicts {
    /// The property's title.
    pub property: String,
    /// What the host calls the other calendar.
    pub feed: String,
    /// Which nights, as people write dates.
    pub nights: String,
}

impl FeedConflicts {
    pub(super) fn subject(&self) -> String {
        format!("Nights of {} are taken twice", one_line(&self.property))
    }

    pub(super) fn on(&self, page: Page, market: &str) -> Page {
        let (feed, property) = (one_line(&self.feed), one_line(&self.property));
        Page {
            before: vec![format!(
                "The calendar that you call \"{feed}\" now takes nights of {property} that are booked at {market}:"
            )],
            quote: Some(self.nights.clone()),
            after: vec![
                format!("The bookings at {market} stand: another calendar never changes them."),
                "Please look at both sides, and cancel one of them where two guests would come."
                    .into(),
                "If the other side only repeats your bookings from here, there is nothing to do."
                    .into(),
            ],
            ..page
        }
    }
}

//! The letters that Staygate writes, and their words.

pub(super) mod booking;

use chrono::{DateTime, Utc};

use super::{
    feed_conflicts::FeedConflicts,
    page::{Link, Page, greeted, lines, one_line},
};
use crate::store::mail::Message;

/// The marketplace that writes.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// Where its web pages are, without a slash at the end.
    pub url: String,
}

/// A letter. It is not `Debug`, as a token in it is a secret.
///
/// `full_name` is the addressee's, as the person typed it: any text, made harmless here.
#[derive(Clone)]
pub enum Letter {
    /// To a new address: prove that it is yours.
    VerifyEmail {
        /// Who is written to.
        full_name: String,
        /// What proves it, for 24 hours; of characters that a URL may hold.
        token: String,
    },
    /// To somebody who forgot the password.
    ResetPassword {
        /// Who is written to.
        full_name: String,
        /// What allows a new one, for 30 minutes and once; of characters that a URL may hold.
        token: String,
    },
    /// To somebody whose password was changed.
    PasswordChanged {
        /// Who is written to.
        full_name: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// To the old address: somebody asked to change it.
    EmailChanging {
        /// Who is written to.
        full_name: String,
        /// The address that is to take its place.
        new_email: String,
    },
    /// To the old address: it was changed.
    EmailChanged {
        /// Who is written to.
        full_name: String,
        /// The address that took its place.
        new_email: String,
    },
    /// To somebody whose account was suspended.
    Suspended {
        /// Who is written to.
        full_name: String,
    },
    /// To the address of an account that was deleted: whose it was, nobody knows any more.
    Erased,
    /// To a host: a calendar of another platform takes nights that are booked here.
    FeedConflicts {
        /// Who is written to.
        full_name: String,
        /// Which nights of what.
        conflicts: FeedConflicts,
    },
    /// To an admin: something needs a look.
    Alert {
        /// What it is, in a few words.
        cause: String,
        /// What is known about it, in any number of lines.
        detail: String,
        /// When.
        at: DateTime<Utc>,
    },
}

impl Site {
    /// A page that says nothing yet.
    fn page(&self, full_name: &str, subject: &str) -> Page {
        Page {
            site_name: one_line(&self.name),
            site_url: self.url.clone(),
            subject: one_line(subject),
            name: greeted(full_name),
            before: Vec::new(),
            link: None,
            quote: None,
            after: Vec::new(),
        }
    }

    /// A page that takes a token. It stands in the fragment: a browser sends that to no server, so that it is in no log and no `Referer`.
    fn link(&self, words: &'static str, page: &str, token: &str) -> Link {
        Link {
            words,
            url: format!("{}/{page}#token={token}", self.url),
            code: Some(token.to_owned()),
        }
    }

    /// Where a person asks for another password.
    fn reset(&self) -> Link {
        Link {
            words: "Reset your password",
            url: format!("{}/reset-password", self.url),
            code: None,
        }
    }
}

/// Stands before the link to another password.
const NOT_YOU: &str = "If this was not you, somebody else may be in your account. \
                       Choose another password at once:";

impl Letter {
    /// The letter as a mail to `to`. `id` is what [`Message::id`] asks for.
    #[must_use]
    pub fn write(&self, site: &Site, to: String, id: String) -> Message {
        self.page(site).into_message(to, id)
    }

    fn subject(&self, market: &str) -> String {
        match self {
            Self::VerifyEmail { .. } => format!("Confirm your address at {market}"),
            Self::ResetPassword { .. } => format!("Reset your password at {market}"),
            Self::PasswordChanged { .. } => format!("Your password at {market} was changed"),
            Self::EmailChanging { .. } => format!("Your address at {market} is about to change"),
            Self::EmailChanged { .. } => format!("Your address at {market} was changed"),
            Self::Suspended { .. } => format!("Your account at {market} was suspended"),
            Self::Erased => format!("Your account at {market} was deleted"),
            Self::FeedConflicts { conflicts, .. } => conflicts.subject(),
            Self::Alert { cause, .. } => format!("{market} alert: {cause}"),
        }
    }

    fn page(&self, site: &Site) -> Page {
        let Site { name: market, url } = site;
        let blank = |full_name: &str| site.page(full_name, &self.subject(market));
        match self {
            Self::VerifyEmail { full_name, token } => Page {
                before: vec![format!(
                    "Please confirm that this is your address at {market}."
                )],
                link: Some(site.link("Confirm your address", "verify-email", token)),
                after: vec![
                    "The link is good for 24 hours.".into(),
                    "If this was not you, ignore this mail: \
                     without the link nobody can use your address."
                        .into(),
                ],
                ..blank(full_name)
            },
            Self::ResetPassword { full_name, token } => Page {
                before: vec![format!(
                    "Somebody asked for a new password for your account at {market}."
                )],
                link: Some(site.link("Choose a new password", "reset-password", token)),
                after: vec![
                    "The link is good for 30 minutes, and works once.".into(),
                    "If this was not you, ignore this mail: your password stays as it is.".into(),
                ],
                ..blank(full_name)
            },
            Self::PasswordChanged { full_name, at } => Page {
                before: vec![
                    format!(
                        "The password of your account at {market} was changed on {}.",
                        moment(*at)
                    ),
                    "All other devices were signed out.".into(),
                    NOT_YOU.into(),
                ],
                link: Some(site.reset()),
                ..blank(full_name)
            },
            Self::EmailChanging {
                full_name,
                new_email,
            } => Page {
                before: vec![
                    format!(
                        "Somebody who is signed in to your account at {market} asked to change \
                         its address to {}.",
                        one_line(new_email)
                    ),
                    "Nothing changes until the new address is confirmed.".into(),
                    NOT_YOU.into(),
                ],
                link: Some(site.reset()),
                ..blank(full_name)
            },
            Self::EmailChanged {
                full_name,
                new_email,
            } => Page {
                before: vec![
                    format!(
                        "The address of your account at {market} is now {}.",
                        one_line(new_email)
                    ),
                    "No more mail of your account comes here, \
                     and this address no longer signs in to it."
                        .into(),
                    format!("If this was not you, write to the people of {market} at once: {url}"),
                ],
                ..blank(full_name)
            },
            Self::Suspended { full_name } => Page {
                before: vec![
                    format!(
                        "Your account at {market} was suspended. \
                         You can't sign in to it any more."
                    ),
                    format!(
                        "If you think that this is a mistake, \
                         write to the people of {market}: {url}"
                    ),
                ],
                ..blank(full_name)
            },
            Self::Erased => good_bye(blank(""), site),
            Self::FeedConflicts {
                full_name,
                conflicts,
            } => conflicts.on(blank(full_name), market),
            Self::Alert { cause, detail, at } => Page {
                before: vec![
                    format!("{market} needs a look of yours: {}", one_line(cause)),
                    format!("It was noticed on {}.", moment(*at)),
                ],
                quote: Some(lines(detail)),
                ..blank("")
            },
        }
    }
}

fn good_bye(page: Page, Site { name: market, url }: &Site) -> Page {
    Page {
        before: vec![
            format!(
                "Your account at {market} was deleted. Your name, this address and what you \
                 listed are gone; what was booked and paid stays in the books, under no name."
            ),
            "This is the last mail of your account. \
             This address may sign up anew at any time."
                .into(),
            format!("If this was not you, write to the people of {market} at once: {url}"),
        ],
        ..page
    }
}

/// A moment for people of any time zone.
fn moment(at: DateTime<Utc>) -> impl std::fmt::Display {
    at.format("%-d %B %Y at %H:%M UTC")
}

#[cfg(test)]
mod tests;

//! What can be done in the marketplace: one file a noun, one method a use case.
//!
//! A method reads: permit, begin, check, write, commit, publish. Rules are checked inside the transaction that relies on them, and who may
//! do what to whose things is decided here, whatever face is asking.
//!
//! Rows are locked in one order, so that no two writes wait for each other: idempotency key, people by key (against being deleted), property (against its deletion), its imported
//! calendars, bookings by key, their nights and payments, new nights by date, nights of imported calendars by date; then what [`changes`] writes last: the end of the history (see [`event_rows`]), the feed of
//! sessions, and the end of the audit log. Of people: the person, then sessions, then mailed secrets, then mail that is taken back by key. Nights are only touched by whoever has their booking; of a payment
//! without it only when it is looked after next, and what it is called at the provider.

pub mod audit;
mod audit_chain;
pub mod backups;
mod booking_rows;
pub mod bookings;
pub mod calendar;
mod changes;
pub mod error;
mod event_rows;
pub mod events;
pub mod feeds;
mod idempotency;
mod keys;
pub mod ledger;
pub mod mails;
mod paging;
pub mod payments;
pub mod people;
mod people_rows;
pub mod properties;
mod public;
mod queue;
pub mod reviews;
pub mod sealing;
pub mod search;
pub mod seen;
pub mod sessions;
pub mod suspicion;
pub mod tries;

use std::{ops::Deref, sync::Arc};

use chrono::Duration;

use self::public::Public;
use crate::{
    domain::{actor::Actor, clock::Clock, price::Rates},
    store::{
        answers::Answers,
        bus::Bus,
        db::{Db, replica::Replica},
        feeds::Fetcher,
        gateway::PaymentGateway,
        mail::Mailer,
        passwords::Passwords,
        tokens::Tokens,
        vault::Vault,
    },
};

/// What the operator decides about the marketplace.
#[derive(Debug, Clone)]
pub struct Terms {
    /// ISO 4217; one for the whole marketplace.
    pub currency: String,
    /// Service fee and tax.
    pub rates: Rates,
    /// How long an unpaid booking holds its nights.
    pub hold_ttl: Duration,
    /// Whether only those book who have verified their mail address.
    pub verified_guests_only: bool,
    /// How long a device stays signed in without use.
    pub session_ttl: Duration,
    /// For how long the same client may use a spent refresh token again, as two tabs do that share one.
    pub refresh_grace: Duration,
    /// Where the API is reached, without a slash at the end.
    pub api_url: String,
    /// How often calendars of other platforms are fetched.
    pub feed_interval: Duration,
    /// What mails say of the marketplace, and where their links lead.
    pub site: mails::letter::Site,
}

/// What the services are built from.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// Where what everybody may see is read too, if there is one.
    pub replica: Option<Replica>,
    /// Answers that many ask for.
    pub answers: Answers,
    /// The bus between instances.
    pub bus: Bus,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// The payment provider.
    pub gateway: Arc<dyn PaymentGateway>,
    /// Seals secrets in columns.
    pub vault: Vault,
    /// Hashes passwords.
    pub passwords: Passwords,
    /// Signs access tokens.
    pub tokens: Tokens,
    /// Knows which sessions stand.
    pub standings: sessions::standing::Standings,
    /// Fetches calendars of other platforms.
    pub fetcher: Fetcher,
    /// Sends mail.
    pub mailer: Arc<dyn Mailer>,
    /// Slows down those who guess.
    pub tries: tries::Tries,
    /// Counts suspicious runs.
    pub suspicions: suspicion::Suspicions,
    /// What is backed up where and when, if anything is.
    pub backups: Option<backups::scheduled::Plan>,
    /// What the operator decides.
    pub terms: Terms,
}

/// All services. Cheap to clone.
#[derive(Clone)]
pub struct Services(Arc<Nouns>);

impl Deref for Services {
    type Target = Nouns;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// Each service by its noun.
#[derive(Clone)]
pub struct Nouns {
    /// Accounts.
    pub people: people::People,
    /// Signed-in devices.
    pub sessions: sessions::Sessions,
    /// Homes to stay in.
    pub properties: properties::Properties,
    /// Free nights and what they cost.
    pub calendar: calendar::Calendars,
    /// Calendars to and from other platforms.
    pub feeds: feeds::Feeds,
    /// Stays that were asked for.
    pub bookings: bookings::Bookings,
    /// The history of bookings, and those who watch it.
    pub events: events::Events,
    /// Money.
    pub payments: payments::Payments,
    /// The books.
    pub ledger: ledger::Ledger,
    /// What guests say.
    pub reviews: reviews::Reviews,
    /// Who did what.
    pub audit: audit::Audit,
    /// Mail to people.
    pub mails: mails::Mails,
    /// Backups by a schedule.
    pub backups: backups::scheduled::Backups,
    public: Public,
}

impl Services {
    /// Builds every service on the same parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let parts = Arc::new(parts);
        let payments = payments::Payments(Arc::clone(&parts));
        let public = Public::of_primary(Arc::clone(&parts));
        Self(Arc::new(Nouns {
            people: people::People(public.clone()),
            sessions: sessions::Sessions(Arc::clone(&parts)),
            properties: properties::Properties(public.clone()),
            calendar: calendar::Calendars(public.clone()),
            feeds: feeds::Feeds(Arc::clone(&parts)),
            bookings: bookings::Bookings {
                parts: Arc::clone(&parts),
                payments: payments.clone(),
            },
            events: events::Events::new(Arc::clone(&parts)),
            payments,
            ledger: ledger::Ledger(Arc::clone(&parts)),
            reviews: reviews::Reviews(public.clone()),
            audit: audit::Audit(Arc::clone(&parts)),
            mails: mails::Mails(Arc::clone(&parts)),
            backups: backups::scheduled::Backups(parts),
            public,
        }))
    }

    /// Tells the time.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.public.clock
    }

    /// The marketplace's currency, ISO 4217.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.public.terms.currency
    }

    /// The public keys of access tokens, as a JSON Web Key Set (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> &serde_json::Value {
        self.public.tokens.jwks()
    }

    /// Takes note that the caller was refused something: many in a row are suspicious.
    pub async fn note_refusal(&self, actor: &Actor) {
        suspicion::refused(&self.public, actor, 1).await;
    }

    /// Forgets idempotency keys whose time is over. Gives how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_idempotency_keys(&self) -> error::Result<u64> {
        idempotency::sweep(&self.public).await
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn check_database(&self) -> Result<(), error::Error> {
        Ok(self.public.db.ping().await?)
    }
}

//! What every resolver can reach: the services, who is asking, and the loaders of this request.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use async_graphql::{Context, context::QueryEnv};
use chrono::{DateTime, Utc};
use tokio::sync::SetOnce;

use super::{loaders::Loaders, selected::Selected, showing::Showing};
use crate::{
    domain::{
        actor::{Actor, Client},
        digest::sha256_hex,
        freshness::Moment,
    },
    service::Services,
};

/// What a request says of the browser that it comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Browser {
    /// Whether the page that asks may use the cookie: it is of this host or of a configured origin.
    pub is_trusted: bool,
    /// The refresh token that the browser keeps.
    pub refresh_token: Option<String>,
}

/// What is to become of the browser's refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshCookie {
    /// It is kept.
    Keep {
        /// The token.
        token: String,
        /// Until when.
        until: DateTime<Utc>,
    },
    /// It is taken away.
    Remove,
}

/// Who is asking, from where, and what was loaded for them so far. One a request; one a subscription.
pub struct RequestContext {
    actor: Actor,
    /// Who was signed in by this very request: what its answer shows is theirs to see.
    granted: OnceLock<Actor>,
    signing_in: AtomicBool,
    /// None where there are no cookies, as on a socket.
    browser: Option<Browser>,
    refresh_cookie: OnceLock<RefreshCookie>,
    /// What the header `Idempotency-Key` says.
    idempotency_key: Option<String>,
    services: Services,
    shown: Arc<Showing>,
    /// None before anything is loaded.
    loaders: Mutex<Option<Arc<Loaders>>>,
    selected: OnceLock<Selected>,
    /// The cursor after which the client says that it resumes, by other means than an argument.
    resumes_after: Option<String>,
    /// The cursor after which a subscription began.
    began_after: SetOnce<String>,
    /// The cursor of the event that a subscription answers.
    passes: Mutex<Option<String>>,
}

impl RequestContext {
    /// A context with nothing loaded yet.
    #[must_use]
    pub fn new(services: Services, actor: Actor, browser: Option<Browser>) -> Self {
        Self {
            actor,
            granted: OnceLock::new(),
            signing_in: AtomicBool::new(false),
            browser,
            refresh_cookie: OnceLock::new(),
            idempotency_key: None,
            services,
            shown: Arc::new(Showing::private()),
            loaders: Mutex::default(),
            selected: OnceLock::new(),
            resumes_after: None,
            began_after: SetOnce::new(),
            passes: Mutex::default(),
        }
    }

    /// The same for a request whose answer others may be given too, as long as what it shows is so.
    #[must_use]
    pub fn for_everybody(services: Services, client: Arc<Client>) -> Self {
        let mut context = Self::new(services, Actor::anonymous(client), None);
        context.shown = Arc::new(Showing::nothing());
        context
    }

    /// The moment up to which it sees everything, where that is not the present one.
    #[must_use]
    pub fn moment(&self) -> Option<Moment> {
        self.services.moment()
    }

    /// What its answer shows.
    #[must_use]
    pub fn shown(&self) -> &Showing {
        &self.shown
    }

    /// The same for a request that bears a key under which it happens once.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: Option<String>) -> Self {
        self.idempotency_key = key;
        self
    }

    /// The same for a client that resumes a subscription after this cursor, whatever its arguments say.
    #[must_use]
    pub fn resuming_after(mut self, cursor: Option<String>) -> Self {
        self.resumes_after = cursor;
        self
    }

    /// Waits for the cursor after which a subscription to events begins; for ever where there is none.
    pub async fn began_after(&self) -> &str {
        self.began_after.wait().await
    }

    /// Takes the cursor of the event that was answered last, where what is answered are events.
    #[must_use]
    pub fn take_passed(&self) -> Option<String> {
        let mut passes = self.passes.lock().unwrap_or_else(PoisonError::into_inner);
        passes.take()
    }

    /// Who is asking.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        self.granted.get().unwrap_or(&self.actor)
    }

    /// What is to become of the browser's refresh token, when it is not to stay as it is.
    #[must_use]
    pub fn refresh_cookie(&self) -> Option<&RefreshCookie> {
        self.refresh_cookie.get()
    }

    /// The browser that the request comes from.
    pub(super) const fn browser(&self) -> Option<&Browser> {
        self.browser.as_ref()
    }

    /// Decides what is to become of the browser's refresh token. The first decision stays.
    pub(super) fn set_refresh_cookie(&self, cookie: RefreshCookie) {
        let _ = self.refresh_cookie.set(cookie);
    }

    /// From now on the request is this actor's, who has just been signed in. The first one stays: the answer is one person's to see.
    pub(super) fn become_actor(&self, actor: Actor) {
        if self.granted.set(actor).is_ok() {
            self.renew();
        }
    }

    /// Takes the refresh token away that the browser brought, whose session has ended.
    pub(super) fn remove_refresh_cookie(&self) {
        let browser = self.browser();
        if browser.is_some_and(|page| page.is_trusted && page.refresh_token.is_some()) {
            self.set_refresh_cookie(RefreshCookie::Remove);
        }
    }

    /// Whether this is the request's first try to sign somebody in. It has one.
    pub(super) fn begins_to_sign_in(&self) -> bool {
        !self.signing_in.swap(true, Ordering::Relaxed)
    }

    /// The cursor after which the client resumes, unless its arguments are to say.
    pub(super) fn resumes_after(&self) -> Option<&str> {
        self.resumes_after.as_deref()
    }

    /// A subscription begins after this cursor.
    pub(super) fn begins_after(&self, cursor: String) {
        // An operation has one subscription.
        let _ = self.began_after.set(cursor);
    }

    /// The event with this cursor is about to be answered.
    pub(super) fn passes(&self, cursor: String) {
        *self.passes.lock().unwrap_or_else(PoisonError::into_inner) = Some(cursor);
    }

    /// The services.
    pub(super) const fn services(&self) -> &Services {
        &self.services
    }

    /// What loads relations in batches, for an operation that shows `selected`.
    pub(super) fn loaders(&self, selected: Selected) -> Arc<Loaders> {
        let mut loaders = self.loaders.lock().unwrap_or_else(PoisonError::into_inner);
        let made = loaders.get_or_insert_with(|| {
            Arc::new(Loaders::new(
                &self.services,
                self.actor(),
                selected,
                &self.shown,
            ))
        });
        Arc::clone(made)
    }

    /// Which columns the operation shows. The first to ask looks.
    pub(super) fn selects(&self, operation: &QueryEnv) -> Selected {
        *self.selected.get_or_init(|| Selected::of(operation))
    }

    /// Forgets what was loaded, so that a subscription's next event is read fresh.
    pub(super) fn renew(&self) {
        *self.loaders.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Short ways to what a resolver needs.
pub(super) trait ContextExt<'a> {
    /// The context of this request.
    fn request(&self) -> &'a Arc<RequestContext>;

    /// The services.
    fn services(&self) -> &'a Services {
        self.request().services()
    }

    /// Who is asking.
    fn actor(&self) -> &'a Actor {
        self.request().actor()
    }

    /// From where.
    fn client(&self) -> &'a Arc<Client> {
        self.request().actor.client()
    }

    /// What the answer shows.
    fn shown(&self) -> &'a Showing {
        &self.request().shown
    }

    /// The key under which a mutation happens once: its own or, without one, the request's. A request may have several mutations, so
    /// that its key is told apart by the name that each has in the answer.
    fn idempotency_key(&self, own: Option<String>) -> Option<String> {
        own.or_else(|| {
            let key = self.request().idempotency_key.as_deref()?;
            if key.is_empty() {
                return Some(String::new());
            }
            Some(sha256_hex(format!("{} {key}", self.name_in_answer())))
        })
    }

    /// The name that the present field has in the answer.
    fn name_in_answer(&self) -> String;

    /// What loads relations in batches.
    fn loaders(&self) -> Arc<Loaders> {
        self.request().loaders(self.selected())
    }

    /// Which columns the operation shows.
    fn selected(&self) -> Selected;
}

impl<'a> ContextExt<'a> for Context<'a> {
    fn request(&self) -> &'a Arc<RequestContext> {
        self.data_unchecked()
    }

    fn selected(&self) -> Selected {
        self.request().selects(self.query_env)
    }

    fn name_in_answer(&self) -> String {
        let field = self.field();
        field.alias().unwrap_or_else(|| field.name()).to_owned()
    }
}

//! What every resolver can reach: the services, who is asking, and the loaders of this request.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_graphql::Context;

use super::loaders::Loaders;
use crate::{
    domain::actor::{Actor, Client},
    service::Services,
};

/// Who is asking, from where, and what was loaded for them so far. One a request; one a subscription.
pub struct RequestContext {
    actor: Actor,
    /// Who was signed in by this very request: what its answer shows is theirs to see.
    granted: OnceLock<Actor>,
    client: Client,
    services: Services,
    loaders: Mutex<Arc<Loaders>>,
}

impl RequestContext {
    /// A context with nothing loaded yet.
    #[must_use]
    pub fn new(services: Services, actor: Actor, client: Client) -> Self {
        let loaders = Mutex::new(Arc::new(Loaders::new(&services, &actor)));
        Self {
            actor,
            granted: OnceLock::new(),
            client,
            services,
            loaders,
        }
    }

    /// Who is asking.
    fn actor(&self) -> &Actor {
        self.granted.get().unwrap_or(&self.actor)
    }

    /// From now on the request is this actor's, who has just been signed in. The first one stays: the answer is one person's to see.
    pub(super) fn become_actor(&self, actor: Actor) {
        if self.granted.set(actor).is_ok() {
            self.renew();
        }
    }

    /// Whether somebody was signed in by this request.
    pub(super) fn has_signed_in(&self) -> bool {
        self.granted.get().is_some()
    }

    /// Forgets what was loaded, so that a subscription's next event is read fresh.
    pub(super) fn renew(&self) {
        let fresh = Arc::new(Loaders::new(&self.services, self.actor()));
        *self.loaders.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
    }
}

/// Short ways to what a resolver needs.
pub(super) trait ContextExt<'a> {
    /// The context of this request.
    fn request(&self) -> &'a Arc<RequestContext>;

    /// The services.
    fn services(&self) -> &'a Services {
        &self.request().services
    }

    /// Who is asking.
    fn actor(&self) -> &'a Actor {
        self.request().actor()
    }

    /// From where.
    fn client(&self) -> &'a Client {
        &self.request().client
    }

    /// What loads relations in batches.
    fn loaders(&self) -> Arc<Loaders> {
        Arc::clone(
            &self
                .request()
                .loaders
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

impl<'a> ContextExt<'a> for Context<'a> {
    fn request(&self) -> &'a Arc<RequestContext> {
        self.data_unchecked()
    }
}

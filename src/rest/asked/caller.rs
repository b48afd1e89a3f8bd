//! Who asks, and what may happen once.

use std::sync::Arc;

use axum::{Extension, extract::FromRequestParts, http::request::Parts};

use crate::{
    domain::actor::{Actor, Client},
    rest::problem::Problem,
    service::{
        Services,
        error::{Error, signed_in},
    },
};

/// Whoever asks.
pub(in crate::rest) struct Anyone(pub(in crate::rest) Actor);

/// The services for a request that only reads, and what everybody may see.
pub(in crate::rest) struct Public(pub(in crate::rest) Services);

/// Somebody who is signed in; others are refused before anything else of the request is looked at.
pub(in crate::rest) struct Somebody(pub(in crate::rest) Actor);

impl Anyone {
    pub(in crate::rest) fn client(&self) -> &Arc<Client> {
        self.0.client()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Anyone {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // The edge puts it there for every request.
        let found = Extension::<Actor>::from_request_parts(parts, state).await;
        found
            .map(|Extension(actor)| Self(actor))
            .map_err(|missing| Error::Internal(anyhow::Error::new(missing)).into())
    }
}

impl FromRequestParts<Services> for Public {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, services: &Services) -> Result<Self, Problem> {
        let Anyone(actor) = Anyone::from_request_parts(parts, services).await?;
        Ok(Self(services.for_reading(&actor).await))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Somebody {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Anyone(actor) = Anyone::from_request_parts(parts, state).await?;
        signed_in(&actor)?;
        Ok(Self(actor))
    }
}

/// What the header `Idempotency-Key` says, as the IETF draft of that name has it: a string, with or without its quotes.
pub(in crate::rest) struct IdempotencyKey(pub(in crate::rest) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Ok(Self(None));
        };
        // What is no text is refused by whoever looks at the key.
        let text = String::from_utf8_lossy(value.as_bytes());
        let unquoted = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        Ok(Self(Some(unquoted.unwrap_or(&text).to_owned())))
    }
}

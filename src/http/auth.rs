//! Who is asking, from the bearer token of a request.

use std::sync::Arc;

use axum::http::{HeaderMap, header};

use crate::{
    domain::actor::{Actor, Client},
    service::{
        Services,
        error::{Error, Result},
    },
};

/// The actor of a request. No token is a signed-out caller; a token that is not good refuses the whole request, so that a client knows
/// to take a new one.
pub(super) async fn actor(
    services: &Services,
    headers: &HeaderMap,
    client: Arc<Client>,
) -> Result<Actor> {
    match headers.get(header::AUTHORIZATION) {
        None => Ok(Actor::anonymous(client)),
        Some(value) => {
            let token = value
                .to_str()
                .ok()
                .and_then(bearer)
                .ok_or(Error::Unauthenticated)?;
            let admitted = services.sessions.authenticate(token, &client).await?;
            Ok(admitted.actor)
        }
    }
}

/// The token of `Bearer <token>` (RFC 6750; the scheme's case does not matter).
pub(super) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn only_a_bearer_token_is_one() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("abc"), None);
    }
}

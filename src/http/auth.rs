//! Who is asking, from the bearer token of a request.

use std::sync::Arc;

use async_graphql::ServerError;
use axum::http::{HeaderMap, header};

use super::operation::refused;
use crate::{
    domain::actor::Client,
    service::{
        Services,
        error::{Error, Result},
        sessions::Admitted,
    },
};

/// Who is let in by a request's token. No token is a signed-out caller; a token that is not good refuses the whole request, so that a
/// client knows to take a new one.
pub(super) async fn admitted(
    services: &Services,
    headers: &HeaderMap,
    client: &Arc<Client>,
) -> Result<Option<Admitted>> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let token = value
        .to_str()
        .ok()
        .and_then(bearer)
        .ok_or(Error::Unauthenticated)?;
    services
        .sessions
        .authenticate(token, client)
        .await
        .map(Some)
}

/// What whoever brings a token is told that is not good.
pub(super) fn not_good() -> ServerError {
    let message = "This access token is not good any more; take a new one.";
    refused("UNAUTHENTICATED", message)
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

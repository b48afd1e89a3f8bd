//! The coarse first gate on fields: is anyone signed in, and in which role. Whose things they are is decided by the services.

use async_graphql::{Context, Guard, Result};

use super::{
    context::ContextExt as _,
    errors::{coded, fail},
};
use crate::{domain::people::Role, service::error::Error};

/// Somebody is signed in.
pub(super) struct SignedIn;

impl Guard for SignedIn {
    async fn check(&self, ctx: &Context<'_>) -> Result<()> {
        ctx.actor()
            .signed_in()
            .map(|_| ())
            .ok_or_else(|| fail(Error::Unauthenticated))
    }
}

/// Somebody is signed in, in this role.
pub(super) struct Has(pub(super) Role);

impl Guard for Has {
    async fn check(&self, ctx: &Context<'_>) -> Result<()> {
        let user = ctx
            .actor()
            .signed_in()
            .ok_or_else(|| fail(Error::Unauthenticated))?;
        if user.role == self.0 {
            Ok(())
        } else {
            Err(coded("FORBIDDEN", "This needs another role."))
        }
    }
}

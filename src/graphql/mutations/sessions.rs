//! Signing in and out, and staying signed in.

use std::future::Future;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use crate::{
    graphql::{
        context::{ContextExt as _, RefreshCookie},
        errors::{UserError, coded, fail, outcome},
        global_id,
        guards::SignedIn,
        scalars::DateTime,
        types::person::Viewer,
    },
    service::{
        error::{self, Error},
        sessions::Grant,
    },
};

/// Who wants in.
#[derive(InputObject)]
pub(in crate::graphql) struct SignInInput {
    /// The account's mail address.
    email: String,
    /// The account's password.
    password: String,
    /// For browsers: keep the refresh token in a cookie that no script can read (HttpOnly, Secure, SameSite=Strict), and leave it out of the
    /// payload. Only over HTTP, and for pages of this host or of a configured origin.
    #[graphql(default)]
    keep_in_cookie: bool,
}

/// What keeps a device signed in.
#[derive(InputObject)]
pub(in crate::graphql) struct RefreshSessionInput {
    /// The newest refresh token; each is good for one use. Left out by browsers that hold it as a cookie.
    refresh_token: Option<String>,
}

/// A signed-in device's tokens.
#[derive(SimpleObject)]
pub(in crate::graphql) struct SessionPayload {
    /// For the `Authorization: Bearer` header, and for `connection_init`.
    access_token: Option<String>,
    /// When the access token lapses; take new ones before.
    access_token_expires_at: Option<DateTime>,
    /// For `refreshSession`, once. None when it is kept in a cookie.
    refresh_token: Option<String>,
    /// Who is signed in.
    viewer: Option<Viewer>,
    /// What the caller can mend; empty when it was done.
    user_errors: Vec<UserError>,
}

impl SessionPayload {
    /// Runs what signs somebody in, and makes the rest of the request theirs.
    pub(super) async fn of(
        ctx: &Context<'_>,
        keep_in_cookie: bool,
        sign_in: impl Future<Output = error::Result<Grant>>,
    ) -> Result<Self> {
        let request = ctx.request();
        if !request.begins_to_sign_in() {
            let message = "One request tries to sign in once.";
            return Err(coded("BAD_USER_INPUT", message));
        }
        if keep_in_cookie && !request.browser().is_some_and(|page| page.is_trusted) {
            let message = "A refresh token is kept in a cookie only over HTTP, for pages of this host or of a configured origin.";
            return Err(coded("BAD_USER_INPUT", message));
        }
        let (grant, user_errors) = outcome(sign_in.await)?;
        let Some(grant) = grant else {
            return Ok(Self {
                access_token: None,
                access_token_expires_at: None,
                refresh_token: None,
                viewer: None,
                user_errors,
            });
        };
        request.become_actor(grant.actor.clone());
        let refresh_token = if keep_in_cookie {
            request.set_refresh_cookie(RefreshCookie::Keep {
                token: grant.refresh_token,
                until: grant.refresh_token_expires_at,
            });
            None
        } else {
            Some(grant.refresh_token)
        };
        Ok(Self {
            access_token: Some(grant.access_token),
            access_token_expires_at: Some(DateTime(grant.access_token_expires_at)),
            refresh_token,
            viewer: Some(Viewer::new(grant.user, grant.actor)),
            user_errors,
        })
    }
}

/// Whether it was done.
#[derive(SimpleObject)]
pub(in crate::graphql) struct SignOutPayload {
    /// What the caller can mend; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Signing in and out, and staying signed in.
#[derive(Default)]
pub(in crate::graphql) struct SessionMutations;

#[Object]
impl SessionMutations {
    /// Signs a device in. After many wrong passwords it is refused for a while, with `RATE_LIMITED` and the seconds to wait in `retryAfter`.
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who wants in.")] input: SignInInput,
    ) -> Result<SessionPayload> {
        let client = ctx.client();
        let sessions = &ctx.services().sessions;
        let sign_in = Box::pin(sessions.sign_in(&input.email, input.password, client));
        SessionPayload::of(ctx, input.keep_in_cookie, sign_in).await
    }

    /// Rotates the refresh token; a token used twice ends its whole session. The same client may use one again within some seconds, as
    /// two tabs do that share it, and is given the same new one.
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What keeps the device signed in.")] input: RefreshSessionInput,
    ) -> Result<SessionPayload> {
        let (client, request) = (ctx.client(), ctx.request());
        let sessions = &ctx.services().sessions;
        if let Some(token) = input.refresh_token {
            let refresh = Box::pin(sessions.refresh(&token, client));
            return SessionPayload::of(ctx, false, refresh).await;
        }
        // A page that may not use the cookie is told no more than that it is not signed in.
        let token = request
            .browser()
            .filter(|page| page.is_trusted)
            .and_then(|page| page.refresh_token.clone())
            .ok_or_else(|| fail(Error::Unauthenticated))?;
        let refresh = Box::pin(async {
            let refreshed = sessions.refresh(&token, client).await;
            // After any other failure the token is as good as before.
            if matches!(refreshed, Err(Error::Unauthenticated)) {
                request.set_refresh_cookie(RefreshCookie::Remove);
            }
            refreshed
        });
        SessionPayload::of(ctx, true, refresh).await
    }

    /// Ends this session, or every session of the viewer; its access tokens are refused from then on.
    #[graphql(guard = "SignedIn")]
    async fn sign_out(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "End every session of the viewer.", default = false)] everywhere: bool,
    ) -> Result<SignOutPayload> {
        let sessions = &ctx.services().sessions;
        let (_, user_errors) = outcome(sessions.sign_out(ctx.actor(), everywhere).await)?;
        ctx.request().remove_refresh_cookie();
        Ok(SignOutPayload { user_errors })
    }

    /// Ends one of the viewer's sessions, such as that of a lost phone.
    #[graphql(guard = "SignedIn")]
    async fn revoke_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session.")] id: ID,
    ) -> Result<SignOutPayload> {
        let revoked = async {
            let id = global_id::parse("id", &id)?;
            ctx.services().sessions.revoke(ctx.actor(), id).await
        };
        let (_, user_errors) = outcome(revoked.await)?;
        Ok(SignOutPayload { user_errors })
    }
}

//! Signing up, in and out.

use std::future::Future;

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use crate::{
    domain::people::NewPerson,
    graphql::{
        context::ContextExt as _,
        errors::{UserError, coded, outcome},
        guards::SignedIn,
        scalars::DateTime,
        types::person::{Role, Viewer},
    },
    service::{error, sessions::Grant},
};

/// A new account.
#[derive(InputObject)]
pub(in crate::graphql) struct SignUpInput {
    /// The name shown to everyone; at most 100 characters.
    full_name: String,
    /// What one signs in with.
    email: String,
    /// 8 to 128 characters.
    password: String,
    /// GUEST or HOST. A guest may turn host later.
    #[graphql(default_with = "Role::Guest")]
    role: Role,
}

/// Who wants in.
#[derive(InputObject)]
pub(in crate::graphql) struct SignInInput {
    /// The account's mail address.
    email: String,
    /// The account's password.
    password: String,
}

/// What keeps a device signed in.
#[derive(InputObject)]
pub(in crate::graphql) struct RefreshSessionInput {
    /// The newest refresh token; each is good for one use.
    refresh_token: Option<String>,
}

/// A signed-in device's tokens.
#[derive(SimpleObject)]
pub(in crate::graphql) struct SessionPayload {
    /// For the `Authorization: Bearer` header, and for `connection_init`.
    access_token: Option<String>,
    /// When the access token lapses; take new ones before.
    access_token_expires_at: Option<DateTime>,
    /// For `refreshSession`, once.
    refresh_token: Option<String>,
    /// Who is signed in.
    viewer: Option<Viewer>,
    /// What the caller can mend; empty when it was done.
    user_errors: Vec<UserError>,
}

impl SessionPayload {
    /// Runs what signs somebody in, and makes the rest of the request theirs.
    async fn of(
        ctx: &Context<'_>,
        sign_in: impl Future<Output = error::Result<Grant>>,
    ) -> Result<Self> {
        if ctx.request().has_signed_in() {
            return Err(coded("BAD_USER_INPUT", "One request signs in one person."));
        }
        let (grant, user_errors) = outcome(sign_in.await)?;
        if let Some(grant) = &grant {
            ctx.request().become_actor(grant.actor.clone());
        }
        Ok(match grant {
            None => Self {
                access_token: None,
                access_token_expires_at: None,
                refresh_token: None,
                viewer: None,
                user_errors,
            },
            Some(grant) => Self {
                access_token: Some(grant.access_token),
                access_token_expires_at: Some(DateTime(grant.access_token_expires_at)),
                refresh_token: Some(grant.refresh_token),
                viewer: Some(Viewer::new(grant.user, grant.actor)),
                user_errors,
            },
        })
    }
}

/// Whether it was done.
#[derive(SimpleObject)]
pub(in crate::graphql) struct SignOutPayload {
    /// What the caller can mend; empty when it was done.
    user_errors: Vec<UserError>,
}

/// The viewer after the change.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ViewerPayload {
    /// None when it was not done.
    viewer: Option<Viewer>,
    /// What the caller can mend; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Signing up, in and out.
#[derive(Default)]
pub(in crate::graphql) struct PeopleMutations;

#[Object]
impl PeopleMutations {
    /// Makes an account and signs it in.
    async fn sign_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new account.")] input: SignUpInput,
    ) -> Result<SessionPayload> {
        let made = async {
            let person = NewPerson::parse(
                &input.full_name,
                &input.email,
                input.password,
                input.role.into(),
            )?;
            let user = ctx.services().people.sign_up(person).await?;
            ctx.services().sessions.begin(user, ctx.client()).await
        };
        SessionPayload::of(ctx, made).await
    }

    /// Signs a device in.
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who wants in.")] input: SignInInput,
    ) -> Result<SessionPayload> {
        let sessions = &ctx.services().sessions;
        SessionPayload::of(
            ctx,
            sessions.sign_in(&input.email, input.password, ctx.client()),
        )
        .await
    }

    /// Rotates the refresh token; a token used twice ends its whole session.
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What keeps the device signed in.")] input: RefreshSessionInput,
    ) -> Result<SessionPayload> {
        let token = input.refresh_token.unwrap_or_default();
        SessionPayload::of(ctx, ctx.services().sessions.refresh(&token)).await
    }

    /// Ends this session, or every session of the viewer; its access tokens are refused from then on.
    #[graphql(guard = "SignedIn")]
    async fn sign_out(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "End every session of the viewer.", default = false)] everywhere: bool,
    ) -> Result<SignOutPayload> {
        let (_, user_errors) = outcome(
            ctx.services()
                .sessions
                .sign_out(ctx.actor(), everywhere)
                .await,
        )?;
        Ok(SignOutPayload { user_errors })
    }

    /// A guest turns host.
    #[graphql(guard = "SignedIn")]
    async fn become_host(&self, ctx: &Context<'_>) -> Result<ViewerPayload> {
        let (user, user_errors) = outcome(ctx.services().people.become_host(ctx.actor()).await)?;
        Ok(ViewerPayload {
            viewer: user.map(|user| Viewer::new(user, ctx.actor().clone())),
            user_errors,
        })
    }
}

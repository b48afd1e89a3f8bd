//! One's own account: made, changed, and shown to be one's own.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use super::{properties::DeletedPayload, sessions::SessionPayload};
use crate::{
    domain::people::{NewPerson, ProfileChange},
    entity::user,
    graphql::{
        context::ContextExt as _,
        errors::{UserError, outcome},
        global_id::GlobalId,
        guards::SignedIn,
        types::person::{Role, Viewer},
    },
    service::{error, seen::Seen},
};

/// A new account.
#[derive(InputObject)]
pub(in crate::graphql) struct SignUpInput {
    /// The name shown to everyone; at most 100 characters.
    full_name: String,
    /// What one signs in with. It is sent a link that verifies it.
    email: String,
    /// 8 to 128 characters, and none of those that are guessed first.
    password: String,
    /// GUEST or HOST. A guest may turn host later.
    #[graphql(default_with = "Role::Guest")]
    role: Role,
    /// For browsers: keep the refresh token in a cookie that no script can read; see `SignInInput`.
    #[graphql(default)]
    keep_in_cookie: bool,
}

/// What is to be changed of one's account; what is left out stays.
#[derive(InputObject)]
pub(in crate::graphql) struct UpdateProfileInput {
    /// The name shown to everyone; at most 100 characters.
    full_name: Option<String>,
    /// Another mail address. It is sent a link, and takes the place of the old one once `verifyEmail` brings that link's token. The present
    /// address, while it is not verified, is sent a new link.
    email: Option<String>,
    /// Needed for another mail address, unless this device signed in within the last 15 minutes.
    current_password: Option<String>,
}

/// Another password, by who knows the present one.
#[derive(InputObject)]
pub(in crate::graphql) struct ChangePasswordInput {
    /// The present password.
    current_password: String,
    /// 8 to 128 characters, and none of those that are guessed first.
    new_password: String,
}

/// Whose password was forgotten.
#[derive(InputObject)]
pub(in crate::graphql) struct RequestPasswordResetInput {
    /// The account's mail address.
    email: String,
}

/// Another password, by who reads the account's mail.
#[derive(InputObject)]
pub(in crate::graphql) struct ResetPasswordInput {
    /// From the mailed link; good for 30 minutes, and once.
    token: String,
    /// 8 to 128 characters, and none of those that are guessed first.
    new_password: String,
    /// For browsers: keep the refresh token in a cookie that no script can read; see `SignInInput`.
    #[graphql(default)]
    keep_in_cookie: bool,
}

/// What shows that a mail address is read.
#[derive(InputObject)]
pub(in crate::graphql) struct VerifyEmailInput {
    /// From the mailed link; good for 24 hours, and once.
    token: String,
}

/// The viewer after the change.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ViewerPayload {
    /// None when it was not done, and for a caller who is not signed in as that person.
    viewer: Option<Viewer>,
    /// What the caller can mend; empty when it was done.
    user_errors: Vec<UserError>,
}

impl ViewerPayload {
    fn of(ctx: &Context<'_>, changed: error::Result<user::Model>) -> Result<Self> {
        let (user, user_errors) = outcome(changed)?;
        let actor = ctx.actor();
        let viewer = user
            .filter(|user| actor.is(user.user_id))
            .map(|user| Viewer::new(user, actor.clone()));
        Ok(Self {
            viewer,
            user_errors,
        })
    }
}

/// That the request was taken.
#[derive(SimpleObject)]
pub(in crate::graphql) struct AcknowledgedPayload {
    /// What the caller can mend; empty when it was taken.
    user_errors: Vec<UserError>,
}

/// One's own account.
#[derive(Default)]
pub(in crate::graphql) struct AccountMutations;

#[Object]
impl AccountMutations {
    /// Makes an account and signs it in.
    async fn sign_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new account.")] input: SignUpInput,
    ) -> Result<SessionPayload> {
        let client = ctx.client();
        let made = Box::pin(async {
            let person = NewPerson::parse(
                &input.full_name,
                &input.email,
                input.password,
                input.role.into(),
            )?;
            let services = ctx.services();
            let user = services.people.sign_up(person, client).await?;
            services.sessions.begin(user, client).await
        });
        SessionPayload::of(ctx, input.keep_in_cookie, made).await
    }

    /// Changes one's account. Another mail address must be verified before it takes the place of the old one.
    #[graphql(guard = "SignedIn")]
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to be changed.")] input: UpdateProfileInput,
    ) -> Result<ViewerPayload> {
        let changed = async {
            let change = ProfileChange::parse(
                input.full_name.as_deref(),
                input.email.as_deref(),
                input.current_password,
            )?;
            ctx.services()
                .people
                .update_profile(ctx.actor(), change, Seen::whatever())
                .await
        };
        ViewerPayload::of(ctx, changed.await)
    }

    /// Changes one's password, ends one's other sessions, and takes back a change of address that waits.
    #[graphql(guard = "SignedIn")]
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The present password and the new one.")] input: ChangePasswordInput,
    ) -> Result<ViewerPayload> {
        let people = &ctx.services().people;
        let changed =
            people.change_password(ctx.actor(), input.current_password, input.new_password);
        ViewerPayload::of(ctx, changed.await)
    }

    /// Sends a link to a new password, if anybody has this mail address. Whether anybody does, is not told.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose password was forgotten.")] input: RequestPasswordResetInput,
    ) -> Result<AcknowledgedPayload> {
        let people = &ctx.services().people;
        let asked = people.request_password_reset(&input.email, ctx.client());
        let (_, user_errors) = outcome(asked.await)?;
        Ok(AcknowledgedPayload { user_errors })
    }

    /// Chooses a new password by a mailed link, ends every session, and signs this device in.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The link's token and the new password.")] input: ResetPasswordInput,
    ) -> Result<SessionPayload> {
        let client = ctx.client();
        let reset = Box::pin(async {
            let services = ctx.services();
            let user = services
                .people
                .reset_password(&input.token, input.new_password, client)
                .await?;
            services.sessions.begin(user, client).await
        });
        SessionPayload::of(ctx, input.keep_in_cookie, reset).await
    }

    /// Shows that a mail address is read, by a mailed link. It needs no sign-in: the link may be opened on another device.
    async fn verify_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The link's token.")] input: VerifyEmailInput,
    ) -> Result<ViewerPayload> {
        let people = &ctx.services().people;
        let verified = people.verify_email(ctx.actor(), &input.token, ctx.client());
        ViewerPayload::of(ctx, verified.await)
    }

    /// Deletes one's account, for good: name, mail address, password, sessions, imported and published calendars go, and what one lists is deleted.
    /// Bookings, payments and reviews stay, of a "Former member". The address may sign up anew.
    ///
    /// For a device that signed in within the last 15 minutes; refused while bookings stand, as guest or as host, and while money is on its way.
    #[graphql(guard = "SignedIn")]
    async fn delete_account(&self, ctx: &Context<'_>) -> Result<DeletedPayload> {
        let (actor, people) = (ctx.actor(), &ctx.services().people);
        let deleted = async { people.erase(actor, error::signed_in(actor)?.user_id).await };
        let (deleted, user_errors) = outcome(deleted.await)?;
        if deleted.is_some() {
            ctx.request().remove_refresh_cookie();
        }
        Ok(DeletedPayload::of(deleted.map(GlobalId::User), user_errors))
    }

    /// A guest turns host.
    #[graphql(guard = "SignedIn")]
    async fn become_host(&self, ctx: &Context<'_>) -> Result<ViewerPayload> {
        ViewerPayload::of(ctx, ctx.services().people.become_host(ctx.actor()).await)
    }
}

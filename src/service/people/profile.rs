//! Changing one's own account, and showing that a mail address is read.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _, sea_query::Expr,
};

use super::{People, mailed, passwords::CURRENT_PASSWORD, taken};
use crate::{
    domain::{
        actor::{Actor, Client},
        audit::{Action, Subject},
        freshness::Tag,
        ids::UserId,
        people::{MailedFor, ProfileChange},
        problem::{Problem, ProblemCode},
    },
    entity::{
        session,
        user::{Column, Entity, Model},
    },
    service::{
        changes::Changes,
        error::{Error, Result, signed_in},
        mails::Mail,
        queue,
        seen::Seen,
        tries,
    },
    store::db::{Tx, is_unique_violation},
};

/// For how long after a sign-in its password counts as shown.
const JUST_NOW: Duration = Duration::minutes(15);

impl People {
    /// Changes the caller's account. Another mail address is taken over once a link that is sent to it comes back by [`Self::verify_email`];
    /// until then the old one stays. The present address, when it is not verified, is sent a new link.
    ///
    /// # Errors
    /// `TAKEN` when somebody has the address; `REQUIRED` and `WRONG_CREDENTIALS` for the current password, which another address needs
    /// unless the caller signed in within the last 15 minutes; [`Error::Changed`] for an account that is not as the caller has `seen` it;
    /// [`Error::TooMany`] after too many mails.
    pub async fn update_profile(
        &self,
        actor: &Actor,
        change: ProfileChange,
        seen: Seen<'_, Model>,
    ) -> Result<Model> {
        let caller = signed_in(actor)?.user_id;
        if let Some(email) = &change.email {
            tries::verify_mail(&self.0, caller, email).await?;
        }
        let knows_password = change.current_password.is_some();
        if let Some(typed) = change.current_password {
            self.must_know_password(actor, typed).await?;
        }
        let now = self.0.clock.now();
        let mut changes = Changes::by(actor);
        let tx = self.0.db.begin().await?;
        let user = lock(&tx, caller).await?.ok_or(Error::Unauthenticated)?;
        seen.must_be(&user)?;
        let mut update = Entity::update_many().filter(Column::UserId.eq(caller));
        update = update.col_expr(
            Column::FullName,
            Expr::val(change.full_name.unwrap_or(user.full_name)),
        );
        if let Some(email) = change.email {
            let new_email = email.as_str().to_owned();
            let is_another = new_email != user.email;
            if is_another {
                let owner = Entity::find().filter(Column::Email.eq(&new_email));
                if owner.one(&*tx).await?.is_some() {
                    return Err(taken("email").into());
                }
                // An access token that was stolen is not enough to take the account over.
                if !knows_password && !signed_in_just_now(&tx, actor, now).await? {
                    let message = "Give your current password, or sign in again.";
                    return Err(
                        Problem::new(CURRENT_PASSWORD, ProblemCode::Required, message).into(),
                    );
                }
                // An address that nobody has shown to read may be a stranger's.
                if user.email_verified_at.is_some() {
                    let mail = Mail::EmailChanging {
                        user_id: caller,
                        to: user.email.clone(),
                        new_email: new_email.clone(),
                    };
                    queue::enqueue(&tx, &mail, now).await?;
                }
            }
            if is_another || user.email_verified_at.is_none() {
                let mail = Mail::VerifyEmail {
                    user_id: caller,
                    to: new_email.clone(),
                };
                queue::enqueue(&tx, &mail, now).await?;
            }
            // Links that went out before are not good any more.
            mailed::spend_all(&tx, caller, now).await?;
            let pending = is_another.then_some(new_email);
            update = update.col_expr(Column::PendingEmail, Expr::val(pending));
        }
        update.exec(&*tx).await?;
        changes.record(Action::ProfileUpdated, Subject::User(caller));
        changes.shown([Tag::Person(caller)]);
        changes.commit(tx, &self.0).await?;
        self.own(actor).await
    }

    /// Takes a mailed link's secret: its reader has the address. Gives whose it is; whoever brings the secret need not be signed in.
    ///
    /// # Errors
    /// `INVALID` for a secret that is none, was used or has lapsed; `TAKEN` when somebody else has the address by now.
    pub async fn verify_email(
        &self,
        actor: &Actor,
        token: &str,
        client: &Arc<Client>,
    ) -> Result<Model> {
        tries::mailed_token(&self.0, client).await?;
        let now = self.0.clock.now();
        let mut changes = Changes::by(actor);
        let mailed = mailed::find(&self.0, token, MailedFor::VerifyEmail, now).await?;
        let tx = self.0.db.begin().await?;
        let user = lock(&tx, mailed.user_id).await?;
        let user = user
            .filter(|user| user.suspended_at.is_none())
            .ok_or_else(mailed::no_good)?;
        mailed::spend(&tx, &mailed, now).await?;
        let mut update = Entity::update_many()
            .col_expr(Column::EmailVerifiedAt, Expr::val(now))
            .filter(Column::UserId.eq(user.user_id));
        if user.pending_email.as_deref() == Some(&mailed.email) {
            update = update
                .col_expr(Column::Email, Expr::val(&mailed.email))
                .col_expr(Column::PendingEmail, Expr::val(None::<String>));
            // A link to a new password went to the old address.
            mailed::spend_all(&tx, user.user_id, now).await?;
            let mail = Mail::EmailChanged {
                user_id: user.user_id,
                to: user.email,
                new_email: mailed.email,
            };
            queue::enqueue(&tx, &mail, now).await?;
        } else if user.email != mailed.email {
            return Err(mailed::no_good().into());
        }
        update.exec(&*tx).await.map_err(|error| {
            if is_unique_violation(&error) {
                taken("token").into()
            } else {
                Error::from(error)
            }
        })?;
        changes.record(Action::EmailVerified, Subject::User(user.user_id));
        changes.commit(tx, &self.0).await?;
        self.find(user.user_id).await
    }
}

/// Locks the row of a person who has not gone until the transaction ends, also against whoever only refers to the person: another mail address
/// takes that lock anyway, as it is unique, and who came in between would be waited for while waiting.
pub(super) async fn lock(tx: &Tx, id: UserId) -> Result<Option<Model>> {
    let user = Entity::find_by_id(id).filter(Column::ErasedAt.is_null());
    Ok(user.lock_exclusive().one(&**tx).await?)
}

/// Whether the caller's device was signed in within the last 15 minutes.
pub(super) async fn signed_in_just_now(tx: &Tx, actor: &Actor, now: DateTime<Utc>) -> Result<bool> {
    let session = session::Entity::find_by_id(signed_in(actor)?.session_id)
        .filter(session::Column::CreatedAt.gt(now - JUST_NOW))
        .one(&**tx)
        .await?;
    Ok(session.is_some())
}

//! Choosing another password: by who knows the old one, or reads the account's mail.

use std::sync::Arc;

use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, sea_query::Expr};

use super::{People, mailed};
use crate::{
    domain::{
        actor::{Actor, Client},
        audit::{Action, Outcome, Subject},
        password::Password,
        people::{Email, MailedFor},
        problem::{Problem, ProblemCode},
    },
    entity::user::{Column, Entity, Model},
    service::{
        changes::Changes,
        error::{Error, Result, signed_in},
        mails::Mail,
        queue,
        sessions::{Which, end_sessions},
        suspicion, tries,
    },
};

/// The field of the password that is in force.
pub(super) const CURRENT_PASSWORD: &str = "currentPassword";

impl People {
    /// Changes the caller's password, ends the caller's other sessions, and takes back a change of address that waits.
    ///
    /// # Errors
    /// `WRONG_CREDENTIALS` when the current one is not right, `INVALID` for a new one that breaks a rule.
    pub async fn change_password(
        &self,
        actor: &Actor,
        current: String,
        new: String,
    ) -> Result<Model> {
        let caller = signed_in(actor)?;
        let user = self.must_know_password(actor, current).await?;
        let new = new_password(new, &user)?;
        let new_hash = self.0.passwords.hash(new).await?;
        let now = self.0.clock.now();
        let mut changes = Changes::by(actor);
        let tx = self.0.db.begin().await?;
        let written = Entity::update_many()
            .col_expr(Column::PasswordHash, Expr::val(new_hash))
            .col_expr(Column::PendingEmail, Expr::val(None::<String>))
            .filter(Column::UserId.eq(user.user_id))
            .filter(Column::PasswordHash.eq(&user.password_hash))
            .exec(&*tx)
            .await?;
        if written.rows_affected == 0 {
            return Err(Problem::wrong_state("The password was changed in the meantime.").into());
        }
        end_sessions(&tx, user.user_id, now, Which::AllBut(caller.session_id)).await?;
        // Whoever else was in the account may have asked for a link.
        mailed::spend_all(&tx, user.user_id, now).await?;
        queue::enqueue(&tx, &Mail::PasswordChanged(user.user_id, now), now).await?;
        changes.record(Action::PasswordChanged, Subject::User(user.user_id));
        changes.sessions_of(user.user_id);
        changes.commit(tx, &self.0).await?;
        self.own(actor).await
    }

    /// The caller's account, when the caller has typed its password. A wrong one is an act of the audit log, and counts as a guess.
    ///
    /// # Errors
    /// `WRONG_CREDENTIALS` for a wrong one; [`Error::TooMany`] after too many.
    pub(super) async fn must_know_password(&self, actor: &Actor, typed: String) -> Result<Model> {
        let user = self.own(actor).await?;
        tries::password_change(&self.0, user.user_id).await?;
        let hash = Some(user.password_hash.clone());
        let right = match Password::typed(typed) {
            Some(typed) => self.0.passwords.verify(typed, hash).await?,
            None => false,
        };
        if right {
            return Ok(user);
        }
        let mut changes = Changes::by(actor);
        changes.note(
            Action::PasswordChecked,
            Subject::User(user.user_id),
            Outcome::Refused,
            Some("wrong credentials".to_owned()),
        );
        changes.commit(self.0.db.begin().await?, &self.0).await?;
        let (email, client) = (&user.email, actor.client());
        suspicion::failed_sign_in(&self.0, email, Some(user.user_id), client).await;
        let message = "This is not your current password.";
        Err(Problem::new(CURRENT_PASSWORD, ProblemCode::WrongCredentials, message).into())
    }

    /// Sends a link to a new password to this address, if somebody has it. Whether anybody does shows neither in the answer nor in its time:
    /// it is looked up when the letter is written.
    ///
    /// # Errors
    /// `INVALID` for what is no mail address; [`Error::TooMany`] after too many requests from one network.
    pub async fn request_password_reset(&self, email: &str, client: &Arc<Client>) -> Result<()> {
        let email = Email::parse("email", email)?;
        tries::reset_request(&self.0, client).await?;
        let may_be_sent = tries::reset_mail(&self.0, &email).await;
        let mut changes = Changes::by(&Actor::anonymous(Arc::clone(client)));
        changes.record(Action::PasswordResetRequested, Subject::None);
        let tx = self.0.db.begin().await?;
        if may_be_sent {
            let mail = Mail::ResetPassword(email.as_str().to_owned());
            queue::enqueue(&tx, &mail, self.0.clock.now()).await?;
        }
        changes.commit(tx, &self.0).await
    }

    /// Chooses a new password by a mailed secret, ends all sessions, and takes back a change of address that waits. Gives whose it was, who has now shown to read that address.
    ///
    /// # Errors
    /// `INVALID` for a secret that is none, was used or has lapsed, and for a password that breaks a rule; the secret is not spent then.
    pub async fn reset_password(
        &self,
        token: &str,
        new: String,
        client: &Arc<Client>,
    ) -> Result<Model> {
        tries::mailed_token(&self.0, client).await?;
        let now = self.0.clock.now();
        // Looked at before anything is hashed, so that made-up secrets cost nothing.
        let mailed = mailed::find(&self.0, token, MailedFor::ResetPassword, now).await?;
        let user = Entity::find_by_id(mailed.user_id)
            .one(self.0.db.read())
            .await?
            .filter(|user| user.email == mailed.email && user.suspended_at.is_none())
            .ok_or_else(mailed::no_good)?;
        let new = new_password(new, &user)?;
        let new_hash = self.0.passwords.hash(new).await?;
        let mut changes = Changes::by(&Actor::anonymous(Arc::clone(client)));
        let tx = self.0.db.begin().await?;
        let verified_at = user.email_verified_at.unwrap_or(now);
        let written = Entity::update_many()
            .col_expr(Column::PasswordHash, Expr::val(new_hash))
            .col_expr(Column::EmailVerifiedAt, Expr::val(verified_at))
            .col_expr(Column::PendingEmail, Expr::val(None::<String>))
            .filter(Column::UserId.eq(user.user_id))
            // Not for an address that is not this person's any more.
            .filter(Column::Email.eq(&mailed.email))
            .filter(Column::SuspendedAt.is_null())
            .exec(&*tx)
            .await?;
        if written.rows_affected == 0 {
            return Err(mailed::no_good().into());
        }
        end_sessions(&tx, user.user_id, now, Which::All).await?;
        mailed::spend(&tx, &mailed, now).await?;
        mailed::spend_all(&tx, user.user_id, now).await?;
        queue::enqueue(&tx, &Mail::PasswordChanged(user.user_id, now), now).await?;
        changes.record(Action::PasswordReset, Subject::User(user.user_id));
        changes.sessions_of(user.user_id);
        changes.commit(tx, &self.0).await?;
        tries::clear(&self.0, &user.email).await;
        self.find(user.user_id).await
    }
}

fn new_password(raw: String, user: &Model) -> Result<Password> {
    let password = Password::parse("newPassword", raw)?;
    if password.is_like(&[&user.email, &user.full_name]) {
        let message = "A password is not one's own name or mail address.";
        return Err(Error::from(Problem::invalid("newPassword", message)));
    }
    Ok(password)
}

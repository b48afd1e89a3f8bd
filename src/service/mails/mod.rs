//! Mail to people. A use case leaves a [`Mail`] in its transaction; a worker writes the letter and sends it.
//!
//! Secrets never wait in the table: a link's secret is made when its letter is written, and only its hash is kept. A letter that is tried
//! again has a new one. Nor does anything else that a letter says: it is read when the letter is written, and one that is no longer
//! true is not sent.

mod booking;
pub(super) mod feed_conflicts;
pub mod letter;
pub(super) mod news;
mod page;
mod taken_back;

pub(super) use taken_back::take_back;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use self::{
    feed_conflicts::FeedConflicts,
    letter::Letter,
    news::{News, Party},
};
use super::{
    Parts,
    error::{Error, Result},
    people_rows,
    queue::{self, Claim, Tried, Work},
};
use crate::{
    domain::{
        ids::{BookingId, UserId},
        people::MailedFor,
    },
    entity::{mailed_token, user},
    store::{
        mail::{MailError, Message},
        tokens::refresh::new_mailed_token,
    },
};

/// Mail to people.
#[derive(Clone)]
pub struct Mails(pub(super) Arc<Parts>);

/// A mail that is to be sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Mail {
    /// Show that you read this address.
    VerifyEmail { user_id: UserId, to: String },
    /// Choose a new password. It goes to whoever has this address, if anybody does: who asks for it does not learn that.
    ResetPassword(String),
    /// Your password was changed.
    PasswordChanged(UserId, DateTime<Utc>),
    /// Somebody wants another address for your account. To the old one.
    EmailChanging {
        user_id: UserId,
        to: String,
        new_email: String,
    },
    /// Your account has another address now. To the old one.
    EmailChanged {
        user_id: UserId,
        to: String,
        new_email: String,
    },
    /// Your account is suspended.
    Suspended(UserId),
    /// Your account was deleted. Nothing but this address is left of it.
    Erased { to: String },
    /// A calendar of another platform takes nights that are booked here. To the host.
    FeedConflicts(UserId, FeedConflicts),
    /// Something suspicious goes on. To an admin.
    Alert {
        to: String,
        cause: String,
        detail: String,
        at: DateTime<Utc>,
    },
    /// Something became of a booking.
    Booking {
        booking_id: BookingId,
        reader: Party,
        news: News,
    },
}

impl Work for Mail {
    const KIND: &'static str = "mail";
    /// A mail server has half a minute for each.
    const AT_ONCE: usize = 8;
}

impl Mails {
    /// Sends what is due, until nothing is left or it is told to stop. Any number of instances may do it at once. Gives how many mails
    /// are done with.
    ///
    /// # Errors
    /// When the database fails. A mail that can't be sent stops no other.
    pub async fn send_due(&self, stopping: &CancellationToken) -> Result<usize> {
        queue::work_off(&self.0, stopping, |claim| self.send(claim)).await
    }

    async fn send(&self, claim: Claim<Mail>) -> Tried {
        let message = match self.write(claim).await {
            Ok(Some(message)) => message,
            Ok(None) => return Tried::Done,
            Err(error) => return Tried::Later(error.to_string()),
        };
        match self.0.mailer.send(&message).await {
            Ok(()) => Tried::Done,
            Err(MailError::Refused(why)) => Tried::Never(why),
            Err(MailError::Unreachable(why)) => Tried::Later(why),
        }
    }

    /// Tells the metrics how much mail waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn measure(&self) -> Result<()> {
        queue::measure::<Mail>(&self.0).await
    }

    /// Forgets secrets that lapsed long ago, and mail that was given up long ago. Gives how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<u64> {
        let long_ago = self.0.clock.now() - chrono::Duration::days(30);
        let tx = self.0.db.begin().await?;
        let swept = mailed_token::Entity::delete_many()
            .filter(mailed_token::Column::ExpiresAt.lt(long_ago))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok(swept.rows_affected + queue::sweep(&self.0).await?)
    }

    /// Writes a letter. None when nobody is to get it any more.
    async fn write(&self, Claim { work, name }: Claim<Mail>) -> Result<Option<Message>> {
        let written = match work {
            Mail::Booking {
                booking_id,
                reader,
                news,
            } => return self.write_of_booking(booking_id, reader, news, name).await,
            Mail::VerifyEmail { user_id, to } => {
                let reader = self.reader(user_id).await?;
                // The person may have asked for another address since.
                let wanted = |user: &user::Model| {
                    user.email == to || user.pending_email.as_ref() == Some(&to)
                };
                let Some(user) = reader.filter(wanted) else {
                    return Ok(None);
                };
                let token = self.secret(user_id, &to, MailedFor::VerifyEmail).await?;
                let Some(token) = token else { return Ok(None) };
                let full_name = user.full_name;
                (to, Letter::VerifyEmail { full_name, token })
            }
            Mail::ResetPassword(email) => {
                let reader = user::Entity::find()
                    .filter(user::Column::Email.eq(&email))
                    .filter(user::Column::SuspendedAt.is_null())
                    .one(self.0.db.read())
                    .await?;
                let Some(user) = reader else { return Ok(None) };
                let purpose = MailedFor::ResetPassword;
                let token = self.secret(user.user_id, &email, purpose).await?;
                let Some(token) = token else { return Ok(None) };
                let full_name = user.full_name;
                (email, Letter::ResetPassword { full_name, token })
            }
            Mail::PasswordChanged(user_id, at) => {
                let Some(user) = self.reader(user_id).await? else {
                    return Ok(None);
                };
                let full_name = user.full_name;
                (user.email, Letter::PasswordChanged { full_name, at })
            }
            Mail::EmailChanging {
                user_id,
                to,
                new_email,
            } => {
                let full_name = self.name_of(user_id).await?;
                let letter = Letter::EmailChanging {
                    full_name,
                    new_email,
                };
                (to, letter)
            }
            Mail::EmailChanged {
                user_id,
                to,
                new_email,
            } => {
                let full_name = self.name_of(user_id).await?;
                let letter = Letter::EmailChanged {
                    full_name,
                    new_email,
                };
                (to, letter)
            }
            Mail::Suspended(user_id) => {
                let user = user::Entity::find_by_id(user_id)
                    .filter(user::Column::SuspendedAt.is_not_null())
                    .filter(user::Column::ErasedAt.is_null())
                    .one(self.0.db.read())
                    .await?;
                let Some(user) = user else { return Ok(None) };
                let full_name = user.full_name;
                (user.email, Letter::Suspended { full_name })
            }
            Mail::Erased { to } => (to, Letter::Erased),
            Mail::FeedConflicts(host_id, conflicts) => {
                let Some(user) = self.reader(host_id).await? else {
                    return Ok(None);
                };
                let full_name = user.full_name;
                let letter = Letter::FeedConflicts {
                    full_name,
                    conflicts,
                };
                (user.email, letter)
            }
            Mail::Alert {
                to,
                cause,
                detail,
                at,
            } => (to, Letter::Alert { cause, detail, at }),
        };
        let (to, letter) = written;
        Ok(Some(letter.write(&self.0.terms.site, to, name)))
    }

    /// Somebody who is let in.
    async fn reader(&self, user_id: UserId) -> Result<Option<user::Model>> {
        Ok(user::Entity::find_by_id(user_id)
            .filter(user::Column::SuspendedAt.is_null())
            .filter(user::Column::ErasedAt.is_null())
            .one(self.0.db.read())
            .await?)
    }

    async fn name_of(&self, user_id: UserId) -> Result<String> {
        let user = user::Entity::find_by_id(user_id)
            .one(self.0.db.read())
            .await?;
        Ok(user.map(|user| user.full_name).unwrap_or_default())
    }

    /// A new secret for a letter; its hash is kept. None for who has just deleted the account: nothing is kept of that address.
    async fn secret(
        &self,
        user_id: UserId,
        email: &str,
        purpose: MailedFor,
    ) -> Result<Option<String>> {
        let now = self.0.clock.now();
        let (secret, hash) = new_mailed_token();
        let row = mailed_token::ActiveModel {
            token_hash: Set(hash),
            user_id: Set(user_id),
            purpose: Set(purpose),
            email: Set(email.to_owned()),
            created_at: Set(now),
            expires_at: Set(now + purpose.good_for()),
            used_at: Set(None),
        };
        let tx = self.0.db.begin().await?;
        match people_rows::keep(&tx, user_id).await {
            Err(Error::Unauthenticated) => return Ok(None),
            kept => kept?,
        };
        mailed_token::Entity::insert(row)
            .exec_without_returning(&*tx)
            .await?;
        tx.commit().await?;
        Ok(Some(secret))
    }
}

//! Signing in with mail address and password.

use std::sync::Arc;

use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::Expr,
};

use super::{Grant, Sessions};
use crate::{
    domain::{
        actor::{Actor, Client, network_of},
        audit::{Action, Outcome, Subject},
        ids::UserId,
        password::Password,
        people::Email,
        problem::{Problem, ProblemCode},
    },
    entity::{
        session::{Column, Entity},
        user,
    },
    service::{
        changes::Changes,
        error::{Error, Result},
        suspicion,
        tries::Try,
    },
};

/// How many of an account's newest devices are looked at to know a network again.
const DEVICES: u64 = 50;

impl Sessions {
    /// Signs in with mail address and password.
    ///
    /// # Errors
    /// `WRONG_CREDENTIALS`, in the same words and the same time whether the address is known or not; `WRONG_STATE` for the owner of a suspended
    /// account; [`Error::TooMany`] after too many wrong ones.
    pub async fn sign_in(
        &self,
        email: &str,
        password: String,
        client: &Arc<Client>,
    ) -> Result<Grant> {
        // What can be no address or no password is nobody's, and tells nothing of anybody.
        let email = Email::parse("email", email).map_err(|_| wrong())?;
        let password = Password::typed(password).ok_or_else(wrong)?;
        // From here on the same is done for known and for unknown addresses.
        let user = user::Entity::find()
            .filter(user::Column::Email.eq(email.as_str()))
            .one(self.0.db.read())
            .await?;
        let user_id = user.as_ref().map(|user| user.user_id);
        let at_home = self.was_signed_in_from(user_id, client).await?;
        let this_try = match Try::to_sign_in(&self.0, &email, client, at_home).await {
            Ok(begun) => begun,
            Err(error) => {
                suspicion::failed_sign_in(&self.0, email.as_str(), user_id, client).await;
                return Err(error);
            }
        };
        let hash = user.as_ref().map(|user| user.password_hash.clone());
        let verified = self.0.passwords.verify(password.clone(), hash).await;
        let good = match verified {
            Ok(good) => good,
            Err(error) => {
                // It says nothing of the password.
                this_try.give_back(&self.0).await;
                return Err(error.into());
            }
        };
        let Some(user) = user.filter(|_| good) else {
            self.refuse(user_id, "wrong credentials", client).await?;
            suspicion::failed_sign_in(&self.0, email.as_str(), user_id, client).await;
            return Err(wrong());
        };
        this_try.give_back(&self.0).await;
        if user.suspended_at.is_some() {
            self.refuse(user_id, "suspended", client).await?;
            return Err(Problem::wrong_state("This account is suspended.").into());
        }
        let user = self.hash_anew(user, password).await?.ok_or_else(wrong)?;
        metrics::counter!("staygate_sign_ins_total", "outcome" => "done").increment(1);
        match self.begin(user, client).await {
            // Suspended, or given another password, a moment ago.
            Err(Error::Unauthenticated) => Err(wrong()),
            begun => begun,
        }
    }

    async fn refuse(&self, user_id: Option<UserId>, why: &str, client: &Arc<Client>) -> Result<()> {
        metrics::counter!("staygate_sign_ins_total", "outcome" => "refused").increment(1);
        let mut changes = Changes::by(&Actor::anonymous(Arc::clone(client)));
        let subject = user_id.map_or(Subject::None, Subject::User);
        changes.note(
            Action::SignedIn,
            subject,
            Outcome::Refused,
            Some(why.to_owned()),
        );
        changes.commit(self.0.db.begin().await?, &self.0).await
    }

    /// Whether this account was signed in from this network before.
    async fn was_signed_in_from(&self, user_id: Option<UserId>, client: &Client) -> Result<bool> {
        let addresses: Vec<Option<String>> = Entity::find()
            // Nobody has the key 0; the statement is sent all the same.
            .filter(Column::UserId.eq(user_id.unwrap_or(UserId(0))))
            .order_by_desc(Column::CreatedAt)
            .limit(DEVICES)
            .select_only()
            .column(Column::IpAddress)
            .into_tuple()
            .all(self.0.db.read())
            .await?;
        let here = client.network();
        Ok(addresses
            .iter()
            .flatten()
            .filter_map(|address| address.parse().ok())
            .any(|address| Some(network_of(address)) == here))
    }

    /// Hashes a password again that was hashed more cheaply than is configured now. It was just shown to be right. Gives the person with
    /// the hash in force, unless the password is another one by now.
    async fn hash_anew(
        &self,
        user: user::Model,
        password: Password,
    ) -> Result<Option<user::Model>> {
        if !self.0.passwords.is_cheaper(&user.password_hash) {
            return Ok(Some(user));
        }
        let hash = self.0.passwords.hash(password.clone()).await?;
        let tx = self.0.db.begin().await?;
        let written = user::Entity::update_many()
            .col_expr(user::Column::PasswordHash, Expr::val(&hash))
            .filter(user::Column::UserId.eq(user.user_id))
            .filter(user::Column::PasswordHash.eq(&user.password_hash))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        if written.rows_affected > 0 {
            return Ok(Some(user::Model {
                password_hash: hash,
                ..user
            }));
        }
        // Somebody else was first: with the same password, or with another.
        let user = user::Entity::find_by_id(user.user_id).one(self.0.db.read());
        let Some(user) = user.await? else {
            return Ok(None);
        };
        let hash = Some(user.password_hash.clone());
        let same = self.0.passwords.verify(password, hash).await?;
        Ok(same.then_some(user))
    }
}

fn wrong() -> Error {
    Problem::new(
        "",
        ProblemCode::WrongCredentials,
        "Mail address and password do not belong together.",
    )
    .into()
}

//! What operators do to accounts, from the command line: it is they who hold the database, so nobody's role is asked for.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _, LockType},
};

use super::{NewAccount, People};
use crate::{
    domain::{
        audit::{Action, Outcome, Subject},
        freshness::Tag,
        listing::PropertyStatus,
        password::Password,
        people::{Email, Role},
        problem::Problem,
    },
    entity::{
        property,
        user::{Column, Entity, Model},
    },
    service::{
        changes::Changes,
        error::Result,
        mails::Mail,
        queue,
        sessions::{Which, end_sessions},
    },
    store::db::Tx,
};

impl People {
    /// Makes an admin's account, whose address needs no verification.
    ///
    /// # Errors
    /// `TAKEN` when the mail address has an account.
    pub async fn create_admin(
        &self,
        full_name: String,
        email: Email,
        password: Password,
    ) -> Result<Model> {
        let account = NewAccount {
            full_name,
            email,
            password_hash: self.0.passwords.hash(password).await?,
            role: Role::Admin,
            email_verified_at: Some(self.0.clock.now()),
        };
        let mut changes = Changes::by_nobody();
        let tx = self.0.db.begin().await?;
        let user = self.insert(&tx, account).await?;
        changes.shown([Tag::Person(user.user_id)]);
        let (subject, detail) = (Subject::User(user.user_id), "ADMIN".to_owned());
        changes.note(Action::SignedUp, subject, Outcome::Done, Some(detail));
        changes.commit(tx, &self.0).await?;
        Ok(user)
    }

    /// Gives somebody another role. The access tokens at hand are refused from then on, and sockets closed; a refresh gives new ones.
    ///
    /// # Errors
    /// `NOT_FOUND` when nobody has this mail address; `WRONG_STATE` for an admin to be whose address is not verified, unless `unverified` allows
    /// it: anybody can sign up with anybody's.
    pub async fn set_role(&self, email: &Email, role: Role, unverified: bool) -> Result<Model> {
        let mut changes = Changes::by_nobody();
        let tx = self.0.db.begin().await?;
        let user = by_email(&tx, email).await?;
        if user.role == role {
            return Ok(user);
        }
        if role == Role::Admin && user.email_verified_at.is_none() && !unverified {
            let message = "This mail address is not verified: whoever signed up with it need not be its owner.";
            return Err(Problem::wrong_state(message).into());
        }
        Entity::update_many()
            .col_expr(Column::Role, Expr::val(role))
            .col_expr(Column::TokenVersion, Expr::col(Column::TokenVersion).add(1))
            .filter(Column::UserId.eq(user.user_id))
            .exec(&*tx)
            .await?;
        changes.note(
            Action::RoleChanged,
            Subject::User(user.user_id),
            Outcome::Done,
            Some(format!("{} → {}", user.role.as_column(), role.as_column())),
        );
        changes.shown([Tag::Person(user.user_id)]);
        changes.sessions_of(user.user_id);
        changes.commit(tx, &self.0).await?;
        self.find(user.user_id).await
    }

    /// Lets somebody in no more: every session ends, and what the person lists is unlisted. What is booked stays as it is.
    ///
    /// # Errors
    /// `NOT_FOUND` when nobody has this mail address.
    pub async fn suspend(&self, email: &Email) -> Result<Model> {
        let now = self.0.clock.now();
        let mut changes = Changes::by_nobody();
        let tx = self.0.db.begin().await?;
        let user = by_email(&tx, email).await?;
        if user.suspended_at.is_some() {
            return Ok(user);
        }
        set_suspended(&tx, &user, Some(now)).await?;
        let unlisted = property::Entity::update_many()
            .col_expr(
                property::Column::Status,
                Expr::val(PropertyStatus::Unlisted),
            )
            .filter(property::Column::HostId.eq(user.user_id))
            .filter(property::Column::Status.eq(PropertyStatus::Listed))
            .exec_with_returning(&*tx)
            .await?;
        changes.shown([Tag::Listings, Tag::Person(user.user_id)]);
        for property in unlisted {
            changes.record(
                Action::PropertyUpdated,
                Subject::Property(property.property_id),
            );
            changes.shown([Tag::Property(property.property_id)]);
        }
        end_sessions(&tx, user.user_id, now, Which::All).await?;
        queue::enqueue(&tx, &Mail::Suspended(user.user_id), now).await?;
        changes.record(Action::Suspended, Subject::User(user.user_id));
        changes.sessions_of(user.user_id);
        changes.commit(tx, &self.0).await?;
        self.find(user.user_id).await
    }

    /// Lets somebody in again, who has to sign in anew.
    ///
    /// # Errors
    /// `NOT_FOUND` when nobody has this mail address.
    pub async fn reinstate(&self, email: &Email) -> Result<Model> {
        let mut changes = Changes::by_nobody();
        let tx = self.0.db.begin().await?;
        let user = by_email(&tx, email).await?;
        if user.suspended_at.is_none() {
            return Ok(user);
        }
        set_suspended(&tx, &user, None).await?;
        changes.record(Action::Reinstated, Subject::User(user.user_id));
        changes.sessions_of(user.user_id);
        changes.commit(tx, &self.0).await?;
        self.find(user.user_id).await
    }
}

/// Locks whoever has this mail address, who might be about to delete the account.
async fn by_email(tx: &Tx, email: &Email) -> Result<Model> {
    let user = Entity::find().filter(Column::Email.eq(email.as_str()));
    let user = user.lock(LockType::NoKeyUpdate).one(&**tx).await?;
    Ok(user.ok_or_else(|| Problem::not_found("email", "account with this mail address"))?)
}

async fn set_suspended(tx: &Tx, user: &Model, at: Option<DateTime<Utc>>) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::SuspendedAt, Expr::val(at))
        .filter(Column::UserId.eq(user.user_id))
        .exec(&**tx)
        .await?;
    Ok(())
}

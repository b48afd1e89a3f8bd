//! Accounts: signing up, and who people are. Changing one's own is in [`profile`] and [`passwords`], deleting it in [`erasure`], what
//! operators do in [`administration`].

mod administration;
mod erasure;
mod mailed;
mod passwords;
mod profile;

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, sea_query::Expr,
};

use super::{
    audit,
    changes::Changes,
    error::{Error, Result, must_be_admin, signed_in},
    mails::Mail,
    paging::{self, Keyset},
    public::Public,
    queue, tries,
};
use crate::{
    domain::{
        actor::{Actor, Client},
        audit::{Action, Outcome, Subject},
        freshness::Tag,
        ids::UserId,
        page::{Cursor, Page, PageRequest},
        people::{Email, NewPerson, Role},
        problem::{Problem, ProblemCode},
    },
    entity::{
        part::{Columns, Row},
        user::{ActiveModel, Column, Entity, Model},
    },
    store::db::{Tx, is_unique_violation},
};

/// Accounts.
#[derive(Clone)]
pub struct People(pub(super) Public);

/// The mark of lists of people, newest first.
pub const NEWEST: char = 'u';

const BY_KEY: Keyset<Column> = Keyset {
    rank: None,
    id: Column::UserId,
    copy: None,
    descending: true,
};

/// A row to be.
struct NewAccount {
    full_name: String,
    email: Email,
    password_hash: String,
    role: Role,
    email_verified_at: Option<DateTime<Utc>>,
}

impl People {
    /// Makes an account, and sends its address a link that verifies it.
    ///
    /// # Errors
    /// `TAKEN` when the mail address has one already; [`Error::TooMany`] after too many from one network.
    pub async fn sign_up(&self, person: NewPerson, client: &Arc<Client>) -> Result<Model> {
        tries::sign_up(&self.0, client).await?;
        let account = NewAccount {
            full_name: person.full_name,
            email: person.email,
            password_hash: self.0.passwords.hash(person.password).await?,
            role: person.role,
            email_verified_at: None,
        };
        let mut changes = Changes::by(&Actor::anonymous(Arc::clone(client)));
        let tx = self.0.db.begin().await?;
        let user = self.insert(&tx, account).await?;
        let mail = Mail::VerifyEmail {
            user_id: user.user_id,
            to: user.email.clone(),
        };
        queue::enqueue(&tx, &mail, self.0.clock.now()).await?;
        changes.record(Action::SignedUp, Subject::User(user.user_id));
        changes.shown([Tag::Person(user.user_id)]);
        changes.commit(tx, &self.0).await?;
        Ok(user)
    }

    /// A person who has not gone. That an admin looks at somebody else is written down.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn show(&self, actor: &Actor, id: UserId) -> Result<Option<Model>> {
        let present = Entity::find_by_id(id).filter(Column::ErasedAt.is_null());
        let is_private = actor.is(id) || actor.is_admin();
        let found = match self.0.place.elsewhere() {
            Some(primary) if is_private => present.one(primary).await?,
            Some(primary) => match present.clone().one(&self.0.place).await? {
                Some(found) => Some(found),
                None => present.one(primary).await?,
            },
            None => present.one(self.0.db.read()).await?,
        };
        if found.is_some() && !actor.is(id) {
            audit::admin_reads(&self.0, actor, vec![Subject::User(id)]).await?;
        }
        Ok(found)
    }

    /// Everybody with an account, newest first.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in, [`Error::Forbidden`] for anyone but an admin.
    pub async fn list(&self, actor: &Actor, request: PageRequest) -> Result<Page<Model>> {
        must_be_admin(actor, "Only admins list people.")?;
        let list = paging::page(
            Entity::find().filter(Column::ErasedAt.is_null()),
            &BY_KEY,
            request,
        );
        let people = list.all(self.0.db.read()).await?;
        let seen = people.iter().map(|user| Subject::User(user.user_id));
        audit::admin_reads(&self.0, actor, seen.collect()).await?;
        Ok(Page::from_rows(request, people, |user| Cursor {
            order: NEWEST,
            rank: 0,
            id: user.user_id.0.into(),
        }))
    }

    /// The caller's own account.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in, or the account was deleted a moment ago.
    pub async fn own(&self, actor: &Actor) -> Result<Model> {
        let user_id = signed_in(actor)?.user_id;
        Entity::find_by_id(user_id)
            .filter(Column::ErasedAt.is_null())
            .one(self.0.db.read())
            .await?
            .ok_or(Error::Unauthenticated)
    }

    /// A guest turns host, whose access tokens at hand stay good. A host stays one.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in; `WRONG_STATE` for an admin.
    pub async fn become_host(&self, actor: &Actor) -> Result<Model> {
        let user = signed_in(actor)?;
        if user.role == Role::Admin {
            return Err(Problem::wrong_state("An admin does not host.").into());
        }
        let mut changes = Changes::by(actor);
        let tx = self.0.db.begin().await?;
        let turned = Entity::update_many()
            .col_expr(Column::Role, Expr::val(Role::Host))
            .filter(Column::UserId.eq(user.user_id))
            .filter(Column::Role.eq(Role::Guest))
            .filter(Column::ErasedAt.is_null())
            .exec(&*tx)
            .await?;
        if turned.rows_affected > 0 {
            changes.note(
                Action::RoleChanged,
                Subject::User(user.user_id),
                Outcome::Done,
                Some("GUEST → HOST".to_owned()),
            );
            changes.shown([Tag::Person(user.user_id)]);
            changes.sessions_of(user.user_id);
            changes.commit(tx, &self.0).await?;
        }
        self.own(actor).await
    }

    /// People by their keys, with some of their columns; also those who have deleted their account, for what they booked, listed or wrote.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_ids(
        &self,
        ids: &[UserId],
        columns: Columns<Entity>,
    ) -> Result<HashMap<UserId, Row<Entity>>> {
        let of = (Column::UserId, ids);
        Ok(self.0.by_keys(Entity::find(), of, columns).await?)
    }

    /// The same without those who have deleted their account: whom one asks for by key, and may look up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn present_by_ids(
        &self,
        ids: &[UserId],
        columns: Columns<Entity>,
    ) -> Result<HashMap<UserId, Row<Entity>>> {
        let present = Entity::find().filter(Column::ErasedAt.is_null());
        let of = (Column::UserId, ids);
        Ok(self.0.by_keys(present, of, columns).await?)
    }

    async fn insert(&self, tx: &Tx, account: NewAccount) -> Result<Model> {
        let row = ActiveModel {
            full_name: Set(account.full_name),
            email: Set(account.email.as_str().to_owned()),
            password_hash: Set(account.password_hash),
            role: Set(account.role),
            created_at: Set(self.0.clock.now()),
            email_verified_at: Set(account.email_verified_at),
            pending_email: Set(None),
            suspended_at: Set(None),
            token_version: Set(0),
            erased_at: Set(None),
            ..ActiveModel::default()
        };
        Entity::insert(row)
            .exec_with_returning(&**tx)
            .await
            .map_err(|error| {
                if is_unique_violation(&error) {
                    taken("email").into()
                } else {
                    Error::from(error)
                }
            })
    }

    async fn find(&self, id: UserId) -> Result<Model> {
        let found = Entity::find_by_id(id).one(self.0.db.read()).await?;
        found.ok_or_else(|| anyhow::anyhow!("user {id} is gone").into())
    }
}

fn taken(field: &str) -> Problem {
    Problem::new(
        field,
        ProblemCode::Taken,
        "There is an account with this mail address; sign in.",
    )
}

//! Signed-in devices: short access tokens, a refresh token that changes at each use, and an end that holds at once.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, Query},
};
use uuid::Uuid;

use super::{
    Parts,
    error::{Error, Result, signed_in},
};
use crate::{
    domain::{
        actor::{Actor, Client, SignedIn},
        password::Password,
        people::{Email, Role},
        problem::{Problem, ProblemCode},
    },
    entity::{
        session::{ActiveModel, Column, Entity, Model},
        user,
    },
    store::{
        bus::Notice,
        tokens::{AccessToken, hash_refresh_token, new_refresh_token},
    },
};

/// Signed-in devices.
#[derive(Clone)]
pub struct Sessions(pub(super) Arc<Parts>);

/// What a device gets to prove who it is.
#[derive(Debug)]
pub struct Grant {
    /// A JWT for the `Authorization` header.
    pub access_token: String,
    /// When it lapses.
    pub access_token_expires_at: DateTime<Utc>,
    /// Good for one refresh.
    pub refresh_token: String,
    /// Who is signed in.
    pub user: user::Model,
    /// The same, as an actor.
    pub actor: Actor,
}

impl Sessions {
    /// Signs in with mail address and password.
    ///
    /// # Errors
    /// `WRONG_CREDENTIALS`, in the same words and the same time whether the address is known or not.
    pub async fn sign_in(&self, email: &str, password: String, client: &Client) -> Result<Grant> {
        let wrong = || {
            Problem::new(
                "",
                ProblemCode::WrongCredentials,
                "Mail address and password do not belong together.",
            )
        };
        let email = Email::parse("email", email).ok();
        let password = Password::typed(password).ok_or_else(wrong)?;
        let user = match &email {
            Some(email) => {
                user::Entity::find()
                    .filter(user::Column::Email.eq(email.as_str()))
                    .one(self.0.db.read())
                    .await?
            }
            None => None,
        };
        let hash = user.as_ref().map(|user| user.password_hash.clone());
        let good = self.0.passwords.verify(password, hash).await?;
        let user = user.filter(|_| good).ok_or_else(wrong)?;
        self.begin(user, client).await
    }

    /// Signs a person in on a device, who has proven to be that person.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin(&self, user: user::Model, client: &Client) -> Result<Grant> {
        let now = self.0.clock.now();
        let session_id = Uuid::new_v4();
        let (secret, refresh_hash) = new_refresh_token();
        let tx = self.0.db.begin().await?;
        let row = ActiveModel {
            session_id: Set(session_id),
            user_id: Set(user.user_id),
            refresh_hash: Set(refresh_hash),
            created_at: Set(now),
            last_used_at: Set(now),
            expires_at: Set(now + self.0.terms.session_ttl),
            ended_at: Set(None),
            user_agent: Set(client.user_agent.clone()),
            ip_address: Set(client.ip_address.map(|address| address.to_string())),
        };
        Entity::insert(row).exec_without_returning(&*tx).await?;
        tx.commit().await?;
        self.grant(user, session_id, &secret, now)
    }

    /// Takes new tokens for a refresh token, which is spent by it. Any other one of the session, as one that was spent before, ends it:
    /// somebody else has a copy.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for a token that is not good.
    pub async fn refresh(&self, refresh_token: &str) -> Result<Grant> {
        let now = self.0.clock.now();
        let (session_id, secret) = refresh_token
            .split_once('.')
            .ok_or(Error::Unauthenticated)?;
        let session_id = Uuid::try_parse(session_id).map_err(|_| Error::Unauthenticated)?;
        let tx = self.0.db.begin().await?;
        let session = Entity::find_by_id(session_id)
            .filter(Column::EndedAt.is_null())
            .filter(Column::ExpiresAt.gt(now))
            .one(&*tx)
            .await?
            .ok_or(Error::Unauthenticated)?;
        let (new_secret, new_hash) = new_refresh_token();
        let rotated = Entity::update_many()
            .col_expr(Column::RefreshHash, Expr::val(new_hash))
            .col_expr(Column::LastUsedAt, Expr::val(now))
            .col_expr(Column::ExpiresAt, Expr::val(now + self.0.terms.session_ttl))
            .filter(Column::SessionId.eq(session_id))
            .filter(Column::RefreshHash.eq(hash_refresh_token(secret)))
            .exec(&*tx)
            .await?;
        if rotated.rows_affected == 0 {
            let user_id = session.user_id;
            let ended = ActiveModel {
                ended_at: Set(Some(now)),
                ..session.into()
            };
            ended.update(&*tx).await?;
            tx.commit().await?;
            self.0.bus.publish(Notice::Sessions { user_id });
            tracing::warn!(%session_id, "a spent refresh token was used; its session is ended");
            return Err(Error::Unauthenticated);
        }
        let user = user::Entity::find_by_id(session.user_id)
            .one(&*tx)
            .await?
            .ok_or(Error::Unauthenticated)?;
        tx.commit().await?;
        self.grant(user, session_id, &new_secret, now)
    }

    /// Ends this session, or every session of the caller.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in.
    pub async fn sign_out(&self, actor: &Actor, everywhere: bool) -> Result<()> {
        let user = signed_in(actor)?;
        let tx = self.0.db.begin().await?;
        let mut end = Entity::update_many()
            .col_expr(Column::EndedAt, Expr::val(self.0.clock.now()))
            .filter(Column::UserId.eq(user.user_id))
            .filter(Column::EndedAt.is_null());
        if !everywhere {
            end = end.filter(Column::SessionId.eq(user.session_id));
        }
        end.exec(&*tx).await?;
        tx.commit().await?;
        self.0.bus.publish(Notice::Sessions {
            user_id: user.user_id,
        });
        Ok(())
    }

    /// The caller's devices, newest first.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<Model>> {
        let user = signed_in(actor)?;
        Ok(Entity::find()
            .filter(Column::UserId.eq(user.user_id))
            .filter(Column::EndedAt.is_null())
            .filter(Column::ExpiresAt.gt(self.0.clock.now()))
            .order_by_desc(Column::CreatedAt)
            .all(self.0.db.read())
            .await?)
    }

    /// The caller's devices by their keys.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_ids(&self, actor: &Actor, ids: &[Uuid]) -> Result<HashMap<Uuid, Model>> {
        let own = match self.list(actor).await {
            Err(Error::Unauthenticated) => vec![],
            listed => listed?,
        };
        let asked = own
            .into_iter()
            .filter(|session| ids.contains(&session.session_id));
        Ok(asked.map(|session| (session.session_id, session)).collect())
    }

    /// Who an access token stands for at this moment.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when it is not good, or its session has ended.
    pub async fn authenticate(&self, access_token: &str) -> Result<Actor> {
        let now = self.0.clock.now();
        let token = self
            .0
            .tokens
            .read(access_token, now)
            .ok_or(Error::Unauthenticated)?;
        let live = Query::select()
            .column(Column::UserId)
            .from(Entity)
            .and_where(Column::SessionId.eq(token.session_id))
            .and_where(Column::EndedAt.is_null())
            .to_owned();
        let role: Role = user::Entity::find_by_id(token.user_id)
            .filter(user::Column::UserId.in_subquery(live))
            .select_only()
            .column(user::Column::Role)
            .into_tuple()
            .one(self.0.db.read())
            .await?
            .ok_or(Error::Unauthenticated)?;
        Ok(Actor::User(SignedIn {
            user_id: token.user_id,
            role,
            session_id: token.session_id,
        }))
    }

    /// Waits until the caller's session has ended; for ever when nobody is signed in.
    pub async fn ended(&self, actor: &Actor) {
        let Some(user) = actor.signed_in() else {
            return std::future::pending().await;
        };
        // Listening begins before the first look, so that nothing falls between the two.
        let mut listener = self.0.bus.listen_to_sessions();
        loop {
            match self.is_live(user).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(%error, "could not look whether a session has ended"),
            }
            loop {
                match listener.next().await.as_deref() {
                    Some(Notice::Sessions { user_id }) if *user_id != user.user_id => {}
                    Some(_) => break,
                    None => return std::future::pending().await,
                }
            }
        }
    }

    async fn is_live(&self, user: &SignedIn) -> Result<bool> {
        let session = Entity::find_by_id(user.session_id).filter(Column::EndedAt.is_null());
        Ok(session.one(self.0.db.read()).await?.is_some())
    }

    fn grant(
        &self,
        user: user::Model,
        session_id: Uuid,
        secret: &str,
        now: DateTime<Utc>,
    ) -> Result<Grant> {
        let token = AccessToken {
            user_id: user.user_id,
            session_id,
        };
        let (access_token, access_token_expires_at) = self.0.tokens.issue(token, now)?;
        let actor = Actor::User(SignedIn {
            user_id: user.user_id,
            role: user.role,
            session_id,
        });
        Ok(Grant {
            access_token,
            access_token_expires_at,
            refresh_token: format!("{}.{secret}", session_id.simple()),
            user,
            actor,
        })
    }
}

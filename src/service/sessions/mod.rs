//! Signed-in devices: short access tokens, a refresh token that changes at each use, and an end that holds at once. Signing in is in
//! [`sign_in`] and [`begin`], taking new tokens in [`refresh`], ending sessions in [`ending`]; how a request is let in without SQL in
//! [`standing`].

mod begin;
mod ending;
mod refresh;
mod sign_in;
pub mod standing;

pub(super) use ending::{Which, end_sessions};

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Duration, Utc};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use super::{
    Parts,
    error::{Error, Result, signed_in},
};
use crate::{
    domain::actor::{Actor, Client},
    entity::{
        session::{Column, Entity, Model},
        session_change, user,
    },
    store::tokens::AccessToken,
};

/// Signed-in devices.
#[derive(Clone)]
pub struct Sessions(pub(super) Arc<Parts>);

/// The most devices that one person is signed in on; the one that was quiet for longest makes room.
const MOST: u64 = 50;

/// What a device gets to prove who it is.
#[derive(Debug)]
pub struct Grant {
    /// A JWT for the `Authorization` header.
    pub access_token: String,
    /// When it lapses.
    pub access_token_expires_at: DateTime<Utc>,
    /// Good for one refresh.
    pub refresh_token: String,
    /// When the refresh token lapses unless it is used before.
    pub refresh_token_expires_at: DateTime<Utc>,
    /// Who is signed in.
    pub user: user::Model,
    /// The same, as an actor.
    pub actor: Actor,
}

/// Who is let in by an access token, and until when.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// Who.
    pub actor: Actor,
    token: AccessToken,
}

impl Admitted {
    /// When the access token lapses.
    #[must_use]
    pub const fn until(&self) -> DateTime<Utc> {
        self.token.expires_at
    }

    /// Whether another token is of the same session.
    #[must_use]
    pub fn is_same_session(&self, other: &Self) -> bool {
        self.token.session_id == other.token.session_id
    }
}

impl Sessions {
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
            .limit(MOST)
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
    /// [`Error::Unauthenticated`] when it is not good, its session has ended, or the person is suspended.
    pub async fn authenticate(&self, access_token: &str, client: &Arc<Client>) -> Result<Admitted> {
        let token = self
            .0
            .tokens
            .read(access_token, self.0.clock.now())
            .ok_or(Error::Unauthenticated)?;
        let user = self.0.standings.of(&token).await?;
        let user = user.ok_or(Error::Unauthenticated)?;
        Ok(Admitted {
            actor: Actor::person(user, Arc::clone(client)),
            token,
        })
    }

    /// Waits until whoever was let in would be so no longer: the session has ended, the person is suspended or has another role. The
    /// lapse of the access token is not looked at.
    pub async fn ended(&self, admitted: &Admitted) {
        self.0.standings.lost(&admitted.token).await;
    }

    /// Forgets what is of no more use: sessions that ended long ago, and old rows of the feed. Gives how many rows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<u64> {
        let now = self.0.clock.now();
        let tx = self.0.db.begin().await?;
        let feed = session_change::Entity::delete_many()
            .filter(session_change::Column::CreatedAt.lt(now - Duration::days(1)))
            .exec(&*tx)
            .await?;
        let sessions = Entity::delete_many()
            .filter(Column::ExpiresAt.lt(now - Duration::days(90)))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok(feed.rows_affected + sessions.rows_affected)
    }
}

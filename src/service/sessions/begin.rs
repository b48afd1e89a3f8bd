//! A new session, and the tokens that a device gets to prove who it is.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound as _, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use uuid::Uuid;

use super::{Grant, MOST, Sessions, Which, end_sessions};
use crate::{
    domain::{
        actor::{Actor, Client, SignedIn},
        audit::{Action, Subject},
        ids::UserId,
    },
    entity::{
        session::{ActiveModel, Column, Entity},
        user,
    },
    service::{
        changes::Changes,
        error::{Error, Result, signed_in},
    },
    store::{
        db::Tx,
        tokens::{AccessToken, refresh::RefreshToken},
    },
};

impl Sessions {
    /// Signs a person in on a device, who has just proven to be that person: by the password whose hash `user` has.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the person was suspended, or the password changed, since `user` was read.
    pub async fn begin(&self, user: user::Model, client: &Arc<Client>) -> Result<Grant> {
        let now = self.0.clock.now();
        let tx = self.0.db.begin().await?;
        // Kept from being suspended, and from changing the password, until this session is there to be ended by it.
        let user = user::Entity::find_by_id(user.user_id)
            .filter(user::Column::PasswordHash.eq(&user.password_hash))
            .filter(user::Column::SuspendedAt.is_null())
            .lock_shared()
            .one(&*tx)
            .await?
            .ok_or(Error::Unauthenticated)?;
        let session_id = Uuid::new_v4();
        let token = RefreshToken::first();
        let expires_at = now + self.0.terms.session_ttl;
        let actor = Actor::person(
            SignedIn {
                user_id: user.user_id,
                role: user.role,
                session_id,
                token_version: user.token_version,
            },
            Arc::clone(client),
        );
        let mut changes = Changes::by(&actor);
        changes.record(Action::SignedIn, Subject::User(user.user_id));
        if make_room(&tx, user.user_id, now).await? {
            changes.sessions_of(user.user_id);
        }
        let row = ActiveModel {
            session_id: Set(session_id),
            user_id: Set(user.user_id),
            family_hash: Set(Some(token.family_hash())),
            refresh_hash: Set(token.hash()),
            previous_hash: Set(None),
            sealed_successor: Set(None),
            created_at: Set(now),
            last_used_at: Set(now),
            expires_at: Set(expires_at),
            ended_at: Set(None),
            user_agent: Set(client.user_agent.clone()),
            ip_address: Set(client.ip_address.map(|address| address.to_string())),
        };
        Entity::insert(row).exec_without_returning(&*tx).await?;
        changes.commit(tx, &self.0).await?;
        self.grant(user, actor, &token, expires_at, now)
    }

    pub(super) fn grant(
        &self,
        user: user::Model,
        actor: Actor,
        refresh_token: &RefreshToken,
        session_expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Grant> {
        let signed_in = signed_in(&actor)?;
        // A JWT has whole seconds.
        let expires_at = self.0.tokens.lapses_at(now).min(session_expires_at);
        let expires_at = expires_at.trunc_subsecs(0);
        let token = AccessToken {
            user_id: signed_in.user_id,
            session_id: signed_in.session_id,
            version: signed_in.token_version,
            expires_at,
        };
        Ok(Grant {
            access_token: self.0.tokens.issue(token, now)?,
            access_token_expires_at: expires_at,
            refresh_token: refresh_token.text(),
            refresh_token_expires_at: session_expires_at,
            user,
            actor,
        })
    }
}

/// Ends the sessions that were quiet for longest, so that there is room for another. Says whether it ended one.
async fn make_room(tx: &Tx, user_id: UserId, now: DateTime<Utc>) -> Result<bool> {
    let too_many: Vec<Uuid> = Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::EndedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .order_by_desc(Column::LastUsedAt)
        .offset(MOST - 1)
        // SQLite takes an offset only with a limit.
        .limit(1_000)
        .select_only()
        .column(Column::SessionId)
        .into_tuple()
        .all(&**tx)
        .await?;
    if too_many.is_empty() {
        return Ok(false);
    }
    end_sessions(tx, user_id, now, Which::These(too_many)).await
}

//! Taking new tokens. A refresh token is spent by its use; one that is used again has been copied.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _,
    QuerySelect as _,
};

use super::{Grant, Sessions, Which, end_sessions};
use crate::{
    domain::{
        actor::{Actor, Client, SignedIn, network_of},
        audit::{Action, Outcome, Subject},
    },
    entity::{
        session::{ActiveModel, Column, Entity, Model},
        user,
    },
    service::{
        changes::Changes,
        error::{Error, Result},
        suspicion,
    },
    store::{db::Tx, tokens::refresh::RefreshToken},
};

impl Sessions {
    /// Takes new tokens for a refresh token, which is spent by it.
    ///
    /// The same client (network and program) may use it again for some seconds, as two tabs do that share it, and is given the same
    /// successor. Any other use of a spent one ends the session: somebody has a copy.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for a token that is not good.
    pub async fn refresh(&self, refresh_token: &str, client: &Arc<Client>) -> Result<Grant> {
        let token = RefreshToken::parse(refresh_token).ok_or(Error::Unauthenticated)?;
        let now = self.0.clock.now();
        let standing = Entity::find()
            .filter(Column::FamilyHash.eq(token.family_hash()))
            .filter(Column::EndedAt.is_null())
            .filter(Column::ExpiresAt.gt(now));
        // Looked at before anything is written, so that made-up tokens cost little.
        if standing.clone().one(self.0.db.read()).await?.is_none() {
            return Err(Error::Unauthenticated);
        }
        let tx = self.0.db.begin().await?;
        let session = standing
            .lock_exclusive()
            .one(&*tx)
            .await?
            .ok_or(Error::Unauthenticated)?;
        let user = user::Entity::find_by_id(session.user_id)
            .filter(user::Column::SuspendedAt.is_null())
            .one(&*tx)
            .await?
            .ok_or(Error::Unauthenticated)?;
        let (session_id, mut expires_at) = (session.session_id, session.expires_at);
        let given = if token.hash() == session.refresh_hash {
            let successor = token.successor();
            expires_at = now + self.0.terms.session_ttl;
            let row = ActiveModel {
                previous_hash: Set(Some(token.hash())),
                refresh_hash: Set(successor.hash()),
                sealed_successor: Set(Some(token.seal(&successor)?)),
                last_used_at: Set(now),
                expires_at: Set(expires_at),
                user_agent: Set(client.user_agent.clone()),
                ip_address: Set(client.ip_address.map(|address| address.to_string())),
                ..session.into()
            };
            row.update(&*tx).await?;
            tx.commit().await?;
            successor
        } else if let Some(successor) = self.successor_in_grace(&token, &session, client, now) {
            successor
        } else {
            self.end_stolen(tx, &session, client, now).await?;
            return Err(Error::Unauthenticated);
        };
        let signed_in = SignedIn {
            user_id: user.user_id,
            role: user.role,
            session_id,
            token_version: user.token_version,
        };
        let actor = Actor::person(signed_in, Arc::clone(client));
        self.grant(user, actor, &given, expires_at, now)
    }

    /// What the same client was given for this token a moment ago.
    fn successor_in_grace(
        &self,
        token: &RefreshToken,
        session: &Model,
        client: &Client,
        now: DateTime<Utc>,
    ) -> Option<RefreshToken> {
        let address = session.ip_address.as_deref();
        let network = address.and_then(|text| text.parse().ok()).map(network_of);
        let same_client = network == client.network() && client.user_agent == session.user_agent;
        let just_now = now - session.last_used_at <= self.0.terms.refresh_grace;
        (same_client && just_now && session.previous_hash == Some(token.hash()))
            .then(|| token.unseal(session.sealed_successor.as_deref()?))
            .flatten()
    }

    async fn end_stolen(
        &self,
        tx: Tx,
        session: &Model,
        client: &Arc<Client>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let key = session.session_id;
        end_sessions(&tx, session.user_id, now, Which::One(key)).await?;
        let mut changes = Changes::by(&Actor::anonymous(Arc::clone(client)));
        let subject = Subject::User(session.user_id);
        let detail = format!("session:{key} is ended");
        changes.note(
            Action::RefreshReused,
            subject,
            Outcome::Refused,
            Some(detail),
        );
        changes.sessions_of(session.user_id);
        changes.commit(tx, &self.0).await?;
        suspicion::refresh_reused(&self.0, session.user_id).await;
        Ok(())
    }
}

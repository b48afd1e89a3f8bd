//! Ending sessions: from then on their access tokens are refused, on every instance, and their sockets are closed.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, sea_query::Expr};
use uuid::Uuid;

use super::Sessions;
use crate::{
    domain::{
        actor::Actor,
        audit::{Action, Subject},
        ids::UserId,
        problem::Problem,
    },
    entity::session::{Column, Entity},
    service::{
        changes::Changes,
        error::{Result, signed_in},
    },
    store::db::Tx,
};

impl Sessions {
    /// Ends this session, or every session of the caller. When it is done, every instance refuses them.
    ///
    /// # Errors
    /// [`super::Error::Unauthenticated`] when nobody is signed in.
    pub async fn sign_out(&self, actor: &Actor, everywhere: bool) -> Result<()> {
        let user = signed_in(actor)?;
        let mut changes = Changes::by(actor);
        let tx = self.0.db.begin().await?;
        let now = self.0.clock.now();
        if everywhere {
            end_sessions(&tx, user.user_id, now, Which::All).await?;
            changes.record(Action::SignedOut, Subject::User(user.user_id));
        } else {
            end_sessions(&tx, user.user_id, now, Which::One(user.session_id)).await?;
            changes.record(Action::SignedOut, Subject::Session(user.session_id));
        }
        changes.sessions_of(user.user_id);
        changes.commit(tx, &self.0).await
    }

    /// Ends one session of the caller's, this one or another.
    ///
    /// # Errors
    /// `NOT_FOUND` for a session that is not the caller's, or has ended.
    pub async fn revoke(&self, actor: &Actor, session_id: Uuid) -> Result<()> {
        let user = signed_in(actor)?;
        let mut changes = Changes::by(actor);
        let tx = self.0.db.begin().await?;
        let now = self.0.clock.now();
        if !end_sessions(&tx, user.user_id, now, Which::One(session_id)).await? {
            return Err(Problem::not_found("id", "session of yours").into());
        }
        changes.record(Action::SignedOut, Subject::Session(session_id));
        changes.sessions_of(user.user_id);
        changes.commit(tx, &self.0).await
    }
}

/// Which of a person's sessions are meant.
#[derive(Debug, Clone)]
pub(in crate::service) enum Which {
    All,
    One(Uuid),
    These(Vec<Uuid>),
    AllBut(Uuid),
}

/// Ends those of a person's sessions whose keys are meant, in the caller's transaction. Says whether there was one.
pub(in crate::service) async fn end_sessions(
    tx: &Tx,
    user_id: UserId,
    now: DateTime<Utc>,
    which: Which,
) -> Result<bool> {
    let key = Column::SessionId;
    let which = match which {
        Which::All => Condition::all(),
        Which::One(session) => Condition::all().add(key.eq(session)),
        Which::These(sessions) => Condition::all().add(key.is_in(sessions)),
        Which::AllBut(session) => Condition::all().add(key.ne(session)),
    };
    let ended = Entity::update_many()
        .col_expr(Column::EndedAt, Expr::val(now))
        .filter(Column::UserId.eq(user_id))
        .filter(Column::EndedAt.is_null())
        .filter(which)
        .exec(&**tx)
        .await?;
    Ok(ended.rows_affected > 0)
}

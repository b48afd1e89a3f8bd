//! Accounts: signing up, and who people are.

use std::{collections::HashMap, sync::Arc};

use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::{
    Parts,
    error::{Error, Result, signed_in},
};
use crate::{
    domain::{
        actor::Actor,
        ids::UserId,
        people::{NewPerson, Role},
        problem::{Problem, ProblemCode},
    },
    entity::user::{ActiveModel, Column, Entity, Model},
    store::db::is_unique_violation,
};

/// Accounts.
#[derive(Clone)]
pub struct People(pub(super) Arc<Parts>);

impl People {
    /// Makes an account.
    ///
    /// # Errors
    /// `TAKEN` when the mail address has one already.
    pub async fn sign_up(&self, person: NewPerson) -> Result<Model> {
        let password_hash = self.0.passwords.hash(person.password).await?;
        let tx = self.0.db.begin().await?;
        let row = ActiveModel {
            full_name: Set(person.full_name),
            email: Set(person.email.as_str().to_owned()),
            password_hash: Set(password_hash),
            role: Set(person.role),
            created_at: Set(self.0.clock.now()),
            ..ActiveModel::default()
        };
        let user = Entity::insert(row)
            .exec_with_returning(&*tx)
            .await
            .map_err(|error| {
                if is_unique_violation(&error) {
                    Problem::new(
                        "email",
                        ProblemCode::Taken,
                        "There is an account with this mail address; sign in.",
                    )
                    .into()
                } else {
                    Error::from(error)
                }
            })?;
        tx.commit().await?;
        Ok(user)
    }

    /// The caller's own account.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in.
    pub async fn own(&self, actor: &Actor) -> Result<Model> {
        let user_id = signed_in(actor)?.user_id;
        Entity::find_by_id(user_id)
            .one(self.0.db.read())
            .await?
            .ok_or(Error::Unauthenticated)
    }

    /// A guest turns host. A host stays one.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in; `WRONG_STATE` for an admin.
    pub async fn become_host(&self, actor: &Actor) -> Result<Model> {
        let user = signed_in(actor)?;
        if user.role == Role::Admin {
            return Err(Problem::wrong_state("An admin does not host.").into());
        }
        let tx = self.0.db.begin().await?;
        Entity::update_many()
            .col_expr(Column::Role, sea_orm::sea_query::Expr::val(Role::Host))
            .filter(Column::UserId.eq(user.user_id))
            .filter(Column::Role.eq(Role::Guest))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        self.own(actor).await
    }

    /// People by their keys.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_ids(&self, ids: &[UserId]) -> Result<HashMap<UserId, Model>> {
        let rows = Entity::find()
            .filter(Column::UserId.is_in(ids.iter().copied()))
            .all(self.0.db.read())
            .await?;
        Ok(rows.into_iter().map(|user| (user.user_id, user)).collect())
    }
}

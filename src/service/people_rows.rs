//! People as rows: what the services share that make something of a person.
//!
//! Whoever deletes an account, or gives it another mail address, locks the person wholly, also against those who only refer to the person, and
//! before anything else. So who refers to somebody by a new row has that lock, or this one, before any other.

use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, Query, UnionType},
};

use super::error::{Error, Result};
use crate::{
    domain::ids::{PropertyId, UserId},
    entity::{
        property,
        user::{Column, Entity, Model},
    },
    store::db::Tx,
};

/// A person who has not gone, and who does not go, is not suspended and keeps the mail address until the transaction ends. Lock it before
/// any property.
///
/// # Errors
/// [`Error::Unauthenticated`] when the account was deleted a moment ago.
pub(super) async fn keep(tx: &Tx, id: UserId) -> Result<Model> {
    let person = Entity::find_by_id(id).filter(Column::ErasedAt.is_null());
    let person = person.lock_shared().one(&**tx).await?;
    person.ok_or(Error::Unauthenticated)
}

/// The same of who is about to book a property, and of its host, if neither has gone. Gives the guest.
///
/// # Errors
/// [`Error::Unauthenticated`] when the guest's account was deleted a moment ago.
pub(super) async fn keep_both(tx: &Tx, guest: UserId, property: PropertyId) -> Result<Model> {
    let host = Query::select()
        .column(property::Column::HostId)
        .from(property::Entity)
        .and_where(property::Column::PropertyId.eq(property))
        .to_owned();
    let both = Query::select()
        .expr(Expr::val(guest))
        .union(UnionType::All, host)
        .to_owned();
    let people = Entity::find()
        .filter(Column::UserId.in_subquery(both))
        .filter(Column::ErasedAt.is_null())
        .order_by_asc(Column::UserId)
        .lock_shared()
        .all(&**tx)
        .await?;
    let guest = people.into_iter().find(|person| person.user_id == guest);
    guest.ok_or(Error::Unauthenticated)
}

//! Homes to stay in: who sees which. Listing, changing and deleting them is in [`writing`], finding them in [`super::search`].

mod writing;

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait as _, Condition, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Select, sea_query::LockType,
};

use super::{
    error::{Result, signed_in},
    keys::among,
    paging::{self, Keyset},
    public::Public,
};
use crate::{
    domain::{
        actor::Actor,
        ids::{PropertyId, UserId},
        listing::PropertyStatus,
        page::{Cursor, Page, PageRequest},
        problem::Problem,
    },
    entity::{
        part::{self, Columns, Row},
        property::{Column, Entity, Model},
        property_amenity,
    },
    store::db::Tx,
};

/// Homes to stay in.
#[derive(Clone)]
pub struct Properties(pub(super) Public);

/// The mark of lists of properties, newest first.
pub const NEWEST: char = 'n';

pub(super) const BY_KEY: Keyset<Column> = Keyset {
    rank: None,
    id: Column::PropertyId,
    copy: None,
    descending: true,
};

impl Properties {
    /// Properties by their keys, as far as the caller may see them: listed ones for everyone, drafts and unlisted ones for their host
    /// and admins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn visible_by_ids(
        &self,
        actor: &Actor,
        ids: &[PropertyId],
        columns: Columns<Entity>,
    ) -> Result<HashMap<PropertyId, Row<Entity>>> {
        let of = (Column::PropertyId, ids);
        Ok(self.0.by_keys(visible(actor), of, columns).await?)
    }

    /// Properties by their keys, deleted ones too: for what was booked, reviewed or paid.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_ids(
        &self,
        ids: &[PropertyId],
        columns: Columns<Entity>,
    ) -> Result<HashMap<PropertyId, Row<Entity>>> {
        let of = (Column::PropertyId, ids);
        Ok(self.0.by_keys(Entity::find(), of, columns).await?)
    }

    /// What each of some hosts lists, as far as the caller may see it, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pages_of_hosts(
        &self,
        actor: &Actor,
        hosts: &[UserId],
        request: PageRequest,
        columns: Columns<Entity>,
    ) -> Result<HashMap<UserId, Page<Row<Entity>>>> {
        let pages = paging::pages_by_owner(
            &self.0.place,
            hosts,
            BY_KEY,
            request,
            (visible(actor), Column::HostId),
            columns,
            place_by_key,
        );
        Ok(pages.await?)
    }

    /// How many properties each of some hosts has, as far as the caller may see them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counts_of_hosts(
        &self,
        actor: &Actor,
        hosts: &[UserId],
    ) -> Result<HashMap<UserId, i64>> {
        let rows: Vec<(UserId, i64)> = visible(actor)
            .filter(among(self.0.db.backend(), Column::HostId, hosts))
            .select_only()
            .column(Column::HostId)
            .column_as(Column::PropertyId.count(), "count")
            .group_by(Column::HostId)
            .into_tuple()
            .all(&self.0.place)
            .await?;
        Ok(rows.into_iter().collect())
    }

    /// What some properties offer, sorted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn amenities(&self, ids: &[PropertyId]) -> Result<HashMap<PropertyId, Vec<String>>> {
        let rows = property_amenity::Entity::find()
            .filter(among(
                self.0.db.backend(),
                property_amenity::Column::PropertyId,
                ids,
            ))
            .order_by_asc(property_amenity::Column::Amenity)
            .all(&self.0.place)
            .await?;
        let mut amenities: HashMap<PropertyId, Vec<String>> = HashMap::new();
        for row in rows {
            amenities
                .entry(row.property_id)
                .or_default()
                .push(row.amenity);
        }
        Ok(amenities)
    }
}

/// A property of the caller's, kept as it is until the transaction ends; bookings of it go on.
pub(super) async fn own_property(
    tx: &Tx,
    actor: &Actor,
    id: PropertyId,
    field: &str,
) -> Result<Model> {
    let host = signed_in(actor)?.user_id;
    Entity::find_by_id(id)
        .filter(Column::DeletedAt.is_null())
        .filter(Column::HostId.eq(host))
        .lock(LockType::NoKeyUpdate)
        .one(&**tx)
        .await?
        .ok_or_else(|| Problem::not_found(field, "property of yours").into())
}

/// The place of a property in lists ordered by key.
pub(super) fn place_by_key(property: &Row<Entity>) -> std::result::Result<Cursor, DbErr> {
    Ok(Cursor {
        order: NEWEST,
        rank: 0,
        id: i64::from(part::read(&property.property_id)?.0),
    })
}

/// Properties that the caller may see.
pub(super) fn visible(actor: &Actor) -> Select<Entity> {
    let present = Entity::find().filter(Column::DeletedAt.is_null());
    if actor.is_admin() {
        return present;
    }
    let listed = Column::Status.eq(PropertyStatus::Listed);
    match actor.user_id() {
        Some(user) => present.filter(Condition::any().add(listed).add(Column::HostId.eq(user))),
        None => present.filter(listed),
    }
}

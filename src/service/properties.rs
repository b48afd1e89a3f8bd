//! Homes to stay in: listing, changing and deleting them. Finding them is in [`super::search`].

use std::{collections::HashMap, sync::Arc};

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, Condition, DbErr, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Select,
    sea_query::{Expr, ExprTrait as _, LockType},
};

use super::{
    Parts,
    booking_rows::lapsed,
    changes::Changes,
    error::{Error, Result, signed_in},
    keys::among,
    paging::{self, Keyset},
    people_rows,
    search::words,
};
use crate::{
    domain::{
        actor::Actor,
        audit::{Action, Subject},
        booking::BookingStatus,
        freshness::Tag,
        ids::{PropertyId, UserId},
        listing::{ListingChange, ListingInput, PropertyStatus},
        page::{Cursor, Page, PageRequest},
        people::Role,
        problem::Problem,
        stay_rules::check_lengths,
    },
    entity::{
        booking,
        part::{self, Columns, Row},
        property::{self, ActiveModel, Column, Entity, Model, TimeZone},
        property_amenity,
    },
    store::db::Tx,
};

/// Homes to stay in.
#[derive(Clone)]
pub struct Properties(pub(super) Arc<Parts>);

/// The mark of lists of properties, newest first.
pub const NEWEST: char = 'n';

pub(super) const BY_KEY: Keyset<Column> = Keyset {
    rank: None,
    id: Column::PropertyId,
    copy: None,
    descending: true,
};

impl Properties {
    /// Lists a new property of the caller's.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for anyone but a host; every mistake in the input.
    pub async fn create(&self, actor: &Actor, input: ListingInput) -> Result<Model> {
        let host = signed_in(actor)?;
        if host.role != Role::Host {
            return Err(Error::Forbidden(
                "Only hosts list properties; turn host first.",
            ));
        }
        let listing = input.parse_new()?;
        let now = self.0.clock.now();
        let tx = self.0.db.begin().await?;
        people_rows::keep(&tx, host.user_id).await?;
        let row = ActiveModel {
            property_id: NotSet,
            host_id: Set(host.user_id),
            title: Set(listing.title),
            description: Set(listing.description),
            location: Set(listing.location),
            latitude: Set(listing.coordinates.map(|(latitude, _)| latitude)),
            longitude: Set(listing.coordinates.map(|(_, longitude)| longitude)),
            price_per_night: Set(listing.price_per_night),
            cleaning_fee: Set(listing.cleaning_fee),
            max_guests: Set(listing.max_guests),
            min_nights: Set(listing.min_nights),
            max_nights: Set(listing.max_nights),
            advance_notice_days: Set(listing.advance_notice_days),
            preparation_days: Set(listing.preparation_days),
            status: Set(listing.status),
            instant_book: Set(listing.instant_book),
            cancellation_policy: Set(listing.cancellation_policy),
            time_zone: Set(TimeZone(listing.time_zone)),
            rating_sum: Set(0),
            review_count: Set(0),
            rating_hundredths: Set(0),
            created_at: Set(now),
            updated_at: Set(now),
            deleted_at: Set(None),
        };
        let property = Entity::insert(row).exec_with_returning(&*tx).await?;
        set_amenities(&tx, property.property_id, &listing.amenities).await?;
        words::keep(&tx, &property).await?;
        self.commit_with(tx, actor, Action::PropertyCreated, &property)
            .await?;
        Ok(property)
    }

    /// Changes a property of the caller's. An admin may change the status of any, and nothing else.
    ///
    /// # Errors
    /// `NOT_FOUND` for a property that is not the caller's; every mistake in the input.
    pub async fn update(
        &self,
        actor: &Actor,
        id: PropertyId,
        input: ListingInput,
    ) -> Result<Model> {
        let change = input.parse_change()?;
        let tx = self.0.db.begin().await?;
        let property = self.manageable(&tx, actor, id).await?;
        if !actor.is(property.host_id) && !changes_only_status(&change) {
            return Err(Problem::invalid(
                "",
                "An admin changes nothing but the status of somebody's property.",
            )
            .into());
        }
        check_lengths(
            change.min_nights.unwrap_or(property.min_nights),
            change.max_nights.unwrap_or(property.max_nights),
        )?;
        if let Some(amenities) = &change.amenities {
            property_amenity::Entity::delete_many()
                .filter(property_amenity::Column::PropertyId.eq(id))
                .exec(&*tx)
                .await?;
            set_amenities(&tx, id, amenities).await?;
        }
        let row = changed(id, change, self.0.clock.now());
        let property = Entity::update(row).exec(&*tx).await?;
        words::keep(&tx, &property).await?;
        self.commit_with(tx, actor, Action::PropertyUpdated, &property)
            .await?;
        Ok(property)
    }

    /// Deletes a property: it leaves search and the host's list, and past bookings keep showing it.
    ///
    /// # Errors
    /// `NOT_FOUND` for a property that is not the caller's, `WRONG_STATE` while bookings to come stand on it.
    pub async fn delete(&self, actor: &Actor, id: PropertyId) -> Result<PropertyId> {
        let now = self.0.clock.now();
        let tx = self.0.db.begin().await?;
        let property = self.manageable(&tx, actor, id).await?;
        let standing = booking::Entity::find()
            .filter(booking::Column::PropertyId.eq(id))
            .filter(
                booking::Column::Status.is_in([BookingStatus::Pending, BookingStatus::Confirmed]),
            )
            .filter(lapsed(now).not())
            .count(&*tx)
            .await?;
        if standing > 0 {
            let message = format!(
                "Bookings to come stand on this property: {standing}. Unlist it, or cancel them first."
            );
            return Err(Problem::wrong_state(message).into());
        }
        Entity::update_many()
            .col_expr(Column::DeletedAt, Expr::val(now))
            .filter(Column::PropertyId.eq(id))
            .exec(&*tx)
            .await?;
        self.commit_with(tx, actor, Action::PropertyDeleted, &property)
            .await?;
        Ok(id)
    }

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
        let find = visible(actor).filter(among(self.0.db.backend(), Column::PropertyId, ids));
        Ok(columns
            .by(Column::PropertyId, find, self.0.db.read())
            .await?)
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
        let find = Entity::find().filter(among(self.0.db.backend(), Column::PropertyId, ids));
        Ok(columns
            .by(Column::PropertyId, find, self.0.db.read())
            .await?)
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
            self.0.db.read(),
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
            .all(self.0.db.read())
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
            .all(self.0.db.read())
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

    async fn commit_with(
        &self,
        tx: Tx,
        actor: &Actor,
        act: Action,
        property: &Model,
    ) -> Result<()> {
        let (id, host) = (property.property_id, property.host_id);
        let mut changes = Changes::by(actor);
        changes.record(act, Subject::Property(id));
        changes.shown([Tag::Listings, Tag::Property(id), Tag::Person(host)]);
        changes.commit(tx, &self.0).await
    }

    /// Locks a property against everything that relies on its being there.
    async fn manageable(&self, tx: &Tx, actor: &Actor, id: PropertyId) -> Result<Model> {
        let user = signed_in(actor)?;
        let mut find = Entity::find_by_id(id)
            .filter(Column::DeletedAt.is_null())
            .lock_exclusive();
        if user.role != Role::Admin {
            find = find.filter(Column::HostId.eq(user.user_id));
        }
        find.one(&**tx)
            .await?
            .ok_or_else(|| Problem::not_found("id", "property of yours").into())
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

async fn set_amenities(tx: &Tx, property_id: PropertyId, amenities: &[String]) -> Result<()> {
    let rows = amenities
        .iter()
        .map(|amenity| property_amenity::ActiveModel {
            property_id: Set(property_id),
            amenity: Set(amenity.clone()),
        });
    if !amenities.is_empty() {
        property_amenity::Entity::insert_many(rows)
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}

fn changes_only_status(change: &ListingChange) -> bool {
    let rest = ListingChange {
        status: None,
        ..change.clone()
    };
    rest == ListingChange::default()
}

fn changed(
    id: PropertyId,
    change: ListingChange,
    now: chrono::DateTime<chrono::Utc>,
) -> ActiveModel {
    fn set<T: Into<sea_orm::Value>>(value: Option<T>) -> sea_orm::ActiveValue<T> {
        value.map_or(NotSet, Set)
    }
    ActiveModel {
        property_id: sea_orm::ActiveValue::Unchanged(id),
        title: set(change.title),
        description: set(change.description),
        location: set(change.location),
        latitude: set(change.coordinates.map(|(latitude, _)| Some(latitude))),
        longitude: set(change.coordinates.map(|(_, longitude)| Some(longitude))),
        price_per_night: set(change.price_per_night),
        cleaning_fee: set(change.cleaning_fee),
        max_guests: set(change.max_guests),
        min_nights: set(change.min_nights),
        max_nights: set(change.max_nights),
        advance_notice_days: set(change.advance_notice_days),
        preparation_days: set(change.preparation_days),
        status: set(change.status),
        instant_book: set(change.instant_book),
        cancellation_policy: set(change.cancellation_policy),
        time_zone: set(change.time_zone.map(TimeZone)),
        updated_at: Set(now),
        ..property::ActiveModel::default()
    }
}

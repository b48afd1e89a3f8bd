//! Listing, changing and deleting properties.

use chrono::{DateTime, Duration, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _},
};

use super::Properties;
use crate::{
    domain::{
        actor::Actor,
        audit::{Action, Subject},
        booking::BookingStatus,
        freshness::Tag,
        ids::PropertyId,
        listing::{ListingChange, ListingInput},
        people::Role,
        problem::Problem,
        stay_rules::check_lengths,
    },
    entity::{
        booking,
        property::{self, ActiveModel, Column, Entity, Model, TimeZone},
        property_amenity,
    },
    service::{
        booking_rows::lapsed,
        changes::Changes,
        error::{Error, Result, signed_in},
        people_rows,
        search::words,
        seen::Seen,
    },
    store::db::Tx,
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
    /// `NOT_FOUND` for a property that is not the caller's; [`Error::Changed`] for one that is not as the caller has `seen` it; every mistake in the
    /// input.
    pub async fn update(
        &self,
        actor: &Actor,
        id: PropertyId,
        input: ListingInput,
        seen: Seen<'_, Model>,
    ) -> Result<Model> {
        let change = input.parse_change()?;
        let tx = self.0.db.begin().await?;
        let property = self.manageable(&tx, actor, id).await?;
        seen.must_be(&property)?;
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
        // Later than before even within one tick of the clock: it tells one version from the next.
        let step = Duration::microseconds((change != ListingChange::default()).into());
        let now = Ord::max(self.0.clock.now(), property.updated_at + step);
        let row = changed(id, change, now);
        let property = Entity::update(row).exec(&*tx).await?;
        words::keep(&tx, &property).await?;
        self.commit_with(tx, actor, Action::PropertyUpdated, &property)
            .await?;
        Ok(property)
    }

    /// Deletes a property: it leaves search and the host's list, and past bookings keep showing it.
    ///
    /// # Errors
    /// `NOT_FOUND` for a property that is not the caller's, [`Error::Changed`] for one that is not as the caller has `seen` it, `WRONG_STATE` while
    /// bookings to come stand on it.
    pub async fn delete(
        &self,
        actor: &Actor,
        id: PropertyId,
        seen: Seen<'_, Model>,
    ) -> Result<PropertyId> {
        let now = self.0.clock.now();
        let tx = self.0.db.begin().await?;
        let property = self.manageable(&tx, actor, id).await?;
        seen.must_be(&property)?;
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

fn changed(id: PropertyId, change: ListingChange, now: DateTime<Utc>) -> ActiveModel {
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

//! Homes to stay in: found, shown, listed, changed, deleted.

mod search;
mod views;

use axum::{extract::State, http::Uri};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) use self::views::Property;
use self::{
    search::Filter,
    views::{NewProperty, PropertyChange},
};
use super::{
    answer::{self, Answer},
    asked::{Anyone, Body, Id, Nothing, Public, Query, Somebody},
    conditional::{IfMatch, Versions},
    page::{self, List},
    problem::Problem,
};
use crate::{
    domain::{actor::Actor, ids::PropertyId},
    entity::{part::Columns, property::Model},
    service::{Services, error::Error, seen::Seen},
};

pub(super) fn routes() -> OpenApiRouter<Services> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, update, delete))
}

/// Finds listed properties
///
/// Every parameter narrows what is found.
#[utoipa::path(get, path = "/properties/", operation_id = "listProperties", tag = "properties", security((), ("bearer" = [])), params(Filter),
    responses((status = 200, description = "A page of properties.", body = List<Property>)))]
async fn list(
    Public(services): Public,
    Anyone(_): Anyone,
    Query(filter): Query<Filter>,
    uri: Uri,
) -> Answer {
    let (input, sort, wanted) = filter.into_search()?;
    let request = wanted.parse(&[sort.mark(), sort.loose_mark()])?;
    let search = services.properties.search(input, sort)?;
    let page = services.properties.found(&search, request).await?;
    let ids: Vec<_> = page
        .rows
        .iter()
        .filter_map(|(_, row)| row.property_id.try_as_ref().copied())
        .collect();
    let mut amenities = services.properties.amenities(&ids).await?;
    page::list(&uri, page, |row| {
        let row = row.whole().map_err(Error::from)?;
        let words = amenities_of(&mut amenities, row.property_id);
        Ok(Property::of(&services, row, words))
    })
}

/// Lists a property
///
/// For hosts; a guest turns host first.
#[utoipa::path(post, path = "/properties/", operation_id = "createProperty", tag = "properties", request_body = NewProperty,
    responses((status = 201, description = "The property.", body = Property, headers(
        ("Location" = String, description = "Where the property is.")))))]
async fn create(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Query(Nothing {}): Query<Nothing>,
    Body(new): Body<NewProperty>,
) -> Answer {
    let row = services.properties.create(&actor, new.into()).await?;
    let (version, property) = (
        views::version(&services, &row),
        shown(&services, row).await?,
    );
    let place = format!("/properties/{}/", property.id());
    answer::made(&place, &property, &version)
}

/// Shows a property
///
/// Listed ones to everyone; drafts and unlisted ones to their host and admins.
#[utoipa::path(get, path = "/properties/{id}/", operation_id = "showProperty", tag = "properties", security((), ("bearer" = [])),
    params(("id" = i32, Path, description = "The property's key.", minimum = 1, example = 42)),
    responses((status = 200, description = "The property.", body = Property)))]
async fn show(
    Public(services): Public,
    Anyone(actor): Anyone,
    Id(id): Id,
    Query(Nothing {}): Query<Nothing>,
) -> Answer {
    let row = visible(&services, &actor, PropertyId(id)).await?;
    let version = views::version(&services, &row);
    answer::thing(&shown(&services, row).await?, &version)
}

/// Changes a property
///
/// By JSON merge patch, by its host. An admin may change the status of any.
#[utoipa::path(patch, path = "/properties/{id}/", operation_id = "updateProperty", tag = "properties",
    params(Versions, ("id" = i32, Path, description = "The property's key.", minimum = 1, example = 42)),
    request_body(content((PropertyChange = "application/json"), (PropertyChange = "application/merge-patch+json"))),
    responses((status = 200, description = "The property after the change.", body = Property)))]
async fn update(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Id(id): Id,
    Query(Nothing {}): Query<Nothing>,
    versions: IfMatch,
    Body(change): Body<PropertyChange>,
) -> Answer {
    let is_known = |row: &Model| versions.admits(&views::version(&services, row));
    let properties = &services.properties;
    let changed = properties.update(&actor, PropertyId(id), change.into(), Seen::when(&is_known));
    let row = changed.await?;
    let version = views::version(&services, &row);
    answer::thing(&shown(&services, row).await?, &version)
}

/// Deletes a property
///
/// Refused while bookings to come stand on it. Past bookings, reviews and payments keep showing it.
#[utoipa::path(delete, path = "/properties/{id}/", operation_id = "deleteProperty", tag = "properties",
    params(Versions, ("id" = i32, Path, description = "The property's key.", minimum = 1, example = 42)),
    responses((status = 204, description = "It is deleted.")))]
async fn delete(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Id(id): Id,
    Query(Nothing {}): Query<Nothing>,
    versions: IfMatch,
) -> Answer {
    let is_known = |row: &Model| versions.admits(&views::version(&services, row));
    let properties = &services.properties;
    properties
        .delete(&actor, PropertyId(id), Seen::when(&is_known))
        .await?;
    Ok(answer::done())
}

/// A property that this caller may see.
pub(super) async fn visible(
    services: &Services,
    actor: &Actor,
    id: PropertyId,
) -> Result<Model, Problem> {
    let found = services
        .properties
        .visible_by_ids(actor, &[id], Columns::all())
        .await?;
    let row = found
        .get(&id)
        .ok_or_else(|| Problem::not_found("property"))?;
    Ok(row.whole().map_err(Error::from)?)
}

async fn shown(services: &Services, row: Model) -> Result<Property, Problem> {
    let id = row.property_id;
    let mut amenities = services.properties.amenities(&[id]).await?;
    let words = amenities_of(&mut amenities, id);
    Ok(Property::of(services, row, words))
}

fn amenities_of(
    all: &mut std::collections::HashMap<PropertyId, Vec<String>>,
    id: PropertyId,
) -> Vec<String> {
    all.remove(&id).unwrap_or_default()
}

//! Keeping the words that a search looks into.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _, FromQueryResult as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Statement, sea_query::OnConflict,
};

use std::collections::HashMap;

use crate::{
    domain::ids::PropertyId,
    entity::{property, property_amenity, property_search},
    store::db::{Db, Tx},
};

/// How many properties are folded in one transaction.
const BATCH: u64 = 1_000;

/// Writes what a search for words looks into, for a property that was listed or changed.
pub(in crate::service) async fn keep(tx: &Tx, property: &property::Model) -> Result<(), DbErr> {
    write(tx, std::slice::from_ref(property)).await
}

/// Works off what a migration has left to fold. Any number of instances may do it at once, each its own part; what is stopped goes on at the
/// next start.
///
/// # Errors
/// When the database fails.
pub async fn catch_up(db: &Db) -> Result<(), DbErr> {
    loop {
        let tx = db.begin().await?;
        let locked = if db.backend() == sea_orm::DbBackend::Postgres {
            " FOR UPDATE SKIP LOCKED"
        } else {
            ""
        };
        let sql = format!(
            "DELETE FROM property_search_backlog WHERE property_id IN \
             (SELECT property_id FROM property_search_backlog ORDER BY property_id LIMIT {BATCH}{locked}) RETURNING property_id"
        );
        let statement = Statement::from_string(db.backend(), sql);
        let rows = Waiting::find_by_statement(statement).all(&*tx).await?;
        if rows.is_empty() {
            return tx.commit().await;
        }
        let ids = rows.into_iter().map(|row| row.property_id);
        let properties = property::Entity::find()
            .filter(property::Column::PropertyId.is_in(ids))
            .order_by_asc(property::Column::PropertyId)
            .lock_shared()
            .all(&*tx)
            .await?;
        write(&tx, &properties).await?;
        tx.commit().await?;
    }
}

#[derive(sea_orm::FromQueryResult)]
struct Waiting {
    property_id: PropertyId,
}

async fn write(tx: &Tx, properties: &[property::Model]) -> Result<(), DbErr> {
    use property_search::{ActiveModel, Column, Entity};

    // Variables of one statement; `SQLite` takes 32,766.
    const ROWS: usize = 500;

    for properties in properties.chunks(ROWS) {
        let ids = properties.iter().map(|property| property.property_id);
        let mut amenities: HashMap<PropertyId, Vec<String>> = HashMap::new();
        for row in property_amenity::Entity::find()
            .filter(property_amenity::Column::PropertyId.is_in(ids))
            .all(&**tx)
            .await?
        {
            amenities
                .entry(row.property_id)
                .or_default()
                .push(row.amenity);
        }
        let rows = properties.iter().map(|property| {
            let amenities = amenities.remove(&property.property_id).unwrap_or_default();
            let words = property_search::Model::of(property, &amenities);
            ActiveModel {
                property_id: Set(words.property_id),
                terms: Set(words.terms),
                name: Set(words.name),
                place: Set(words.place),
            }
        });
        let change = OnConflict::column(Column::PropertyId)
            .update_columns([Column::Terms, Column::Name, Column::Place])
            .to_owned();
        Entity::insert_many(rows)
            .on_conflict(change)
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}

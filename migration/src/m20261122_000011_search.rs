//! What a search looks into: the folded words of each property with their indexes, and indexes that hold all that a search compares.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::{WHOLE, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What a search compares of a property, beside what an index is ordered by: a walk along such an index never touches the table.
const COMPARED: &str = "max_guests, host_id, latitude, longitude, time_zone, min_nights, max_nights, advance_notice_days, preparation_days";

/// Each index of `properties` that a search uses: its name, its columns, and those of the columns above that it has already.
const INDEXES: [(&str, &str); 6] = [
    ("search_by_key", "property_id"),
    ("search_by_price", "price_per_night, property_id"),
    ("search_by_rating", "rating_hundredths, property_id"),
    ("search_by_guests", "max_guests, property_id"),
    ("search_by_latitude", "latitude, longitude, property_id"),
    ("search_by_longitude", "longitude, latitude, property_id"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &["DROP TABLE property_search"]).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            run(manager, &POSTGRES).await?;
        } else {
            run(manager, &SQLITE).await?;
        }
        run(
            manager,
            &[
                // The product folds words; it works this list off when it starts.
                "CREATE TABLE property_search_backlog (property_id INTEGER NOT NULL PRIMARY KEY)",
                "INSERT INTO property_search_backlog (property_id) SELECT property_id FROM properties",
            ],
        )
        .await?;
        run(
            manager,
            &[
                "DROP INDEX properties_listed",
                "DROP INDEX properties_by_price",
                "DROP INDEX properties_by_rating",
            ],
        )
        .await?;
        for (name, columns) in INDEXES {
            create_index(manager, name, columns).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in INDEXES {
            run(manager, &[&format!("DROP INDEX {name}")]).await?;
        }
        if manager.get_database_backend() == DbBackend::Sqlite {
            run(
                manager,
                &["DROP TABLE property_terms", "DROP TABLE property_trigrams"],
            )
            .await?;
        }
        run(
            manager,
            &[
                "DROP TABLE property_search_backlog",
                "DROP TABLE property_search",
                "CREATE TABLE property_search (property_id INTEGER NOT NULL PRIMARY KEY REFERENCES properties (property_id), \
                 words TEXT NOT NULL, place TEXT NOT NULL)",
                "INSERT INTO property_search (property_id, words, place) \
                 SELECT property_id, lower(title || ' ' || description || ' ' || location), lower(location) FROM properties",
                "CREATE INDEX properties_listed ON properties (property_id) \
                 WHERE status = 'LISTED' AND deleted_at IS NULL",
                "CREATE INDEX properties_by_price ON properties (price_per_night, property_id) \
                 WHERE status = 'LISTED' AND deleted_at IS NULL",
                "CREATE INDEX properties_by_rating ON properties (rating_hundredths, property_id) \
                 WHERE status = 'LISTED' AND deleted_at IS NULL",
            ],
        )
        .await
    }
}

/// Makes an index of listed properties by some columns that also has all that a search compares.
pub(crate) async fn create_index(
    manager: &SchemaManager<'_>,
    name: &str,
    columns: &str,
) -> Result<(), DbErr> {
    let compared = COMPARED
        .split(", ")
        .chain(["price_per_night", "rating_hundredths"]);
    let compared = compared.filter(|column| !columns.contains(column));
    let compared = compared.collect::<Vec<_>>().join(", ");
    let all = if manager.get_database_backend() == DbBackend::Postgres {
        format!("({columns}) INCLUDE ({compared})")
    } else {
        // SQLite takes an index for whole only when it also has what the condition of the index names.
        format!("({columns}, {compared}, status, deleted_at)")
    };
    let create = format!(
        "CREATE INDEX {name} ON properties {all} WHERE status = 'LISTED' AND deleted_at IS NULL"
    );
    run(manager, &[&create]).await
}

/// `terms` is taken apart at its spaces and by no parser. Without `fastupdate` a search never reads a list of what waits to be indexed.
const POSTGRES: [&str; 3] = [
    // Trusted since PostgreSQL 13: who may create in this database may do it.
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE TABLE property_search (property_id INTEGER NOT NULL PRIMARY KEY REFERENCES properties (property_id), \
     terms TEXT NOT NULL, name TEXT NOT NULL, place TEXT NOT NULL, \
     document TSVECTOR NOT NULL GENERATED ALWAYS AS (array_to_tsvector(string_to_array(btrim(terms), ' '))) STORED)",
    "CREATE INDEX property_search_by_words ON property_search \
     USING gin (document, name gin_trgm_ops, place gin_trgm_ops) WITH (fastupdate = off)",
];

/// The tokenizer for ASCII leaves every other character alone, which is right for words that are folded already.
const SQLITE: [&str; 6] = [
    "CREATE TABLE property_search (property_id INTEGER NOT NULL PRIMARY KEY REFERENCES properties (property_id), \
     terms TEXT NOT NULL, name TEXT NOT NULL, place TEXT NOT NULL)",
    "CREATE VIRTUAL TABLE property_terms USING fts5(terms, content='property_search', content_rowid='property_id', \
     tokenize=\"ascii tokenchars '@#_'\", detail=none, columnsize=0)",
    "CREATE VIRTUAL TABLE property_trigrams USING fts5(name, place, content='property_search', content_rowid='property_id', \
     tokenize='trigram case_sensitive 1', columnsize=0)",
    "CREATE TRIGGER property_search_inserted AFTER INSERT ON property_search BEGIN \
     INSERT INTO property_terms (rowid, terms) VALUES (new.property_id, new.terms); \
     INSERT INTO property_trigrams (rowid, name, place) VALUES (new.property_id, new.name, new.place); END",
    "CREATE TRIGGER property_search_deleted AFTER DELETE ON property_search BEGIN \
     INSERT INTO property_terms (property_terms, rowid, terms) VALUES ('delete', old.property_id, old.terms); \
     INSERT INTO property_trigrams (property_trigrams, rowid, name, place) VALUES ('delete', old.property_id, old.name, old.place); END",
    "CREATE TRIGGER property_search_updated AFTER UPDATE ON property_search \
     WHEN old.terms <> new.terms OR old.name <> new.name OR old.place <> new.place BEGIN \
     INSERT INTO property_terms (property_terms, rowid, terms) VALUES ('delete', old.property_id, old.terms); \
     INSERT INTO property_trigrams (property_trigrams, rowid, name, place) VALUES ('delete', old.property_id, old.name, old.place); \
     INSERT INTO property_terms (rowid, terms) VALUES (new.property_id, new.terms); \
     INSERT INTO property_trigrams (rowid, name, place) VALUES (new.property_id, new.name, new.place); END",
];

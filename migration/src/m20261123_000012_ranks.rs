//! `SQLite` seeks by its own key in no index but after all of the index's columns: a page that begins among many properties of one rank
//! would read all of them. A copy of the key does what the key can't. `PostgreSQL` needs nothing.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::{WHOLE, m20261122_000011_search::create_index, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const RANKS: [(&str, &str); 2] = [
    ("search_by_price", "price_per_night"),
    ("search_by_rating", "rating_hundredths"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            return Ok(());
        }
        run(
            manager,
            &["ALTER TABLE properties ADD COLUMN key_after_rank INTEGER GENERATED ALWAYS AS (property_id) VIRTUAL"],
        )
        .await?;
        index_by(manager, "key_after_rank").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            return Ok(());
        }
        index_by(manager, "property_id").await?;
        run(
            manager,
            &["ALTER TABLE properties DROP COLUMN key_after_rank"],
        )
        .await
    }
}

async fn index_by(manager: &SchemaManager<'_>, key: &str) -> Result<(), DbErr> {
    for (name, rank) in RANKS {
        run(manager, &[&format!("DROP INDEX {name}")]).await?;
        create_index(manager, name, &format!("{rank}, {key}")).await?;
    }
    Ok(())
}

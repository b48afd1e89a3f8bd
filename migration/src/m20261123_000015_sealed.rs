//! Room for sealed secrets of calendars, what they are looked up by, and a list of what is to be sealed that was kept before.

use sea_orm_migration::{prelude::*, schema::string_len_null, sea_orm::DbBackend};

use crate::{WHOLE, drop_columns, drop_tables, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const DIGESTS: [(&str, &str); 2] = [
    ("calendar_exports", "token_digest"),
    ("calendar_feeds", "url_digest"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, digest) in DIGESTS {
            let column = string_len_null(digest, 64);
            let change = Table::alter().table(table).add_column(column).to_owned();
            manager.alter_table(change).await?;
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            // SQLite never minded the length.
            run(
                manager,
                &[
                    "ALTER TABLE calendar_exports ALTER COLUMN token TYPE text",
                    "ALTER TABLE calendar_feeds ALTER COLUMN url TYPE text",
                ],
            )
            .await?;
        }
        run(
            manager,
            &[
                "DROP INDEX calendar_exports_by_token",
                "DROP INDEX calendar_feeds_by_property",
                "CREATE UNIQUE INDEX calendar_exports_by_token ON calendar_exports (token_digest)",
                "CREATE UNIQUE INDEX calendar_feeds_by_property ON calendar_feeds (property_id, url_digest)",
                // The product has the keys; it works this list off when it starts.
                "CREATE TABLE sealing_backlog (place VARCHAR(64) NOT NULL PRIMARY KEY)",
                "INSERT INTO sealing_backlog (place) VALUES ('payments.provider_reference'), ('payments.client_secret'), \
                 ('calendar_exports.token'), ('calendar_feeds.url')",
            ],
        )
        .await
    }

    /// What is sealed stays so: whoever goes back has to publish and import calendars anew.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["sealing_backlog"]).await?;
        run(
            manager,
            &[
                "DROP INDEX calendar_exports_by_token",
                "DROP INDEX calendar_feeds_by_property",
            ],
        )
        .await?;
        for (table, digest) in DIGESTS {
            drop_columns(manager, table, &[digest]).await?;
        }
        run(
            manager,
            &[
                "CREATE UNIQUE INDEX calendar_exports_by_token ON calendar_exports (token)",
                "CREATE UNIQUE INDEX calendar_feeds_by_property ON calendar_feeds (property_id, url)",
            ],
        )
        .await
    }
}

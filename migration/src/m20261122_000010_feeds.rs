//! Calendars to and from other platforms: secret addresses of exports, imported calendars, and the nights that those take.

use sea_orm_migration::{
    prelude::*,
    schema::{
        date, integer, pk_auto, string_len, string_null, text_null, timestamp_with_time_zone,
        timestamp_with_time_zone_null, uuid,
    },
};

use crate::{WHOLE, drop_tables, reference, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(exports()).await?;
        manager.create_table(feeds()).await?;
        manager.create_table(feed_nights()).await?;
        run(
            manager,
            &[
                "CREATE UNIQUE INDEX calendar_exports_by_token ON calendar_exports (token)",
                "CREATE UNIQUE INDEX calendar_feeds_by_property ON calendar_feeds (property_id, url)",
                "CREATE INDEX calendar_feeds_by_due ON calendar_feeds (next_sync_at)",
                "CREATE INDEX calendar_feed_nights_by_property ON calendar_feed_nights (property_id, night)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Who goes back has no word for these nights.
        run(manager, &["DELETE FROM nights WHERE kind = 'FEED'"]).await?;
        drop_tables(
            manager,
            &["calendar_feed_nights", "calendar_feeds", "calendar_exports"],
        )
        .await
    }
}

fn exports() -> TableCreateStatement {
    Table::create()
        .table("calendar_exports")
        .col(integer("property_id").primary_key().to_owned())
        .col(string_len("token", 64))
        .col(uuid("calendar_id"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(&mut reference("property_id", "properties"))
        .to_owned()
}

fn feeds() -> TableCreateStatement {
    Table::create()
        .table("calendar_feeds")
        .col(pk_auto("feed_id"))
        .col(integer("property_id"))
        .col(string_len("name", 100))
        .col(string_len("url", 2_000))
        .col(text_null("etag"))
        .col(text_null("last_modified"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("next_sync_at"))
        .col(timestamp_with_time_zone_null("last_tried_at"))
        .col(timestamp_with_time_zone_null("last_synced_at"))
        .col(timestamp_with_time_zone_null("last_read_at"))
        .col(integer("failures").default(0).to_owned())
        .col(string_null("problem"))
        .foreign_key(&mut reference("property_id", "properties"))
        .to_owned()
}

fn feed_nights() -> TableCreateStatement {
    Table::create()
        .table("calendar_feed_nights")
        .col(integer("feed_id"))
        .col(integer("property_id"))
        .col(date("night"))
        .primary_key(Index::create().col("feed_id").col("night"))
        .foreign_key(&mut reference("feed_id", "calendar_feeds"))
        .to_owned()
}

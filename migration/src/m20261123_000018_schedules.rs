//! What is done again and again, such as backups: for when it was begun last, so that of many workers one begins it.

use sea_orm_migration::{
    prelude::*,
    schema::{string_len, timestamp_with_time_zone, timestamp_with_time_zone_null},
};

use crate::{WHOLE, drop_tables};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("schedules")
            .col(string_len("name", 32).primary_key().to_owned())
            .col(timestamp_with_time_zone("begun_for"))
            .col(timestamp_with_time_zone_null("succeeded_at"))
            .to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["schedules"]).await
    }
}

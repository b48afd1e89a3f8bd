//! When an account was deleted. Its row stays for bookings, reviews and the books, which refer to it.

use sea_orm_migration::{prelude::*, schema::timestamp_with_time_zone_null};

use crate::{WHOLE, drop_columns};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = timestamp_with_time_zone_null("erased_at");
        let add = Table::alter().table("users").add_column(column).to_owned();
        manager.alter_table(add).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_columns(manager, "users", &["erased_at"]).await
    }
}

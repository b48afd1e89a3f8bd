//! What a changed booking remembers of its money: the most that may still come back. It says more than the deadline that stood here before.

use sea_orm_migration::{
    prelude::*,
    schema::{date_null, decimal_len_null},
};

use crate::{WHOLE, drop_columns};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        replace(
            manager,
            "deadline_date",
            decimal_len_null("refund_limit", 10, 2),
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        replace(manager, "refund_limit", date_null("deadline_date")).await
    }
}

async fn replace(
    manager: &SchemaManager<'_>,
    old: &'static str,
    new: ColumnDef,
) -> Result<(), DbErr> {
    let add = Table::alter().table("bookings").add_column(new).to_owned();
    manager.alter_table(add).await?;
    drop_columns(manager, "bookings", &[old]).await
}

//! Work that a transaction leaves for later, such as mail.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_pk_auto, integer, json, string_len, string_null, timestamp_with_time_zone,
        timestamp_with_time_zone_null,
    },
};

use crate::{WHOLE, drop_tables, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("jobs")
                    .col(big_pk_auto("job_id"))
                    .col(string_len("kind", 32))
                    .col(json("payload"))
                    .col(integer("attempts").default(0).to_owned())
                    .col(timestamp_with_time_zone("due_at"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone_null("given_up_at"))
                    .col(string_null("failure"))
                    .to_owned(),
            )
            .await?;
        run(
            manager,
            &[
                "CREATE INDEX jobs_by_due ON jobs (kind, due_at) WHERE given_up_at IS NULL",
                "CREATE INDEX jobs_given_up ON jobs (given_up_at) WHERE given_up_at IS NOT NULL",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["jobs"]).await
    }
}

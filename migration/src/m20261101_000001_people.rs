//! People, the devices they are signed in on, and the keys that sign access tokens in development.

use sea_orm_migration::{
    prelude::*,
    schema::{
        blob, integer, pk_auto, pk_uuid, string, string_len, string_null, string_uniq,
        timestamp_with_time_zone, timestamp_with_time_zone_null,
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
        manager
            .create_table(
                Table::create()
                    .table("users")
                    .col(pk_auto("user_id"))
                    .col(string("full_name"))
                    .col(string_uniq("email"))
                    .col(string("password_hash"))
                    .col(string_len("role", 16))
                    .col(timestamp_with_time_zone("created_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("sessions")
                    .col(pk_uuid("session_id"))
                    .col(integer("user_id"))
                    .col(string_len("refresh_hash", 64))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("last_used_at"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .col(timestamp_with_time_zone_null("ended_at"))
                    .col(string_null("user_agent"))
                    .col(string_null("ip_address"))
                    .foreign_key(&mut reference("user_id", "users"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("signing_keys")
                    .col(string_len("key_id", 64).primary_key())
                    .col(blob("pkcs8"))
                    .col(timestamp_with_time_zone("created_at"))
                    .to_owned(),
            )
            .await?;
        run(
            manager,
            &["CREATE INDEX sessions_by_user ON sessions (user_id, created_at)"],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["signing_keys", "sessions", "users"]).await
    }
}

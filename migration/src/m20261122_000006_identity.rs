//! What proves who somebody is: verified mail addresses, suspended accounts, refresh tokens that change at each use, mailed tokens; and
//! the feed by which every instance learns whose sessions changed.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_pk_auto, integer, string, string_len, string_len_null, string_null,
        timestamp_with_time_zone, timestamp_with_time_zone_null,
    },
};

use crate::{WHOLE, drop_columns, drop_tables, reference, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const OF_USERS: [&str; 4] = [
    "email_verified_at",
    "pending_email",
    "suspended_at",
    "token_version",
];
const OF_SESSIONS: [&str; 3] = ["family_hash", "previous_hash", "sealed_successor"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        for column in [
            timestamp_with_time_zone_null("email_verified_at"),
            string_null("pending_email"),
            timestamp_with_time_zone_null("suspended_at"),
            integer("token_version").default(0).to_owned(),
        ] {
            let table = Table::alter().table("users").add_column(column).to_owned();
            manager.alter_table(table).await?;
        }
        for column in [
            string_len_null("family_hash", 64),
            string_len_null("previous_hash", 64),
            string_null("sealed_successor"),
        ] {
            let table = Table::alter()
                .table("sessions")
                .add_column(column)
                .to_owned();
            manager.alter_table(table).await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("session_changes")
                    .col(big_pk_auto("change_id"))
                    .col(integer("user_id"))
                    .col(timestamp_with_time_zone("created_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("mailed_tokens")
                    .col(string_len("token_hash", 64).primary_key())
                    .col(integer("user_id"))
                    .col(string_len("purpose", 16))
                    .col(string("email"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .col(timestamp_with_time_zone_null("used_at"))
                    .foreign_key(&mut reference("user_id", "users"))
                    .to_owned(),
            )
            .await?;
        run(
            manager,
            &[
                "CREATE UNIQUE INDEX sessions_by_family ON sessions (family_hash)",
                "CREATE INDEX session_changes_by_age ON session_changes (created_at)",
                "CREATE INDEX sessions_by_end ON sessions (expires_at)",
                "CREATE INDEX mailed_tokens_by_user ON mailed_tokens (user_id)",
                "CREATE INDEX mailed_tokens_by_end ON mailed_tokens (expires_at)",
                "CREATE INDEX users_by_role ON users (role) WHERE role = 'ADMIN'",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["mailed_tokens", "session_changes"]).await?;
        run(
            manager,
            &[
                "DROP INDEX users_by_role",
                "DROP INDEX sessions_by_end",
                "DROP INDEX sessions_by_family",
            ],
        )
        .await?;
        drop_columns(manager, "sessions", &OF_SESSIONS).await?;
        drop_columns(manager, "users", &OF_USERS).await
    }
}

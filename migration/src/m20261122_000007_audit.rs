//! The audit log: a chain of lines that are written once, and the alerts that were raised.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, integer, integer_null, string_len, string_len_null, string_null,
        timestamp_with_time_zone,
    },
    sea_orm::DbBackend,
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
                    .table("audit_entries")
                    // Given by the chain, without gaps.
                    .col(big_integer("audit_id").primary_key())
                    .col(timestamp_with_time_zone("created_at"))
                    // No foreign key: whatever becomes of an account, its lines stay as they are.
                    .col(integer_null("actor_id"))
                    .col(string_len("action", 64))
                    .col(string_null("subject"))
                    .col(string_len("outcome", 16))
                    .col(string_null("detail"))
                    .col(string_null("ip_address"))
                    .col(string_null("user_agent"))
                    .col(string_null("request_id"))
                    .col(string_len("hash", 64))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("audit_head")
                    .col(integer("head_id").primary_key())
                    .col(big_integer("audit_id"))
                    .col(string_len("hash", 64))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("alerts")
                    .col(string_len("cause", 64).primary_key())
                    .col(timestamp_with_time_zone("raised_at"))
                    .col(string_len_null("detail", 500))
                    .to_owned(),
            )
            .await?;
        run(
            manager,
            &[
                "INSERT INTO audit_head (head_id, audit_id, hash) VALUES (1, 0, '')",
                "CREATE INDEX audit_entries_by_actor ON audit_entries (actor_id, audit_id)",
                "CREATE INDEX audit_entries_by_action ON audit_entries (action, audit_id)",
            ],
        )
        .await?;
        run(manager, append_only(manager.get_database_backend())).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["alerts", "audit_head", "audit_entries"]).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            let functions = [
                "DROP FUNCTION audit_is_append_only",
                "DROP FUNCTION audit_grows_at_its_end",
            ];
            run(manager, &functions).await?;
        }
        Ok(())
    }
}

/// Lets nobody change or take away a line, or add one anywhere but at the end, by a statement typed by hand. Whoever owns the tables can
/// take these triggers away; that is what the chain is for.
fn append_only(engine: DbBackend) -> &'static [&'static str] {
    if engine == DbBackend::Postgres {
        &[
            "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$",
            "CREATE TRIGGER audit_rows_stay BEFORE UPDATE OR DELETE ON audit_entries
             FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()",
            "CREATE FUNCTION audit_grows_at_its_end() RETURNS trigger LANGUAGE plpgsql AS
             $$ DECLARE last bigint;
             BEGIN
               SELECT audit_id INTO last FROM audit_head;
               IF NEW.audit_id <= last OR (NEW.audit_id > last + 1
                 AND NOT EXISTS (SELECT 1 FROM audit_entries WHERE audit_id = NEW.audit_id - 1)) THEN
                 RAISE EXCEPTION 'the audit log is append-only';
               END IF;
               RETURN NEW;
             END $$",
            "CREATE TRIGGER audit_rows_follow BEFORE INSERT ON audit_entries
             FOR EACH ROW EXECUTE FUNCTION audit_grows_at_its_end()",
            "CREATE TRIGGER audit_table_stays BEFORE TRUNCATE ON audit_entries
             FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()",
        ]
    } else {
        &[
            "CREATE TRIGGER audit_rows_stay BEFORE UPDATE ON audit_entries
             BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
            "CREATE TRIGGER audit_rows_remain BEFORE DELETE ON audit_entries
             BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
            "CREATE TRIGGER audit_rows_follow BEFORE INSERT ON audit_entries
             WHEN NEW.audit_id <= (SELECT audit_id FROM audit_head)
               OR (NEW.audit_id > (SELECT audit_id FROM audit_head) + 1
                 AND NOT EXISTS (SELECT 1 FROM audit_entries WHERE audit_id = NEW.audit_id - 1))
             BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
        ]
    }
}

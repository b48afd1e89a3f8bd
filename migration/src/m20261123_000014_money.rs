//! What has to be known to find out later what became of a payment or a refund; what the provider told of itself; the books; and the key that seals
//! secrets where the operator gives none.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_pk_auto, boolean, decimal_len, integer, integer_null, string_len, string_len_null,
        string_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
    },
};

use crate::{WHOLE, drop_columns, drop_tables, reference, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            string_len_null("reference_digest", 64),
            string_null("token"),
            timestamp_with_time_zone_null("look_at"),
            integer("looks").default(0).to_owned(),
            timestamp_with_time_zone_null("capture_asked_at"),
        ] {
            add(manager, "payments", column).await?;
        }
        for column in [
            timestamp_with_time_zone_null("due_at"),
            integer("attempts").default(0).to_owned(),
            boolean("stands").default(false).to_owned(),
        ] {
            add(manager, "refunds", column).await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("provider_events")
                    .col(string_len("event_id", 255).primary_key().to_owned())
                    .col(string_len("kind", 100))
                    .col(timestamp_with_time_zone("received_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("encryption_keys")
                    .col(string_len("name", 32).primary_key().to_owned())
                    .col(ColumnDef::new("key").blob().not_null().to_owned())
                    .col(timestamp_with_time_zone("created_at"))
                    .to_owned(),
            )
            .await?;
        manager.create_table(ledger_entries()).await?;
        run(
            manager,
            &[
                "CREATE INDEX ledger_entries_by_booking ON ledger_entries (booking_id)",
                "CREATE INDEX ledger_entries_by_payment ON ledger_entries (payment_id, entry_id)",
                "CREATE INDEX ledger_entries_by_host ON ledger_entries (host_id, created_at)",
                "DROP INDEX payments_by_reference",
                "CREATE UNIQUE INDEX payments_by_reference ON payments (reference_digest)",
                "UPDATE payments SET look_at = transaction_date WHERE payment_status = 'PENDING' AND authorized_at IS NULL",
                "CREATE INDEX payments_to_look_at ON payments (look_at) WHERE payment_status = 'PENDING'",
                "CREATE INDEX provider_events_by_age ON provider_events (received_at)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &[
                "DROP INDEX payments_to_look_at",
                "DROP INDEX payments_by_reference",
            ],
        )
        .await?;
        drop_tables(
            manager,
            &["ledger_entries", "encryption_keys", "provider_events"],
        )
        .await?;
        drop_columns(manager, "refunds", &["due_at", "attempts", "stands"]).await?;
        drop_columns(
            manager,
            "payments",
            &[
                "reference_digest",
                "token",
                "look_at",
                "looks",
                "capture_asked_at",
            ],
        )
        .await?;
        run(
            manager,
            &["CREATE UNIQUE INDEX payments_by_reference ON payments (provider_reference)"],
        )
        .await
    }
}

fn ledger_entries() -> TableCreateStatement {
    Table::create()
        .table("ledger_entries")
        .col(big_pk_auto("entry_id"))
        .col(integer("booking_id"))
        .col(integer("payment_id"))
        .col(integer_null("refund_id"))
        .col(integer("property_id"))
        .col(integer("host_id"))
        .col(string_len("movement", 16))
        .col(string_len("account", 16))
        .col(decimal_len("amount", 10, 2))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(&mut reference("booking_id", "bookings"))
        .foreign_key(&mut reference("payment_id", "payments"))
        // The rest follows from these two, and is here so that nobody has to look it up: it needs no keys of its own.
        .to_owned()
}

async fn add(
    manager: &SchemaManager<'_>,
    table: &'static str,
    column: ColumnDef,
) -> Result<(), DbErr> {
    let change = Table::alter().table(table).add_column(column).to_owned();
    manager.alter_table(change).await
}

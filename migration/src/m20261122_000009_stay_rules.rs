//! What a host asks of a stay, what a changed or reviewed booking remembers, and refunds as rows of their own.

use sea_orm_migration::{
    prelude::*,
    schema::{
        date_null, decimal_len, integer, pk_auto, timestamp_with_time_zone,
        timestamp_with_time_zone_null,
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
        for (column, default) in RULES {
            let change = Table::alter()
                .table("properties")
                .add_column(integer(*column).default(*default))
                .to_owned();
            manager.alter_table(change).await?;
        }
        for column in [
            date_null("deadline_date"),
            timestamp_with_time_zone_null("review_removed_at"),
        ] {
            let change = Table::alter()
                .table("bookings")
                .add_column(column)
                .to_owned();
            manager.alter_table(change).await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("refunds")
                    .col(pk_auto("refund_id"))
                    .col(integer("payment_id"))
                    .col(decimal_len("amount", 10, 2))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone_null("settled_at"))
                    .foreign_key(&mut reference("payment_id", "payments"))
                    .to_owned(),
            )
            .await?;
        run(
            manager,
            &[
                "CREATE INDEX refunds_by_payment ON refunds (payment_id)",
                "CREATE INDEX refunds_owed ON refunds (refund_id) WHERE settled_at IS NULL",
                "INSERT INTO refunds (payment_id, amount, created_at) \
                 SELECT payment_id, refund_due, transaction_date FROM payments WHERE refund_due > 0",
                "DROP INDEX payments_owed",
            ],
        )
        .await?;
        drop_columns(manager, "payments", &["refund_due"]).await?;
        run(
            manager,
            &["CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at)"],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &["DROP INDEX idempotency_keys_by_age"]).await?;
        let change = Table::alter()
            .table("payments")
            .add_column(decimal_len("refund_due", 10, 2).default(0))
            .to_owned();
        manager.alter_table(change).await?;
        run(
            manager,
            &[
                "UPDATE payments SET refund_due = coalesce((SELECT sum(amount) FROM refunds \
                 WHERE refunds.payment_id = payments.payment_id AND settled_at IS NULL), 0)",
                "CREATE INDEX payments_owed ON payments (payment_id) WHERE refund_due > 0",
            ],
        )
        .await?;
        drop_tables(manager, &["refunds"]).await?;
        drop_columns(manager, "bookings", &["deadline_date", "review_removed_at"]).await?;
        let rules: Vec<_> = RULES.iter().map(|(column, _)| *column).collect();
        drop_columns(manager, "properties", &rules).await
    }
}

/// What a host asks of a stay, and what holds for a host who asks nothing.
const RULES: &[(&str, i32)] = &[
    ("min_nights", 1),
    ("max_nights", 365),
    ("advance_notice_days", 0),
    ("preparation_days", 0),
];

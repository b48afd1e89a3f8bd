//! Payments: at most one that has not failed for each booking.

use sea_orm_migration::{
    prelude::*,
    schema::{
        decimal_len, integer, pk_auto, string_len, string_null, timestamp_with_time_zone,
        timestamp_with_time_zone_null,
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
                    .table("payments")
                    .col(pk_auto("payment_id"))
                    .col(integer("booking_id"))
                    .col(decimal_len("amount", 10, 2))
                    .col(decimal_len("refunded_amount", 10, 2).default(0))
                    .col(string_len("payment_method", 16))
                    .col(string_len("payment_status", 32))
                    .col(timestamp_with_time_zone("transaction_date"))
                    .col(timestamp_with_time_zone_null("authorized_at"))
                    .col(decimal_len("refund_due", 10, 2).default(0))
                    .col(string_null("failure"))
                    .col(string_null("provider_reference"))
                    .col(string_null("client_secret"))
                    .foreign_key(&mut reference("booking_id", "bookings"))
                    .to_owned(),
            )
            .await?;
        run(
            manager,
            &[
                "CREATE INDEX payments_by_booking ON payments (booking_id, payment_id)",
                "CREATE UNIQUE INDEX payments_one_live ON payments (booking_id) WHERE payment_status <> 'FAILED'",
                "CREATE INDEX payments_pending ON payments (payment_id) WHERE payment_status = 'PENDING'",
                "CREATE INDEX payments_owed ON payments (payment_id) WHERE refund_due > 0",
                "CREATE UNIQUE INDEX payments_by_reference ON payments (provider_reference)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["payments"]).await
    }
}

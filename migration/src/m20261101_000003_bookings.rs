//! Bookings, the ledger of taken nights, the history of every booking's status, and answered idempotency keys.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_pk_auto, boolean, date, decimal_len, integer, integer_null, json, pk_auto, string_len,
        string_len_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
    },
};

use crate::{WHOLE, drop_tables, reference, reference_as, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(bookings()).await?;
        manager.create_table(nights()).await?;
        manager.create_table(booking_events()).await?;
        manager.create_table(idempotency_keys()).await?;
        run(
            manager,
            &[
                "CREATE INDEX bookings_by_property ON bookings (property_id, booking_id)",
                "CREATE INDEX bookings_by_guest ON bookings (guest_id, booking_id)",
                "CREATE INDEX bookings_by_host ON bookings (host_id, booking_id)",
                "CREATE INDEX bookings_pending ON bookings (expires_at) WHERE status = 'PENDING'",
                "CREATE INDEX bookings_confirmed ON bookings (check_out_date) WHERE status = 'CONFIRMED'",
                "CREATE INDEX nights_by_booking ON nights (booking_id)",
                "CREATE INDEX booking_events_by_booking ON booking_events (booking_id, event_id)",
                "CREATE INDEX booking_events_by_guest ON booking_events (guest_id, event_id)",
                "CREATE INDEX booking_events_by_host ON booking_events (host_id, event_id)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &["idempotency_keys", "booking_events", "nights", "bookings"],
        )
        .await
    }
}

fn bookings() -> TableCreateStatement {
    Table::create()
        .table("bookings")
        .col(pk_auto("booking_id"))
        .col(integer("property_id"))
        .col(integer("guest_id"))
        .col(integer("host_id"))
        .col(date("check_in_date"))
        .col(date("check_out_date"))
        .col(integer("guests"))
        .col(decimal_len("total_price", 10, 2))
        .col(json("price"))
        .col(string_len("status", 16))
        .col(string_len_null("cancellation_reason", 32))
        .col(boolean("instant_book"))
        .col(string_len("cancellation_policy", 16))
        .col(string_len("time_zone", 64))
        .col(timestamp_with_time_zone_null("expires_at"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(&mut reference("property_id", "properties"))
        .foreign_key(&mut reference_as("guest_id", "users", "user_id"))
        .foreign_key(&mut reference_as("host_id", "users", "user_id"))
        .to_owned()
}

/// The primary key is what makes a double booking impossible.
fn nights() -> TableCreateStatement {
    Table::create()
        .table("nights")
        .col(integer("property_id"))
        .col(date("night"))
        .col(integer_null("booking_id"))
        .col(string_len("kind", 16))
        .primary_key(Index::create().col("property_id").col("night"))
        .foreign_key(&mut reference("property_id", "properties"))
        .foreign_key(&mut reference("booking_id", "bookings"))
        .to_owned()
}

fn booking_events() -> TableCreateStatement {
    Table::create()
        .table("booking_events")
        .col(big_pk_auto("event_id"))
        .col(integer("booking_id"))
        .col(integer("guest_id"))
        .col(integer("host_id"))
        .col(string_len_null("from_status", 16))
        .col(string_len("to_status", 16))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(&mut reference("booking_id", "bookings"))
        .to_owned()
}

fn idempotency_keys() -> TableCreateStatement {
    Table::create()
        .table("idempotency_keys")
        .col(integer("user_id"))
        .col(string_len("idempotency_key", 255))
        .col(string_len("request_hash", 64))
        .col(integer("subject_id"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("user_id").col("idempotency_key"))
        .foreign_key(&mut reference("user_id", "users"))
        .to_owned()
}

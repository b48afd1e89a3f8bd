//! Reviews: at most one for each booking.

use sea_orm_migration::{
    prelude::*,
    schema::{integer, integer_uniq, pk_auto, text_null, timestamp_with_time_zone},
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
        manager
            .create_table(
                Table::create()
                    .table("reviews")
                    .col(pk_auto("review_id"))
                    .col(integer("property_id"))
                    .col(integer("guest_id"))
                    .col(integer_uniq("booking_id"))
                    .col(integer("rating"))
                    .col(text_null("comment"))
                    .col(text_null("host_response"))
                    .col(timestamp_with_time_zone("created_at"))
                    .foreign_key(&mut reference("property_id", "properties"))
                    .foreign_key(&mut reference_as("guest_id", "users", "user_id"))
                    .foreign_key(&mut reference("booking_id", "bookings"))
                    .to_owned(),
            )
            .await?;
        run(
            manager,
            &[
                "CREATE INDEX reviews_by_property ON reviews (property_id, review_id)",
                "CREATE INDEX reviews_by_guest ON reviews (guest_id, review_id)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["reviews"]).await
    }
}

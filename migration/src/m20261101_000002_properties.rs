//! Properties, what they offer, and nights with a price of their own.

use sea_orm_migration::{
    prelude::*,
    schema::{
        boolean, date, decimal_len, double_null, integer, pk_auto, string, string_len, text,
        timestamp_with_time_zone, timestamp_with_time_zone_null,
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
        manager
            .create_table(
                Table::create()
                    .table("properties")
                    .col(pk_auto("property_id"))
                    .col(integer("host_id"))
                    .col(string("title"))
                    .col(text("description"))
                    .col(string("location"))
                    .col(double_null("latitude"))
                    .col(double_null("longitude"))
                    .col(decimal_len("price_per_night", 10, 2))
                    .col(decimal_len("cleaning_fee", 10, 2))
                    .col(integer("max_guests"))
                    .col(string_len("status", 16))
                    .col(boolean("instant_book"))
                    .col(string_len("cancellation_policy", 16))
                    .col(string_len("time_zone", 64))
                    .col(integer("rating_sum").default(0))
                    .col(integer("review_count").default(0))
                    .col(integer("rating_hundredths").default(0))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .col(timestamp_with_time_zone_null("deleted_at"))
                    .foreign_key(&mut reference_as("host_id", "users", "user_id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("property_amenities")
                    .col(integer("property_id"))
                    .col(string_len("amenity", 40))
                    .primary_key(Index::create().col("property_id").col("amenity"))
                    .foreign_key(&mut reference("property_id", "properties"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("property_search")
                    .col(integer("property_id").primary_key())
                    .col(text("words"))
                    .col(text("place"))
                    .foreign_key(&mut reference("property_id", "properties"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("night_prices")
                    .col(integer("property_id"))
                    .col(date("night"))
                    .col(decimal_len("price", 10, 2))
                    .primary_key(Index::create().col("property_id").col("night"))
                    .foreign_key(&mut reference("property_id", "properties"))
                    .to_owned(),
            )
            .await?;
        run(
            manager,
            &[
                "CREATE INDEX properties_by_host ON properties (host_id, property_id)",
                "CREATE INDEX properties_listed ON properties (property_id) \
                 WHERE status = 'LISTED' AND deleted_at IS NULL",
                "CREATE INDEX properties_by_price ON properties (price_per_night, property_id) \
                 WHERE status = 'LISTED' AND deleted_at IS NULL",
                "CREATE INDEX properties_by_rating ON properties (rating_hundredths, property_id) \
                 WHERE status = 'LISTED' AND deleted_at IS NULL",
                "CREATE INDEX property_amenities_by_amenity ON property_amenities (amenity, property_id)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &[
                "night_prices",
                "property_search",
                "property_amenities",
                "properties",
            ],
        )
        .await
    }
}

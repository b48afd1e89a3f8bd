//! The tables of Staygate, one file a noun. Each migration goes up and down, on SQLite and on PostgreSQL.
//!
//! Money is `DECIMAL(10,2)`. Moments are UTC with microseconds. Each foreign key and each sort order that the API offers has an
//! index; partial indexes leave out the rows that no list shows.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

mod m20261101_000001_people;
mod m20261101_000002_properties;
mod m20261101_000003_bookings;
mod m20261101_000004_payments;
mod m20261101_000005_reviews;
mod m20261122_000006_identity;
mod m20261122_000007_audit;
mod m20261122_000008_jobs;
mod m20261122_000009_stay_rules;
mod m20261122_000010_feeds;
mod m20261122_000011_search;
mod m20261123_000012_ranks;
mod m20261123_000013_refund_limit;
mod m20261123_000014_money;
mod m20261123_000015_sealed;
mod m20261123_000016_places;
mod m20261123_000017_erasure;
mod m20261123_000018_schedules;

/// All migrations, oldest first.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261101_000001_people::Migration),
            Box::new(m20261101_000002_properties::Migration),
            Box::new(m20261101_000003_bookings::Migration),
            Box::new(m20261101_000004_payments::Migration),
            Box::new(m20261101_000005_reviews::Migration),
            Box::new(m20261122_000006_identity::Migration),
            Box::new(m20261122_000007_audit::Migration),
            Box::new(m20261122_000008_jobs::Migration),
            Box::new(m20261122_000009_stay_rules::Migration),
            Box::new(m20261122_000010_feeds::Migration),
            Box::new(m20261122_000011_search::Migration),
            Box::new(m20261123_000012_ranks::Migration),
            Box::new(m20261123_000013_refund_limit::Migration),
            Box::new(m20261123_000014_money::Migration),
            Box::new(m20261123_000015_sealed::Migration),
            Box::new(m20261123_000016_places::Migration),
            Box::new(m20261123_000017_erasure::Migration),
            Box::new(m20261123_000018_schedules::Migration),
        ]
    }
}

/// A migration is done wholly or not at all, also where the library would not ask for it: who is killed in the middle of one begins it anew.
const WHOLE: Option<bool> = Some(true);

/// Runs statements that read the same in both engines.
async fn run(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    for statement in statements {
        manager
            .get_connection()
            .execute_unprepared(statement)
            .await?;
    }
    Ok(())
}

/// Drops tables, in this order.
async fn drop_tables(manager: &SchemaManager<'_>, tables: &[&'static str]) -> Result<(), DbErr> {
    for table in tables {
        manager
            .drop_table(Table::drop().table(*table).to_owned())
            .await?;
    }
    Ok(())
}

/// A foreign key on `column` to the column of the same name in `table`.
fn reference(column: &'static str, table: &'static str) -> ForeignKeyCreateStatement {
    reference_as(column, table, column)
}

/// A foreign key on `column` to `target` in `table`.
fn reference_as(
    column: &'static str,
    table: &'static str,
    target: &'static str,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from_col(column)
        .to(table, target)
        .to_owned()
}

/// Takes columns away again; SQLite takes one at a time.
async fn drop_columns(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    for column in columns {
        let change = Table::alter().table(table).drop_column(*column).to_owned();
        manager.alter_table(change).await?;
    }
    Ok(())
}

//! Many rows at once: multi-row inserts of literal text, which both engines take as they stand, and the keys of those rows.
//!
//! Literals rather than bound variables: no limit of variables is in the way, and neither engine spends time on binding them. Only
//! text that was composed here is ever written so.

use std::fmt::Write as _;

use chrono::SecondsFormat;
use sea_orm::{
    ConnectionTrait as _, DbBackend, DbErr, EntityName as _, EntityTrait, IdenStatic,
    Iterable as _, ModelTrait, Statement, Value,
};

use crate::store::db::{Db, Tx};

/// A statement is sent once it is so long, in bytes.
const STATEMENT: usize = 256 * 1024;

/// The tables whose rows have numbers, with the column of the number, in the order in which services lock them.
const NUMBERED: [(&str, &str); 6] = [
    ("users", "user_id"),
    ("properties", "property_id"),
    ("bookings", "booking_id"),
    ("payments", "payment_id"),
    ("booking_events", "event_id"),
    ("reviews", "review_id"),
];

/// The largest key that is taken in each numbered table; 0 in an empty one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::cli) struct Keys {
    /// Of `users`.
    pub(in crate::cli) user: i32,
    /// Of `properties`.
    pub(in crate::cli) property: i32,
    /// Of `bookings`.
    pub(in crate::cli) booking: i32,
    /// Of `payments`.
    pub(in crate::cli) payment: i32,
    /// Of `booking_events`.
    pub(in crate::cli) event: i64,
    /// Of `reviews`.
    pub(in crate::cli) review: i32,
}

impl Keys {
    /// Reads the largest keys, and keeps everybody else from drawing new ones until the transaction ends.
    ///
    /// # Errors
    /// When the database fails, or a key does not fit.
    pub(in crate::cli) async fn reserve(tx: &Tx) -> anyhow::Result<Self> {
        if tx.get_database_backend() == DbBackend::Postgres {
            // An insert takes a lock that conflicts with this one before it draws a key. On `SQLite` a write is alone anyway.
            let tables = NUMBERED.map(|(table, _)| table).join(", ");
            tx.execute_unprepared(&format!("LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE"))
                .await?;
        }
        let largest = NUMBERED
            .map(|(table, key)| format!("(SELECT COALESCE(MAX({key}), 0) FROM {table}) AS {key}"))
            .join(", ");
        let statement =
            Statement::from_string(tx.get_database_backend(), format!("SELECT {largest}"));
        let row = tx
            .query_one_raw(statement)
            .await?
            .ok_or_else(|| DbErr::RecordNotFound("the largest keys".to_owned()))?;
        Ok(Self {
            user: row.try_get("", "user_id")?,
            property: row.try_get("", "property_id")?,
            booking: row.try_get("", "booking_id")?,
            payment: row.try_get("", "payment_id")?,
            event: row.try_get("", "event_id")?,
            review: row.try_get("", "review_id")?,
        })
    }
}

/// Lets the database number on after rows that were written with keys of their own. `SQLite` keeps count of such rows itself.
///
/// # Errors
/// When the database fails.
pub(in crate::cli) async fn number_on(tx: &Tx) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres {
        for (table, key) in NUMBERED {
            // Of an empty table the maximum is NULL, and nothing is set.
            tx.execute_unprepared(&format!(
                "SELECT setval(pg_get_serial_sequence('{table}', '{key}'), MAX({key})) FROM {table}"
            ))
            .await?;
        }
    }
    Ok(())
}

/// Tells `PostgreSQL` how much there is now, so that the first queries are planned for it. `SQLite` plans by the indexes alone.
///
/// # Errors
/// When the database fails.
pub(in crate::cli) async fn analyze(db: &Db) -> Result<(), DbErr> {
    if db.backend() == DbBackend::Postgres {
        let tables = NUMBERED.map(|(table, _)| table).join(", ");
        db.read()
            .execute_unprepared(&format!(
                "ANALYZE {tables}, nights, property_amenities, property_search"
            ))
            .await?;
    }
    Ok(())
}

/// Writes rows with their own keys.
///
/// # Errors
/// When the database fails or refuses a row.
pub(in crate::cli) async fn insert<M: ModelTrait>(tx: &Tx, rows: &[M]) -> Result<(), DbErr> {
    type Column<M> = <<M as ModelTrait>::Entity as EntityTrait>::Column;

    let columns: Vec<_> = Column::<M>::iter().collect();
    let names: Vec<_> = columns.iter().map(IdenStatic::as_str).collect();
    let table = M::Entity::default();
    let head = format!(
        "INSERT INTO {} ({}) VALUES",
        table.table_name(),
        names.join(", ")
    );
    let mut sql = String::with_capacity(STATEMENT + 4096);
    for (number, row) in (1..).zip(rows) {
        sql.push_str(if sql.is_empty() { &head } else { "," });
        for (place, column) in columns.iter().enumerate() {
            sql.push_str(if place == 0 { " (" } else { ", " });
            literal(&mut sql, row.get(*column))?;
        }
        sql.push(')');
        if sql.len() >= STATEMENT || number == rows.len() {
            tx.execute_unprepared(&sql).await?;
            sql.clear();
        }
    }
    Ok(())
}

/// Appends a value as a literal of both engines: the text is the one that the driver of `SQLite` keeps, and that `PostgreSQL` reads.
fn literal(sql: &mut String, value: Value) -> Result<(), DbErr> {
    match value {
        Value::Bool(Some(value)) => sql.push_str(if value { "TRUE" } else { "FALSE" }),
        Value::Int(Some(value)) => shown(sql, value),
        Value::BigInt(Some(value)) => shown(sql, value),
        Value::Double(Some(value)) => shown(sql, value),
        Value::Decimal(Some(value)) => shown(sql, value),
        Value::String(Some(value)) => quoted(sql, &value),
        Value::Json(Some(value)) => quoted(sql, &value.to_string()),
        Value::ChronoDate(Some(value)) => quoted(sql, &value.to_string()),
        Value::ChronoDateTimeUtc(Some(value)) => {
            quoted(sql, &value.to_rfc3339_opts(SecondsFormat::AutoSi, false));
        }
        value if value == value.as_null() => sql.push_str("NULL"),
        value => {
            return Err(DbErr::Type(format!("no literal is known for {value:?}")));
        }
    }
    Ok(())
}

fn shown(sql: &mut String, value: impl std::fmt::Display) {
    // Writing to a string does not fail.
    let _ = write!(sql, "{value}");
}

fn quoted(sql: &mut String, text: &str) {
    sql.push('\'');
    for (place, part) in text.split('\'').enumerate() {
        if place > 0 {
            sql.push_str("''");
        }
        sql.push_str(part);
    }
    sql.push('\'');
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;

    fn text(value: impl Into<Value>) -> String {
        let mut sql = String::new();
        literal(&mut sql, value.into()).unwrap();
        sql
    }

    #[test]
    fn a_value_is_written_as_both_engines_read_it() {
        assert_eq!(text(-7), "-7");
        assert_eq!(text(38.5), "38.5");
        assert_eq!(text(true), "TRUE");
        assert_eq!(text(Decimal::new(12_050, 2)), "120.50");
        assert_eq!(text("the host's \\ own"), "'the host''s \\ own'");
        assert_eq!(text(None::<String>), "NULL");
        let moment = chrono::DateTime::from_timestamp(1_800_000_000, 250_000).unwrap();
        assert_eq!(text(moment), "'2027-01-15T08:00:00.000250+00:00'");
    }
}

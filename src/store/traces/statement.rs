//! Statements of SQL as parts of traces.

use std::time::Duration;

use opentelemetry::{
    Context,
    trace::{Span as _, Status, Tracer as _},
};
use sea_orm::DbBackend;

use super::{
    About,
    span::{Now, now},
    tracer,
};

/// The most characters of a statement that are told: a page of keys makes it long.
const LONGEST: usize = 2_000;
/// The most characters of its summary.
const LONGEST_SUMMARY: usize = 200;

/// A statement that has just been answered after so long, where a trace is recorded. Of the statement itself, which has its values beside it and not in it.
pub(in crate::store) fn statement(backend: DbBackend, sql: &str, took: Duration, failed: bool) {
    let Some(tracer) = tracer() else { return };
    if now() != Now::Recorded {
        return;
    }
    let ended = opentelemetry::time::now();
    let began = ended.checked_sub(took).unwrap_or(ended);
    let summary = summary(sql);
    let operation = summary.split(' ').next().unwrap_or_default().to_owned();
    let system = match backend {
        DbBackend::Postgres => "postgresql",
        _ => "sqlite",
    };
    let text = match sql.char_indices().nth(LONGEST) {
        Some((end, _)) => &sql[..end],
        None => sql,
    };
    let about = About::asks(summary.clone())
        .with("db.system.name", system)
        .with("db.operation.name", operation)
        .with("db.query.summary", summary)
        .with("db.query.text", text.to_owned());
    let about = if failed {
        about.with("error.type", "_OTHER")
    } else {
        about
    };
    let builder = about.builder().with_start_time(began);
    let mut span = Context::map_current(|context| tracer.build_with_context(builder, context));
    if failed {
        span.set_status(Status::error(""));
    }
    span.end_with_timestamp(ended);
}

/// What a statement does to which tables, such as `SELECT properties` (<https://opentelemetry.io/docs/specs/semconv/db/database-spans/#generating-a-summary-of-the-query>).
fn summary(sql: &str) -> String {
    let mut words = sql
        .split(|c: char| c.is_whitespace() || "(),;".contains(c))
        .filter(|word| !word.is_empty())
        .peekable();
    let mut told = String::new();
    let is = |word: &str, other: &str| word.eq_ignore_ascii_case(other);
    let mut add = |word: &str| {
        let word = word.trim_matches('"');
        if told.len() + word.len() < LONGEST_SUMMARY {
            if !told.is_empty() {
                told.push(' ');
            }
            told.push_str(word);
        }
    };
    // Names of what a statement makes for itself tell nothing, and are left out where they are known to be such.
    let mut own: Vec<&str> = vec![];
    let mut before = "";
    while let Some(word) = words.next() {
        if is(word, "AS") {
            if words
                .peek()
                .is_some_and(|next| is(next, "SELECT") || is(next, "MATERIALIZED"))
            {
                own.push(before);
            }
        } else if ["SELECT", "INSERT", "UPDATE", "DELETE"]
            .iter()
            .any(|verb| is(word, verb))
        {
            // As in ON CONFLICT … DO UPDATE, FOR UPDATE and FOR NO KEY UPDATE.
            let is_verb = !["DO", "FOR", "KEY"].iter().any(|part| is(before, part));
            if is_verb {
                add(&word.to_ascii_uppercase());
            }
            let is_update = is_verb && is(word, "UPDATE");
            if let Some(table) = words.peek().filter(|_| is_update) {
                add(table);
            }
        } else if ["FROM", "INTO", "JOIN"].iter().any(|part| is(word, part))
            && let Some(table) = words.peek()
        {
            let is_table = !["SELECT", "LATERAL"].iter().any(|part| is(table, part));
            if is_table && !own.contains(table) {
                add(table);
            }
        }
        before = word;
    }
    if told.is_empty() {
        let first = sql.split_whitespace().next().unwrap_or("statement");
        return first.to_ascii_uppercase();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn a_statement_is_summed_up_by_what_it_does_to_which_tables() {
        for (sql, expected) in [
            (
                r#"SELECT "users"."email" FROM "users" WHERE "users"."user_id" = $1 LIMIT $2"#,
                "SELECT users",
            ),
            (
                r#"INSERT INTO "nights" ("property_id") VALUES ($1, $2) ON CONFLICT DO UPDATE SET a = $3"#,
                "INSERT nights",
            ),
            (
                r#"UPDATE "bookings" SET "status" = $1 WHERE "booking_id" IN (SELECT "booking_id" FROM "payments" FOR UPDATE)"#,
                "UPDATE bookings SELECT payments",
            ),
            (r#"DELETE FROM "jobs" WHERE "job_id" = $1"#, "DELETE jobs"),
            (
                "WITH next AS MATERIALIZED (SELECT job_id FROM jobs) UPDATE jobs SET due_at = $4 WHERE job_id IN (SELECT job_id FROM next)",
                "SELECT jobs UPDATE jobs SELECT",
            ),
            ("BEGIN IMMEDIATE", "BEGIN"),
            ("pragma x", "PRAGMA"),
            ("", "STATEMENT"),
        ] {
            assert_eq!(summary(sql), expected, "{sql}");
        }
    }

    #[test]
    fn a_long_statement_has_a_short_summary() {
        let sql = r#"SELECT a FROM "a_long_name_of_a_table" "#.repeat(1_000);
        assert!(summary(&sql).len() <= 200);
    }
}

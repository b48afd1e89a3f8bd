//! What a failed statement means.

use sea_orm::{
    DbErr, RuntimeErr, SqlErr,
    sqlx::{self, postgres::PgDatabaseError},
};

/// Whether a statement failed for the state that the database is in and not for itself: it is away, just starting or stopping, so busy that a statement took longer than
/// it may, has no connection left, or no room on its disk.
#[must_use]
pub fn is_unavailable(error: &DbErr) -> bool {
    let (DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause)) = error else {
        return matches!(error, DbErr::ConnectionAcquire(_));
    };
    let RuntimeErr::SqlxError(cause) = cause else {
        return false;
    };
    match &**cause {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(told) => {
            let code = told.code().unwrap_or_default();
            match told.try_downcast_ref::<PgDatabaseError>() {
                // https://www.postgresql.org/docs/current/errcodes-appendix.html: connections; resources; a statement, a lock or a whole transaction that took too
                // long; stopped, crashed, starting; a disk that fails; a server that another one has taken the place of.
                Some(_) => [
                    "08", "53", "57014", "55P03", "25P03", "57P01", "57P02", "57P03", "58030",
                    "25006",
                ]
                .iter()
                .any(|class| code.starts_with(class)),
                // https://www.sqlite.org/rescode.html: busy, input or output, full, can't be opened. The low byte is the primary code.
                None => code
                    .parse::<u32>()
                    .is_ok_and(|code| matches!(code & 0xff, 5 | 10 | 13 | 14)),
            }
        }
        _ => false,
    }
}

/// Whether a write failed because a row with the same unique key is there already.
#[must_use]
pub fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

#[cfg(test)]
mod tests {
    use sea_orm::ConnectionTrait as _;

    use super::*;
    use crate::store::db::{Db, DbOptions};

    #[tokio::test]
    async fn a_full_file_is_told_from_a_mistake() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = DbOptions {
            url: format!("sqlite://{}/full.db", folder.path().display()),
            max_connections: 1,
            statement_timeout: None,
        };
        let db = Db::connect(&options).await.expect("a database");
        for sql in [
            "CREATE TABLE things (thing BLOB UNIQUE)",
            "PRAGMA max_page_count = 10",
        ] {
            db.read().execute_unprepared(sql).await.expect("it is done");
        }
        let full = "INSERT INTO things VALUES (randomblob(100000))";
        let error = db
            .read()
            .execute_unprepared(full)
            .await
            .expect_err("it is full");
        assert!(is_unavailable(&error), "{error:?}");
        for sql in ["INSERT INTO things VALUES (1), (1)", "SELECT nothing"] {
            let error = db
                .read()
                .execute_unprepared(sql)
                .await
                .expect_err("a mistake");
            assert!(!is_unavailable(&error), "{error:?}");
        }
    }
}

//! Connections to `SQLite` that are taken for being in a transaction which they are not in.
//!
//! Where the disk is full or fails, `SQLite` ends a transaction by itself (<https://www.sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction>). The
//! driver counts its transactions, and the rollback that it then tries fails, so that it counts one too many from then on. The next write on that connection would be
//! a savepoint in a transaction that nobody commits: what is acknowledged would be lost, and the write lock would be kept for good.

use sea_orm::sqlx::{Connection as _, SqliteConnection, sqlite::SqlitePoolOptions};

/// Has the pool close a connection that comes back within a transaction.
pub(super) fn never_given_again(pool: SqlitePoolOptions) -> SqlitePoolOptions {
    pool.after_release(|connection, _| Box::pin(is_done(connection)))
}

async fn is_done(connection: &mut SqliteConnection) -> Result<bool, sea_orm::sqlx::Error> {
    if connection.is_in_transaction() {
        // What was dropped without a commit is rolled back in turn.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait as _, Statement};

    use crate::store::db::{Db, DbOptions, is_unavailable};

    #[tokio::test]
    async fn what_is_written_after_a_disk_was_full_is_kept_and_locks_nobody_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = DbOptions {
            url: format!("sqlite://{}/full.db", folder.path().display()),
            max_connections: 1,
            statement_timeout: None,
        };
        let db = Db::connect(&options).await.expect("a database");
        for sql in [
            "CREATE TABLE things (thing BLOB)",
            "PRAGMA max_page_count = 10",
        ] {
            db.read().execute_unprepared(sql).await.expect("it is done");
        }
        let write = "INSERT INTO things VALUES (1)";
        let tx = db.begin().await.expect("a write");
        let full = tx.execute_unprepared("INSERT INTO things VALUES (randomblob(100000))");
        assert!(is_unavailable(&full.await.expect_err("it is full")));
        drop(tx);

        let tx = db.begin().await.expect("a write");
        tx.execute_unprepared(write).await.expect("there is room");
        drop(tx);
        let tx = db.begin().await.expect("a write");
        tx.execute_unprepared(write).await.expect("there is room");
        tx.commit().await.expect("it is acknowledged");

        let other = Db::connect(&options).await.expect("another instance");
        let count = Statement::from_string(other.backend(), "SELECT count(*) AS many FROM things");
        let row = other.read().query_one_raw(count).await.expect("an answer");
        let many: i64 = row.expect("a row").try_get("", "many").expect("a number");
        assert_eq!(many, 1, "what was acknowledged, and nothing else");
        other.begin().await.expect("nobody has the lock");
    }
}

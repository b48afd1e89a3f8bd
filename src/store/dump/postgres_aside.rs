//! Restoring into PostgreSQL. What is there is moved into a schema beside its own first, and dropped once what was restored is as it should be;
//! so a restore that fails loses nothing.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use sea_orm::sqlx::{self, AssertSqlSafe, Connection as _, postgres::PgConnection};

use super::{Contents, Restoring, may_be_replaced, postgres, postgres_tools};
use crate::store::flow::Outlet;

/// Where what was there is meanwhile.
const ASIDE: &str = "staygate_before_restore";
/// How long a connection that is being closed may take to be gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tables that are being restored.
pub(super) struct NewTables {
    url: String,
    connection: PgConnection,
    /// The schema of all this, as SQL has it.
    schema: String,
    has_old: bool,
}

impl NewTables {
    pub(super) async fn begin(url: &str, replace: bool, tool: Option<u32>) -> anyhow::Result<Self> {
        postgres_tools::must_reach("pg_restore", "what made the backup", tool.unwrap_or(0)).await?;
        let mut connection = postgres::connect(url).await?;
        may_be_replaced(postgres::users(&mut connection).await?, replace)?;
        must_be_alone(&mut connection).await?;
        let schema: String = sqlx::query_scalar("SELECT current_schema()::regnamespace::text")
            .fetch_one(&mut connection)
            .await?;
        let mut new = Self {
            url: url.to_owned(),
            connection,
            schema,
            has_old: false,
        };
        let moved = new.move_aside().await;
        new.has_old = moved.context(
            "what is in the database can't be moved aside: its role must own the tables and may have to create a schema; or restore into a new database",
        )?;
        Ok(new)
    }

    /// Moves all there is. Gives whether there was anything.
    async fn move_aside(&mut self) -> anyhow::Result<bool> {
        let left: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)")
                .bind(ASIDE)
                .fetch_one(&mut self.connection)
                .await?;
        ensure!(
            !left,
            "there is a schema {ASIDE} already, with what a restore that was killed had moved aside: look at it, and drop it"
        );
        let mut tx = self.connection.begin().await?;
        let moves = each(
            &mut tx,
            &self.schema,
            "ALTER",
            &format!("SET SCHEMA {ASIDE}"),
        )
        .await?;
        if moves.is_empty() {
            return Ok(false);
        }
        run(&mut tx, format!("CREATE SCHEMA {ASIDE}")).await?;
        for sql in moves {
            run(&mut tx, sql).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Drops what is new, and moves back what is old.
    async fn put_back(&mut self) -> anyhow::Result<()> {
        let mut tx = self.connection.begin().await?;
        for sql in each(&mut tx, &self.schema, "DROP", "CASCADE").await? {
            run(&mut tx, sql).await?;
        }
        if self.has_old {
            let back = format!("SET SCHEMA {}", self.schema);
            for sql in each(&mut tx, ASIDE, "ALTER", &back).await? {
                run(&mut tx, sql).await?;
            }
            run(&mut tx, format!("DROP SCHEMA {ASIDE}")).await?;
        }
        Ok(tx.commit().await?)
    }
}

#[async_trait]
impl Restoring for NewTables {
    async fn write(&mut self, from: Outlet) -> anyhow::Result<()> {
        postgres_tools::restore(&self.url, from).await
    }

    async fn contents(&mut self) -> anyhow::Result<Contents> {
        postgres::contents(&mut self.connection).await
    }

    async fn forget_sessions(&mut self) -> anyhow::Result<u64> {
        let gone = sqlx::query("DELETE FROM sessions")
            .execute(&mut self.connection)
            .await?;
        Ok(gone.rows_affected())
    }

    async fn keep(mut self: Box<Self>) -> anyhow::Result<()> {
        if self.has_old {
            run(&mut self.connection, format!("DROP SCHEMA {ASIDE} CASCADE")).await?;
        }
        // Else plans are made by guesses until the server looks by itself.
        run(&mut self.connection, "ANALYZE".to_owned()).await?;
        Ok(self.connection.close().await?)
    }

    async fn give_up(mut self: Box<Self>) -> anyhow::Result<()> {
        let put_back = self.put_back().await;
        put_back.with_context(|| {
            format!("what was in the database could not be moved back from the schema {ASIDE}")
        })
    }
}

async fn run(connection: &mut PgConnection, sql: String) -> anyhow::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await?;
    Ok(())
}

/// A statement for each thing in a schema that stands for itself and that no extension brings. Those of a table go with it.
async fn each(
    connection: &mut PgConnection,
    schema: &str,
    verb: &str,
    end: &str,
) -> anyhow::Result<Vec<String>> {
    // Dropping one may have dropped another already.
    let verb_of = if verb == "DROP" { "IF EXISTS " } else { "" };
    let sql = "SELECT concat_ws(' ', $1, CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END,
            $2 || c.oid::regclass::text, $3)
        FROM pg_class c WHERE c.relnamespace = $4::text::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
            AND (d.deptype = 'e' OR (c.relkind = 'S' AND d.deptype IN ('a', 'i'))))
        UNION ALL
        SELECT concat_ws(' ', $1, 'ROUTINE', $2 || p.oid::regprocedure::text, $3)
        FROM pg_proc p WHERE p.pronamespace = $4::text::regnamespace
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')";
    Ok(sqlx::query_scalar(sql)
        .bind(verb)
        .bind(verb_of)
        .bind(end)
        .bind(schema)
        .fetch_all(connection)
        .await?)
}

/// Servers and workers keep what they have read, and would go on writing.
async fn must_be_alone(connection: &mut PgConnection) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let others: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
            AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
        )
        .fetch_one(&mut *connection)
        .await?;
        if others == 0 {
            return Ok(());
        }
        ensure!(
            begun.elapsed() < PATIENCE,
            "the database has {others} other connections: stop every server and worker first"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

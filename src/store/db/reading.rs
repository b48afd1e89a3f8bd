//! Reads outside of a write.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement,
    prelude::async_trait::async_trait,
    sqlx::{self, AssertSqlSafe, Postgres, query::Query},
};
use sea_query_sqlx::SqlxValues;

use super::{at_hand::AtHand, measured};

/// Where to read outside of a write.
#[derive(Debug, Clone)]
pub struct Reading {
    pub(super) connection: DatabaseConnection,
    /// On `PostgreSQL`.
    pub(super) at_hand: Option<Arc<AtHand>>,
    pub(super) statements: Arc<AtomicU64>,
    /// What its statements are counted in.
    pub(super) figure: &'static str,
}

impl Reading {
    /// Counts a statement and measures it.
    async fn sent<T>(
        &self,
        sql: &str,
        sending: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, DbErr> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let began = Instant::now();
        let answer = sending.await;
        measured(
            self.figure,
            began.elapsed(),
            answer.is_err(),
            DbBackend::Postgres,
            sql,
        );
        answer.map_err(|error| DbErr::Query(RuntimeErr::SqlxError(error.into())))
    }
}

#[async_trait]
impl ConnectionTrait for Reading {
    fn get_database_backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let Some(at_hand) = &self.at_hand else {
            return self.connection.query_one_raw(statement).await;
        };
        let mut lent = at_hand.lend().await?;
        let fetching = query(&statement).fetch_optional(lent.connection());
        let row = self.sent(&statement.sql, fetching).await?;
        lent.keep();
        Ok(row.map(Into::into))
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let Some(at_hand) = &self.at_hand else {
            return self.connection.query_all_raw(statement).await;
        };
        let mut lent = at_hand.lend().await?;
        let fetching = query(&statement).fetch_all(lent.connection());
        let rows = self.sent(&statement.sql, fetching).await?;
        lent.keep();
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let Some(at_hand) = &self.at_hand else {
            return self.connection.execute_raw(statement).await;
        };
        let mut lent = at_hand.lend().await?;
        let executing = query(&statement).execute(lent.connection());
        let done = self.sent(&statement.sql, executing).await?;
        lent.keep();
        Ok(done.into())
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let executing = self.connection.execute_unprepared(sql);
        match &self.at_hand {
            Some(at_hand) => Ok(at_hand.beside(executing).await?.1),
            None => executing.await,
        }
    }
}

fn query(statement: &Statement) -> Query<'_, Postgres, SqlxValues> {
    let values = statement.values.clone();
    let values = values.unwrap_or_else(|| sea_orm::Values(vec![]));
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
}

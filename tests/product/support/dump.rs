//! Whether something stands in a database, wherever it is.

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use staygate::store::db::{Db, DbOptions};

/// Whether a text stands anywhere in the database at an address: in the file of SQLite with its log, or in a row of PostgreSQL.
pub async fn has_kept(url: &str, text: &str) -> bool {
    if let Some(path) = url.strip_prefix("sqlite://") {
        let path = path.split('?').next().unwrap_or(path);
        return ["", "-wal"].iter().any(|end| {
            let file = std::fs::read(format!("{path}{end}")).unwrap_or_default();
            file.windows(text.len()).any(|part| part == text.as_bytes())
        });
    }
    let options = DbOptions {
        url: url.to_owned(),
        max_connections: 1,
        statement_timeout: None,
    };
    let db = Db::connect(&options).await.expect("the database opens");
    let ask = |sql: String| Statement::from_string(DbBackend::Postgres, sql);
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()";
    let tables = db.read().query_all_raw(ask(tables.to_owned())).await;
    for table in tables.expect("the tables") {
        let table: String = table.try_get_by_index(0).expect("a name");
        let found =
            format!("SELECT 1 FROM \"{table}\" AS kept WHERE strpos(kept::text, '{text}') > 0");
        let found = db.read().query_one_raw(ask(found)).await;
        if found.expect("the rows").is_some() {
            return true;
        }
    }
    false
}

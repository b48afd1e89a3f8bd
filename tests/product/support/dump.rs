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

/// The tables in which a text stands in a row, by name.
pub async fn tables_with(db: &Db, text: &str) -> Vec<String> {
    let is_postgres = db.backend() == DbBackend::Postgres;
    let texts = async |sql: String| -> Vec<String> {
        let rows = db.read();
        let rows = rows.query_all_raw(Statement::from_string(db.backend(), sql));
        let rows = rows.await.expect("the rows");
        let rows = rows.iter().map(|row| row.try_get_by_index(0));
        rows.map(|text| text.expect("a text")).collect()
    };
    let tables = if is_postgres {
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1"
    };
    let mut found = vec![];
    for table in texts(tables.to_owned()).await {
        let condition = if is_postgres {
            format!("strpos(kept::text, '{text}') > 0")
        } else {
            let columns = texts(format!("SELECT name FROM pragma_table_info('{table}')")).await;
            let has = |column: &String| format!("instr(CAST(\"{column}\" AS TEXT), '{text}') > 0");
            columns.iter().map(has).collect::<Vec<_>>().join(" OR ")
        };
        let sql = format!("SELECT 'it has' FROM \"{table}\" AS kept WHERE {condition} LIMIT 1");
        if !texts(sql).await.is_empty() {
            found.push(table);
        }
    }
    found
}

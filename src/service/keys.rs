//! Asking for the rows of many keys in a text that is the same for two keys and for a thousand, so that an engine reads and plans it once a
//! connection: an array on `PostgreSQL`, a list in JSON on `SQLite`.

use std::fmt::Display;

use sea_orm::{
    ColumnTrait, DbBackend, Value,
    sea_query::{
        Expr, ExprTrait as _, Func, FunctionCall, SelectStatement, ValueType,
        extension::postgres::PgFunc,
    },
};

/// A key that is a number.
pub(super) trait Key: Copy + Display + Into<Value> + ValueType {}

impl<K: Copy + Display + Into<Value> + ValueType> Key for K {}

/// How many keys `PostgreSQL` takes an array for that it does not know yet. For fewer it plans anew each time, as long as that promises to be
/// quicker than a plan for so many; but to plan takes longer than to find them.
const SUPPOSED: usize = 10;

/// That a column holds one of some keys.
pub(super) fn among<C: ColumnTrait, K: Key>(backend: DbBackend, column: C, keys: &[K]) -> Expr {
    let column = Expr::col(column.as_column_ref());
    if backend == DbBackend::Postgres {
        return match keys {
            [key] => column.eq(*key),
            // Each key is looked up once, however often it stands there.
            [first, ..] => column.eq(PgFunc::any(array(&at_least(SUPPOSED, keys, *first)))),
            [] => column.eq(PgFunc::any(array(keys))),
        };
    }
    let list = SelectStatement::new()
        .expr(Expr::cust("value"))
        .from_function(each(keys), "keys")
        .to_owned();
    column.in_subquery(list)
}

/// The keys as rows of one column: of `PostgreSQL` called like the table, of `SQLite` called `value`.
pub(super) fn rows<K: Key>(backend: DbBackend, keys: &[K]) -> FunctionCall {
    if backend == DbBackend::Postgres {
        return Func::cust("unnest").arg(array(keys));
    }
    each(keys)
}

fn at_least<K: Key>(many: usize, keys: &[K], more: K) -> Vec<K> {
    let mut keys = keys.to_vec();
    keys.resize(Ord::max(many, keys.len()), more);
    keys
}

fn array<K: Key>(keys: &[K]) -> Value {
    let keys = keys.iter().map(|key| (*key).into()).collect();
    Value::Array(K::array_type(), Some(Box::new(keys)))
}

fn each<K: Key>(keys: &[K]) -> FunctionCall {
    let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
    Func::cust("json_each").arg(format!("[{}]", keys.join(",")))
}

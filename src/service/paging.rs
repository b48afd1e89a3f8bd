//! Keyset pagination in SQL: for one list, and for the same list of many owners in one statement.

use std::{collections::HashMap, hash::Hash};

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, JoinType, Order,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _, Select, TryGetable,
    Value,
    sea_query::{Alias, Asterisk, Expr, ExprTrait as _, SelectStatement},
};

use super::keys::{self, Key};
use crate::{
    domain::page::{Cursor, Direction, Page, PageRequest},
    entity::part::{Columns, Part, Row},
};

/// How a list is ordered: by a rank and then by the key, both in the same direction, so that one index serves both ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keyset<C> {
    /// The column of the rank, and how a cursor's rank is compared with it. None where the key alone orders.
    pub(super) rank: Option<Rank<C>>,
    /// The column of the key.
    pub(super) id: C,
    /// A column that is the key once more, for `SQLite` to look it up in an index after a rank: by its own key it only seeks alone.
    pub(super) copy: Option<&'static str>,
    /// Largest first.
    pub(super) descending: bool,
}

/// A column to order by, and how a cursor's rank is compared with it.
pub(super) type Rank<C> = (C, fn(i64) -> Value);

/// Narrows a query to one page, plus one row that tells whether there are more.
pub(super) fn page<E: EntityTrait>(
    select: Select<E>,
    keyset: &Keyset<E::Column>,
    request: PageRequest,
) -> Select<E> {
    let backward = request.direction == Direction::Backward;
    let order = if keyset.descending == backward {
        Order::Asc
    } else {
        Order::Desc
    };
    let mut select =
        select
            .limit(request.limit + 1)
            .filter(between(keyset, request, &keyset.place()));
    if let Some((rank, _)) = keyset.rank {
        select = select.order_by(rank, order.clone());
    }
    select.order_by(keyset.key(), order)
}

/// That a row stands between the cursors of a request; `place` is what its rank and key are compared by, or its key alone.
pub(super) fn between<C: ColumnTrait>(
    keyset: &Keyset<C>,
    request: PageRequest,
    place: &Expr,
) -> Condition {
    let beyond = |cursor: Cursor, above: bool| {
        let key = Expr::val(cursor.id);
        let other = match keyset.rank {
            None => key,
            Some((_, value)) => Expr::tuple([Expr::val(value(cursor.rank)), key]),
        };
        if above {
            place.clone().gt(other)
        } else {
            place.clone().lt(other)
        }
    };
    let after = request
        .after
        .map(|cursor| beyond(cursor, !keyset.descending));
    let before = request
        .before
        .map(|cursor| beyond(cursor, keyset.descending));
    Condition::all().add_option(after).add_option(before)
}

impl<C: ColumnTrait> Keyset<C> {
    fn key(&self) -> Expr {
        let (table, key) = self.id.as_column_ref();
        match self.copy {
            Some(copy) => Expr::col((table, Alias::new(copy))),
            None => Expr::col((table, key)),
        }
    }

    fn place(&self) -> Expr {
        match self.rank {
            None => self.key(),
            Some((rank, _)) => Expr::tuple([Expr::col(rank.as_column_ref()), self.key()]),
        }
    }
}

/// The same page of the lists of many owners, in one statement that reads only the rows of those pages: each is one short walk along the
/// owner's index. Its text is the same however many owners there are, beside that for one alone.
///
/// `list` is the list of all owners, and the column that says whose a row is.
pub(super) async fn pages_by_owner<E, K, C>(
    connection: &C,
    owners: &[K],
    keyset: Keyset<E::Column>,
    request: PageRequest,
    (list, owner): (Select<E>, E::Column),
    columns: Columns<E>,
    place_of: impl Fn(&Row<E>) -> Result<Cursor, DbErr>,
) -> Result<HashMap<K, Page<Row<E>>>, DbErr>
where
    E: Part,
    K: Key + TryGetable + Eq + Hash,
    C: ConnectionTrait,
{
    let backend = connection.get_database_backend();
    let owners_table = Alias::new("owners");
    let mut select = SelectStatement::new();
    select.from_function(keys::rows(backend, owners), owners_table.clone());
    let rank = keyset.rank.map(|(rank, _)| rank);
    let columns = columns.and([owner, keyset.id]).and(rank);
    let own = |key: &'static str| {
        let key = Expr::col((owners_table.clone(), Alias::new(key)));
        let owner = Expr::col(owner.as_column_ref());
        page(list.clone().filter(owner.eq(key)), &keyset, request)
    };
    if let [one] = owners {
        let own = list.filter(owner.eq(*one));
        let page = page(own, &keyset, request).select_only();
        select = page.columns(columns.iter()).into_query();
    } else if backend == DbBackend::Postgres {
        let page = own("owners")
            .select_only()
            .columns(columns.iter())
            .into_query();
        let table = Alias::new("page");
        select.expr(Expr::col((table.clone(), Asterisk)));
        select.join_lateral(JoinType::InnerJoin, page, table, Expr::val(true));
    } else {
        let page = own("value").select_only().column(keyset.id).into_query();
        let key = Expr::col(keyset.id.as_column_ref());
        let columns = columns.iter();
        select.exprs(columns.map(|column| Expr::col(column.as_column_ref())));
        select.join(JoinType::InnerJoin, E::default(), key.in_subquery(page));
    }
    let mut lists: HashMap<K, Vec<(Cursor, Row<E>)>> =
        owners.iter().map(|owner| (*owner, Vec::new())).collect();
    for row in connection.query_all_raw(backend.build(&select)).await? {
        let whose = columns.key(owner, &row)?;
        let row = columns.row(&row, 0)?;
        lists.entry(whose).or_default().push((place_of(&row)?, row));
    }
    let ascending = keyset.descending == (request.direction == Direction::Backward);
    Ok(lists
        .into_iter()
        .map(|(owner, mut rows)| {
            // The order of joined rows is not promised.
            rows.sort_by_key(|(place, _)| {
                let key = (place.rank, place.id);
                if ascending { key } else { (-key.0, -key.1) }
            });
            (owner, Page::cut(request, rows))
        })
        .collect())
}

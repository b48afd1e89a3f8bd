//! Keyset pagination in SQL: for one list, and for the same list of many owners in one statement.

use std::{collections::HashMap, hash::Hash};

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, Iterable, Order,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _, Select, Value,
    sea_query::{Alias, Asterisk, Expr, ExprTrait as _, Query, SelectStatement, UnionType},
};

use crate::domain::page::{Cursor, Direction, Page, PageRequest};

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

/// The same page of the lists of many owners, in one statement that reads only the rows of those pages.
///
/// `UNION ALL` of limited subqueries is what both engines can do; each of them is one short walk along the owner's index.
pub(super) async fn pages_by_owner<E, K, C>(
    connection: &C,
    owners: &[K],
    keyset: Keyset<E::Column>,
    request: PageRequest,
    list_of: impl Fn(K) -> Select<E>,
    owner_of: impl Fn(&E::Model) -> K,
    place_of: impl Fn(&E::Model) -> Cursor,
) -> Result<HashMap<K, Page<E::Model>>, DbErr>
where
    E: EntityTrait,
    E::Column: Iterable,
    E::Model: FromQueryResult,
    K: Copy + Eq + Hash,
    C: ConnectionTrait,
{
    // `SQLite` takes at most 500 parts in one statement.
    const PARTS: usize = 400;

    let mut rows: HashMap<K, Vec<E::Model>> =
        owners.iter().map(|owner| (*owner, Vec::new())).collect();
    for owners in owners.chunks(PARTS) {
        let mut parts = owners.iter().map(|owner| {
            let list = page(list_of(*owner), &keyset, request).into_query();
            Query::select()
                .column(Asterisk)
                .from_subquery(list, Alias::new("list"))
                .to_owned()
        });
        let Some(mut union) = parts.next() else {
            continue;
        };
        for part in parts {
            union.union(UnionType::All, part);
        }
        for row in fetch::<E, C>(connection, &union).await? {
            rows.entry(owner_of(&row)).or_default().push(row);
        }
    }
    let ascending = keyset.descending == (request.direction == Direction::Backward);
    Ok(rows
        .into_iter()
        .map(|(owner, mut rows)| {
            // The order of a union's rows is not promised.
            rows.sort_by_key(|row| {
                let place = place_of(row);
                let key = (place.rank, place.id);
                if ascending { key } else { (-key.0, -key.1) }
            });
            (owner, Page::from_rows(request, rows, &place_of))
        })
        .collect())
}

async fn fetch<E: EntityTrait, C: ConnectionTrait>(
    connection: &C,
    select: &SelectStatement,
) -> Result<Vec<E::Model>, DbErr> {
    let statement = connection.get_database_backend().build(select);
    E::find().from_raw_sql(statement).all(connection).await
}

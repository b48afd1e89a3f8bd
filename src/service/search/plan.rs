//! How a page of a search is found, in statements whose cost does not depend on luck.
//!
//! A filter that lets much through is best asked of one row after the other along the order: soon a page is full. One that lets little through is
//! best looked up in its own index. Which of the two a search is, neither engine can know well, so it is found out: first a bounded part of the
//! order is *walked*; when that does not fill the page, the filters' own indexes are *counted* up to a bound, and the smallest *driver* is
//! collected and sorted. When none is small, everything that the words find is *gathered*, or the walk goes on to its end.
//!
//! Each shape is forced: conditions that are to be asked of each row stand there in a form that no index knows, and what is collected is
//! materialized.

use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    QueryTrait as _, Select, Statement,
    sea_query::{
        Alias, CommonTableExpression, Expr, ExprTrait as _, Query, SelectStatement, UnionType,
        WithClause,
    },
};

use super::{BoundingBox, Mode, Search, Sort, lookups::TRIGRAM, sort::order};
use crate::{
    domain::page::PageRequest,
    entity::property::{Column, Entity},
    service::paging::{self, Keyset},
};

/// Where one way to a page gives way to the next. What a page costs depends on them; what is on it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many rows of an order are walked before the filters' own indexes are asked.
    pub walked: u64,
    /// A driver of so few rows is not compared with others.
    pub few: i64,
    /// Up to how many rows a driver is counted. One that has as many is not collected.
    pub counted: i64,
    /// How many rows of an order are looked at in the same statement as the words' own index.
    pub glanced: u64,
    /// Of so many places the lists are read that each of them has.
    pub places: u64,
    /// How many rows of each place's list are read, where more is asked of them than where they are.
    pub of_place: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            walked: 2_000,
            few: 1_000,
            counted: 50_000,
            glanced: 100,
            places: 200,
            of_place: 100,
        }
    }
}

/// What the indexes `search_by_…` hold: all that a search compares, so that a walk touches nothing else.
pub(super) const COMPARED: [Column; 12] = [
    Column::PropertyId,
    Column::HostId,
    Column::Latitude,
    Column::Longitude,
    Column::PricePerNight,
    Column::MaxGuests,
    Column::MinNights,
    Column::MaxNights,
    Column::AdvanceNoticeDays,
    Column::PreparationDays,
    Column::TimeZone,
    Column::RatingHundredths,
];

impl Search {
    /// The page, out of the first [`Bounds::walked`] rows of the order: not full when too few of these match.
    pub(super) fn walk(&self, mode: Mode, request: PageRequest) -> Statement {
        let keys = self.keys_of_walk(mode, request, self.bounds.walked);
        self.page_of(keys, request, None)
    }

    /// The keys of the page, out of the first rows of the order.
    pub(super) fn keys_of_walk(
        &self,
        mode: Mode,
        request: PageRequest,
        rows: u64,
    ) -> SelectStatement {
        // A limit ends it: where the place of a row would, `PostgreSQL` reads on through all that has the same rank.
        let keyset = self.keyset();
        let ranked = self.ranked(listed()).select_only().columns(COMPARED);
        let mut walked = paging::page(ranked, &keyset, request).into_query();
        walked.limit(rows);
        if let Some(copy) = keyset.copy {
            walked.column((Entity, Alias::new(copy)));
        }
        let anywhere = PageRequest {
            after: None,
            before: None,
            ..request
        };
        let mut keys = self.asked_along(mode, Entity::find(), anywhere);
        keys.from_clear().from_subquery(walked, Entity).to_owned()
    }

    /// A row if the order goes on after the first [`Bounds::walked`] rows.
    pub(super) fn rest_of_walk(&self, request: PageRequest) -> Statement {
        let one = PageRequest {
            limit: 0,
            ..request
        };
        let ranked = self.ranked(listed()).select_only();
        let rest = paging::page(ranked, &self.keyset(), one)
            .expr(Expr::cust("CAST(1 AS BIGINT)"))
            .offset(self.bounds.walked);
        self.backend.build(rest.as_query())
    }

    /// The page, from one row to the next along the order, to its end.
    pub(super) fn walk_on(&self, mode: Mode, request: PageRequest) -> Statement {
        let keys = self.asked_along(mode, self.ranked(listed()), request);
        self.page_of(keys, request, None)
    }

    /// The keys of a page of what some rows are asked, in the order.
    pub(super) fn asked_along(
        &self,
        mode: Mode,
        rows: Select<Entity>,
        request: PageRequest,
    ) -> SelectStatement {
        let rows = rows.filter(self.asked(mode)).select_only();
        paging::page(rows.column(Column::PropertyId), &self.keyset(), request).into_query()
    }

    /// The page, out of the rows of a driver.
    pub(super) fn collect(
        &self,
        mode: Mode,
        driver: SelectStatement,
        request: PageRequest,
    ) -> Statement {
        let select = listed().filter(Column::PropertyId.in_subquery(driver));
        self.sorted(select.filter(self.asked(mode)), request)
    }

    /// The page, out of everything that words, amenities and the location find: when neither a walk nor a driver is short. None for a search
    /// without these, which a walk to the end of an index serves best.
    pub(super) fn gather(&self, mode: Mode, request: PageRequest) -> Option<Statement> {
        let lookups = self.lookups(mode);
        if lookups.is_empty() {
            return None;
        }
        let select = lookups.into_iter().fold(listed(), |select, lookup| {
            select.filter(Column::PropertyId.in_subquery(lookup))
        });
        let select = select
            .filter(self.compared(true))
            .filter(self.beside_lookups(mode));
        Some(self.sorted(select, request))
    }

    /// The page, out of rows that are found in any order.
    fn sorted(&self, select: Select<Entity>, request: PageRequest) -> Statement {
        let matching = self.between(select, request);
        let name = Alias::new("matching");
        let mut clause = WithClause::new();
        clause.cte(
            CommonTableExpression::new()
                .query(matching)
                .table_name(name.clone())
                .materialized(true)
                .to_owned(),
        );
        let keys = self.first_of(name, request);
        self.page_of(keys, request, Some(clause))
    }

    /// The keys of the page among rows with their ranks.
    pub(super) fn first_of(&self, rows: Alias, request: PageRequest) -> SelectStatement {
        let mut keys = Query::select();
        keys.column(Alias::new("property_id")).from(rows);
        order(&mut keys, &self.keyset(), request.direction, None);
        keys.limit(request.limit + 1).to_owned()
    }

    /// The keys and ranks of rows between the cursors.
    pub(super) fn between(&self, select: Select<Entity>, request: PageRequest) -> SelectStatement {
        // Compared as no index knows it: places among equals pass for rare, and one index would be read through all of them.
        let keyset = self.keyset();
        let key = unindexed(keyset.id);
        let place = match keyset.rank {
            Some((rank, _)) => Expr::tuple([unindexed(rank), key]),
            None => key,
        };
        let select = select.filter(paging::between(&keyset, request, &place));
        self.with_rank(select).into_query()
    }

    /// How many rows a driver has, up to [`Bounds::counted`].
    pub(super) fn count_driver(&self, driver: &SelectStatement) -> Statement {
        let bound = u64::try_from(self.bounds.counted).unwrap_or_default();
        let some = driver.clone().limit(bound).to_owned();
        let count = Query::select()
            .expr_as(Expr::cust("CAST(count(*) AS BIGINT)"), Alias::new("count"))
            .from_subquery(some, Alias::new("driver"))
            .to_owned();
        self.backend.build(&count)
    }

    /// How many properties match.
    pub(super) fn count(&self, mode: Mode) -> Statement {
        let mut select = listed().filter(self.compared(false)).select_only();
        for driver in self.lookups(mode) {
            select = select.filter(Column::PropertyId.in_subquery(driver));
        }
        let rest = self.beside_lookups(mode);
        let select = select
            .filter(rest)
            .expr_as(Expr::cust("CAST(count(*) AS BIGINT)"), "count");
        self.backend.build(select.as_query())
    }

    /// The filters' own indexes, those first that are likely to be small.
    pub(super) fn drivers(&self, mode: Mode) -> Vec<SelectStatement> {
        let own = |condition: Condition| {
            listed()
                .filter(condition)
                .select_only()
                .column(Column::PropertyId)
                .into_query()
        };
        if let Some(host) = self.host {
            return vec![
                Entity::find()
                    .filter(Column::HostId.eq(host))
                    .select_only()
                    .column(Column::PropertyId)
                    .into_query(),
            ];
        }
        let mut drivers = self.lookups(mode);
        drivers.extend(self.within.map(|within| {
            // A box is looked up by the side on which it is the narrower part of the world; one index has both sides of the date line.
            if within.is_flat() {
                return own(within.condition(plain, unindexed));
            }
            let mut parts = within.parts().into_iter().flatten();
            let part = |part: BoundingBox| own(part.condition(unindexed, plain));
            let first = parts.next().map_or_else(Query::select, part);
            parts.fold(first, |mut all, next| {
                all.union(UnionType::All, part(next)).to_owned()
            })
        }));
        for condition in [self.prices(plain), self.ratings(plain), self.sleeps(plain)] {
            drivers.extend((!condition.is_empty()).then(|| own(condition)));
        }
        drivers
    }

    /// Everything that is asked of each row, in a form that no index knows.
    pub(super) fn asked(&self, mode: Mode) -> Condition {
        let mut all = self.compared(true);
        let terms = self.terms(mode);
        let terms = terms.iter().map(|(term, whole)| {
            let end = if *whole { " " } else { "" };
            ("terms", format!(" {term}{end}"))
        });
        let occurring = self.occurring(mode);
        let occurring = occurring
            .into_iter()
            .map(|(column, text)| (column, text.clone()));
        let parts: Vec<_> = terms.chain(occurring).collect();
        if !parts.is_empty() {
            all = all.add(self.has(&parts));
        }
        all.add_option(self.free(row_by_row))
    }

    /// That every night of the stay is free.
    fn free(&self, asked: fn(SelectStatement) -> Expr) -> Option<Expr> {
        let stay = self.stay.as_ref()?;
        Some(asked(stay.taken.clone()).not())
    }

    /// What a count still asks of each row.
    fn beside_lookups(&self, mode: Mode) -> Condition {
        let short: Vec<_> = self
            .occurring(mode)
            .into_iter()
            .filter(|(_, text)| text.chars().count() < TRIGRAM)
            .map(|(column, text)| (column, text.clone()))
            .collect();
        let mut all = Condition::all().add_option(self.free(Expr::exists));
        if !short.is_empty() {
            all = all.add(self.has(&short));
        }
        all
    }

    /// What the indexes of `properties` hold.
    fn compared(&self, inert: bool) -> Condition {
        let of = if inert { unindexed } else { plain };
        let parts = [
            self.prices(of),
            self.ratings(of),
            self.sleeps(of),
            Condition::all().add_option(self.host.map(|host| of(Column::HostId).eq(host))),
            self.within
                .map_or_else(Condition::all, |within| within.condition(of, of)),
            self.stay
                .as_ref()
                .map_or_else(Condition::all, |stay| stay.terms.clone()),
        ];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        parts.fold(Condition::all(), Condition::add)
    }

    pub(super) fn keyset(&self) -> Keyset<Column> {
        self.sort.keyset(self.backend)
    }

    /// Narrows the order itself, where a filter is on what it is ordered by.
    fn ranked(&self, select: Select<Entity>) -> Select<Entity> {
        match self.sort {
            Sort::Newest => select,
            Sort::PriceAscending | Sort::PriceDescending => select.filter(self.prices(plain)),
            Sort::RatingDescending => select.filter(self.ratings(plain)),
        }
    }

    /// The keys of some properties, and what they are ordered by.
    fn with_rank(&self, select: Select<Entity>) -> Select<Entity> {
        let select = select.select_only().column(Column::PropertyId);
        match self.keyset().rank {
            Some((rank, _)) => select.column(rank),
            None => select,
        }
    }

    /// The rows of some keys, in the order.
    fn page_of(
        &self,
        keys: SelectStatement,
        request: PageRequest,
        with: Option<WithClause>,
    ) -> Statement {
        let mut select = Query::select();
        select
            .columns(self.columns.iter().map(|column| (Entity, column)))
            .from(Entity)
            .and_where(plain(Column::PropertyId).in_subquery(keys));
        order(&mut select, &self.keyset(), request.direction, Some(Entity));
        match with {
            Some(clause) => self.backend.build(&select.with(clause)),
            None => self.backend.build(&select),
        }
    }
}

/// Properties that guests find.
pub(super) fn listed() -> Select<Entity> {
    // Spelled out rather than bound: the partial indexes are chosen by it.
    Entity::find()
        .filter(Expr::cust("properties.status = 'LISTED'"))
        .filter(Column::DeletedAt.is_null())
}

fn plain(column: Column) -> Expr {
    Expr::col((Entity, column))
}

/// The same value, which no index knows.
fn unindexed(column: Column) -> Expr {
    use sea_orm::IdenStatic as _;
    let name = column.as_str();
    Expr::cust(match column {
        // What `SQLite` is given for a decimal is text, which it compares as a number only with what is declared a number.
        Column::PricePerNight => format!("CAST(properties.{name} AS NUMERIC)"),
        _ => format!("+properties.{name}"),
    })
}

/// Whether there is a row, asked anew for each row of the query around it: `PostgreSQL` makes no join of what has an offset.
pub(super) fn row_by_row(mut select: SelectStatement) -> Expr {
    Expr::exists(select.limit(1).offset(0).to_owned())
}

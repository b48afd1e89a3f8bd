//! Statements that find a page and say whether it is the page: what they read of an index is bounded, and it may have had more.

use sea_orm::{
    DbErr, IdenStatic as _, QueryFilter as _, QueryResult, Statement,
    sea_query::{
        Alias, CommonTableExpression, Expr, ExprTrait as _, JoinType, Query, SelectStatement,
        UnionType, WithClause,
    },
};

use super::{Mode, Search, Sort, plan::listed, sort::order};
use crate::{
    domain::{ids::PropertyId, page::PageRequest},
    entity::{
        part::Row,
        property::{Column, Entity},
    },
};

/// What a row says of the page that it is on.
pub(super) const KNOWN: &str = "known";

impl Search {
    /// The page, out of a few rows of the order or else of the words' own index: one of both is enough for most searches. None for a search
    /// without words.
    pub(super) fn glance(&self, mode: Mode, request: PageRequest) -> Option<Statement> {
        if self.bounds.glanced == 0 {
            return None;
        }
        let few = u64::try_from(self.bounds.few).unwrap_or_default();
        let full = format!("(SELECT count(*) FROM first) > {}", request.limit);
        let driver = self.lookups(mode).into_iter().next()?;
        let driver = driver
            .clone()
            .and_where(Expr::cust(full.clone()).not())
            .limit(few + 1)
            .to_owned();
        let candidates = Query::select()
            .column("property_id")
            .from("driver")
            .to_owned();
        let found = listed()
            .filter(Expr::col((Entity, Column::PropertyId)).in_subquery(candidates))
            .filter(self.asked(mode));
        let best = self.first_of(Alias::new("found"), request);
        let best = Query::select()
            .column("property_id")
            .from_subquery(best, "best")
            .to_owned();
        let page = Query::select()
            .column("property_id")
            .from("first")
            .and_where(Expr::cust(full.clone()))
            .union(UnionType::All, best)
            .to_owned();
        let known = format!(
            "CASE WHEN {full} THEN 'ALL' WHEN (SELECT count(*) FROM driver) > {few} THEN 'NOTHING' ELSE 'ALL' END"
        );
        let known = Query::select().expr_as(Expr::cust(known), KNOWN).to_owned();
        let clause = [
            (
                "first",
                self.keys_of_walk(mode, request, self.bounds.glanced),
            ),
            ("driver", driver),
            ("found", self.between(found, request)),
            ("page", page),
        ];
        Some(self.page_if_known(clause, known, request))
    }

    /// The rows whose keys are in `page`, each with what is known of the page; one row without a property where there is none.
    pub(super) fn page_if_known<const N: usize>(
        &self,
        clause: [(&'static str, SelectStatement); N],
        known: SelectStatement,
        request: PageRequest,
    ) -> Statement {
        let clause = clause.map(|(name, query)| {
            CommonTableExpression::new()
                .query(query)
                .table_name(name)
                .materialized(true)
                .to_owned()
        });
        let clause = clause.into_iter().fold(WithClause::new(), |mut all, one| {
            all.cte(one);
            all
        });
        let keys = Query::select()
            .column("property_id")
            .from("page")
            .to_owned();
        let rows = Query::select()
            .columns(self.columns.iter().map(|column| (Entity, column)))
            .from(Entity)
            .and_where(Expr::col((Entity, Column::PropertyId)).in_subquery(keys))
            .to_owned();
        let mut select = Query::select();
        select
            .column((KNOWN, KNOWN))
            .columns(self.columns.iter().map(|column| (Entity, column)))
            .from_subquery(known, KNOWN)
            .join_subquery(JoinType::LeftJoin, rows, Entity, Expr::val(true));
        order(&mut select, &self.keyset(), request.direction, Some(Entity));
        self.backend.build(&select.with(clause))
    }

    /// The rows that came back, if they are the page.
    pub(super) fn page_known(
        &self,
        rows: &[QueryResult],
        request: PageRequest,
    ) -> Result<Option<Vec<Row<Entity>>>, DbErr> {
        let Some(first) = rows.first() else {
            return Ok(None);
        };
        let known: String = first.try_get_by_index(0)?;
        let any: Option<PropertyId> = first.try_get("", Column::PropertyId.as_str())?;
        let rows = if any.is_some() { rows } else { &[] };
        let is_full = u64::try_from(rows.len()).is_ok_and(|rows| rows > request.limit);
        let is_known = match known.as_str() {
            "ALL" => true,
            "BEFORE" => self.sort == Sort::Newest && is_full,
            _ => false,
        };
        if !is_known {
            return Ok(None);
        }
        let rows = rows.iter().map(|row| self.columns.row(row, 1));
        rows.collect::<Result<_, _>>().map(Some)
    }
}

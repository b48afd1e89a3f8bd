//! Looking words, amenities and locations up: in their indexes, and in the text of one row. Both mean the same, because the words of
//! [`property_search`] stand between spaces.

use sea_orm::{
    DbBackend, Value,
    sea_query::{Alias, Expr, ExprTrait as _, Func, Query, SelectStatement},
};

use super::{Mode, Search, plan::row_by_row};
use crate::entity::{
    property::{Column, Entity},
    property_search::{self, AMENITY, PLACE},
};

/// The fewest characters of which an index knows where they occur.
pub(super) const TRIGRAM: usize = 3;

impl Search {
    /// The drivers that words, amenities and the location have: at most one for each kind of index.
    pub(super) fn lookups(&self, mode: Mode) -> Vec<SelectStatement> {
        let postgres = self.backend == DbBackend::Postgres;
        let mut found = Vec::new();
        let occurring: Vec<(&str, &String)> = self
            .occurring(mode)
            .into_iter()
            .filter(|(_, text)| text.chars().count() >= TRIGRAM)
            .collect();
        if !occurring.is_empty() && postgres {
            let mut select = Query::select();
            select
                .column(property_search::Column::PropertyId)
                .from(property_search::Entity);
            for (column, text) in &occurring {
                select.and_where(Expr::col(Alias::new(*column)).like(format!("%{text}%")));
            }
            found.push(select);
        } else if !occurring.is_empty() {
            let query: Vec<_> = occurring
                .iter()
                .map(|(column, text)| format!("{column} : \"{text}\""))
                .collect();
            found.push(matching("property_trigrams", &query));
        }
        let terms = self.terms(mode);
        if !terms.is_empty() && postgres {
            let query: Vec<_> = terms
                .iter()
                .map(|(term, whole)| format!("'{term}'{}", if *whole { "" } else { ":*" }))
                .collect();
            let document = Expr::cust_with_values(
                "document @@ CAST($1 AS tsquery)",
                [Value::from(query.join(" & "))],
            );
            found.push(
                Query::select()
                    .column(property_search::Column::PropertyId)
                    .from(property_search::Entity)
                    .and_where(document)
                    .to_owned(),
            );
        } else if !terms.is_empty() {
            let query: Vec<_> = terms
                .iter()
                .map(|(term, whole)| format!("\"{term}\"{}", if *whole { "" } else { "*" }))
                .collect();
            found.push(matching("property_terms", &query));
        }
        found
    }

    /// Terms that a property must have: each with whether it must be whole or may go on.
    pub(super) fn terms(&self, mode: Mode) -> Vec<(String, bool)> {
        let mut terms: Vec<_> = self
            .amenities
            .iter()
            .map(|word| (format!("{AMENITY}{word}"), true))
            .collect();
        if mode == Mode::Words {
            terms.extend(self.words.iter().map(|word| (word.clone(), false)));
        }
        if let Some(place) = self.place.as_ref().filter(|place| is_short(place)) {
            // So short, it is one word.
            terms.push((format!("{PLACE}{place}"), false));
        }
        terms
    }

    /// Text that must occur in a column.
    pub(super) fn occurring(&self, mode: Mode) -> Vec<(&'static str, &String)> {
        let place = self.place.iter().filter(|place| !is_short(place));
        let mut found: Vec<_> = place.map(|place| ("place", place)).collect();
        if mode == Mode::Anywhere {
            found.extend(self.words.iter().map(|word| ("name", word)));
        }
        found
    }

    /// That these texts occur in these columns of a property's words.
    pub(super) fn has(&self, parts: &[(&str, String)]) -> Expr {
        let position = if self.backend == DbBackend::Postgres {
            "strpos"
        } else {
            "instr"
        };
        let mut select = Query::select();
        select
            .expr(Expr::val(1))
            .from(property_search::Entity)
            .and_where(
                Expr::col((property_search::Entity, property_search::Column::PropertyId))
                    .equals((Entity, Column::PropertyId)),
            );
        for (column, text) in parts {
            let found = Func::cust(Alias::new(position))
                .arg(Expr::col(Alias::new(*column)))
                .arg(text.as_str());
            select.and_where(Expr::expr(found).gt(0));
        }
        row_by_row(select)
    }
}

fn is_short(place: &str) -> bool {
    place.chars().count() < TRIGRAM
}

/// What a full-text table of `SQLite` finds. Each part is quoted, so that none is taken for syntax.
fn matching(table: &'static str, parts: &[String]) -> SelectStatement {
    let found = format!("{table} MATCH ?");
    Query::select()
        .expr_as(Expr::cust("rowid"), Alias::new("property_id"))
        .from(Alias::new(table))
        .and_where(Expr::cust_with_values(
            found,
            [Value::from(parts.join(" AND "))],
        ))
        .to_owned()
}

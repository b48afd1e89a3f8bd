//! Searches for a place, on `PostgreSQL`: where few places are meant, one statement finds the page among the newest properties of each, and
//! knows whether it is the page.
//!
//! Each place's list is cut after some rows. Whatever stands in the order before the place at which the first of the cut lists ends is known
//! wholly; a page that fills up with it is the page, in the order of the keys. When no list is cut, everything is known, in whatever order.

use sea_orm::{
    Condition, DbBackend, EntityTrait as _, QueryFilter as _, QuerySelect as _, QueryTrait as _,
    Statement,
    sea_query::{Alias, Asterisk, Expr, ExprTrait as _, JoinType, Order, Query, SelectStatement},
};

use super::{
    Mode, Search, Sort,
    known::KNOWN,
    lookups::TRIGRAM,
    plan::{COMPARED, listed},
};
use crate::{
    domain::page::{Cursor, Direction, PageRequest},
    entity::property::{Column, Entity},
    service::{paging, properties::BY_KEY},
};

impl Search {
    /// The page, out of the newest properties of a few places; none for a search that is for no place. [`Self::page_known`] reads what
    /// comes back.
    pub(super) fn near(&self, mode: Mode, request: PageRequest) -> Option<Statement> {
        let place = self.place_of_index()?;
        let rest = Self {
            place: None,
            ..self.clone()
        };
        let places = Query::select()
            .column("place_id")
            .from("places")
            .and_where(Expr::col("place").like(format!("%{place}%")))
            .limit(self.bounds.places + 1)
            .to_owned();
        if self.sort == Sort::Newest && !rest.is_narrowed() {
            // The newest of all are among the newest of each.
            let known = format!(
                "CASE WHEN (SELECT count(*) FROM near) > {} THEN 'NOTHING' ELSE 'ALL' END",
                self.bounds.places
            );
            let known = Query::select().expr_as(Expr::cust(known), KNOWN).to_owned();
            let clause = [("near", places), ("page", self.newest_of_lists(request))];
            return Some(self.page_if_known(clause, known, request));
        }
        let of_place = Ord::max(self.bounds.of_place, request.limit + 1);
        let ends = ends(of_place, request.direction);
        let page = rest.page_of_walked(mode, request);
        let clause = [
            ("near", places),
            ("walked", self.lists(&COMPARED, of_place, request)),
            ("ends", ends),
            ("page", page),
        ];
        let known = format!(
            "CASE WHEN (SELECT count(*) FROM near) > {} THEN 'NOTHING' WHEN last IS NULL THEN 'ALL' ELSE 'BEFORE' END",
            self.bounds.places
        );
        let known = Query::select()
            .expr_as(Expr::cust(known), KNOWN)
            .from("ends")
            .to_owned();
        Some(self.page_if_known(clause, known, request))
    }

    /// What the index of places is asked for; none where there is no index, or it does not know.
    fn place_of_index(&self) -> Option<&str> {
        let place = self.place.as_deref()?;
        let known = self.backend == DbBackend::Postgres && self.host.is_none();
        (known && place.chars().count() >= TRIGRAM).then_some(place)
    }

    /// The keys of a page in the order of keys, for a search that asks for nothing but places.
    fn newest_of_lists(&self, request: PageRequest) -> SelectStatement {
        let rows = request.limit + 1;
        let mut page = self.lists(&[Column::PropertyId], rows, request);
        let order = match request.direction {
            Direction::Forward => Order::Desc,
            Direction::Backward => Order::Asc,
        };
        page.clear_selects()
            .column(("list", Column::PropertyId))
            .order_by(("list", Column::PropertyId), order)
            .limit(rows)
            .to_owned()
    }

    /// These columns of the newest properties of each place, from the cursor on where the list is in that order.
    fn lists(&self, columns: &[Column], of_place: u64, request: PageRequest) -> SelectStatement {
        let cursors = |cursor: Option<Cursor>| cursor.filter(|_| self.sort == Sort::Newest);
        let request = PageRequest {
            after: cursors(request.after),
            before: cursors(request.before),
            ..request
        };
        let place = Expr::col((Entity, Alias::new("place_id")));
        let list = listed()
            .filter(place.clone().equals(("near", "place_id")))
            .select_only()
            .columns(columns.iter().copied());
        let mut list = paging::page(list, &BY_KEY, request).into_query();
        list.expr(place).limit(of_place);
        let few = format!("(SELECT count(*) FROM near) <= {}", self.bounds.places);
        Query::select()
            .expr(Expr::col(("list", Asterisk)))
            .from("near")
            .join_lateral(JoinType::InnerJoin, list, "list", Expr::val(true))
            .and_where(Expr::cust(few))
            .to_owned()
    }

    /// The keys of a page of the walked rows, as far as they are known wholly.
    fn page_of_walked(&self, mode: Mode, request: PageRequest) -> SelectStatement {
        let known = match request.direction {
            _ if self.sort != Sort::Newest => None,
            Direction::Forward => {
                Some("properties.property_id >= coalesce((SELECT last FROM ends), 0)")
            }
            Direction::Backward => Some(
                "properties.property_id <= coalesce((SELECT last FROM ends), properties.property_id)",
            ),
        };
        let rows = Entity::find().filter(Condition::all().add_option(known.map(Expr::cust)));
        let walked = Query::select().column(Asterisk).from("walked").to_owned();
        let mut keys = self.asked_along(mode, rows, request);
        keys.from_clear().from_subquery(walked, Entity).to_owned()
    }
}

/// The key at which the first of those lists ends that were cut.
fn ends(of_place: u64, direction: Direction) -> SelectStatement {
    let (end, first) = match direction {
        Direction::Forward => ("min(property_id)", "max(last)"),
        Direction::Backward => ("max(property_id)", "min(last)"),
    };
    let cut = Query::select()
        .expr_as(Expr::cust(end), "last")
        .from("walked")
        .group_by_col("place_id")
        .and_having(Expr::cust(format!("count(*) = {of_place}")))
        .to_owned();
    Query::select()
        .expr_as(Expr::cust(first), "last")
        .from_subquery(cut, "cut")
        .to_owned()
}

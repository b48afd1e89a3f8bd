//! The orders of a search, and the places in them.

use sea_orm::{
    DbBackend, DbErr, Value,
    sea_query::{Expr, Order, SelectStatement},
};

use crate::{
    domain::{
        money::Money,
        page::{Cursor, Direction},
    },
    entity::{
        part::{self, Row},
        property::{Column, Entity},
    },
    service::{
        paging::{Keyset, Rank},
        properties::{BY_KEY, NEWEST, place_by_key},
    },
};

/// How found properties are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sort {
    /// The newest first.
    Newest,
    /// The cheapest first.
    PriceAscending,
    /// The dearest first.
    PriceDescending,
    /// The best rated first; those without a review last.
    RatingDescending,
}

impl Sort {
    /// The order's mark in cursors.
    #[must_use]
    pub const fn mark(self) -> char {
        match self {
            Self::Newest => NEWEST,
            Self::PriceAscending => 'p',
            Self::PriceDescending => 'q',
            Self::RatingDescending => 'r',
        }
    }

    /// The mark in cursors of what was found by parts of words: a list goes on as it began.
    #[must_use]
    pub const fn loose_mark(self) -> char {
        self.mark().to_ascii_uppercase()
    }

    pub(super) fn keyset(self, backend: DbBackend) -> Keyset<Column> {
        let by_price: Rank<Column> = (Column::PricePerNight, |cents| {
            Money::from_cents(cents).into()
        });
        let by_rating: Rank<Column> = (Column::RatingHundredths, Value::from);
        let rank = match self {
            Self::Newest => return BY_KEY,
            Self::PriceAscending | Self::PriceDescending => by_price,
            Self::RatingDescending => by_rating,
        };
        Keyset {
            rank: Some(rank),
            id: Column::PropertyId,
            copy: (backend == DbBackend::Sqlite).then_some("key_after_rank"),
            descending: self != Self::PriceAscending,
        }
    }

    pub(super) fn place(self, property: &Row<Entity>) -> Result<Cursor, DbErr> {
        let by_key = place_by_key(property)?;
        let rank = match self {
            Self::Newest => return Ok(by_key),
            Self::PriceAscending | Self::PriceDescending => {
                part::read(&property.price_per_night)?.cents()
            }
            Self::RatingDescending => i64::from(*part::read(&property.rating_hundredths)?),
        };
        Ok(Cursor {
            order: self.mark(),
            rank,
            ..by_key
        })
    }
}

/// Orders rows in the direction in which a page is read.
pub(super) fn order(
    select: &mut SelectStatement,
    keyset: &Keyset<Column>,
    direction: Direction,
    of: Option<Entity>,
) {
    let order = if keyset.descending == (direction == Direction::Backward) {
        Order::Asc
    } else {
        Order::Desc
    };
    let columns = keyset
        .rank
        .map(|(rank, _)| rank)
        .into_iter()
        .chain([keyset.id]);
    for column in columns {
        let column = match of {
            Some(table) => Expr::col((table, column)),
            None => Expr::col(column),
        };
        select.order_by_expr(column, order.clone());
    }
}

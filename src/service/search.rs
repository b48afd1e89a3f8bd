//! Finding listed properties.

use rust_decimal::Decimal;
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, Select,
    Value,
    sea_query::{Expr, ExprTrait as _, LikeExpr, Query},
};

use super::{
    booking_rows::taken_nights,
    error::Result,
    paging::{self, Keyset, Rank},
    properties::{BY_KEY, NEWEST, Properties, place_by_key},
};
use crate::{
    domain::{
        ids::UserId,
        listing::parse_amenities,
        money::Money,
        page::{Cursor, Page, PageRequest},
        problem::{Problem, Problems},
        stay::{DateRange, Stay},
        text::{self, Lines},
    },
    entity::{
        night,
        property::{Column, Entity, Model},
        property_amenity, property_search,
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

/// What is looked for, as it came; every part narrows the search.
#[derive(Debug, Clone, Default)]
pub struct SearchInput {
    /// In title, description or location, whatever the case.
    pub text: Option<String>,
    /// In the location.
    pub location: Option<String>,
    /// Of this host.
    pub host_id: Option<UserId>,
    /// With `check_out`: free on every night of the stay.
    pub check_in: Option<chrono::NaiveDate>,
    /// With `check_in`.
    pub check_out: Option<chrono::NaiveDate>,
    /// Sleeps at least so many.
    pub guests: Option<i32>,
    /// Costs at least this a night.
    pub min_price: Option<Decimal>,
    /// Costs at most this a night.
    pub max_price: Option<Decimal>,
    /// Rated at least this.
    pub min_rating: Option<f64>,
    /// Has all of these.
    pub amenities: Option<Vec<String>>,
    /// Lies in this box.
    pub within: Option<BoundingBox>,
}

/// A box on the map, in degrees. It crosses the date line where `west` is greater than `east`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names are the compass's")]
pub struct BoundingBox {
    pub south: f64,
    pub west: f64,
    pub north: f64,
    pub east: f64,
}

/// A checked search.
#[derive(Debug, Clone)]
pub struct Search {
    filter: Condition,
    sort: Sort,
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

    fn keyset(self) -> Keyset<Column> {
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
            descending: self != Self::PriceAscending,
        }
    }

    fn place(self, property: &Model) -> Cursor {
        let rank = match self {
            Self::Newest => return place_by_key(property),
            Self::PriceAscending | Self::PriceDescending => property.price_per_night.cents(),
            Self::RatingDescending => i64::from(property.rating_hundredths),
        };
        Cursor {
            order: self.mark(),
            rank,
            id: i64::from(property.property_id.0),
        }
    }
}

impl Properties {
    /// Checks a search.
    ///
    /// # Errors
    /// Every mistake in the input.
    pub fn search(&self, input: SearchInput, sort: Sort) -> Result<Search> {
        let mut problems = Problems::default();
        let mut filter = Condition::all();
        for (field, raw, column) in [
            ("text", &input.text, property_search::Column::Words),
            ("location", &input.location, property_search::Column::Place),
        ] {
            let words = raw
                .as_ref()
                .and_then(|raw| problems.take(text::parse(field, raw, 0..=200, Lines::One)));
            filter = filter.add_option(
                words
                    .filter(|words| !words.is_empty())
                    .map(|words| contains(column, &words)),
            );
        }
        filter = filter.add_option(input.host_id.map(|host| Column::HostId.eq(host)));
        if let Some(guests) = input.guests {
            if guests < 1 {
                problems.add(Problem::invalid("guests", "At least one guest stays."));
            }
            filter = filter.add(Column::MaxGuests.gte(guests));
        }
        for (field, amount, at_least) in [
            ("minPrice", input.min_price, true),
            ("maxPrice", input.max_price, false),
        ] {
            let price = amount.and_then(|amount| {
                problems.take(Money::parse(field, amount, Money::ZERO, Money::MAX))
            });
            let bound = price.map(|price| {
                if at_least {
                    Column::PricePerNight.gte(price)
                } else {
                    Column::PricePerNight.lte(price)
                }
            });
            filter = filter.add_option(bound);
        }
        let rating = input
            .min_rating
            .and_then(|rating| problems.take(parse_min_rating(rating)));
        filter =
            filter.add_option(rating.map(|hundredths| Column::RatingHundredths.gte(hundredths)));
        let amenities = input
            .amenities
            .and_then(|words| problems.take(parse_amenities(&words)));
        for amenity in amenities.unwrap_or_default() {
            filter = filter.add(
                Column::PropertyId.in_subquery(
                    Query::select()
                        .column(property_amenity::Column::PropertyId)
                        .from(property_amenity::Entity)
                        .and_where(property_amenity::Column::Amenity.eq(amenity))
                        .to_owned(),
                ),
            );
        }
        let within = input
            .within
            .and_then(|within| problems.take(inside(within)));
        filter = filter.add_option(within);
        let range = problems
            .take(self.parse_dates(input.check_in, input.check_out))
            .flatten();
        filter = filter.add_option(range.map(|range| self.free(range)));
        problems.done()?;
        Ok(Search { filter, sort })
    }

    /// One page of what is found.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn found(&self, search: &Search, request: PageRequest) -> Result<Page<Model>> {
        let select = listed().filter(search.filter.clone());
        let rows = paging::page(select, &search.sort.keyset(), request)
            .all(self.0.db.read())
            .await?;
        Ok(Page::from_rows(request, rows, |property| {
            search.sort.place(property)
        }))
    }

    /// How many are found.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_found(&self, search: &Search) -> Result<u64> {
        Ok(listed()
            .filter(search.filter.clone())
            .count(self.0.db.read())
            .await?)
    }

    fn parse_dates(
        &self,
        check_in: Option<chrono::NaiveDate>,
        check_out: Option<chrono::NaiveDate>,
    ) -> std::result::Result<Option<DateRange>, Problem> {
        match (check_in, check_out) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(Problem::invalid(
                "checkOut",
                "Give checkIn and checkOut together.",
            )),
            (None, Some(_)) => Err(Problem::invalid(
                "checkIn",
                "Give checkIn and checkOut together.",
            )),
            (Some(check_in), Some(check_out)) => {
                // The earliest date that it still is anywhere: 12 hours behind UTC.
                let today = (self.0.clock.now() - chrono::Duration::hours(12)).date_naive();
                Stay::parse(check_in, check_out, today).map(|stay| Some(stay.into()))
            }
        }
    }

    fn free(&self, range: DateRange) -> Expr {
        let taken = taken_nights(range, self.0.clock.now())
            .expr(Expr::val(1))
            .and_where(
                Expr::col((night::Entity, night::Column::PropertyId))
                    .equals((Entity, Column::PropertyId)),
            )
            .to_owned();
        Expr::exists(taken).not()
    }
}

/// Properties that guests find.
fn listed() -> Select<Entity> {
    // Spelled out rather than bound: the partial indexes are chosen by it.
    Entity::find()
        .filter(Expr::cust("status = 'LISTED'"))
        .filter(Column::DeletedAt.is_null())
}

fn contains(column: property_search::Column, words: &str) -> Expr {
    let escape = |c| {
        if matches!(c, '%' | '_' | '\\') {
            vec!['\\', c]
        } else {
            vec![c]
        }
    };
    let escaped: String = words.to_lowercase().chars().flat_map(escape).collect();
    let found = Query::select()
        .column(property_search::Column::PropertyId)
        .from(property_search::Entity)
        .and_where(Expr::col(column).like(LikeExpr::new(format!("%{escaped}%")).escape('\\')))
        .to_owned();
    Column::PropertyId.in_subquery(found)
}

fn parse_min_rating(rating: f64) -> std::result::Result<i32, Problem> {
    if (0.0..=5.0).contains(&rating) {
        #[expect(clippy::cast_possible_truncation, reason = "between 0 and 500")]
        // Less than a rating can differ by: 4.4 in binary is a little more than 4.4 once it is multiplied.
        Ok((rating * 100.0 - 1e-6).ceil() as i32)
    } else {
        Err(Problem::invalid("minRating", "Give a rating from 0 to 5."))
    }
}

fn inside(within: BoundingBox) -> std::result::Result<Condition, Problem> {
    let BoundingBox {
        south,
        west,
        north,
        east,
    } = within;
    let degrees = |value: f64, most: f64| (-most..=most).contains(&value);
    if !(degrees(south, 90.0)
        && degrees(north, 90.0)
        && degrees(west, 180.0)
        && degrees(east, 180.0)
        && south <= north)
    {
        return Err(Problem::invalid(
            "within",
            "South and north lie between -90 and 90, south first; west and east between -180 and 180.",
        ));
    }
    let longitudes = if west <= east {
        Condition::all()
            .add(Column::Longitude.gte(west))
            .add(Column::Longitude.lte(east))
    } else {
        Condition::any()
            .add(Column::Longitude.gte(west))
            .add(Column::Longitude.lte(east))
    };
    Ok(Condition::all()
        .add(Column::Latitude.gte(south))
        .add(Column::Latitude.lte(north))
        .add(longitudes))
}

//! Finding listed properties.
//!
//! This file says what can be looked for and what is found; [`plan`], [`places`] and [`known`] make the statements, out of what [`lookups`], [`dates`],
//! [`within`] and [`sort`] know, and [`words`] keeps what they look into.

mod dates;
mod known;
mod lookups;
mod places;
mod plan;
mod sort;
mod within;
pub mod words;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use sea_orm::{
    Condition, ConnectionTrait as _, DbBackend, DbErr, Statement,
    sea_query::{Expr, ExprTrait as _},
};

use self::dates::Bookable;
pub use self::{plan::Bounds, sort::Sort, within::BoundingBox};
use super::{error::Result, properties::Properties};
use crate::{
    domain::{
        fold,
        freshness::Tag,
        ids::UserId,
        listing::parse_amenities,
        money::Money,
        page::{Cursor, Page, PageRequest},
        problem::{Problem, Problems},
        stay::Stay,
        text::{self, Lines},
    },
    entity::{
        part::{Columns, Row},
        property::{Column, Entity},
    },
};

/// A search for more words is a search for the first ones.
const MOST_WORDS: usize = 32;

/// What is looked for, as it came; every part narrows the search.
#[derive(Debug, Clone, Default)]
pub struct SearchInput {
    /// Each of its words begins a word of title, description or location. Where nothing is found so, each occurs in title or location.
    pub text: Option<String>,
    /// Occurs in the location; begins a word of it when shorter than three characters.
    pub location: Option<String>,
    /// Of this host.
    pub host_id: Option<UserId>,
    /// With `check_out`: the stay can be booked.
    pub check_in: Option<NaiveDate>,
    /// With `check_in`.
    pub check_out: Option<NaiveDate>,
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

impl SearchInput {
    /// What decides which properties are found, beside time: what is shown of them is theirs.
    pub fn tags(&self, sort: Sort) -> impl Iterator<Item = Tag> + use<> {
        let is_by_rating = sort == Sort::RatingDescending || self.min_rating.is_some();
        [Tag::Listings]
            .into_iter()
            .chain(is_by_rating.then_some(Tag::Ratings))
    }
}

/// How the words of a text are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Each begins a word.
    Words,
    /// Each occurs somewhere in title or location.
    Anywhere,
}

/// A checked search.
#[derive(Debug, Clone)]
pub struct Search {
    sort: Sort,
    backend: DbBackend,
    words: Vec<String>,
    place: Option<String>,
    host: Option<UserId>,
    guests: Option<i32>,
    min_price: Option<Money>,
    max_price: Option<Money>,
    min_rating: Option<i32>,
    amenities: Vec<String>,
    within: Option<BoundingBox>,
    stay: Option<Bookable>,
    bounds: Bounds,
    columns: Columns<Entity>,
}

impl Properties {
    /// Checks a search.
    ///
    /// # Errors
    /// Every mistake in the input.
    pub fn search(&self, input: SearchInput, sort: Sort) -> Result<Search> {
        let now = self.0.clock.now();
        let mut problems = Problems::default();
        let mut folded = |field: &str, raw: Option<String>| {
            let text =
                raw.and_then(|raw| problems.take(text::parse(field, &raw, 0..=200, Lines::One)));
            fold::words(&text.unwrap_or_default())
        };
        let words = distinct(folded("text", input.text));
        let place = folded("location", input.location).join(" ");
        let guests = input.guests.filter(|guests| *guests < 1);
        if guests.is_some() {
            problems.add(Problem::invalid("guests", "At least one guest stays."));
        }
        let mut price = |field: &str, amount: Option<Decimal>| {
            amount.and_then(|amount| {
                problems.take(Money::parse(field, amount, Money::ZERO, Money::MAX))
            })
        };
        let (min_price, max_price) = (
            price("minPrice", input.min_price),
            price("maxPrice", input.max_price),
        );
        let min_rating = input
            .min_rating
            .and_then(|rating| problems.take(parse_min_rating(rating)));
        let amenities = input
            .amenities
            .and_then(|words| problems.take(parse_amenities(&words)));
        let within = input
            .within
            .and_then(|within| problems.take(within.check()));
        let stay = problems
            .take(parse_dates(input.check_in, input.check_out, now))
            .flatten();
        problems.done()?;
        Ok(Search {
            sort,
            backend: self.0.db.backend(),
            words,
            place: (!place.is_empty()).then_some(place),
            host: input.host_id,
            guests: input.guests,
            min_price,
            max_price,
            min_rating: min_rating.filter(|hundredths| *hundredths > 0),
            amenities: amenities.unwrap_or_default(),
            within,
            stay: stay.map(|stay| dates::bookable(stay, now, self.0.db.backend())),
            bounds: Bounds::default(),
            columns: Columns::all(),
        })
    }

    /// One page of what is found. Its cursors are of one list.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn found(&self, search: &Search, request: PageRequest) -> Result<Page<Row<Entity>>> {
        self.found_by(search, request, &mut Vec::new()).await
    }

    /// The same, and each statement that was sent for it.
    ///
    /// # Errors
    /// As [`Properties::found`].
    pub async fn found_by(
        &self,
        search: &Search,
        request: PageRequest,
        sent: &mut Vec<Statement>,
    ) -> Result<Page<Row<Entity>>> {
        let mode = search.mode_of(request);
        let mut rows = self
            .rows(search, mode.unwrap_or(Mode::Words), request, sent)
            .await?;
        let mut mark = mode.unwrap_or(Mode::Words);
        if rows.is_empty() && mode.is_none() && search.can_be_looser() {
            mark = Mode::Anywhere;
            rows = self.rows(search, mark, request, sent).await?;
        }
        let rows = rows.into_iter().map(|property| {
            let order = search.mark(mark);
            let place = search.sort.place(&property)?;
            Ok((Cursor { order, ..place }, property))
        });
        let rows: std::result::Result<_, DbErr> = rows.collect();
        Ok(Page::cut(request, rows?))
    }

    /// How many are found.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_found(&self, search: &Search, request: PageRequest) -> Result<i64> {
        let mode = search.mode_of(request);
        let count = self
            .number(search.count(mode.unwrap_or(Mode::Words)))
            .await?;
        if count == 0 && mode.is_none() && search.can_be_looser() {
            return self.number(search.count(Mode::Anywhere)).await;
        }
        Ok(count)
    }

    /// The rows of a page, and one more if there is one; see [`plan`].
    async fn rows(
        &self,
        search: &Search,
        mode: Mode,
        request: PageRequest,
        sent: &mut Vec<Statement>,
    ) -> Result<Vec<Row<Entity>>> {
        let db = &self.0.place;
        let mut log = |statement: Statement| {
            sent.push(statement.clone());
            statement
        };
        let all = |statement: Statement| search.columns.of(statement, db);
        if !search.is_narrowed() {
            return Ok(all(log(search.walk_on(mode, request))).await?);
        }
        // A statement less saves a way to another process. Inside of this one the steps below are quicker, each of which is taken only where it is needed.
        if search.host.is_none() && search.backend == DbBackend::Postgres {
            let near = search.near(mode, request);
            if let Some(statement) = near.or_else(|| search.glance(mode, request)) {
                let rows = db.query_all_raw(log(statement)).await?;
                if let Some(page) = search.page_known(&rows, request)? {
                    return Ok(page);
                }
            }
        }
        if search.host.is_none() {
            let rows = all(log(search.walk(mode, request))).await?;
            let is_full = rows.len() > usize::try_from(request.limit).unwrap_or(usize::MAX);
            if is_full || self.number(log(search.rest_of_walk(request))).await? == 0 {
                return Ok(rows);
            }
        }
        let mut best = None;
        for driver in search.drivers(mode) {
            let rows = if search.host.is_some() {
                0
            } else {
                self.number(log(search.count_driver(&driver))).await?
            };
            if rows < search.bounds.counted
                && best.as_ref().is_none_or(|(fewest, _)| rows < *fewest)
            {
                best = Some((rows, driver));
            }
            if rows <= search.bounds.few {
                break;
            }
        }
        let statement = match best {
            Some((_, driver)) => search.collect(mode, driver, request),
            None => search
                .gather(mode, request)
                .unwrap_or_else(|| search.walk_on(mode, request)),
        };
        Ok(all(log(statement)).await?)
    }

    async fn number(&self, statement: Statement) -> Result<i64> {
        let row = self.0.place.query_one_raw(statement).await?;
        Ok(row
            .map(|row| row.try_get_by_index(0))
            .transpose()?
            .unwrap_or_default())
    }
}

impl Search {
    /// The same search with other bounds: it finds the same, in the same order.
    #[must_use]
    pub fn bounded(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// The same search that reads some columns of what it finds, and those that its order needs.
    #[must_use]
    pub fn showing(self, columns: Columns<Entity>) -> Self {
        let rank = self.keyset().rank.map(|(rank, _)| rank);
        let columns = columns.and([Column::PropertyId]).and(rank);
        Self { columns, ..self }
    }

    /// Whether a page needs more than a walk along its order.
    fn is_narrowed(&self) -> bool {
        !(self.words.is_empty()
            && self.place.is_none()
            && self.host.is_none()
            && self.guests.is_none()
            && self.min_price.is_none()
            && self.max_price.is_none()
            && self.min_rating.is_none()
            && self.amenities.is_empty()
            && self.within.is_none()
            && self.stay.is_none())
    }

    /// Whether words that begin no word may be looked for inside of words. Of one or two letters, that is no search.
    fn can_be_looser(&self) -> bool {
        self.words
            .iter()
            .any(|word| word.chars().count() >= lookups::TRIGRAM)
    }

    fn mark(&self, mode: Mode) -> char {
        match mode {
            Mode::Words => self.sort.mark(),
            Mode::Anywhere => self.sort.loose_mark(),
        }
    }

    /// How the list was found that a cursor belongs to; none on its first page.
    fn mode_of(&self, request: PageRequest) -> Option<Mode> {
        let mark = request.after.or(request.before)?.order;
        let loose = mark == self.sort.loose_mark();
        Some(if loose { Mode::Anywhere } else { Mode::Words })
    }

    fn prices(&self, of: fn(Column) -> Expr) -> Condition {
        let price = of(Column::PricePerNight);
        Condition::all()
            .add_option(self.min_price.map(|min| price.clone().gte(min)))
            .add_option(self.max_price.map(|max| price.clone().lte(max)))
    }

    fn ratings(&self, of: fn(Column) -> Expr) -> Condition {
        let rating = of(Column::RatingHundredths);
        Condition::all().add_option(self.min_rating.map(|min| rating.gte(min)))
    }

    fn sleeps(&self, of: fn(Column) -> Expr) -> Condition {
        let sleeps = of(Column::MaxGuests);
        Condition::all().add_option(self.guests.map(|guests| sleeps.gte(guests)))
    }
}

/// Each word once, without those that another one begins with.
fn distinct(mut words: Vec<String>) -> Vec<String> {
    words.sort_unstable();
    words.dedup();
    let longer = words.clone();
    words.retain(|word| {
        let goes_on = |other: &String| other.len() > word.len() && other.starts_with(word.as_str());
        !longer.iter().any(goes_on)
    });
    words.truncate(MOST_WORDS);
    words
}

fn parse_dates(
    check_in: Option<NaiveDate>,
    check_out: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> std::result::Result<Option<Stay>, Problem> {
    let together = |field| {
        Err(Problem::invalid(
            field,
            "Give checkIn and checkOut together.",
        ))
    };
    match (check_in, check_out) {
        (None, None) => Ok(None),
        (Some(_), None) => together("checkOut"),
        (None, Some(_)) => together("checkIn"),
        (Some(check_in), Some(check_out)) => dates::parse(check_in, check_out, now).map(Some),
    }
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

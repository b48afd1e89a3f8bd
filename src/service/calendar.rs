//! Which nights are free, and what they cost.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, FromQueryResult as _, QueryFilter as _,
};

use super::{Parts, booking_rows::taken_nights, error::Result};
use crate::{
    domain::{
        clock::local_date,
        ids::PropertyId,
        money::Money,
        price::{Price, Tariff, price_stay},
        problem::{Problem, ProblemCode},
        stay::{DateRange, Stay, describe_nights, parse_guests},
    },
    entity::{night, night_price, property},
};

/// Free nights and what they cost.
#[derive(Clone)]
pub struct Calendars(pub(super) Arc<Parts>);

/// What is special about a range of a property's nights.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Nights that can't be booked.
    pub taken: BTreeSet<NaiveDate>,
    /// Nights with a price of their own.
    pub own_prices: HashMap<NaiveDate, Money>,
}

/// One night as a guest sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarNight {
    /// The local date on which it begins.
    pub date: NaiveDate,
    /// Whether it can be booked.
    pub available: bool,
    /// What it costs.
    pub price: Money,
}

/// What a stay would cost, and whether it can be booked now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// Why it can't be booked; empty when it can.
    pub problems: Vec<Problem>,
    /// What it costs.
    pub price: Price,
}

impl Calendars {
    /// What is special about the same range of nights of some properties.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(
        &self,
        ids: &[PropertyId],
        range: DateRange,
    ) -> Result<HashMap<PropertyId, Calendar>> {
        load(self.0.db.read(), ids, range, self.0.clock.now()).await
    }

    /// Each night of a range. Nights before today can't be booked.
    #[must_use]
    pub fn nights(
        &self,
        property: &property::Model,
        range: DateRange,
        calendar: &Calendar,
    ) -> Vec<CalendarNight> {
        let today = local_date(self.0.clock.now(), property.time_zone.0);
        range
            .dates()
            .map(|date| CalendarNight {
                date,
                available: date >= today && !calendar.taken.contains(&date),
                price: calendar
                    .own_prices
                    .get(&date)
                    .copied()
                    .unwrap_or(property.price_per_night),
            })
            .collect()
    }

    /// The stay that these dates make at a property, counted from its own today.
    ///
    /// # Errors
    /// `INVALID`, as [`Stay::parse`] has it.
    pub fn stay(
        &self,
        property: &property::Model,
        check_in: NaiveDate,
        check_out: NaiveDate,
    ) -> std::result::Result<Stay, Problem> {
        Stay::parse(
            check_in,
            check_out,
            local_date(self.0.clock.now(), property.time_zone.0),
        )
    }

    /// What a stay costs at a property.
    #[must_use]
    pub fn price(&self, property: &property::Model, stay: Stay, calendar: &Calendar) -> Price {
        let tariff = Tariff {
            per_night: property.price_per_night,
            cleaning_fee: property.cleaning_fee,
            own_prices: &calendar.own_prices,
        };
        price_stay(stay, tariff, self.0.terms.rates)
    }

    /// Quotes a stay. The very checks that a booking makes.
    #[must_use]
    pub fn quote(
        &self,
        property: &property::Model,
        stay: Stay,
        guests: i32,
        calendar: &Calendar,
    ) -> Quote {
        let mut problems = Vec::new();
        if !is_open(property) {
            problems.push(Problem::wrong_state(
                "This property is not open for booking.",
            ));
        }
        problems.extend(parse_guests(guests, property.max_guests).err());
        problems.extend(refuse_taken(&calendar.taken));
        Quote {
            problems,
            price: self.price(property, stay, calendar),
        }
    }
}

/// Whether a property takes bookings.
pub(super) fn is_open(property: &property::Model) -> bool {
    property.status == crate::domain::listing::PropertyStatus::Listed
        && property.deleted_at.is_none()
}

/// The problem with nights that are taken, if some are.
pub(super) fn refuse_taken(taken: &BTreeSet<NaiveDate>) -> Option<Problem> {
    let nights: Vec<_> = taken.iter().copied().collect();
    (!nights.is_empty()).then(|| {
        let message = format!("These nights are taken: {}.", describe_nights(&nights));
        Problem::new("", ProblemCode::DatesUnavailable, message)
    })
}

/// What is special about the same range of nights of some properties, as one reader sees it.
pub(super) async fn load<C: ConnectionTrait>(
    connection: &C,
    ids: &[PropertyId],
    range: DateRange,
    now: DateTime<Utc>,
) -> Result<HashMap<PropertyId, Calendar>> {
    let mut calendars: HashMap<PropertyId, Calendar> =
        ids.iter().map(|id| (*id, Calendar::default())).collect();
    let mut taken = taken_nights(range, now);
    taken
        .columns([
            (night::Entity, night::Column::PropertyId),
            (night::Entity, night::Column::Night),
            (night::Entity, night::Column::BookingId),
            (night::Entity, night::Column::Kind),
        ])
        .and_where(night::Column::PropertyId.is_in(ids.iter().copied()));
    let statement = connection.get_database_backend().build(&taken);
    for night in night::Model::find_by_statement(statement)
        .all(connection)
        .await?
    {
        calendars
            .entry(night.property_id)
            .or_default()
            .taken
            .insert(night.night);
    }
    let prices = night_price::Entity::find()
        .filter(night_price::Column::PropertyId.is_in(ids.iter().copied()))
        .filter(night_price::Column::Night.gte(range.from))
        .filter(night_price::Column::Night.lt(range.to))
        .all(connection)
        .await?;
    for price in prices {
        calendars
            .entry(price.property_id)
            .or_default()
            .own_prices
            .insert(price.night, price.price);
    }
    Ok(calendars)
}

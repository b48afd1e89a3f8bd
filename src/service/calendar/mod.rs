//! Which nights are free, and what they cost. What a host does to them is in [`hosting`].

mod hosting;

pub use hosting::CalendarChange;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Days, NaiveDate, Utc};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, FromQueryResult as _, QueryFilter as _,
};

use super::{booking_rows::taken_nights, error::Result, keys::among, public::Public};
use crate::{
    domain::{
        clock::local_date,
        ids::{BookingId, PropertyId},
        money::Money,
        price::{Price, Tariff, price_stay},
        problem::{Problem, ProblemCode},
        stay::{DateRange, MAX_DAYS_AHEAD, Stay, describe_nights},
        stay_rules::{MAX_PREPARATION, StayRules},
    },
    entity::{
        night::{self, NightKind},
        night_price, property,
    },
};

/// Free nights and what they cost.
#[derive(Clone)]
pub struct Calendars(pub(super) Public);

/// What is special about a range of a property's nights, and about as many nights around it as a host may keep free between bookings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Nights that bookings hold.
    booked: BTreeSet<NaiveDate>,
    /// Nights that the host has closed, and those that other calendars have.
    closed: BTreeSet<NaiveDate>,
    /// Nights with a price of their own.
    own_prices: HashMap<NaiveDate, Money>,
}

impl Calendar {
    /// Nights of a range that can't be booked: those that are held or closed, and as many before and after a booking as the host keeps
    /// free.
    #[must_use]
    pub fn taken(&self, range: DateRange, preparation_days: i32) -> BTreeSet<NaiveDate> {
        let margin = Days::new(u64::from(preparation_days.unsigned_abs()));
        range
            .dates()
            .filter(|night| {
                let around = (*night - margin)..=(*night + margin);
                self.closed.contains(night) || self.booked.range(around).next().is_some()
            })
            .collect()
    }
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
        load(&self.0.place, ids, range, None, self.0.clock.now()).await
    }

    /// Each night of a range. Nights before the host's notice is over can't be booked, nor those that are too far ahead.
    #[must_use]
    pub fn nights(
        &self,
        property: &property::Model,
        range: DateRange,
        calendar: &Calendar,
    ) -> Vec<CalendarNight> {
        let today = self.today(property);
        let taken = calendar.taken(range, property.preparation_days);
        let bookable = rules_of(property).earliest(today)..today + Days::new(MAX_DAYS_AHEAD);
        range
            .dates()
            .map(|date| CalendarNight {
                date,
                available: bookable.contains(&date) && !taken.contains(&date),
                price: calendar
                    .own_prices
                    .get(&date)
                    .copied()
                    .unwrap_or(property.price_per_night),
            })
            .collect()
    }

    /// The date at a property.
    pub(super) fn today(&self, property: &property::Model) -> NaiveDate {
        local_date(self.0.clock.now(), property.time_zone.0)
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
        Stay::parse(check_in, check_out, self.today(property))
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
        problems.extend(rules_of(property).problems(stay, guests, self.today(property)));
        problems.extend(refuse_taken(property, stay, None, calendar));
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

/// What the host of a property asks of a stay.
pub(super) fn rules_of(property: &property::Model) -> StayRules {
    StayRules {
        max_guests: property.max_guests,
        min_nights: property.min_nights,
        max_nights: property.max_nights,
        advance_notice_days: property.advance_notice_days,
    }
}

/// The problem with the nights of a stay that are taken, if some are. Those of `kept` are the guest's already.
pub(super) fn refuse_taken(
    property: &property::Model,
    stay: Stay,
    kept: Option<Stay>,
    calendar: &Calendar,
) -> Option<Problem> {
    let taken = calendar.taken(stay.into(), property.preparation_days);
    let is_new = |night: &NaiveDate| !kept.is_some_and(|kept| kept.has(*night));
    let nights: Vec<_> = taken.into_iter().filter(is_new).collect();
    (!nights.is_empty()).then(|| {
        let message = format!("These nights are taken: {}.", describe_nights(&nights));
        Problem::new("", ProblemCode::DatesUnavailable, message)
    })
}

/// What is special about the same range of nights of some properties, as one reader sees it; `except` is a booking whose own nights do not
/// count.
pub(super) async fn load<C: ConnectionTrait>(
    connection: &C,
    ids: &[PropertyId],
    range: DateRange,
    except: Option<BookingId>,
    now: DateTime<Utc>,
) -> Result<HashMap<PropertyId, Calendar>> {
    let mut calendars: HashMap<PropertyId, Calendar> =
        ids.iter().map(|id| (*id, Calendar::default())).collect();
    let margin = Days::new(u64::from(MAX_PREPARATION.unsigned_abs()));
    let around = DateRange {
        from: range.from - margin,
        to: range.to + margin,
    };
    let mut taken = taken_nights(around, now);
    taken
        .columns([
            (night::Entity, night::Column::PropertyId),
            (night::Entity, night::Column::Night),
            (night::Entity, night::Column::BookingId),
            (night::Entity, night::Column::Kind),
        ])
        .and_where(among(
            connection.get_database_backend(),
            night::Column::PropertyId,
            ids,
        ));
    let statement = connection.get_database_backend().build(&taken);
    let nights = night::Model::find_by_statement(statement);
    for night in nights.all(connection).await? {
        let calendar = calendars.entry(night.property_id).or_default();
        if night.kind != NightKind::Booking {
            calendar.closed.insert(night.night);
        } else if night.booking_id != except {
            calendar.booked.insert(night.night);
        }
    }
    let prices = night_price::Entity::find()
        .filter(among(
            connection.get_database_backend(),
            night_price::Column::PropertyId,
            ids,
        ))
        .filter(night_price::Column::Night.gte(range.from))
        .filter(night_price::Column::Night.lt(range.to))
        .all(connection)
        .await?;
    for price in prices {
        let calendar = calendars.entry(price.property_id).or_default();
        calendar.own_prices.insert(price.night, price.price);
    }
    Ok(calendars)
}

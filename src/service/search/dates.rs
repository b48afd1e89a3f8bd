//! Which properties a stay can be booked at: the rule that [`crate::service::calendar`] and a booking go by, in SQL.
//!
//! A test asks search, quote and booking about the same stays and finds them of one mind.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::TZ_VARIANTS;
use sea_orm::{
    Condition, DbBackend, Value,
    sea_query::{Expr, ExprTrait as _, SelectStatement},
};

use crate::{
    domain::{
        clock::local_date,
        problem::Problem,
        stay::{DateRange, Stay},
        stay_rules::{MAX_NOTICE, MAX_PREPARATION},
    },
    entity::{night, property},
    service::booking_rows::taken_nights,
};

/// What a stay asks of a property.
#[derive(Debug, Clone)]
pub(super) struct Bookable {
    /// Of the property itself: how long stays are, and how long ahead they are booked.
    pub(super) terms: Condition,
    /// Of its nights: that this finds none.
    pub(super) taken: SelectStatement,
}

/// The dates that wall calendars show at a moment, somewhere on earth, each with the names of the zones that show it, between commas.
fn todays(now: DateTime<Utc>) -> BTreeMap<NaiveDate, String> {
    let mut todays = BTreeMap::new();
    for zone in TZ_VARIANTS {
        let names = todays
            .entry(local_date(now, zone))
            .or_insert_with(|| ",".to_owned());
        names.push_str(zone.name());
        names.push(',');
    }
    todays
}

/// A stay that can be booked somewhere on earth.
///
/// # Errors
/// `INVALID` for what is in the past, or too far ahead, wherever the property is; and as [`Stay::between`].
pub(super) fn parse(
    check_in: NaiveDate,
    check_out: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Stay, Problem> {
    let todays = todays(now);
    let parse = |today: &NaiveDate| Stay::parse(check_in, check_out, *today);
    let mut tried = todays.keys().map(parse);
    let first = tried
        .next()
        .unwrap_or_else(|| Stay::between(check_in, check_out));
    first.or_else(|problem| tried.find_map(Result::ok).ok_or(problem))
}

/// What a stay asks of a property, at a moment.
pub(super) fn bookable(stay: Stay, now: DateTime<Utc>, backend: DbBackend) -> Bookable {
    let nights = stay.night_count();
    let terms = Condition::all()
        .add(column("min_nights").lte(nights))
        .add(column("max_nights").gte(nights))
        .add_option(ahead(stay, &todays(now), backend));
    Bookable {
        terms,
        taken: taken(stay, now, backend),
    }
}

/// That the stay begins no sooner than the host wants, and not in the past, and ends within the days that can be booked: by the property's own
/// calendar. None where that is so of every property.
fn ahead(
    stay: Stay,
    todays: &BTreeMap<NaiveDate, String>,
    backend: DbBackend,
) -> Option<Condition> {
    let days = |today: NaiveDate| (stay.check_in() - today).num_days();
    let within = |today: NaiveDate| Stay::parse(stay.check_in(), stay.check_out(), today).is_ok();
    let everywhere = todays.keys().all(|today| within(*today));
    let least = todays.keys().map(|today| days(*today)).min()?;
    if everywhere && least >= i64::from(MAX_NOTICE) {
        return None;
    }
    let notice = || column("advance_notice_days");
    // Most often the date is so far ahead that the zone makes no difference to most properties.
    let far = everywhere.then(|| notice().lte(least));
    let position = if backend == DbBackend::Postgres {
        "strpos($1, ',' || properties.time_zone || ',') > 0"
    } else {
        "instr(?, ',' || properties.time_zone || ',') > 0"
    };
    let by_zone = todays
        .iter()
        .filter(|(today, _)| within(**today) && !(everywhere && days(**today) == least))
        .map(|(today, zones)| {
            let zone = Expr::cust_with_values(position, [Value::from(zones.clone())]);
            notice().lte(days(*today)).and(zone)
        });
    Some(by_zone.fold(Condition::any().add_option(far), Condition::add))
}

/// Its nights that are taken, and those of bookings within the days of preparation before or after.
fn taken(stay: Stay, now: DateTime<Utc>, backend: DbBackend) -> SelectStatement {
    let (from, to) = (stay.check_in(), stay.check_out());
    let widest = Days::new(u64::from(MAX_PREPARATION.unsigned_abs()));
    let around = DateRange {
        from: from - widest,
        to: to + widest,
    };
    let (before, after) = if backend == DbBackend::Postgres {
        (
            "CAST($1 AS DATE) - properties.preparation_days",
            "CAST($1 AS DATE) + properties.preparation_days",
        )
    } else {
        (
            "date(?, '-' || properties.preparation_days || ' days')",
            "date(?, '+' || properties.preparation_days || ' days')",
        )
    };
    let night = || Expr::col((night::Entity, night::Column::Night));
    let own = Condition::all().add(night().gte(from)).add(night().lt(to));
    let booked = Expr::col((night::Entity, night::Column::Kind)).eq(night::NightKind::Booking);
    taken_nights(around, now)
        .expr(Expr::val(1))
        .and_where(
            Expr::col((night::Entity, night::Column::PropertyId))
                .equals((property::Entity, property::Column::PropertyId)),
        )
        .and_where(night().gte(Expr::cust_with_values(before, [Value::from(from)])))
        .and_where(night().lt(Expr::cust_with_values(after, [Value::from(to)])))
        .cond_where(Condition::any().add(own).add(booked))
        .to_owned()
}

fn column(name: &str) -> Expr {
    Expr::cust(format!("properties.{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_never_shows_more_than_three_dates_and_each_zone_one() {
        let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        for hour in 0..24 * 7 {
            let todays = todays(start + chrono::Duration::hours(hour * 53));
            assert!((2..=3).contains(&todays.len()), "{todays:?}");
            let zones: usize = todays
                .values()
                .map(|zones| zones.matches(',').count() - 1)
                .sum();
            assert_eq!(zones, TZ_VARIANTS.len());
        }
    }

    #[test]
    fn a_stay_of_next_year_asks_nothing_of_the_zone() {
        let now: DateTime<Utc> = "2027-03-10T12:00:00Z".parse().unwrap();
        let far = parse(
            "2028-05-01".parse().unwrap(),
            "2028-05-03".parse().unwrap(),
            now,
        )
        .unwrap();
        assert!(ahead(far, &todays(now), DbBackend::Sqlite).is_none());
        let soon = parse(
            "2027-03-10".parse().unwrap(),
            "2027-03-11".parse().unwrap(),
            now,
        )
        .unwrap();
        assert!(ahead(soon, &todays(now), DbBackend::Sqlite).is_some());
    }
}

//! What a host does to the calendar: closes and opens nights, and gives them prices of their own.

use rust_decimal::Decimal;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _, OnConflict},
};

use super::Calendars;
use crate::{
    domain::{
        actor::Actor,
        audit::{Action, Subject},
        ids::PropertyId,
        money::Money,
        price::{MAX_PRICE, MIN_PRICE},
        problem::{Problem, ProblemCode, Problems},
        stay::{DateRange, describe_nights},
    },
    entity::{
        night::{self, NightKind},
        night_price, property,
    },
    service::{
        bookings::lapse_in_the_way, changes::Changes, error::Result, feeds::nights::give_back,
        properties::own_property,
    },
    store::db::Tx,
};

/// What is to become of a range of nights, as it came.
#[derive(Debug, Clone)]
pub struct CalendarChange {
    /// The first night.
    pub from: chrono::NaiveDate,
    /// The date after the last night.
    pub to: chrono::NaiveDate,
    /// Whether the nights are open; None leaves them as they are.
    pub available: Option<bool>,
    /// The price of each night, or none of its own; None leaves them as they are.
    pub price_per_night: Option<Option<Decimal>>,
}

impl Calendars {
    /// Closes or opens nights of a property of the caller's, and sets their own price: all of it, or nothing.
    ///
    /// Nights that another calendar has stay taken when the host opens them.
    ///
    /// # Errors
    /// `NOT_FOUND` for a property that is not the caller's; `INVALID` for a range of more than 366 nights or one that is over, a price
    /// outside of its bounds, or nothing to change; `DATES_UNAVAILABLE` with the nights that bookings hold, when they are to be closed.
    pub async fn change(
        &self,
        actor: &Actor,
        id: PropertyId,
        change: CalendarChange,
    ) -> Result<property::Model> {
        let (range, price) = parse(&change)?;
        let now = self.0.clock.now();
        let tx = self.0.db.begin().await?;
        let property = own_property(&tx, actor, id, "propertyId").await?;
        let today = self.today(&property);
        if range.from < today {
            let message =
                format!("What is over stays as it was; today is {today} at the property.");
            return Err(Problem::invalid("from", message).into());
        }
        let mut changes = Changes::by(actor);
        if change.available == Some(false) {
            lapse_in_the_way(&tx, id, range.from, range.to, now, &mut changes).await?;
            close(&tx, id, range).await?;
        }
        if change.available == Some(true) {
            open(&tx, id, range).await?;
        }
        if change.available.is_some() {
            changes.nights(id, range);
        }
        if let Some(price) = price {
            set_prices(&tx, id, range, price).await?;
        }
        changes.record(Action::CalendarUpdated, Subject::Property(id));
        changes.commit(tx, &self.0).await?;
        Ok(property)
    }
}

/// A checked range, and a checked price where one is to be set or taken away.
type Parsed = (DateRange, Option<Option<Money>>);

fn parse(change: &CalendarChange) -> std::result::Result<Parsed, Vec<Problem>> {
    let mut problems = Problems::default();
    let range = problems.take(DateRange::parse(change.from, change.to));
    let price = change.price_per_night.map(|price| {
        price.and_then(|amount| {
            problems.take(Money::parse("pricePerNight", amount, MIN_PRICE, MAX_PRICE))
        })
    });
    if change.available.is_none() && change.price_per_night.is_none() {
        problems.add(Problem::new(
            "",
            ProblemCode::Required,
            "Say what is to change: give `available`, `pricePerNight`, or both.",
        ));
    }
    problems.finish(|| Some((range?, price)))
}

/// Closes nights, those of other calendars too. The ledger's key decides between this and a booking that comes at once.
async fn close(tx: &Tx, id: PropertyId, range: DateRange) -> Result<()> {
    let rows = range.dates().map(|night| night::ActiveModel {
        property_id: Set(id),
        night: Set(night),
        booking_id: Set(None),
        kind: Set(NightKind::Block),
    });
    let unless_booked = OnConflict::columns([night::Column::PropertyId, night::Column::Night])
        .update_column(night::Column::Kind)
        .action_and_where(Expr::col((night::Entity, night::Column::Kind)).ne(NightKind::Booking))
        .to_owned();
    night::Entity::insert_many(rows)
        .on_conflict(unless_booked)
        .exec_without_returning(&**tx)
        .await?;
    let held: Vec<_> = night::Entity::find()
        .filter(night::Column::PropertyId.eq(id))
        .filter(night::Column::Night.gte(range.from))
        .filter(night::Column::Night.lt(range.to))
        .filter(night::Column::Kind.eq(NightKind::Booking))
        .order_by_asc(night::Column::Night)
        .select_only()
        .column(night::Column::Night)
        .into_tuple()
        .all(&**tx)
        .await?;
    if held.is_empty() {
        return Ok(());
    }
    let message = format!("Bookings hold these nights: {}.", describe_nights(&held));
    Err(Problem::new("", ProblemCode::DatesUnavailable, message).into())
}

/// Opens the nights that the host had closed.
async fn open(tx: &Tx, id: PropertyId, range: DateRange) -> Result<()> {
    night::Entity::delete_many()
        .filter(night::Column::PropertyId.eq(id))
        .filter(night::Column::Night.gte(range.from))
        .filter(night::Column::Night.lt(range.to))
        .filter(night::Column::Kind.eq(NightKind::Block))
        .exec(&**tx)
        .await?;
    give_back(tx, id, range.from, range.to).await
}

async fn set_prices(tx: &Tx, id: PropertyId, range: DateRange, price: Option<Money>) -> Result<()> {
    use night_price::{ActiveModel, Column, Entity};
    let Some(price) = price else {
        Entity::delete_many()
            .filter(Column::PropertyId.eq(id))
            .filter(Column::Night.gte(range.from))
            .filter(Column::Night.lt(range.to))
            .exec(&**tx)
            .await?;
        return Ok(());
    };
    let rows = range.dates().map(|night| ActiveModel {
        property_id: Set(id),
        night: Set(night),
        price: Set(price),
    });
    let instead = OnConflict::columns([Column::PropertyId, Column::Night])
        .update_column(Column::Price)
        .to_owned();
    Entity::insert_many(rows)
        .on_conflict(instead)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

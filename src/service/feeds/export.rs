//! A property's own calendar, at an address that nobody guesses.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Days, NaiveDate, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, FromQueryResult, QueryFilter as _,
    sea_query::{OnConflict, Order},
};
use uuid::Uuid;

use super::{Feeds, hosting};
use crate::{
    domain::{
        actor::Actor,
        audit::{Action, Subject},
        clock::local_date,
        digest::sha256_hex,
        feed::DAYS_AHEAD,
        ical::{self, Entry, own_suffix},
        ids::{BookingId, PropertyId},
        stay::DateRange,
        stay_rules::MAX_PREPARATION,
    },
    entity::{
        booking,
        calendar_export::{ActiveModel, Column, Entity, Model},
        night::{self, NightKind},
        property,
    },
    service::{
        booking_rows::taken_nights, changes::Changes, error::Result, keys::among,
        properties::own_property, sealing::Secret,
    },
    store::{tokens::refresh::new_secret, vault::fingerprint},
};

/// How many days back nights are exported.
const DAYS_BACK: u64 = 30;

/// A property's calendar as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarFile {
    /// iCalendar (RFC 5545).
    pub body: String,
    /// The same for the same body, and another for another: an entity tag without its quotes.
    pub tag: String,
}

/// A taken night, with the booking that takes it.
#[derive(Debug, FromQueryResult)]
struct Taken {
    night: NaiveDate,
    kind: NightKind,
    booking_id: Option<BookingId>,
    check_in_date: Option<NaiveDate>,
    check_out_date: Option<NaiveDate>,
    booked_at: Option<DateTime<Utc>>,
}

impl Feeds {
    /// Makes a new secret address for the calendar of a property of the caller's. The former one leads nowhere from then on.
    ///
    /// # Errors
    /// `NOT_FOUND` for a property that is not the caller's, an admin's too.
    pub async fn publish(&self, actor: &Actor, id: PropertyId) -> Result<property::Model> {
        let tx = self.0.db.begin().await?;
        let property = own_property(&tx, actor, id, "propertyId").await?;
        let token = new_secret();
        let row = ActiveModel {
            property_id: Set(id),
            token: Set(self.0.vault.seal(Secret::ExportToken.place(id.0), &token)?),
            token_digest: Set(Some(fingerprint(&token))),
            calendar_id: Set(Uuid::new_v4()),
            created_at: Set(self.0.clock.now()),
        };
        let change = OnConflict::column(Column::PropertyId)
            .update_columns([Column::Token, Column::TokenDigest, Column::CreatedAt])
            .to_owned();
        Entity::insert(row)
            .on_conflict(change)
            .exec_without_returning(&*tx)
            .await?;
        let mut changes = Changes::by(actor);
        changes.record(Action::CalendarPublished, Subject::Property(id));
        changes.commit(tx, &self.0).await?;
        Ok(property)
    }

    /// The secret addresses of the calendars of some properties, as far as these are the caller's own.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn addresses(
        &self,
        actor: &Actor,
        ids: &[PropertyId],
    ) -> Result<HashMap<PropertyId, String>> {
        let own = hosting::visible(&self.0, actor, ids).await?;
        let own = own.into_iter().filter(|(_, is_own)| *is_own);
        let own: Vec<_> = own.map(|(id, _)| id).collect();
        let rows = Entity::find()
            .filter(among(self.0.db.backend(), Column::PropertyId, &own))
            .all(self.0.db.read())
            .await?;
        let base = &self.0.terms.api_url;
        let address = |row: &Model| {
            let token = self
                .0
                .vault
                .open(Secret::ExportToken.place(row.property_id.0), &row.token)?;
            Ok((row.property_id, format!("{base}/calendars/{token}.ics")))
        };
        rows.iter().map(address).collect()
    }

    /// The calendar whose address has this secret. None where there is none, or its property is deleted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn file(&self, token: &str) -> Result<Option<CalendarFile>> {
        let read = self.0.db.read();
        let found = Entity::find()
            .filter(Column::TokenDigest.eq(fingerprint(token)))
            .one(read);
        let Some(export) = found.await? else {
            return Ok(None);
        };
        let property = property::Entity::find_by_id(export.property_id)
            .filter(property::Column::DeletedAt.is_null())
            .one(read)
            .await?;
        let Some(property) = property else {
            return Ok(None);
        };
        let today = local_date(self.0.clock.now(), property.time_zone.0);
        let range = DateRange {
            from: today - Days::new(DAYS_BACK),
            to: today + Days::new(DAYS_AHEAD),
        };
        let nights = self.taken(property.property_id, range).await?;
        let preparation = u64::from(property.preparation_days.unsigned_abs());
        let entries = entries(&export, preparation, range, &nights);
        let body = ical::write(&property.title, &entries);
        let tag = sha256_hex(&body);
        Ok(Some(CalendarFile { body, tag }))
    }

    /// The taken nights of a range and of the days around it whose bookings reach into it, by date.
    async fn taken(&self, id: PropertyId, range: DateRange) -> Result<Vec<Taken>> {
        let around = Days::new(u64::from(MAX_PREPARATION.unsigned_abs()));
        let range = DateRange {
            from: range.from - around,
            to: range.to + around,
        };
        let mut taken = taken_nights(range, self.0.clock.now());
        taken
            .columns([
                (night::Entity, night::Column::Night),
                (night::Entity, night::Column::BookingId),
                (night::Entity, night::Column::Kind),
            ])
            .columns([
                (booking::Entity, booking::Column::CheckInDate),
                (booking::Entity, booking::Column::CheckOutDate),
            ])
            .expr_as(
                sea_orm::sea_query::Expr::col((booking::Entity, booking::Column::CreatedAt)),
                "booked_at",
            )
            .and_where(night::Column::PropertyId.eq(id))
            .order_by((night::Entity, night::Column::Night), Order::Asc);
        let read = self.0.db.read();
        let statement = self.0.db.backend().build(&taken);
        Ok(Taken::find_by_statement(statement).all(read).await?)
    }
}

/// What others are told: one entry a booking, and one for each run of nights that are closed for another reason of our own.
fn entries(export: &Model, preparation: u64, range: DateRange, taken: &[Taken]) -> Vec<Entry> {
    let own = own_suffix(export.calendar_id);
    let mut entries = Vec::new();
    let (mut booked, mut closed, mut seen) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for taken in taken {
        match (taken.kind, taken.booking_id) {
            (NightKind::Booking, Some(id)) => {
                booked.insert(taken.night);
                let dates = (taken.check_in_date, taken.check_out_date, taken.booked_at);
                let (Some(from), Some(to), Some(stamp)) = dates else {
                    continue;
                };
                if to > range.from && from < range.to && seen.insert(id) {
                    entries.push(Entry {
                        uid: format!("booking-{id}{own}"),
                        from,
                        to,
                        summary: "Reserved",
                        stamp,
                    });
                }
            }
            (NightKind::Block, _) => {
                closed.insert(taken.night);
            }
            (NightKind::Feed | NightKind::Booking, _) => {}
        }
    }
    for night in &booked {
        for days in 1..=preparation {
            closed.insert(*night - Days::new(days));
            closed.insert(*night + Days::new(days));
        }
    }
    let closed = closed
        .into_iter()
        .filter(|night| (range.from..range.to).contains(night) && !booked.contains(night));
    entries.extend(super::nights::runs(closed).map(|(from, to)| Entry {
        uid: format!("closed-{}{own}", from.format("%Y%m%d")),
        from,
        to,
        summary: "Not available",
        stamp: export.created_at,
    }));
    entries
}

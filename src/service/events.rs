//! The history of bookings, and those who watch it.
//!
//! A watcher reads the table from the last event that it knows, whenever the bus says that there may be something new. So it misses
//! nothing and sees nothing twice, whatever happens to the bus. What makes that sound is the order of keys: among the events that one
//! person may see, a larger key was committed later. `SQLite` has one writer. On `PostgreSQL` a write that appends events first takes an
//! advisory lock for each booking's guest and host, as its last step before commit, and only then draws the keys.

use std::{collections::HashMap, sync::Arc};

use async_stream::try_stream;
use chrono::NaiveDate;
use futures_util::Stream;
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use super::{
    Parts, audit,
    error::{Error, Result, signed_in},
};
use crate::{
    domain::{
        actor::Actor,
        audit::Subject,
        ids::{BookingEventId, BookingId, PropertyId, UserId},
    },
    entity::{
        booking,
        booking_event::{Column, Entity, Model},
    },
    store::bus::Notice,
};

/// The history of bookings.
#[derive(Clone)]
pub struct Events(pub(super) Arc<Parts>);

/// Events read at a time.
const BATCH: u64 = 100;

impl Events {
    /// Every change of some bookings, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_bookings(&self, ids: &[BookingId]) -> Result<HashMap<BookingId, Vec<Model>>> {
        let rows = Entity::find()
            .filter(Column::BookingId.is_in(ids.iter().copied()))
            .order_by_asc(Column::EventId)
            .all(self.0.db.read())
            .await?;
        let mut events: HashMap<BookingId, Vec<Model>> = HashMap::new();
        for row in rows {
            events.entry(row.booking_id).or_default().push(row);
        }
        Ok(events)
    }

    /// Watches one booking: first the changes missed since `after`, then live ones. None when the caller may not see it.
    ///
    /// # Errors
    /// When the database fails. The stream ends with an error when it fails later.
    pub async fn watch_booking(
        &self,
        actor: &Actor,
        booking_id: BookingId,
        after: Option<BookingEventId>,
    ) -> Result<Option<impl Stream<Item = Result<Model>> + Send + use<>>> {
        let user = signed_in(actor)?;
        let Some(booking) = booking::Entity::find_by_id(booking_id)
            .one(self.0.db.read())
            .await?
        else {
            return Ok(None);
        };
        let sees =
            actor.is_admin() || booking.guest_id == user.user_id || booking.host_id == user.user_id;
        audit::admin_reads(&self.0, actor, vec![Subject::Booking(booking_id)]).await?;
        Ok(if sees {
            Some(self.watch(Scope::Booking(booking_id), after).await?)
        } else {
            None
        })
    }

    /// Watches all of the caller's bookings, as a guest and as a host, new ones too.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in. The stream ends with an error when the database fails.
    pub async fn watch_own(
        &self,
        actor: &Actor,
        after: Option<BookingEventId>,
    ) -> Result<impl Stream<Item = Result<Model>> + Send + use<>> {
        let user = signed_in(actor)?.user_id;
        self.watch(Scope::Person(user), after).await
    }

    /// Watches the nights of a property: each time some were taken or freed, which ones.
    pub fn watch_nights(
        &self,
        property_id: PropertyId,
    ) -> impl Stream<Item = Vec<NaiveDate>> + Send + use<> {
        let mut listener = self.0.bus.listen();
        async_stream::stream! {
            while let Some(notice) = listener.next().await {
                if let Notice::Nights { property_id: found, nights } = &*notice
                    && *found == property_id
                {
                    yield nights.clone();
                }
            }
        }
    }

    async fn watch(
        &self,
        scope: Scope,
        after: Option<BookingEventId>,
    ) -> Result<impl Stream<Item = Result<Model>> + Send + use<>> {
        // Listening begins before the first look, so that nothing falls between the two.
        let mut listener = self.0.bus.listen();
        let mut last = match after {
            Some(after) => after,
            None => self.latest(scope).await?,
        };
        let events = self.clone();
        Ok(try_stream! {
            loop {
                loop {
                    let batch = events.since(scope, last).await?;
                    let more = batch.len() as u64 == BATCH;
                    for event in batch {
                        last = event.event_id;
                        yield event;
                    }
                    if !more {
                        break;
                    }
                }
                loop {
                    match listener.next().await {
                        Some(notice) if scope.concerns(&notice) => break,
                        Some(_) => {}
                        None => return,
                    }
                }
            }
        })
    }

    async fn latest(&self, scope: Scope) -> Result<BookingEventId> {
        let latest: Option<Option<BookingEventId>> = Entity::find()
            .select_only()
            .column_as(Column::EventId.max(), "latest")
            .filter(scope.condition())
            .into_tuple()
            .one(self.0.db.read())
            .await?;
        Ok(latest.flatten().unwrap_or(BookingEventId(0)))
    }

    async fn since(&self, scope: Scope, last: BookingEventId) -> Result<Vec<Model>> {
        Entity::find()
            .filter(scope.condition())
            .filter(Column::EventId.gt(last))
            .order_by_asc(Column::EventId)
            .limit(BATCH)
            .all(self.0.db.read())
            .await
            .map_err(Error::from)
    }
}

/// Whose events are watched.
#[derive(Debug, Clone, Copy)]
enum Scope {
    Booking(BookingId),
    Person(UserId),
}

impl Scope {
    fn condition(self) -> Condition {
        match self {
            Self::Booking(id) => Condition::all().add(Column::BookingId.eq(id)),
            Self::Person(id) => Condition::any()
                .add(Column::GuestId.eq(id))
                .add(Column::HostId.eq(id)),
        }
    }

    fn concerns(self, notice: &Notice) -> bool {
        match notice {
            Notice::Resync => true,
            Notice::Nights { .. } | Notice::Sessions { .. } => false,
            Notice::Booking {
                booking_id,
                guest_id,
                host_id,
            } => match self {
                Self::Booking(id) => *booking_id == id,
                Self::Person(id) => *guest_id == id || *host_id == id,
            },
        }
    }
}

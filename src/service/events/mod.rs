//! The history of bookings, and those who watch it.
//!
//! A watcher reads the table from the last event that it knows, and then hears of new ones from the one reader of this process (see
//! [`tail`]). It misses nothing and sees nothing twice, whatever happens to the bus. What makes that sound is the order of keys: a larger one
//! was committed later. `SQLite` has one writer. On `PostgreSQL` a write that appends events takes one advisory lock, which all of them take,
//! as one of its last steps before commit, and only then draws the keys.

mod tail;

use std::{collections::HashMap, sync::Arc};

use chrono::NaiveDate;
use futures_util::Stream;
use sea_orm::{EntityTrait as _, QueryFilter as _, QueryOrder as _};

use self::tail::{Scope, Tail};
use super::{
    Parts, audit,
    error::{Result, signed_in},
    keys::among,
};
use crate::{
    domain::{
        actor::Actor,
        audit::Subject,
        ids::{BookingEventId, BookingId, PropertyId},
        problem::Problem,
    },
    entity::{
        booking,
        booking_event::{Column, Entity, Model},
    },
    store::bus::Notice,
};

/// The history of bookings.
#[derive(Clone)]
pub struct Events {
    parts: Arc<Parts>,
    tail: Tail,
}

/// Events as they happen, oldest first, each once.
pub struct Watch<S> {
    /// Where it begins: after this event.
    pub begins_after: BookingEventId,
    /// The events.
    pub events: S,
}

impl Events {
    /// Begins to follow the history, for as long as there are services.
    pub(super) fn new(parts: Arc<Parts>) -> Self {
        let tail = Tail::follow(parts.db.clone(), &parts.bus);
        Self { parts, tail }
    }

    /// Every change of some bookings, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_bookings(&self, ids: &[BookingId]) -> Result<HashMap<BookingId, Vec<Model>>> {
        let rows = Entity::find()
            .filter(among(self.parts.db.backend(), Column::BookingId, ids))
            .order_by_asc(Column::EventId)
            .all(self.parts.db.read())
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
    /// `INVALID` for an event that is not there yet. When the database fails before the watch has begun; later it is asked again until it
    /// answers.
    pub async fn watch_booking(
        &self,
        actor: &Actor,
        booking_id: BookingId,
        after: Option<BookingEventId>,
    ) -> Result<Option<Watch<impl Stream<Item = Model> + Send + use<>>>> {
        let user = signed_in(actor)?;
        let Some(booking) = booking::Entity::find_by_id(booking_id)
            .one(self.parts.db.read())
            .await?
        else {
            return Ok(None);
        };
        let sees =
            actor.is_admin() || booking.guest_id == user.user_id || booking.host_id == user.user_id;
        audit::admin_reads(&self.parts, actor, vec![Subject::Booking(booking_id)]).await?;
        Ok(if sees {
            Some(self.watch(Scope::Booking(booking_id), after).await?)
        } else {
            None
        })
    }

    /// Watches all of the caller's bookings, as a guest and as a host, new ones too.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`](super::error::Error::Unauthenticated) when nobody is signed in; else as for [`Self::watch_booking`].
    pub async fn watch_own(
        &self,
        actor: &Actor,
        after: Option<BookingEventId>,
    ) -> Result<Watch<impl Stream<Item = Model> + Send + use<>>> {
        let user = signed_in(actor)?.user_id;
        self.watch(Scope::Person(user), after).await
    }

    /// Watches the nights of a property: each time some were taken or freed, which ones.
    pub fn watch_nights(
        &self,
        property_id: PropertyId,
    ) -> impl Stream<Item = Vec<NaiveDate>> + Send + use<> {
        let mut listener = self.parts.bus.listen();
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
    ) -> Result<Watch<impl Stream<Item = Model> + Send + use<>>> {
        let begins_after = match after {
            None => self.tail.newest_of(scope).await?,
            Some(after) if after > self.tail.newest().await? => {
                let why = "There is no such event yet. Read the booking as it is now, and watch without a cursor.";
                return Err(Problem::invalid("after", why).into());
            }
            Some(after) => after,
        };
        let mut watcher = self.tail.watch(scope, begins_after);
        Ok(Watch {
            begins_after,
            events: async_stream::stream! {
                while let Some(event) = watcher.next().await {
                    yield event;
                }
            },
        })
    }
}

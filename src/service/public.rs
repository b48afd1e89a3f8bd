//! Who reads where. What everybody may see may be read from a replica by an operation that only reads, and so is a moment older at most; everything
//! else is the primary's: writes and what they answer, what belongs to somebody, and whatever decides.

use std::{collections::HashMap, hash::Hash, ops::Deref, sync::Arc};

use sea_orm::{ConnectionTrait as _, DbErr, QueryFilter as _, Select, TryGetable};

use super::{
    Nouns, Parts, Services, calendar,
    keys::{Key, among},
    people, properties, reviews,
};
use crate::{
    domain::{
        actor::Actor,
        freshness::{Moment, Tag},
    },
    entity::part::{Columns, Part, Row},
    store::db::replica::Place,
};

/// The parts, and where what everybody may see is read. Cheap to clone.
#[derive(Clone)]
pub(super) struct Public {
    parts: Arc<Parts>,
    /// The primary, unless an operation was given another place at its beginning.
    pub(super) place: Place,
}

impl Deref for Public {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl Services {
    /// The same for one operation of this caller's that only reads. Who has written reads after their write: where that can't be known, from the
    /// primary. So does everybody while the replica lags behind, or is away.
    pub async fn for_reading(&self, actor: &Actor) -> Self {
        match self.place_for(actor).await {
            Some(place) => self.reading_at(place),
            None => self.clone(),
        }
    }

    /// The moment up to which an operation with these services sees everything, where that is not the present one.
    #[must_use]
    pub fn moment(&self) -> Option<Moment> {
        self.public.place.moment()
    }

    async fn place_for(&self, actor: &Actor) -> Option<Place> {
        let parts = &self.public;
        let place = parts.replica.as_ref()?.beside(parts.db.read())?;
        let Some(user_id) = actor.user_id() else {
            return Some(place);
        };
        let (writer, since) = (Tag::Writer(user_id), place.moment()?);
        let answers = &parts.answers;
        answers
            .is_certainly_as_it_was(writer, since)
            .await
            .then_some(place)
    }

    fn reading_at(&self, place: Place) -> Self {
        let public = Public {
            place,
            ..self.public.clone()
        };
        Self(Arc::new(Nouns {
            people: people::People(public.clone()),
            properties: properties::Properties(public.clone()),
            calendar: calendar::Calendars(public.clone()),
            reviews: reviews::Reviews(public.clone()),
            public,
            ..Nouns::clone(self)
        }))
    }
}

impl Public {
    pub(super) fn of_primary(parts: Arc<Parts>) -> Self {
        let place = Place::primary(parts.db.read());
        Self { parts, place }
    }

    /// What there is of some keys, with some of its columns. What a replica does not have may be just made: a link to it works at once, and what a
    /// booking or a payment leads to is there.
    pub(super) async fn by_keys<E: Part, K: Key + TryGetable + Eq + Hash>(
        &self,
        find: Select<E>,
        (key, keys): (E::Column, &[K]),
        columns: Columns<E>,
    ) -> Result<HashMap<K, Row<E>>, DbErr> {
        let backend = self.place.get_database_backend();
        let of = |keys: &[K]| find.clone().filter(among(backend, key, keys));
        let mut found = columns.by(key, of(keys), &self.place).await?;
        let Some(primary) = self.place.elsewhere().filter(|_| found.len() < keys.len()) else {
            return Ok(found);
        };
        let missing = keys.iter().copied();
        let missing: Vec<K> = missing.filter(|key| !found.contains_key(key)).collect();
        let new = columns.by(key, of(&missing), primary).await?;
        if !new.is_empty() {
            self.place.leave_replica();
        }
        found.extend(new);
        Ok(found)
    }
}

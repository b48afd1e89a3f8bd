//! Which calendars a property imports, and who may say so: its host alone. Admins see them, but for their addresses.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, IntoActiveModel as _,
    PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use url::Url;

use super::{Feeds, nights};
use crate::{
    domain::{
        actor::Actor,
        audit::{Action, Outcome, Subject},
        clock::local_date,
        feed::{Health, MOST_FEEDS, parse_address},
        ids::{FeedId, PropertyId, UserId},
        problem::{Problem, ProblemCode, Problems},
        text::{self, Lines},
    },
    entity::{
        calendar_export,
        calendar_feed::{ActiveModel, Column, Entity, Model},
        property,
    },
    service::{
        Parts, audit,
        changes::Changes,
        error::{Result, signed_in},
        idempotency::{self, Begun},
        keys::among,
        properties::own_property,
        sealing::Secret,
        tries,
    },
    store::{db::Tx, vault::fingerprint},
};

/// A calendar to import, as it came.
#[derive(Debug, Clone)]
pub struct NewFeed {
    /// Whose nights it takes.
    pub property_id: PropertyId,
    /// Where it is.
    pub url: String,
    /// What the host calls it.
    pub name: String,
    /// The same key gives the same feed back.
    pub idempotency_key: Option<String>,
}

/// An imported calendar, as somebody sees it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The calendar.
    pub row: Model,
    /// Where it is, for its own host.
    pub url: Option<String>,
}

impl Shown {
    /// How it does.
    #[must_use]
    pub fn health(&self) -> Health {
        match (&self.row.problem, self.row.last_synced_at) {
            (Some(_), _) => Health::Failing,
            (None, Some(_)) => Health::Ok,
            (None, None) => Health::Pending,
        }
    }
}

impl Feeds {
    /// Imports a calendar into a property of the caller's from now on. It is fetched by the background work, within seconds.
    ///
    /// # Errors
    /// `NOT_FOUND` for a property that is not the caller's, an admin's too; `INVALID` for an address that can't be asked, or is one of our
    /// own; `TAKEN` for one that this property has; `WRONG_STATE` when it has as many as it may; `IDEMPOTENCY_CONFLICT`.
    pub async fn add(&self, actor: &Actor, new: NewFeed) -> Result<Shown> {
        let user_id = signed_in(actor)?.user_id;
        let request = format!(
            "calendar feed {} {:?} {:?}",
            new.property_id, new.url, new.name
        );
        let key = idempotency::Key::parse(user_id, new.idempotency_key.as_deref(), &request)?;
        let now = self.0.clock.now();
        let tx = match idempotency::begin(&self.0.db, key.as_ref(), now).await? {
            Begun::New(tx) => tx,
            Begun::Answered(id) => return self.added_before(actor, FeedId(id)).await,
        };
        own_property(&tx, actor, new.property_id, "propertyId").await?;
        tries::feed(&self.0, user_id).await?;
        let mut problems = Problems::default();
        let url = problems.take(self.address(&new.url));
        let name = problems.take(text::parse("name", &new.name, 1..=100, Lines::One));
        let (url, name) = problems.finish(|| url.zip(name))?;
        refuse_own_export(&tx, &self.0, &url).await?;
        let url = String::from(url);
        let there = Entity::find().filter(Column::PropertyId.eq(new.property_id));
        let same = there
            .clone()
            .filter(Column::UrlDigest.eq(fingerprint(&url)));
        if same.count(&*tx).await? > 0 {
            let message = "This property imports this calendar already.";
            return Err(Problem::new("url", ProblemCode::Taken, message).into());
        }
        if there.count(&*tx).await? >= MOST_FEEDS {
            let message =
                format!("A property imports at most {MOST_FEEDS} calendars; remove one first.");
            return Err(Problem::wrong_state(message).into());
        }
        let row = ActiveModel {
            feed_id: NotSet,
            property_id: Set(new.property_id),
            name: Set(name),
            // Sealed below, for its row.
            url: Set(String::new()),
            url_digest: Set(Some(fingerprint(&url))),
            etag: Set(None),
            last_modified: Set(None),
            created_at: Set(now),
            next_sync_at: Set(now),
            last_tried_at: Set(None),
            last_synced_at: Set(None),
            last_read_at: Set(None),
            failures: Set(0),
            problem: Set(None),
        };
        let row = Entity::insert(row).exec_with_returning(&*tx).await?;
        let sealed = self
            .0
            .vault
            .seal(Secret::FeedUrl.place(row.feed_id.0), &url)?;
        let mut row = row.into_active_model();
        row.url = Set(sealed);
        let row = row.update(&*tx).await?;
        idempotency::remember(&tx, key.as_ref(), row.feed_id.0).await?;
        let mut changes = Changes::by(actor);
        changes.note(
            Action::FeedAdded,
            Subject::Feed(row.feed_id),
            Outcome::Done,
            Some(format!("property:{}", row.property_id)),
        );
        changes.commit(tx, &self.0).await?;
        Ok(Shown {
            row,
            url: Some(url),
        })
    }

    /// Imports a calendar no more: its nights are free, unless another one has them too.
    ///
    /// # Errors
    /// `NOT_FOUND` for one that is not of a property of the caller's, an admin's too.
    pub async fn remove(&self, actor: &Actor, id: FeedId) -> Result<FeedId> {
        signed_in(actor)?;
        let unknown = || Problem::not_found("id", "calendar feed of yours");
        let tx = self.0.db.begin().await?;
        let feed = Entity::find_by_id(id).one(&*tx).await?;
        let property_id = feed.ok_or_else(unknown)?.property_id;
        let property = own_property(&tx, actor, property_id, "id").await;
        let property = property.map_err(|_| unknown())?;
        // Somebody may have been first while the property was locked.
        let feed = Entity::find_by_id(id).lock_exclusive().one(&*tx).await?;
        let feed = feed.ok_or_else(unknown)?;
        let now = self.0.clock.now();
        let mut changes = Changes::by(actor);
        let times = (local_date(now, property.time_zone.0), now);
        nights::let_go(&tx, &feed, times, &mut changes).await?;
        changes.note(
            Action::FeedRemoved,
            Subject::Feed(id),
            Outcome::Done,
            Some(format!("property:{property_id}")),
        );
        changes.commit(tx, &self.0).await?;
        Ok(id)
    }

    /// The imported calendars of some properties, oldest first, as far as these are the caller's own or the caller is an admin. A property
    /// that is not has no entry.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_properties(
        &self,
        actor: &Actor,
        ids: &[PropertyId],
    ) -> Result<HashMap<PropertyId, Vec<Shown>>> {
        let visible = visible(&self.0, actor, ids).await?;
        if visible.is_empty() {
            return Ok(HashMap::new());
        }
        note_reads(&self.0, actor, &visible).await?;
        let ids: Vec<_> = visible.keys().copied().collect();
        let rows = Entity::find()
            .filter(among(self.0.db.backend(), Column::PropertyId, &ids))
            .order_by_asc(Column::FeedId)
            .all(self.0.db.read())
            .await?;
        let mut shown: HashMap<_, Vec<_>> = visible.keys().map(|id| (*id, vec![])).collect();
        for row in rows {
            let is_own = visible.get(&row.property_id).copied().unwrap_or_default();
            let property_id = row.property_id;
            let feed = self.show(row, is_own)?;
            shown.entry(property_id).or_default().push(feed);
        }
        Ok(shown)
    }

    /// Imported calendars by their keys, as far as the caller may see them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_ids(&self, actor: &Actor, ids: &[FeedId]) -> Result<HashMap<FeedId, Shown>> {
        if actor.signed_in().is_none() {
            return Ok(HashMap::new());
        }
        let rows = Entity::find()
            .filter(among(self.0.db.backend(), Column::FeedId, ids))
            .all(self.0.db.read())
            .await?;
        let properties: Vec<_> = rows.iter().map(|row| row.property_id).collect();
        let visible = visible(&self.0, actor, &properties).await?;
        note_reads(&self.0, actor, &visible).await?;
        rows.into_iter()
            .filter_map(|row| {
                let is_own = *visible.get(&row.property_id)?;
                Some(self.show(row, is_own).map(|feed| (feed.row.feed_id, feed)))
            })
            .collect()
    }

    /// A calendar as its own host sees it, or somebody else.
    fn show(&self, row: Model, is_own: bool) -> Result<Shown> {
        let url = is_own.then(|| {
            self.0
                .vault
                .open(Secret::FeedUrl.place(row.feed_id.0), &row.url)
        });
        let url = url.transpose()?;
        Ok(Shown { row, url })
    }

    /// What a key made when it came before.
    async fn added_before(&self, actor: &Actor, id: FeedId) -> Result<Shown> {
        let found = self.by_ids(actor, &[id]).await?.remove(&id);
        found.ok_or_else(|| {
            let message = "The calendar feed that this key made was removed since.";
            Problem::new("idempotencyKey", ProblemCode::NotFound, message).into()
        })
    }

    fn address(&self, raw: &str) -> std::result::Result<Url, Problem> {
        let url = parse_address("url", raw)?;
        let allowed = self.0.fetcher.check(&url);
        allowed.map_err(|error| Problem::invalid("url", error.to_string()))?;
        Ok(url)
    }
}

/// Takes from properties that are about to be deleted, and that the caller's transaction has locked, what leads to other platforms: the
/// calendars that they import, and the secret addresses of their own. Whoever has a property has its calendars.
pub(in crate::service) async fn forget(
    tx: &Tx,
    properties: &[property::Model],
    now: DateTime<Utc>,
    changes: &mut Changes,
) -> Result<()> {
    let ids: Vec<_> = properties
        .iter()
        .map(|property| property.property_id)
        .collect();
    let backend = tx.get_database_backend();
    let feeds = Entity::find()
        .filter(among(backend, Column::PropertyId, &ids))
        .order_by_asc(Column::PropertyId)
        .order_by_asc(Column::FeedId)
        .lock_exclusive()
        .all(&**tx)
        .await?;
    let zones: HashMap<_, _> = properties
        .iter()
        .map(|property| (property.property_id, property.time_zone.0))
        .collect();
    for feed in feeds {
        if let Some(zone) = zones.get(&feed.property_id) {
            nights::let_go(tx, &feed, (local_date(now, *zone), now), changes).await?;
        }
    }
    calendar_export::Entity::delete_many()
        .filter(among(backend, calendar_export::Column::PropertyId, &ids))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Which of some properties the caller may look into, and whether each is an own one.
pub(super) async fn visible(
    parts: &Parts,
    actor: &Actor,
    ids: &[PropertyId],
) -> Result<HashMap<PropertyId, bool>> {
    let Some(user_id) = actor.user_id() else {
        return Ok(HashMap::new());
    };
    let mut find = property::Entity::find()
        .select_only()
        .columns([property::Column::PropertyId, property::Column::HostId])
        .filter(among(parts.db.backend(), property::Column::PropertyId, ids))
        .filter(property::Column::DeletedAt.is_null());
    if !actor.is_admin() {
        find = find.filter(property::Column::HostId.eq(user_id));
    }
    let rows: Vec<(PropertyId, UserId)> = find.into_tuple().all(parts.db.read()).await?;
    Ok(rows
        .into_iter()
        .map(|(id, host)| (id, host == user_id))
        .collect())
}

/// Writes down which properties of others an admin looks into.
async fn note_reads(
    parts: &Parts,
    actor: &Actor,
    visible: &HashMap<PropertyId, bool>,
) -> Result<()> {
    let of_others = visible.iter().filter(|(_, is_own)| !**is_own);
    let seen = of_others.map(|(id, _)| Subject::Property(*id)).collect();
    audit::admin_reads(parts, actor, seen).await
}

/// A calendar of ours must not come back to us: here it is known by our own address, or by a secret that is one of ours.
async fn refuse_own_export(tx: &Tx, parts: &Parts, url: &Url) -> Result<()> {
    let ours = format!("{}/calendars/", parts.terms.api_url);
    let ours = Url::parse(&ours).map_err(anyhow::Error::from)?;
    let is_ours = url.origin() == ours.origin() && url.path().starts_with(ours.path());
    let last = url.path_segments().and_then(|mut parts| parts.next_back());
    let token = last.unwrap_or_default().trim_end_matches(".ics");
    let found = calendar_export::Entity::find()
        .filter(calendar_export::Column::TokenDigest.eq(fingerprint(token)))
        .count(&**tx);
    if is_ours || found.await? > 0 {
        let message = "This is a calendar of this marketplace. Give the address of another one's.";
        return Err(Problem::invalid("url", message).into());
    }
    Ok(())
}

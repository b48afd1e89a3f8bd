//! What can be read.
//!
//! A nullable field that can fail gives `Option<Result<T>>`: its error then makes that field null and leaves its siblings alone, as the
//! specification has it. An error in a non-null field makes the nearest nullable field above it null.

mod audit;

pub(super) use audit::AuditQueries;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};

use super::{
    age::cache_control,
    arguments::page_request,
    connection::Connection,
    context::ContextExt as _,
    errors::{coded, fail},
    global_id::{self, GlobalId, Identifies},
    scalars::{Date, Decimal},
    types::{
        Node,
        booking::Booking,
        feed::CalendarFeed,
        payment::Payment,
        person::{Session, User, Viewer},
        property::{Property, shows},
    },
};
use crate::{
    domain::ids::{BookingId, PropertyId, UserId},
    service::{
        error::Error,
        search::{self, SearchInput, Sort},
    },
};

/// How long an answer of what everybody sees may be kept, in seconds. It ends when that changes, so that this only bounds what is not foreseen.
const MINUTE: i32 = 60;
/// The most objects that `nodes` gives at once.
const MOST_NODES: usize = 100;

/// People.
#[derive(Default)]
pub(super) struct PeopleQueries;

#[Object]
impl PeopleQueries {
    /// The signed-in user's own view. Null when signed out.
    async fn viewer(&self, ctx: &Context<'_>) -> Option<Result<Viewer>> {
        match ctx.services().people.own(ctx.actor()).await {
            Ok(user) => Some(Ok(Viewer::new(user, ctx.actor().clone()))),
            Err(Error::Unauthenticated) => None,
            Err(error) => Some(Err(fail(error))),
        }
    }

    /// A person, as everyone sees them; null for one who has deleted the account.
    #[graphql(directive = cache_control::apply(MINUTE))]
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] id: ID,
    ) -> Option<Result<User>> {
        let found = async { ctx.loaders().present_users.get(read::<UserId>(&id)?).await };
        found.await.map(|row| row.map(Into::into)).transpose()
    }
}

/// Properties.
#[derive(Default)]
pub(super) struct PropertyQueries;

#[Object]
impl PropertyQueries {
    /// A property: listed ones for everyone, drafts and unlisted ones for their host and admins.
    #[graphql(directive = cache_control::apply(MINUTE))]
    async fn property(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which property.")] id: ID,
    ) -> Option<Result<Property>> {
        let found = async {
            ctx.loaders()
                .visible_properties
                .get(read::<PropertyId>(&id)?)
                .await
        };
        found.await.map(|row| row.map(Into::into)).transpose()
    }

    /// Listed properties that match.
    #[graphql(directive = cache_control::apply(MINUTE))]
    #[expect(
        clippy::too_many_arguments,
        reason = "a connection has four arguments of its own"
    )]
    async fn properties(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is looked for; every part narrows it.")] filter: Option<
            PropertyFilter,
        >,
        #[graphql(desc = "In which order.", default_with = "PropertySort::Newest")]
        sort: PropertySort,
        #[graphql(desc = "Rows from the start; 20 when left out, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Property>> {
        let sort = Sort::from(sort);
        let request = page_request(sort.mark(), first, after.clone(), last, before.clone());
        // What was found by parts of words has cursors of its own.
        let request = match request {
            Err(refused) => {
                page_request(sort.loose_mark(), first, after, last, before).map_err(|_| refused)?
            }
            Ok(request) => request,
        };
        let input = filter
            .map(PropertyFilter::into_search)
            .transpose()?
            .unwrap_or_default();
        ctx.shown().add(input.tags(sort));
        if input.check_in.is_some() {
            // Holds lapse by themselves.
            ctx.shown().add_what_changes();
        }
        let service = ctx.services().properties.clone();
        let search = service.search(input, sort).map_err(fail)?;
        let search = search.showing(ctx.selected().properties);
        let page = service.found(&search, request).await.map_err(fail)?;
        shows(ctx, &page);
        Ok(Connection::new(page, move || {
            let (service, search) = (service.clone(), search.clone());
            Box::pin(async move { service.count_found(&search, request).await.map_err(fail) })
        }))
    }
}

/// Bookings.
#[derive(Default)]
pub(super) struct BookingQueries;

#[Object]
impl BookingQueries {
    /// The guest's, the host's and an admin's to see; null for everyone else, as if it did not exist.
    async fn booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking.")] id: ID,
    ) -> Option<Result<Booking>> {
        let found = async { ctx.loaders().bookings.get(read::<BookingId>(&id)?).await };
        found.await.map(|row| row.map(Booking)).transpose()
    }
}

/// Anything by its global id.
#[derive(Default)]
pub(super) struct NodeQueries;

#[Object]
impl NodeQueries {
    /// Anything with a global id, as far as the caller may see it.
    #[graphql(directive = cache_control::apply(MINUTE))]
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of what.")] id: ID,
    ) -> Option<Result<Node>> {
        match GlobalId::parse("id", &id) {
            Ok(id) => node(ctx, id).await.transpose(),
            Err(problem) => Some(Err(fail(Error::from(problem)))),
        }
    }

    /// The same for several, at most 100, in the same order.
    #[graphql(directive = cache_control::apply(MINUTE))]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of what.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Result<Node>>>> {
        if ids.len() > MOST_NODES {
            return Err(coded(
                "BAD_USER_INPUT",
                format!("ids: Ask for at most {MOST_NODES} at once."),
            ));
        }
        let ids: std::result::Result<Vec<_>, _> =
            ids.iter().map(|id| GlobalId::parse("ids", id)).collect();
        let ids = ids.map_err(|problem| fail(Error::from(problem)))?;
        let found = ids
            .into_iter()
            .map(|id| async move { node(ctx, id).await.transpose() });
        Ok(futures_util::future::join_all(found).await)
    }
}

async fn node(ctx: &Context<'_>, id: GlobalId) -> Result<Option<Node>> {
    let loaders = ctx.loaders();
    Ok(match id {
        GlobalId::User(id) => loaders
            .present_users
            .get(id)
            .await?
            .map(|row| Node::User(row.into())),
        GlobalId::Booking(id) => loaders
            .bookings
            .get(id)
            .await?
            .map(|row| Node::Booking(Booking(row))),
        GlobalId::Property(id) => loaders
            .visible_properties
            .get(id)
            .await?
            .map(|row| Node::Property(row.into())),
        GlobalId::Payment(id) => loaders
            .payments_by_id
            .get(id)
            .await?
            .map(|row| Node::Payment(Payment(row))),
        GlobalId::Review(id) => loaders
            .reviews_by_id
            .get(id)
            .await?
            .map(|row| Node::Review(row.into())),
        GlobalId::CalendarFeed(id) => loaders
            .feeds_by_id
            .get(id)
            .await?
            .map(|shown| Node::CalendarFeed(CalendarFeed(shown))),
        GlobalId::Session(id) => loaders.sessions.get(id).await?.map(|row| {
            let current = ctx
                .actor()
                .signed_in()
                .is_some_and(|user| user.session_id == id);
            Node::Session(Session { row, current })
        }),
    })
}

fn read<T: Identifies>(id: &ID) -> Result<T> {
    global_id::parse("id", id).map_err(|problem| fail(Error::from(problem)))
}

/// How found properties are ordered. The key is the tie-break.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Sort")]
enum PropertySort {
    /// The newest first.
    Newest,
    /// The cheapest first.
    #[graphql(name = "PRICE_ASC")]
    PriceAscending,
    /// The dearest first.
    #[graphql(name = "PRICE_DESC")]
    PriceDescending,
    /// The best rated first; those without a review last.
    #[graphql(name = "RATING_DESC")]
    RatingDescending,
}

/// What is looked for; every part narrows it.
#[derive(InputObject)]
struct PropertyFilter {
    /// Matches title, description and location: each of its words begins one of theirs, in any order. Where nothing is found so, each occurs somewhere
    /// in title or location. Case and accents make no difference; text without a letter or digit narrows nothing.
    text: Option<String>,
    /// Matches the location: occurs in it; one or two letters begin one of its words. Case and accents make no difference.
    location: Option<String>,
    /// Of this host.
    host_id: Option<ID>,
    /// With checkOut: only properties at which this stay could be booked now, by this number of guests: free on every night, as long and as far ahead as
    /// the host wants stays to be. Today is that of the property's own time zone.
    check_in: Option<Date>,
    /// With checkIn.
    check_out: Option<Date>,
    /// Sleeps at least so many. Any number when left out.
    guests: Option<i32>,
    /// Costs at least this a night.
    min_price: Option<Decimal>,
    /// Costs at most this a night.
    max_price: Option<Decimal>,
    /// Rated at least this, from 0 to 5.
    min_rating: Option<f64>,
    /// Has all of these.
    amenities: Option<Vec<String>>,
    /// Lies in this box.
    within: Option<BoundingBox>,
}

/// A box on the map, in degrees. It crosses the date line where `west` is greater than `east`.
#[derive(InputObject)]
struct BoundingBox {
    /// The southern edge.
    south: f64,
    /// The western edge.
    west: f64,
    /// The northern edge.
    north: f64,
    /// The eastern edge.
    east: f64,
}

impl PropertyFilter {
    fn into_search(self) -> Result<SearchInput> {
        let host = self
            .host_id
            .as_ref()
            .map(|id| global_id::parse("hostId", id))
            .transpose();
        Ok(SearchInput {
            text: self.text,
            location: self.location,
            host_id: host.map_err(|problem| fail(Error::from(problem)))?,
            check_in: self.check_in.map(|date| date.0),
            check_out: self.check_out.map(|date| date.0),
            guests: self.guests,
            min_price: self.min_price.map(|price| price.0),
            max_price: self.max_price.map(|price| price.0),
            min_rating: self.min_rating,
            amenities: self.amenities,
            within: self.within.map(
                |BoundingBox {
                     south,
                     west,
                     north,
                     east,
                 }| search::BoundingBox {
                    south,
                    west,
                    north,
                    east,
                },
            ),
        })
    }
}

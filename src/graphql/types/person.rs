//! People: as everyone sees them, and as they see themselves.

#![expect(
    clippy::unused_async,
    reason = "resolvers are asynchronous, also those that wait for nothing"
)]

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};

use super::{
    booking::{Booking, BookingStatus},
    earnings::Earnings,
    property::{Property, shows},
    review::Review,
};
use crate::{
    domain::{actor::Actor, people},
    entity::{part::Row, session, user},
    graphql::{
        arguments::page_request,
        connection::Connection,
        context::ContextExt as _,
        errors::fail,
        global_id::GlobalId,
        scalars::{Date, DateTime},
        selected::{Needs, read},
    },
    service::{
        bookings::{self, Part},
        properties, reviews,
    },
};

/// What a person may do.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "people::Role")]
pub(in crate::graphql) enum Role {
    /// Books and reviews.
    Guest,
    /// Lists and manages own properties as well.
    Host,
    /// Sees and moderates everything.
    Admin,
}

/// A person as everyone sees them. What is private stands on Viewer.
#[derive(Clone)]
pub(in crate::graphql) struct User(pub(in crate::graphql) Row<user::Entity>);

impl<R: Into<Row<user::Entity>>> From<R> for User {
    fn from(row: R) -> Self {
        Self(row.into())
    }
}

/// What each field of a person needs; the key is there always.
pub(in crate::graphql) const NEEDS: &Needs<user::Column> = &[
    ("fullName", &[user::Column::FullName]),
    ("role", &[user::Column::Role]),
    ("createdAt", &[user::Column::CreatedAt]),
];

/// A person as everyone sees them. What is private stands on Viewer.
#[Object]
impl User {
    /// The global id.
    pub(in crate::graphql) async fn id(&self) -> Result<ID> {
        Ok(GlobalId::User(*read(&self.0.user_id)?).into())
    }

    /// The key that REST uses.
    async fn database_id(&self) -> Result<i32> {
        Ok(read(&self.0.user_id)?.0)
    }

    /// The name shown to everyone.
    async fn full_name(&self) -> Result<&str> {
        Ok(read(&self.0.full_name)?)
    }

    /// What the person may do.
    async fn role(&self) -> Result<Role> {
        Ok((*read(&self.0.role)?).into())
    }

    /// When the account was made.
    async fn created_at(&self) -> Result<DateTime> {
        Ok(DateTime(*read(&self.0.created_at)?))
    }

    /// What the person lists, newest first: listed ones for everyone, drafts and unlisted ones for the person and admins.
    async fn properties(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start; 20 when left out, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Property>> {
        let request = page_request(properties::NEWEST, first, after, last, before)?;
        let (loaders, host) = (ctx.loaders(), *read(&self.0.user_id)?);
        let page = Box::pin(loaders.host_properties.require((host, request))).await?;
        shows(ctx, &page);
        Ok(Connection::new((*page).clone(), move || {
            let loaders = Arc::clone(&loaders);
            Box::pin(async move {
                Ok(loaders
                    .host_property_counts
                    .get(host)
                    .await?
                    .map_or(0, |count| *count))
            })
        }))
    }

    /// What the person wrote of finished stays, newest first.
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start; 20 when left out, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Review>> {
        let request = page_request(reviews::NEWEST, first, after, last, before)?;
        let (loaders, author) = (ctx.loaders(), *read(&self.0.user_id)?);
        let page = Box::pin(loaders.author_reviews.require((author, request))).await?;
        Ok(Connection::new((*page).clone(), move || {
            let loaders = Arc::clone(&loaders);
            Box::pin(async move {
                Ok(loaders
                    .author_review_counts
                    .get(author)
                    .await?
                    .map_or(0, |count| *count))
            })
        }))
    }
}

/// The signed-in user's own view.
pub(in crate::graphql) struct Viewer {
    user: Arc<user::Model>,
    /// Whose view it is: in the answer to a sign-in, the caller was still nobody.
    actor: Actor,
}

impl Viewer {
    pub(in crate::graphql) fn new(user: user::Model, actor: Actor) -> Self {
        Self {
            user: Arc::new(user),
            actor,
        }
    }

    async fn list(
        &self,
        ctx: &Context<'_>,
        part: Part,
        status: Option<BookingStatus>,
        request: crate::domain::page::PageRequest,
    ) -> Result<Connection<Booking>> {
        let status = status.map(Into::into);
        let service = ctx.services().bookings.clone();
        let page = service
            .list(&self.actor, part, status, request)
            .await
            .map_err(fail)?;
        let actor = self.actor.clone();
        Ok(Connection::new(page, move || {
            let (service, actor) = (service.clone(), actor.clone());
            Box::pin(async move {
                let count = service.count(&actor, part, status).await.map_err(fail)?;
                Ok(i64::try_from(count)?)
            })
        }))
    }
}

/// The signed-in user's own view.
#[Object]
impl Viewer {
    /// How everyone sees the viewer.
    async fn user(&self) -> User {
        User::from((*self.user).clone())
    }

    /// What one signs in with.
    async fn email(&self) -> &str {
        &self.user.email
    }

    /// Whether its owner has shown to read it.
    async fn email_verified(&self) -> bool {
        self.user.email_verified_at.is_some()
    }

    /// The mail address that takes the place of `email` once it is verified.
    async fn pending_email(&self) -> Option<&str> {
        self.user.pending_email.as_deref()
    }

    /// What the viewer's properties earned in `[from, to)`, at most 366 days; nothing for who has none.
    async fn earnings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first day (UTC).")] from: Date,
        #[graphql(desc = "The day after the last one.")] to: Date,
    ) -> Result<Earnings> {
        let ledger = &ctx.services().ledger;
        let properties = ledger
            .earnings(&self.actor, from.0, to.0)
            .await
            .map_err(fail)?;
        Ok(Earnings {
            from,
            to,
            properties,
        })
    }

    /// The devices that are signed in, newest first; at most 50.
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<Session>> {
        let sessions = ctx
            .services()
            .sessions
            .list(&self.actor)
            .await
            .map_err(fail)?;
        let current = self.actor.signed_in().map(|user| user.session_id);
        let session = |row: session::Model| Session {
            current: current == Some(row.session_id),
            row: Arc::new(row),
        };
        Ok(sessions.into_iter().map(session).collect())
    }

    /// The viewer's stays, newest booking first.
    async fn bookings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only bookings that stand so.")] status: Option<BookingStatus>,
        #[graphql(desc = "Rows from the start; 20 when left out, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Booking>> {
        self.list(
            ctx,
            Part::Guest,
            status,
            page_request(bookings::NEWEST, first, after, last, before)?,
        )
        .await
    }

    /// Bookings of the viewer's own properties, newest booking first.
    async fn reservations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only bookings that stand so.")] status: Option<BookingStatus>,
        #[graphql(desc = "Rows from the start; 20 when left out, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Booking>> {
        self.list(
            ctx,
            Part::Host,
            status,
            page_request(bookings::NEWEST, first, after, last, before)?,
        )
        .await
    }
}

/// One signed-in device.
pub(in crate::graphql) struct Session {
    pub(in crate::graphql) row: Arc<session::Model>,
    pub(in crate::graphql) current: bool,
}

/// One signed-in device.
#[Object]
impl Session {
    /// The global id.
    pub(in crate::graphql) async fn id(&self) -> ID {
        GlobalId::Session(self.row.session_id).into()
    }

    /// When it was signed in.
    async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last took new tokens.
    async fn last_used_at(&self) -> DateTime {
        DateTime(self.row.last_used_at)
    }

    /// When it is signed out unless it is used before.
    async fn expires_at(&self) -> DateTime {
        DateTime(self.row.expires_at)
    }

    /// What the device calls itself.
    async fn user_agent(&self) -> Option<&str> {
        self.row.user_agent.as_deref()
    }

    /// Where it took its last tokens from.
    async fn ip_address(&self) -> Option<&str> {
        self.row.ip_address.as_deref()
    }

    /// Whether it is the device that asks.
    async fn current(&self) -> bool {
        self.current
    }
}

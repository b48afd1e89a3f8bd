//! Reviews.

#![expect(
    clippy::unused_async,
    reason = "resolvers are asynchronous, also those that wait for nothing"
)]

use async_graphql::{Context, ID, Object, Result};

use super::{person::User, property::Property};
use crate::{
    entity::{
        part::Row,
        review::{self, Column},
    },
    graphql::{
        context::ContextExt as _,
        global_id::GlobalId,
        scalars::DateTime,
        selected::{Needs, read},
    },
};

/// What a guest said of a finished stay.
#[derive(Clone)]
pub(in crate::graphql) struct Review(pub(in crate::graphql) Row<review::Entity>);

impl<R: Into<Row<review::Entity>>> From<R> for Review {
    fn from(row: R) -> Self {
        Self(row.into())
    }
}

/// What each field of a review needs; the key is there always.
pub(in crate::graphql) const NEEDS: &Needs<Column> = &[
    ("property", &[Column::PropertyId]),
    ("author", &[Column::GuestId]),
    ("rating", &[Column::Rating]),
    ("comment", &[Column::Comment]),
    ("hostResponse", &[Column::HostResponse]),
    ("createdAt", &[Column::CreatedAt]),
];

/// What a guest said of a finished stay.
#[Object]
impl Review {
    /// The global id.
    pub(in crate::graphql) async fn id(&self) -> Result<ID> {
        Ok(GlobalId::Review(*read(&self.0.review_id)?).into())
    }

    /// The key that REST uses.
    async fn database_id(&self) -> Result<i32> {
        Ok(read(&self.0.review_id)?.0)
    }

    /// Of which property.
    async fn property(&self, ctx: &Context<'_>) -> Result<Property> {
        let property = *read(&self.0.property_id)?;
        Ok(ctx.loaders().properties.require(property).await?.into())
    }

    /// By whom.
    async fn author(&self, ctx: &Context<'_>) -> Result<User> {
        let author = *read(&self.0.guest_id)?;
        Ok(ctx.loaders().users.require(author).await?.into())
    }

    /// From 1 (poor) to 5 (excellent).
    async fn rating(&self) -> Result<i32> {
        Ok(*read(&self.0.rating)?)
    }

    /// In words.
    async fn comment(&self) -> Result<Option<&str>> {
        Ok(read(&self.0.comment)?.as_deref())
    }

    /// What the host answered.
    async fn host_response(&self) -> Result<Option<&str>> {
        Ok(read(&self.0.host_response)?.as_deref())
    }

    /// When it was written.
    async fn created_at(&self) -> Result<DateTime> {
        Ok(DateTime(*read(&self.0.created_at)?))
    }
}

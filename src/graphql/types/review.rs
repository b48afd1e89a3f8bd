//! Reviews.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::{person::User, property::Property};
use crate::{
    entity::review,
    graphql::{context::ContextExt as _, global_id::GlobalId, scalars::DateTime},
};

/// What a guest said of a finished stay.
#[derive(Clone)]
pub(in crate::graphql) struct Review(pub(in crate::graphql) Arc<review::Model>);

impl From<review::Model> for Review {
    fn from(row: review::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// What a guest said of a finished stay.
#[Object]
impl Review {
    /// The global id.
    pub(in crate::graphql) async fn id(&self) -> ID {
        GlobalId::Review(self.0.review_id).into()
    }

    /// The key that REST uses.
    async fn database_id(&self) -> i32 {
        self.0.review_id.0
    }

    /// Of which property.
    async fn property(&self, ctx: &Context<'_>) -> Result<Property> {
        Ok(Property(
            ctx.loaders().properties.require(self.0.property_id).await?,
        ))
    }

    /// By whom.
    async fn author(&self, ctx: &Context<'_>) -> Result<User> {
        Ok(User(ctx.loaders().users.require(self.0.guest_id).await?))
    }

    /// From 1 (poor) to 5 (excellent).
    async fn rating(&self) -> i32 {
        self.0.rating
    }

    /// In words.
    async fn comment(&self) -> Option<&str> {
        self.0.comment.as_deref()
    }

    /// What the host answered.
    async fn host_response(&self) -> Option<&str> {
        self.0.host_response.as_deref()
    }

    /// When it was written.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

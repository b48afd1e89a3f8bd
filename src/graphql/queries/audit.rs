//! The audit log, for admins.

use async_graphql::{Context, ID, Object, Result};

use super::read;
use crate::{
    domain::{
        people::Role,
        text::{self, Lines},
    },
    graphql::{
        arguments::page_request, connection::Connection, context::ContextExt as _, errors::fail,
        guards::Has, types::audit::AuditEntry,
    },
    service::{
        audit::{self, AuditFilter},
        error::Error,
    },
};

/// The most characters that are looked for: more than any action has.
const ACTION: usize = 100;

/// The audit log.
#[derive(Default)]
pub(in crate::graphql) struct AuditQueries;

#[Object]
impl AuditQueries {
    /// Admins only. Newest first; that it was read is itself a line.
    #[expect(
        clippy::too_many_arguments,
        reason = "a connection has four arguments of its own"
    )]
    #[graphql(guard = "Has(Role::Admin)")]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only this person's acts.")] actor_id: Option<ID>,
        #[graphql(desc = "Only this action, such as session.signed_in.")] action: Option<String>,
        #[graphql(desc = "Rows from the start; 20 when left out, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
    ) -> Result<Connection<AuditEntry>> {
        let request = page_request(audit::NEWEST, first, after, last, before)?;
        let filter = AuditFilter {
            actor_id: actor_id.as_ref().map(read).transpose()?,
            action: action.as_deref().map(parse_action).transpose()?,
        };
        let (service, actor) = (ctx.services().audit.clone(), ctx.actor().clone());
        let page = service.list(&actor, &filter, request).await.map_err(fail)?;
        Ok(Connection::new(page, move || {
            let (service, actor, filter) = (service.clone(), actor.clone(), filter.clone());
            Box::pin(async move {
                Ok(i64::try_from(
                    service.count(&actor, &filter).await.map_err(fail)?,
                )?)
            })
        }))
    }
}

/// An action as it is asked for, of which there may be none. A database does not take every character.
fn parse_action(text: &str) -> Result<String> {
    let parsed = text::parse("action", text, 0..=ACTION, Lines::One);
    parsed.map_err(|problem| fail(Error::from(problem)))
}

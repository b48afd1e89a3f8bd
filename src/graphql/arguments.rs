//! The four arguments of every connection.

use async_graphql::Result;

use super::errors::fail;
use crate::{
    domain::page::{PageArguments, PageRequest},
    service::error::Error,
};

/// Parses the arguments of a connection whose cursors bear this mark.
pub(super) fn page_request(
    order: char,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
) -> Result<PageRequest> {
    PageArguments {
        first,
        after,
        last,
        before,
    }
    .parse(order)
    .map_err(|problem| fail(Error::from(problem)))
}

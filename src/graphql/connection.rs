//! Relay connections over keyset pages. The total is counted only when it is selected.

use std::borrow::Cow;

use async_graphql::{Object, OutputType, Result, SimpleObject, TypeName};
use futures_util::future::BoxFuture;

use crate::domain::page::Page;

/// Whether there is more, and where this page begins and ends.
#[derive(SimpleObject)]
pub(super) struct PageInfo {
    /// Whether rows follow this page, when paging with `first`.
    has_next_page: bool,
    /// Whether rows stand before this page, when paging with `last`.
    has_previous_page: bool,
    /// Give it as `before` for the page before this one.
    start_cursor: Option<String>,
    /// Give it as `after` for the page after this one.
    end_cursor: Option<String>,
}

/// One row of a list, with its place.
#[derive(SimpleObject, Clone)]
#[graphql(name_type)]
pub(super) struct Edge<T: OutputType> {
    /// Give it as `after` or `before` to page from here.
    cursor: String,
    /// The row.
    node: T,
}

/// Counts the whole list.
type Count = Box<dyn Fn() -> BoxFuture<'static, Result<i64>> + Send + Sync>;

/// A page of a list.
pub(super) struct Connection<T: OutputType> {
    edges: Vec<Edge<T>>,
    has_next: bool,
    has_previous: bool,
    count: Count,
}

impl<T: OutputType> Connection<T> {
    /// A page, and how to count the whole list.
    pub(super) fn new<M: Into<T>>(
        page: Page<M>,
        count: impl Fn() -> BoxFuture<'static, Result<i64>> + Send + Sync + 'static,
    ) -> Self {
        let Page {
            rows,
            has_next,
            has_previous,
        } = page;
        let edges = rows
            .into_iter()
            .map(|(cursor, row)| Edge {
                cursor: cursor.encode(),
                node: row.into(),
            })
            .collect();
        Self {
            edges,
            has_next,
            has_previous,
            count: Box::new(count),
        }
    }
}

impl<T: OutputType> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::type_name()).into()
    }
}

impl<T: OutputType> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", T::type_name()).into()
    }
}

/// A page of a list, by the Relay connection specification.
#[Object(name_type)]
impl<T: OutputType + Clone> Connection<T> {
    /// The rows, each with its place.
    async fn edges(&self) -> Vec<Edge<T>> {
        self.edges.clone()
    }

    /// The rows alone.
    async fn nodes(&self) -> Vec<T> {
        self.edges.iter().map(|edge| edge.node.clone()).collect()
    }

    /// Whether there is more.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_next_page: self.has_next,
            has_previous_page: self.has_previous,
            start_cursor: self.edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: self.edges.last().map(|edge| edge.cursor.clone()),
        }
    }

    /// How many rows the whole list has. Leave it out when you do not need it: it costs a count.
    async fn total_count(&self) -> Result<i64> {
        (self.count)().await
    }
}

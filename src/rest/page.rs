//! Lists, a page at a time, with links to the pages beside it (RFC 8288).

use axum::{
    Json,
    http::{HeaderValue, Uri, header},
    response::IntoResponse as _,
};
use serde::Serialize;
use url::form_urlencoded;
use utoipa::ToSchema;

use super::{answer::Answer, answer::ROOT, problem::Problem};
use crate::domain::{
    page::{Cursor, DEFAULT_PAGE, Page, PageArguments, PageRequest},
    problem::ProblemCode,
};

/// A page of a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct List<T> {
    /// The rows, in the list's order.
    items: Vec<T>,
    /// Give it as `after` for the page after this one; null at the end.
    #[schema(required, example = "bjowOjQy")]
    next: Option<String>,
    /// Give it as `before` for the page before this one; null at the start.
    #[schema(required, example = "bjowOjYx")]
    previous: Option<String>,
}

/// Which page is wanted, as it came.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) limit: Option<i32>,
    pub(super) after: Option<String>,
    pub(super) before: Option<String>,
}

impl Wanted {
    /// Parses what is wanted of a list whose cursors bear one of these marks.
    pub(super) fn parse(&self, marks: &[char]) -> Result<PageRequest, Problem> {
        if self.limit.is_some_and(|limit| limit < 1) {
            let message = "Ask for 1 to 100 rows at a time.";
            return Err(Problem::bad("limit", "INVALID", message));
        }
        if self.after.is_some() && self.before.is_some() {
            let message = "Give `after` or `before`, not both.";
            return Err(Problem::wrong("before", ProblemCode::Invalid, message));
        }
        let backward = self.before.is_some();
        let rows = i32::try_from(DEFAULT_PAGE).unwrap_or(i32::MAX);
        let arguments = PageArguments {
            first: self.limit.filter(|_| !backward),
            last: backward.then(|| self.limit.unwrap_or(rows)),
            after: self.after.clone(),
            before: self.before.clone(),
        };
        let mut refused = None;
        for mark in marks {
            match arguments.parse(*mark) {
                Ok(request) => return Ok(request),
                Err(problem) => refused = refused.or(Some(problem)),
            }
        }
        Err(refused.map_or_else(
            || Problem::bad("", "INVALID", "This list has no pages."),
            |problem| match problem.field.first().map(String::as_str) {
                Some("first" | "last") | None => {
                    Problem::bad("limit", "INVALID", "Ask for 1 to 100 rows at a time.")
                }
                Some(field) => Problem::wrong(
                    field,
                    problem.code,
                    "This is not a cursor of this list; take it from `next` or `previous`.",
                ),
            },
        ))
    }
}

/// A page of a list, whose address is `uri`, without the root.
pub(super) fn list<M, T: Serialize>(
    uri: &Uri,
    page: Page<M>,
    mut show: impl FnMut(M) -> Result<T, Problem>,
) -> Answer {
    let place = |row: Option<&(Cursor, M)>| row.map(|(cursor, _)| cursor.encode());
    let next = place(page.rows.last()).filter(|_| page.has_next);
    let previous = place(page.rows.first()).filter(|_| page.has_previous);
    let items = page.rows.into_iter().map(|(_, row)| show(row));
    let list = List {
        items: items.collect::<Result<_, _>>()?,
        next,
        previous,
    };
    let links: Vec<_> = [
        ("first", None),
        ("next", list.next.as_deref().map(|cursor| ("after", cursor))),
        (
            "prev",
            list.previous.as_deref().map(|cursor| ("before", cursor)),
        ),
    ]
    .into_iter()
    .filter(|(relation, cursor)| *relation == "first" || cursor.is_some())
    .map(|(relation, cursor)| format!("<{}>; rel=\"{relation}\"", address(uri, cursor)))
    .collect();
    let mut response = Json(list).into_response();
    if let Ok(links) = HeaderValue::try_from(links.join(", ")) {
        response.headers_mut().insert(header::LINK, links);
    }
    Ok(response)
}

/// The same list, at another cursor or its start.
fn address(uri: &Uri, cursor: Option<(&str, &str)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let given = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    for (name, value) in given.filter(|(name, _)| name != "after" && name != "before") {
        query.append_pair(&name, &value);
    }
    if let Some((name, value)) = cursor {
        query.append_pair(name, value);
    }
    let (path, query) = (uri.path(), query.finish());
    if query.is_empty() {
        format!("{ROOT}{path}")
    } else {
        format!("{ROOT}{path}?{query}")
    }
}

/// How many rows an address asks for. What is no number is refused, and costs a look.
pub(super) fn rows(query: &str) -> u32 {
    let mut given = form_urlencoded::parse(query.as_bytes());
    match given.find(|(name, _)| name == "limit") {
        Some((_, limit)) => limit.parse().map_or(1, |limit: u32| limit.clamp(1, 100)),
        None => u32::try_from(DEFAULT_PAGE).unwrap_or(u32::MAX),
    }
}

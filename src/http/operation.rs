//! What both transports hand to the executor, and how they tell what became of it.

use async_graphql::{Request, Response, Value, Variables};

/// A request for the executor.
pub(super) fn request(
    query: String,
    operation_name: Option<String>,
    variables: Option<serde_json::Map<String, serde_json::Value>>,
) -> Request {
    let variables = variables.map_or_else(Variables::default, |map| {
        Variables::from_json(serde_json::Value::Object(map))
    });
    let request = Request::new(query).variables(variables);
    match operation_name.filter(|name| !name.is_empty()) {
        Some(name) => request.operation_name(name),
        None => request,
    }
}

/// Whether a request was refused before anything of it ran.
pub(super) fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

//! One operation, from what a client sent to the executor's answer, for every transport.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned, Request, Response, ServerError, Value, Variables,
    parser::types::{
        DocumentOperations, ExecutableDocument, FragmentDefinition, OperationDefinition,
        OperationType, Selection, SelectionSet,
    },
};

use super::{Edge, document};
use crate::domain::actor::Actor;

/// The most fields of an operation, with its fragments written out. Introspection by the usual tools needs about 200.
const FIELDS: usize = 1_000;
/// The most fields at the root of an operation.
const ROOT_FIELDS: usize = 20;
/// The most fields that are given another name.
const ALIASES: usize = 15;

/// An operation that may be run.
pub(super) struct Operation {
    /// For the executor.
    pub(super) request: Request,
    /// What it is.
    pub(super) kind: OperationType,
}

impl Operation {
    /// Reads an operation and looks whether it may be run: nothing of it has run when it is refused.
    pub(super) fn prepare(
        query: String,
        name: Option<&str>,
        variables: Option<serde_json::Map<String, serde_json::Value>>,
    ) -> Result<Self, ServerError> {
        document::check(&query).map_err(|(code, message)| refused(code, message))?;
        let variables = variables.map_or_else(Variables::default, |map| {
            Variables::from_json(serde_json::Value::Object(map))
        });
        let given = variables.clone();
        let mut request = Request::new(query).variables(variables);
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            request = request.operation_name(name);
        }
        let name = request.operation_name.clone();
        let document = request.parsed_query()?;
        let operation = select(document, name.as_deref()).ok_or_else(|| {
            refused(
                "BAD_USER_INPUT",
                "Name one of the document's operations in `operationName`.",
            )
        })?;
        let root = measure(document, operation)?;
        // The specification of GraphQL has it so, 5.2.4.1; and what is resumed after a cursor is one list.
        if operation.ty == OperationType::Subscription && root.own > 1 {
            return Err(refused(
                "BAD_USER_INPUT",
                "A subscription has one field at its root.",
            ));
        }
        if let Some(missing) = missing_variable(operation, &given) {
            return Err(refused(
                "BAD_USER_INPUT",
                format!("The variable ${missing} is needed."),
            ));
        }
        let kind = operation.ty;
        Ok(Self { request, kind })
    }

    /// Runs a query or a mutation. A mutation runs to its end even when its client goes away or its time is over: half of a payment
    /// would be worse than none.
    pub(super) async fn execute(self, edge: &Edge) -> Response {
        let schema = edge.schema.clone();
        if self.kind != OperationType::Mutation {
            return schema.execute(self.request).await;
        }
        let running = edge
            .tasks
            .spawn(async move { schema.execute(self.request).await });
        running.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a mutation broke off");
            Response::from_errors(vec![refused(
                "INTERNAL",
                "Something went wrong on our side.",
            )])
        })
    }
}

/// An error with a code.
pub(super) fn refused(code: &'static str, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", code);
    error
}

/// Whether a request was refused before anything of it ran.
pub(super) fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

/// Whether something broke while an operation was answered.
pub(super) fn is_broken(response: &Response) -> bool {
    response
        .errors
        .iter()
        .any(|error| code_of(error) == Some("INTERNAL"))
}

fn code_of(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        _ => None,
    }
}

/// The longest wait in seconds that an answer asks for, after too many tries.
pub(super) fn retry_after(response: &Response) -> Option<u64> {
    let waits = response.errors.iter().filter_map(|error| {
        let extensions = error.extensions.as_ref()?;
        match extensions.get("retryAfter")? {
            Value::Number(seconds) => seconds.as_u64(),
            _ => None,
        }
    });
    waits.max()
}

/// Takes note when somebody who is signed in was refused something, or asked for what is not there or not theirs.
pub(super) async fn note_refusals(edge: &Edge, actor: &Actor, response: &Response) {
    let refused = response
        .errors
        .iter()
        .any(|error| matches!(code_of(error), Some("FORBIDDEN" | "NOT_FOUND")));
    if refused {
        edge.services.note_refusal(actor).await;
    }
}

/// The operation that is meant: the named one, or the only one.
fn select<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a OperationDefinition> {
    let found = match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(operation),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
            operations.values().next()
        }
        (DocumentOperations::Single(_), Some(_)) | (DocumentOperations::Multiple(_), None) => None,
    };
    found.map(|operation| &operation.node)
}

/// A variable that the operation needs and the request does not give. The executor would find it only while it runs a field.
fn missing_variable<'a>(operation: &'a OperationDefinition, given: &Variables) -> Option<&'a Name> {
    let is_missing = |name: &Name| given.get(name).is_none_or(|value| *value == Value::Null);
    operation
        .variable_definitions
        .iter()
        .map(|variable| &variable.node)
        .find(|variable| {
            !variable.var_type.node.nullable
                && variable.default_value.is_none()
                && is_missing(&variable.name.node)
        })
        .map(|variable| &variable.name.node)
}

/// Counts what the executor would walk, each fragment once: written out, a few of them can be more than any machine can do.
fn measure(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
) -> Result<Size, ServerError> {
    let mut measure = Measure {
        fragments: &document.fragments,
        sizes: HashMap::new(),
    };
    let root = measure.size_of(&operation.selection_set.node)?;
    for (what, count, most) in [
        (
            "fields, with its fragments written out",
            root.fields,
            FIELDS,
        ),
        ("fields at its root", root.own, ROOT_FIELDS),
        ("aliases", root.aliases, ALIASES),
    ] {
        if count > most {
            return Err(refused(
                "QUERY_TOO_COMPLEX",
                format!("An operation has at most {most} {what}."),
            ));
        }
    }
    Ok(root)
}

/// How large a selection is, with its fragments written out.
#[derive(Clone, Copy, Default)]
struct Size {
    /// Fields at all depths.
    fields: usize,
    /// Fields of the selection itself.
    own: usize,
    /// Fields with another name, at all depths.
    aliases: usize,
}

impl Size {
    fn add(&mut self, other: Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.own = self.own.saturating_add(other.own);
        self.aliases = self.aliases.saturating_add(other.aliases);
    }
}

struct Measure<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// None while it is being measured.
    sizes: HashMap<&'a Name, Option<Size>>,
}

impl<'a> Measure<'a> {
    fn size_of(&mut self, selection: &'a SelectionSet) -> Result<Size, ServerError> {
        let mut size = Size::default();
        for item in &selection.items {
            match &item.node {
                Selection::Field(field) => {
                    let inner = self.size_of(&field.node.selection_set.node)?;
                    let aliases = inner.aliases + usize::from(field.node.alias.is_some());
                    size.add(Size {
                        fields: inner.fields.saturating_add(1),
                        own: 1,
                        aliases,
                    });
                }
                Selection::InlineFragment(fragment) => {
                    size.add(self.size_of(&fragment.node.selection_set.node)?);
                }
                Selection::FragmentSpread(spread) => {
                    size.add(self.fragment(&spread.node.fragment_name.node)?);
                }
            }
        }
        Ok(size)
    }

    fn fragment(&mut self, name: &'a Name) -> Result<Size, ServerError> {
        match self.sizes.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => {
                return Err(refused(
                    "BAD_USER_INPUT",
                    format!("The fragment {name} contains itself."),
                ));
            }
            None => {}
        }
        // One that is not there is told by the executor.
        let Some(fragment) = self.fragments.get(name) else {
            return Ok(Size::default());
        };
        self.sizes.insert(name, None);
        let size = self.size_of(&fragment.node.selection_set.node)?;
        self.sizes.insert(name, Some(size));
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(query: &str) -> Option<String> {
        let refused = Operation::prepare(query.to_owned(), None, None).err()?;
        let code = refused
            .extensions
            .as_ref()
            .and_then(|extensions| extensions.get("code").cloned());
        Some(code.map_or_else(String::new, |code| code.to_string()))
    }

    #[test]
    fn fragments_that_double_at_every_step_are_refused_at_once() {
        let step = |n: usize| format!("fragment f{n} on Query {{...f{m} ...f{m}}} ", m = n + 1);
        let steps: Vec<_> = (0..60).map(step).collect();
        let query = format!(
            "{{...f0}} {} fragment f60 on Query {{__typename}}",
            steps.concat()
        );
        assert_eq!(code(&query).as_deref(), Some("\"QUERY_TOO_COMPLEX\""));
    }

    #[test]
    fn a_fragment_that_contains_itself_is_refused() {
        let query = "{...a} fragment a on Query {...b} fragment b on Query {...a}";
        assert_eq!(code(query).as_deref(), Some("\"BAD_USER_INPUT\""));
    }

    #[test]
    fn the_only_operation_is_meant_whether_it_has_a_name_or_not() {
        let kind = |query: &str| {
            Operation::prepare(query.to_owned(), None, None)
                .ok()
                .map(|operation| operation.kind)
        };
        assert_eq!(kind("mutation M { a }"), Some(OperationType::Mutation));
        assert_eq!(kind("mutation { a }"), Some(OperationType::Mutation));
        assert_eq!(kind("query A { a } mutation B { b }"), None);
    }
}

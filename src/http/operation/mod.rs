//! One operation, from what a client sent to the executor's answer, for every transport.

mod asked;
mod errors;
mod plan;
mod size;

use std::{sync::Arc, time::Instant};

use async_graphql::{
    Name, Request, Response, ServerError, Value, Variables,
    parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
};

use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use tracing::Instrument as _;

pub use self::plan::Plans;
pub(super) use self::{
    asked::Asked,
    errors::{away, is_broken, is_request_error, is_unavailable, refused, retry_after},
    size::Size,
};
use self::{errors::code_of, plan::Plan, size::measure};
use super::{Edge, limits::Limits, parameters::Parameters};
use crate::{
    domain::actor::Actor,
    graphql::{Ages, Costs, Inputs, Titles},
    service::Services,
    store::traces::{self, About, Span},
};

/// What the schema's definition says of operations. Made once.
#[derive(Debug)]
pub struct Rules {
    costs: Costs,
    inputs: Inputs,
    ages: Ages,
    titles: Titles,
}

impl Rules {
    /// By this definition.
    #[must_use]
    pub fn of(sdl: &str) -> Self {
        Self {
            costs: Costs::of(sdl),
            inputs: Inputs::of(sdl),
            ages: Ages::of(sdl),
            titles: Titles::of(sdl),
        }
    }
}

/// An operation that may be run.
pub(super) struct Operation {
    /// For the executor.
    pub(super) request: Request,
    /// What it is.
    pub(super) kind: OperationType,
    /// What it costs.
    pub(super) cost: u32,
    /// Whether its answer is to say so.
    pub(super) tells_cost: bool,
    plan: Arc<Plan>,
    /// Whether it is known to be valid, with its variables.
    is_valid: bool,
}

impl Operation {
    /// Finds the document that a client means, and prepares it.
    pub(super) async fn read(
        edge: &Edge,
        parameters: Parameters,
        is_signed_in: bool,
    ) -> Result<Self, ServerError> {
        let asked = Asked::read(edge, parameters, is_signed_in).await?;
        asked.check(edge).await
    }

    /// Looks whether an operation may be run: nothing of it has run when it is refused.
    fn check(
        limits: &Limits,
        rules: &Rules,
        plan: Arc<Plan>,
        variables: Option<&serde_json::Map<String, serde_json::Value>>,
    ) -> Result<Self, ServerError> {
        let variables = variables.map_or_else(Variables::default, |map| {
            Variables::from_json(serde_json::Value::Object(map.clone()))
        });
        let (document, operation) = (plan.document(), plan.operation());
        let root = measure(document, operation, &variables)?;
        limits.check_size(&root)?;
        // The specification of GraphQL has it so, 5.2.4.1; and what is resumed after a cursor is one list.
        if operation.ty == OperationType::Subscription && root.own > 1 {
            return Err(refused(
                "BAD_USER_INPUT",
                "A subscription has one field at its root.",
            ));
        }
        if let Some(missing) = missing_variable(operation, &variables) {
            return Err(refused(
                "BAD_USER_INPUT",
                format!("The variable ${missing} is needed."),
            ));
        }
        let cost = rules.costs.of_operation(document, operation, &variables);
        let cost = u32::try_from(cost).unwrap_or(u32::MAX);
        limits.check_cost(cost)?;
        plan.found_small(
            || rules.ages.of_operation(document, operation),
            || rules.titles.of_operation(operation),
            || rules.ages.is_public(document, operation),
        );
        Ok(Self {
            is_valid: plan.is_valid() && rules.inputs.fit(operation, &variables),
            request: plan.request(variables),
            kind: plan.kind,
            cost,
            tells_cost: false,
            plan,
        })
    }

    /// The services that it runs on. Where it reads from is decided here, for all of it.
    pub(super) async fn services(&self, edge: &Edge, actor: &Actor) -> Services {
        if self.plan.is_public() {
            return edge.services.for_reading(actor).await;
        }
        edge.services.clone()
    }

    /// Does with a document what is done before anything of it runs.
    #[cfg(any(test, fuzzing))]
    pub(super) fn prepare(
        limits: &Limits,
        rules: &Rules,
        document: &str,
        name: Option<&str>,
        variables: Option<&serde_json::Map<String, serde_json::Value>>,
    ) -> Result<Self, ServerError> {
        let plan = Plans::default().of(limits, document, name)?;
        Self::check(limits, rules, plan, variables)
    }

    /// Runs a query or a mutation. A mutation runs to its end even when its client goes away or its time is over: half of a payment
    /// would be worse than none.
    pub(super) async fn execute(self, edge: &Edge) -> Response {
        let (began, plan) = (Instant::now(), Arc::clone(&self.plan));
        let span = self.traced();
        let response = span.around(self.executed(edge)).await;
        let outcome = match &response {
            response if response.is_ok() => "ok",
            response if is_broken(response) => "broken",
            response if is_request_error(response) => "refused",
            _ => "failed",
        };
        metrics::histogram!(
            "staygate_operation_duration_seconds",
            "operation" => plan.title(), "outcome" => outcome
        )
        .record(began.elapsed());
        span.note("staygate.operation.outcome", outcome);
        if outcome == "broken" {
            span.failed(outcome);
        }
        response
    }

    /// Runs a subscription. It is traced until it has told something: what it tells after that may come for days.
    pub(super) fn subscribe(self, edge: &Edge, span: Span) -> BoxStream<'_, Response> {
        let mut beginning = Some(span);
        let mut responses = edge.schema.execute_stream(self.request).boxed();
        stream::poll_fn(move |task| {
            let Some(span) = &beginning else {
                return responses.poll_next_unpin(task);
            };
            let within = span.enter();
            let polled = responses.poll_next_unpin(task);
            drop(within);
            // What it still does to begin is a part of it, the waiting is not.
            span.end();
            if polled.is_ready() {
                beginning = None;
            }
            polled
        })
        .boxed()
    }

    /// The part of a trace that it is: by the field at its root, as clients call operations what they like. One on a socket or a stream of several is a
    /// trace of its own, as such a connection may last for days.
    pub(super) fn traced(&self) -> Span {
        Span::here(|| {
            let (kind, title) = (self.kind.to_string(), self.plan.title());
            About::done(format!("{kind} {title}"))
                .with("graphql.operation.type", kind)
                .with("graphql.operation.name", title)
        })
    }

    async fn executed(self, edge: &Edge) -> Response {
        let schema = if self.is_valid {
            edge.schema_of_valid.clone()
        } else {
            edge.schema.clone()
        };
        if self.kind != OperationType::Mutation {
            let response = schema.execute(self.request).await;
            if response.is_ok() {
                self.plan.found_valid();
            }
            return response;
        }
        let running = async move { schema.execute(self.request).await };
        let running = traces::carried(running.in_current_span());
        let running = edge.tasks.spawn(running);
        running.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a mutation broke off");
            Response::from_errors(vec![refused(
                "INTERNAL",
                "Something went wrong on our side.",
            )])
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn prepare(query: &str) -> Result<Operation, ServerError> {
        let rules = Rules::of(&crate::graphql::sdl());
        Operation::prepare(&Limits::default(), &rules, query, None, None)
    }

    fn code(query: &str) -> Option<String> {
        let refused = prepare(query).err()?;
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
    fn fragments_that_double_and_end_in_one_that_is_not_there_are_refused_at_once() {
        let step = |n: usize| format!("fragment f{n} on Query {{...f{m} ...f{m}}} ", m = n + 1);
        let steps: Vec<_> = (0..20).map(step).collect();
        let query = format!("{{...f0}} {}", steps.concat());
        assert_eq!(code(&query).as_deref(), Some("\"BAD_USER_INPUT\""));
    }

    #[test]
    fn an_operation_is_refused_for_what_another_one_of_its_document_would_be() {
        let refused = |document: &str| {
            let rules = Rules::of(&crate::graphql::sdl());
            let query = format!("query A {{__typename}} {document}");
            Operation::prepare(&Limits::default(), &rules, &query, Some("A"), None).is_err()
        };
        let tens = |n: usize| {
            format!(
                "fragment f{n} on Query {{{}}} ",
                format!("...f{} ", n + 1).repeat(10)
            )
        };
        let steps: Vec<_> = (0..20).map(tens).collect();
        let steps = steps.concat() + "fragment f20 on Query {__typename}";
        assert!(refused(&format!("query B {{...f0}} {steps}")));
        assert!(refused(&format!("query B {{...f16}} {steps}")));
        assert!(!refused(&format!("query B {{...f18}} {steps}")));
        assert!(!refused("query B {...f} fragment f on Query {__typename}"));
        assert!(refused("query B {...f} fragment f on Query {...f}"));
    }

    #[test]
    fn fragments_stand_no_deeper_than_the_executor_walks() {
        let chain = |length: usize| {
            let step = |n: usize| format!("fragment f{n} on Query {{...f{}}} ", n + 1);
            let steps: String = (0..length).map(step).collect();
            format!("{steps} fragment f{length} on Query {{__typename}}")
        };
        assert_eq!(code(&format!("{{...f0}} {}", chain(30))), None);
        for spreads in ["...f0", "...f9 ...f0"] {
            let query = format!("{{{spreads}}} {}", chain(31));
            assert_eq!(code(&query).as_deref(), Some("\"QUERY_TOO_COMPLEX\""));
        }
    }

    #[test]
    fn a_large_variable_is_put_in_once_and_not_in_hundreds_of_places() {
        let is_prepared = |query: &str, length: usize| {
            let rules = Rules::of(&crate::graphql::sdl());
            let variables = serde_json::json!({ "v": vec![1; length] });
            let variables = variables.as_object();
            Operation::prepare(&Limits::default(), &rules, query, None, variables).is_ok()
        };
        let once = "query($v: [ID!]!) { nodes(ids: $v) { id } }";
        assert!(is_prepared(once, 900));
        let many = |times: usize| {
            format!(
                "query($v: ID!) {{ node(id: [{}]) {{ id }} }}",
                "$v ".repeat(times)
            )
        };
        assert!(is_prepared(&many(1), 100_000));
        assert!(!is_prepared(&many(900), 100_000));
        let fragments = "query($v: ID!) { ...a ...a ...a } fragment a on Query { node(id: [$v]) { id @skip(if: $v) } }";
        assert!(is_prepared(fragments, 30_000));
        assert!(!is_prepared(fragments, 50_000));
    }

    #[test]
    fn a_fragment_that_contains_itself_is_refused() {
        let query = "{...a} fragment a on Query {...b} fragment b on Query {...a}";
        assert_eq!(code(query).as_deref(), Some("\"BAD_USER_INPUT\""));
    }

    #[test]
    fn the_only_operation_is_meant_whether_it_has_a_name_or_not() {
        let kind = |query: &str| prepare(query).ok().map(|operation| operation.kind);
        assert_eq!(kind("mutation M { a }"), Some(OperationType::Mutation));
        assert_eq!(kind("mutation { a }"), Some(OperationType::Mutation));
        assert_eq!(kind("query A { a } mutation B { b }"), None);
    }
}

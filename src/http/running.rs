//! Operations that run side by side on one connection, a socket or a stream of events: each in a task of its own, with one bounded queue for
//! what they answer, so that a client which does not read holds up its own operations and nothing else.

use std::{collections::HashMap, panic::AssertUnwindSafe};

use async_graphql::{Response, ServerError, parser::types::OperationType};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use tokio::{
    sync::{mpsc, oneshot},
    task::AbortHandle,
};

use super::{
    Edge,
    operation::{self, Operation, is_broken, is_request_error},
    rates::Charge,
};
use crate::{domain::actor::Actor, graphql::finish};

/// The longest id of an operation, in bytes: each of its answers repeats it.
pub(super) const LONGEST_ID: usize = 128;

/// How a connection writes what its operations answer.
pub(super) trait Wire: 'static {
    /// One result.
    fn next(id: &str, response: &Response) -> Option<String>;
    /// The end of an operation that failed as a whole.
    fn failed(id: &str, errors: &[ServerError]) -> Option<String>;
    /// The end of any other.
    fn complete(id: &str) -> Option<String>;
}

/// What is to be run.
pub(super) struct Job {
    /// How the client calls it.
    pub(super) id: String,
    /// The operation, with its context.
    pub(super) operation: Operation,
    /// Who asks.
    pub(super) actor: Actor,
    /// What it was charged.
    pub(super) charge: Option<Charge>,
    /// Who wants to know whether it could be run at all. It is then told there, and not on the connection.
    pub(super) accepted: Option<oneshot::Sender<Result<(), Response>>>,
}

/// The operations of one connection. They end with it.
pub(super) struct Running {
    operations: HashMap<String, (u64, AbortHandle)>,
    /// Tells a finished operation from a later one with the same id.
    started: u64,
    answers: mpsc::Sender<Answer>,
}

/// What an operation has to say.
pub(super) struct Answer {
    id: String,
    number: u64,
    text: Option<String>,
    is_last: bool,
}

impl Running {
    /// None yet, and the queue for what they will answer.
    pub(super) fn new(queue: usize) -> (Self, mpsc::Receiver<Answer>) {
        let (answers, queue) = mpsc::channel(queue);
        let running = Self {
            operations: HashMap::new(),
            started: 0,
            answers,
        };
        (running, queue)
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.operations.contains_key(id)
    }

    pub(super) fn count(&self) -> usize {
        self.operations.len()
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.operations.keys().cloned().collect()
    }

    /// Runs an operation, whose id must not be in use.
    pub(super) fn start<W: Wire>(&mut self, edge: &Edge, job: Job) {
        self.started += 1;
        let id = job.id.clone();
        let task = run::<W>(edge.clone(), job, self.started, self.answers.clone());
        let task = tokio::spawn(task).abort_handle();
        self.operations.insert(id, (self.started, task));
    }

    /// Ends an operation, as its client has asked.
    pub(super) fn complete(&mut self, id: &str) {
        if let Some((_, task)) = self.operations.remove(id) {
            task.abort();
        }
    }

    /// What the client is to be told of an answer.
    pub(super) fn take(&mut self, answer: Answer) -> Option<String> {
        // What a client has completed it does not hear of again, even when another operation has the id now.
        let (number, _) = self.operations.get(&answer.id)?;
        if *number != answer.number {
            return None;
        }
        if answer.is_last {
            self.operations.remove(&answer.id);
        }
        answer.text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for (_, task) in self.operations.values() {
            task.abort();
        }
    }
}

/// Runs one operation to its end. What can't run at all has failed; everything else is told, and completed at last.
async fn run<W: Wire>(edge: Edge, job: Job, number: u64, answers: mpsc::Sender<Answer>) {
    let Job {
        id,
        operation,
        actor,
        mut charge,
        mut accepted,
    } = job;
    let (kind, cost) = (operation.kind, operation.cost);
    let mut tells_cost = operation.tells_cost;
    let mut responses = match kind {
        OperationType::Subscription => {
            let span = operation.traced();
            operation.subscribe(&edge, span)
        }
        OperationType::Query | OperationType::Mutation => {
            let edge = edge.clone();
            stream::once(async move { operation.execute(&edge).await }).boxed()
        }
    };
    let _open = (kind == OperationType::Subscription).then(Open::new);
    let mut last = W::complete(&id);
    loop {
        // A panic in one operation must not leave its client waiting.
        let next = AssertUnwindSafe(responses.next()).catch_unwind();
        // The first step of a subscription looks whether it can be run; what it tells may come much later.
        let next = if kind == OperationType::Subscription && accepted.is_some() {
            next.now_or_never()
        } else {
            Some(next.await)
        };
        let Some(next) = next else {
            accept(&mut accepted, Ok(()));
            continue;
        };
        let Ok(Some(response)) = next else { break };
        let mut response = finish(response);
        // What is rare stands apart: each operation has room for all that it may ever do, for as long as it runs.
        Box::pin(operation::note_refusals(&edge, &actor, &response)).await;
        let is_refused = is_request_error(&response);
        if let Some(charge) = charge.as_mut().filter(|_| is_refused || tells_cost) {
            let now = edge.clock.now();
            let rates = &edge.rates;
            Box::pin(rates.settle(charge, cost, &mut response, tells_cost, now)).await;
            tells_cost = false;
        }
        if is_refused && accepted.is_some() {
            accept(&mut accepted, Err(response));
            last = None;
            break;
        }
        accept(&mut accepted, Ok(()));
        // A subscription ends rather than pass over an event that it could not tell: the client resumes before it.
        let breaks_off = kind == OperationType::Subscription && is_broken(&response);
        if is_refused || breaks_off {
            last = W::failed(&id, &response.errors);
            break;
        }
        let Some(text) = W::next(&id, &response) else {
            break;
        };
        let next = Answer {
            id: id.clone(),
            number,
            text: Some(text),
            is_last: false,
        };
        if answers.send(next).await.is_err() {
            return;
        }
    }
    accept(&mut accepted, Ok(()));
    let last = Answer {
        id,
        number,
        text: last,
        is_last: true,
    };
    let _ = answers.send(last).await;
}

/// A subscription that runs, for those who count them.
struct Open;

impl Open {
    fn new() -> Self {
        metrics::gauge!("staygate_subscriptions_open").increment(1);
        Self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::gauge!("staygate_subscriptions_open").decrement(1);
    }
}

fn accept(
    accepted: &mut Option<oneshot::Sender<Result<(), Response>>>,
    whether: Result<(), Response>,
) {
    if let Some(told) = accepted.take() {
        // Whoever has gone away need not know.
        let _ = told.send(whether);
    }
}

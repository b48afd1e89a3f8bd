//! What one operation, and one request, may be. Each limit is a setting; the reasons are in `docs/limits.md`.

use std::time::Duration;

use async_graphql::{ErrorExtensionValues, ServerError, Value, value};
use serde::Deserialize;

use super::operation::{Size, refused};

/// Whether what is over a limit is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitMode {
    /// It is.
    On,
    /// It is logged, and let through.
    Measure,
}

/// The limits in force.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Whether what is over is refused, or only logged.
    pub mode: LimitMode,
    /// Of a document.
    pub tokens: usize,
    /// Fields within each other.
    pub depth: usize,
    /// Fields of the operation itself.
    pub root_fields: usize,
    /// Fields with another name.
    pub aliases: usize,
    /// Directives.
    pub directives: usize,
    /// What an operation, or a batch of them, may cost.
    pub cost: u32,
    /// Operations in one request.
    pub batch: usize,
    /// Bytes of a request's body, and of a message on a socket.
    pub body: usize,
    /// How long a request may take.
    pub request: Duration,
    /// Operations at a time on one socket or stream.
    pub operations: usize,
    /// Sockets and streams at a time of one caller.
    pub connections: usize,
    /// How long a socket may take to introduce itself.
    pub init: Duration,
    /// How often a quiet client is asked whether it is there.
    pub ping: Duration,
    /// Answers that wait to be sent on one socket.
    pub queue: usize,
    /// Whether the schema tells of itself.
    pub introspection: bool,
}

/// The most fields of a document, with its fragments written out: more than any that is not made to be large.
const FIELDS: usize = 1_000;
/// The most values that variables put into arguments: more than a body has, and each place of a variable is a copy of it.
const VALUES: usize = 200_000;
/// Introspection by the usual tools is 13 deep, and has fragments and aliases of its own: its budget is another one.
const INTROSPECTION_DEPTH: usize = 15;

impl Default for Limits {
    fn default() -> Self {
        Self {
            mode: LimitMode::On,
            tokens: 2_000,
            depth: 10,
            root_fields: 20,
            aliases: 15,
            directives: 50,
            cost: 1_000,
            batch: 10,
            body: 256 << 10,
            request: Duration::from_secs(10),
            operations: 20,
            connections: 100,
            init: Duration::from_secs(3),
            ping: Duration::from_secs(15),
            queue: 128,
            introspection: true,
        }
    }
}

impl Limits {
    /// Refuses what is over a limit, or logs it.
    pub(super) fn check(
        &self,
        name: &'static str,
        found: usize,
        most: usize,
    ) -> Result<(), ServerError> {
        if self.mode == LimitMode::On {
            return hold(name, found, most);
        }
        if found <= most {
            return Ok(());
        }
        count(name);
        tracing::warn!(name, found, most, "over a limit that is only measured");
        Ok(())
    }

    /// Refuses an operation that is too large.
    pub(super) fn check_size(&self, size: &Size) -> Result<(), ServerError> {
        hold("fields", size.fields, FIELDS)?;
        hold("values", size.values, VALUES)?;
        if size.of_schema > 0 && !self.introspection {
            let message = "This server does not tell of its schema. It is in its documentation.";
            return Err(refused("BAD_USER_INPUT", message));
        }
        let depth = if size.of_schema > 0 && size.of_data == 0 {
            INTROSPECTION_DEPTH
        } else {
            self.depth
        };
        self.check("depth", size.depth, depth)?;
        self.check("rootFields", size.own, self.root_fields)?;
        self.check("aliases", size.aliases, self.aliases)?;
        self.check("directives", size.directives, self.directives)
    }

    /// Refuses one operation more on a connection on which so many run.
    pub(super) fn check_running(&self, running: usize) -> Result<(), ServerError> {
        self.check("running", running + 1, self.operations)
    }

    /// Refuses what costs too much.
    pub(super) fn check_cost(&self, cost: u32) -> Result<(), ServerError> {
        let size = |number| usize::try_from(number).unwrap_or(usize::MAX);
        self.check("cost", size(cost), size(self.cost))
    }
}

/// Refuses what is over a limit that holds whoever measures: more would keep the machine busy.
pub(super) fn hold(name: &'static str, found: usize, most: usize) -> Result<(), ServerError> {
    if found <= most {
        return Ok(());
    }
    count(name);
    Err(over(name, found, most))
}

fn count(name: &'static str) {
    metrics::counter!("staygate_over_limit_total", "limit" => name).increment(1);
}

/// What a client is told that is over a limit.
fn over(name: &'static str, found: usize, most: usize) -> ServerError {
    let message = match name {
        "tokens" => format!("A document has at most {most} tokens; this one has {found}."),
        "depth" => format!("Fields stand at most {most} deep; here they are {found} deep."),
        "values" => format!(
            "Variables put at most {most} values into the arguments of a document; here they put {found}."
        ),
        "levels" => {
            format!("Selections and fragments stand at most {most} deep within each other.")
        }
        "fields" => format!(
            "A document has at most {most} fields, with its fragments written out; this one has {found}."
        ),
        "rootFields" => {
            format!("An operation has at most {most} fields at its root; this one has {found}.")
        }
        "aliases" => format!("An operation has at most {most} aliases; this one has {found}."),
        "directives" => {
            format!("An operation has at most {most} directives; this one has {found}.")
        }
        "running" => format!("At most {most} operations run on one connection at a time."),
        "connections" => {
            format!("At most {most} sockets and streams are open at a time for one caller.")
        }
        "batch" => format!("A request has at most {most} operations; this one has {found}."),
        _ => format!(
            "This costs {found}, and at most {most} is answered at a time: ask for shorter pages, or for less of each entry."
        ),
    };
    let code = match name {
        "running" | "connections" => "RATE_LIMITED",
        _ => "QUERY_TOO_COMPLEX",
    };
    let mut error = refused(code, message);
    let limit: Value = value!({ "name": name, "most": most, "found": found });
    error
        .extensions
        .get_or_insert_with(ErrorExtensionValues::default)
        .set("limit", limit);
    error
}

//! Mistakes as clients see them: in a payload when they can mend them, at the top level, each with a code, when they can't.

use async_graphql::{Enum, ErrorExtensionValues, ErrorExtensions as _, Response, SimpleObject};
use uuid::Uuid;

use super::scalars::hint;

use crate::{
    domain::problem::{Problem, ProblemCode},
    service::error::{Error, Result, TRY_AGAIN_IN},
};

/// What kind of mistake a caller made.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "ProblemCode", name = "UserErrorCode")]
pub(super) enum UserErrorCode {
    /// The value breaks a rule that the message states.
    Invalid,
    /// A value is missing.
    Required,
    /// Somebody has it already.
    Taken,
    /// There is no such thing, or it is not yours to see.
    NotFound,
    /// At least one night is not free.
    DatesUnavailable,
    /// More guests than the property sleeps.
    TooManyGuests,
    /// A host can't book or review an own property.
    OwnProperty,
    /// The thing is not in a state that allows this.
    WrongState,
    /// Mail address and password do not belong together.
    WrongCredentials,
    /// The payment provider said no.
    PaymentDeclined,
    /// The same idempotency key came before with another input.
    IdempotencyConflict,
}

/// A mistake that the caller can mend. Every mutation reports these in its payload, never as a top-level error.
#[derive(SimpleObject, Debug, Clone)]
pub(super) struct UserError {
    /// Path into the input, such as `["checkOut"]`; empty when the mistake is of the whole.
    field: Vec<String>,
    /// What kind of mistake it is.
    code: UserErrorCode,
    /// A sentence for people.
    message: String,
}

impl From<Problem> for UserError {
    fn from(problem: Problem) -> Self {
        Self {
            field: problem.field,
            code: problem.code.into(),
            message: problem.message,
        }
    }
}

/// Splits what a mutation's service call gave into what was made and what was wrong.
pub(super) fn outcome<T>(result: Result<T>) -> async_graphql::Result<(Option<T>, Vec<UserError>)> {
    match result {
        Ok(made) => Ok((Some(made), vec![])),
        Err(Error::Refused(problems)) => {
            Ok((None, problems.into_iter().map(UserError::from).collect()))
        }
        Err(error) => Err(fail(error)),
    }
}

/// A top-level error.
pub(super) fn fail(error: impl AsRef<Error>) -> async_graphql::Error {
    match error.as_ref() {
        Error::Refused(problems) => {
            let messages: Vec<_> = problems.iter().map(describe).collect();
            coded("BAD_USER_INPUT", messages.join(" "))
        }
        Error::Unauthenticated => coded("UNAUTHENTICATED", "Sign in first."),
        Error::Forbidden(why) => coded("FORBIDDEN", *why),
        Error::Changed => coded("BAD_USER_INPUT", "It changed in the meantime."),
        Error::TooMany { retry_after } => {
            // Rounded up: who comes a moment early would be refused again.
            let seconds = (retry_after.num_milliseconds() + 999) / 1_000;
            coded(
                "RATE_LIMITED",
                "Too many tries. Wait a little, and try again.",
            )
            .extend_with(|_, e| e.set("retryAfter", seconds))
        }
        Error::Unavailable(cause) => {
            let id = Uuid::new_v4();
            // One line, of which there may be thousands.
            tracing::warn!(%id, cause = format!("{cause:#}"), "a resolver could not reach the database");
            coded(
                "INTERNAL",
                "Something is away on our side. Try again in a moment.",
            )
            .extend_with(|_, e| {
                e.set("id", id.to_string());
                e.set("retryAfter", TRY_AGAIN_IN);
            })
        }
        Error::Internal(cause) => {
            let id = Uuid::new_v4();
            tracing::error!(%id, ?cause, "a resolver failed");
            coded("INTERNAL", "Something went wrong on our side.")
                .extend_with(|_, e| e.set("id", id.to_string()))
        }
    }
}

/// A top-level error with a code.
pub(super) fn coded(code: &'static str, message: impl Into<String>) -> async_graphql::Error {
    async_graphql::Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

fn describe(problem: &Problem) -> String {
    if problem.field.is_empty() {
        problem.message.clone()
    } else {
        format!("{}: {}", problem.field.join("."), problem.message)
    }
}

/// Gives the errors that the executor itself reports a code: what does not parse or validate is the caller's mistake.
#[must_use]
pub fn finish(mut response: Response) -> Response {
    for error in &mut response.errors {
        let extensions = error
            .extensions
            .get_or_insert_with(ErrorExtensionValues::default);
        if extensions.get("code").is_none() {
            extensions.set("code", "BAD_USER_INPUT");
            if let Some(hint) = hint(&error.message) {
                error.message = format!("{}: {hint}", error.message);
            }
        }
    }
    response
}

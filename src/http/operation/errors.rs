//! The errors of a response, and what they mean to those who carry it.

use async_graphql::{Response, ServerError, Value};

use crate::service::error::TRY_AGAIN_IN;

/// An error with a code.
pub(in crate::http) fn refused(code: &'static str, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", code);
    error
}

/// What is told while something is away that is needed for every request.
pub(in crate::http) fn away() -> ServerError {
    let mut error = refused("INTERNAL", "Try again in a moment.");
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("retryAfter", TRY_AGAIN_IN);
    error
}

/// Whether a request was refused before anything of it ran.
pub(in crate::http) fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

/// Whether something broke while an operation was answered.
pub(in crate::http) fn is_broken(response: &Response) -> bool {
    response
        .errors
        .iter()
        .any(|error| code_of(error) == Some("INTERNAL"))
}

/// Whether nothing of an operation could be answered because something is away that will be back.
pub(in crate::http) fn is_unavailable(response: &Response) -> bool {
    let is_nothing = match &response.data {
        Value::Object(fields) => fields.values().all(|field| *field == Value::Null),
        data => *data == Value::Null,
    };
    is_nothing && is_broken(response) && retry_after(response).is_some()
}

pub(super) fn code_of(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        _ => None,
    }
}

/// The longest wait in seconds that an answer asks for, after too many tries.
pub(in crate::http) fn retry_after(response: &Response) -> Option<u64> {
    let waits = response.errors.iter().filter_map(|error| {
        let extensions = error.extensions.as_ref()?;
        match extensions.get("retryAfter")? {
            Value::Number(seconds) => seconds.as_u64(),
            _ => None,
        }
    });
    waits.max()
}

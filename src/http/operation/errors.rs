//! The errors of a response, and what they mean to those who carry it.

use async_graphql::{Response, ServerError, Value};

/// An error with a code.
pub(in crate::http) fn refused(code: &'static str, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", code);
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

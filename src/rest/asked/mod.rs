//! What a request says: read strictly, so that a mistake is named rather than guessed around.

mod address;
mod body;
mod caller;

pub(super) use self::{
    address::{Id, Nothing, Parameters, Query, Text},
    body::{Body, OrNull, Whole, present},
    caller::{Anyone, IdempotencyKey, Public, Somebody},
};
use super::problem::Problem;

/// The most characters of a name, or of what is wrong with it, that are told.
const TOLD: usize = 400;

/// What could not be read, and where.
fn unread(path: &serde_path_to_error::Path, why: &str) -> Problem {
    let mut field = path.to_string().replace(['[', ']'], ".");
    if field == "." || field == "?" {
        field.clear();
    }
    let named = |before: &str| {
        let rest = why.strip_prefix(before)?;
        rest.split('`').next().map(str::to_owned)
    };
    let missing = named("missing field `");
    let name = missing
        .clone()
        .or_else(|| named("unknown field `"))
        .or_else(|| named("duplicate field `"));
    if let Some(name) = name
        && !field.split('.').any(|part| part == name)
    {
        field = format!("{field}.{name}");
    }
    let code = if missing.is_some() {
        "REQUIRED"
    } else {
        "INVALID"
    };
    // Where in the text it stands helps nobody who sees a field's name.
    let message = why.split(" at line ").next().unwrap_or(why);
    Problem::bad(&shortened(&field), code, shortened(message))
}

/// What a client wrote is told again, but not at any length.
fn shortened(text: &str) -> String {
    text.chars().take(TOLD).collect()
}

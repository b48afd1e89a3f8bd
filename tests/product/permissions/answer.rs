//! What an answer means to whoever asked.
//!
//! A probe asks for what is to be shown by the alias `probe`, and by `owner` for the id of whoever it belongs to.

use serde_json::Value;

/// The words of the table. `docs/permissions.md` says what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Yes,
    Own,
    SignIn,
    Forbidden,
    Hidden,
    No,
    /// None of them: the probe is wrong, or the product answers in two ways.
    Unforeseen,
}

impl Outcome {
    const WORDS: [(Self, &str); 7] = [
        (Self::Yes, "yes"),
        (Self::Own, "own"),
        (Self::SignIn, "sign in"),
        (Self::Forbidden, "forbidden"),
        (Self::Hidden, "hidden"),
        (Self::No, "no"),
        (Self::Unforeseen, "something else"),
    ];

    pub fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(outcome, _)| *outcome == self);
        found.expect("a word for each").1
    }

    /// What a cell of the table says.
    pub fn named(word: &str) -> Option<Self> {
        let found = Self::WORDS.iter().find(|(_, known)| *known == word)?.0;
        (found != Self::Unforeseen).then_some(found)
    }

    /// What a whole answer says to the caller with this id.
    pub fn of(answer: &Value, caller: &str) -> Self {
        let data = &answer["data"];
        let shown = all(data, "probe");
        let is_shown = shown.iter().any(|value| is_something(value));
        let payloads = all(data, "userErrors");
        let refusal = payloads.iter().find_map(|problems| problems.get(0));
        match (refused(answer), refusal) {
            (Some(_), _) | (None, Some(_)) if is_shown => Self::Unforeseen,
            (Some(refused), _) => refused,
            (None, Some(problem)) => Self::of_problem(problem),
            (None, None) if is_shown || shown.is_empty() && !payloads.is_empty() => {
                let owners = all(data, "owner");
                if !owners.is_empty() && owners.iter().all(|owner| *owner == caller) {
                    Self::Own
                } else {
                    Self::Yes
                }
            }
            (None, None) => Self::Hidden,
        }
    }

    /// What several answers say that mean the same, and the one that says it.
    pub fn of_all(answers: &[Value], caller: &str) -> (Self, Value) {
        let mut outcomes = answers.iter().map(|answer| Self::of(answer, caller));
        let first = outcomes.next().unwrap_or(Self::Unforeseen);
        if outcomes.all(|outcome| outcome == first) {
            (first, answers.first().cloned().unwrap_or_default())
        } else {
            (Self::Unforeseen, Value::from(answers))
        }
    }

    fn of_problem(problem: &Value) -> Self {
        let of_the_whole = problem["field"].as_array().is_some_and(Vec::is_empty);
        match problem["code"].as_str() {
            Some("NOT_FOUND") => Self::Hidden,
            Some("WRONG_STATE" | "OWN_PROPERTY") => Self::No,
            Some("INVALID") if of_the_whole => Self::No,
            _ => Self::Unforeseen,
        }
    }
}

/// What the first top-level error says, if there is one.
pub fn refused(answer: &Value) -> Option<Outcome> {
    let error = answer.get("errors")?.get(0)?;
    Some(match error["extensions"]["code"].as_str() {
        Some("UNAUTHENTICATED") => Outcome::SignIn,
        Some("FORBIDDEN") => Outcome::Forbidden,
        Some("NOT_FOUND") => Outcome::Hidden,
        _ => Outcome::Unforeseen,
    })
}

/// Whether the object with this `key` is in the answer, and shows its `probe`.
pub fn shows(answer: &Value, key: &str) -> bool {
    match answer {
        Value::Object(fields) => {
            let is_it = fields.get("key").is_some_and(|found| found == key);
            (is_it && fields.get("probe").is_some_and(is_something))
                || fields.values().any(|value| shows(value, key))
        }
        Value::Array(values) => values.iter().any(|value| shows(value, key)),
        _ => false,
    }
}

/// Every value of a field, however deep.
pub fn all<'v>(value: &'v Value, field: &str) -> Vec<&'v Value> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| {
                let found = (name == field).then_some(value);
                found.into_iter().chain(all(value, field))
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(|value| all(value, field)).collect(),
        _ => vec![],
    }
}

fn is_something(value: &Value) -> bool {
    !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty())
}

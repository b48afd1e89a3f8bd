//! Mistakes that a caller can mend, each with the place in the input, a code and a sentence that says what would be right.

/// What kind of mistake it is; the API's `UserErrorCode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemCode {
    /// The value breaks a rule that its message states.
    Invalid,
    /// A value is missing.
    Required,
    /// Somebody has it already.
    Taken,
    /// There is no such thing, or it is not the caller's to see.
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

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path into the input, in the API's spelling (`checkOut`); empty when the mistake is of the whole.
    pub field: Vec<String>,
    /// What kind of mistake it is.
    pub code: ProblemCode,
    /// A sentence for people.
    pub message: String,
}

impl Problem {
    /// A mistake in one field; `field` may be a dotted path, and is of the whole when empty.
    #[must_use]
    pub fn new(field: &str, code: ProblemCode, message: impl Into<String>) -> Self {
        let field = field
            .split('.')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        Self {
            field,
            code,
            message: message.into(),
        }
    }

    /// A value that breaks the rule stated in `message`.
    #[must_use]
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::new(field, ProblemCode::Invalid, message)
    }

    /// There is no such thing, or it is not the caller's to see: both look the same.
    #[must_use]
    pub fn not_found(field: &str, what: &str) -> Self {
        Self::new(
            field,
            ProblemCode::NotFound,
            format!("There is no such {what}."),
        )
    }

    /// The thing is not in a state that allows this.
    #[must_use]
    pub fn wrong_state(message: impl Into<String>) -> Self {
        Self::new("", ProblemCode::WrongState, message)
    }
}

/// Gathers every mistake of one input, so that a caller mends them all at once.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Keeps the value of a good field, or the mistake of a bad one.
    pub fn take<T>(&mut self, parsed: Result<T, Problem>) -> Option<T> {
        parsed.map_err(|problem| self.0.push(problem)).ok()
    }

    /// Keeps the value of a good part, or all the mistakes of a bad one.
    pub fn take_all<T>(&mut self, parsed: Result<T, Vec<Problem>>) -> Option<T> {
        parsed.map_err(|problems| self.0.extend(problems)).ok()
    }

    /// Adds a mistake.
    pub fn add(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// The mistakes, when there are any.
    ///
    /// # Errors
    /// The mistakes gathered so far, in the order in which they were found.
    pub fn done(self) -> Result<(), Vec<Problem>> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(self.0)
        }
    }

    /// Builds the whole from its parts when all of them were good.
    ///
    /// # Errors
    /// The mistakes gathered so far. `build` gives `None` only for a part whose mistake was gathered.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, Vec<Problem>> {
        self.done()?;
        build().ok_or_else(|| vec![Problem::invalid("", "This input can't be read.")])
    }
}

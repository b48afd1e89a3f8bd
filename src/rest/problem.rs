//! What went wrong, as a problem document (RFC 9457).

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    domain::problem::{self, ProblemCode},
    service::error::{Error, TRY_AGAIN_IN},
};

/// The media type of problems.
pub const MEDIA: &str = "application/problem+json";

/// Why a request was not done.
#[derive(Debug, Clone)]
pub struct Problem(Box<Document>);

/// Why a request was not done. Nothing was changed by it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Document {
    /// Always `about:blank`: what kind of problem it is, `code` says.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    /// What the status code means.
    #[schema(example = "Conflict")]
    title: &'static str,
    /// The status code of the answer.
    #[schema(example = 409, minimum = 400, maximum = 599)]
    status: u16,
    /// For programs: one of GraphQL's `extensions.code` or, when one mistake was made, the `UserErrorCode` of it.
    #[schema(value_type = Code)]
    code: &'static str,
    /// A sentence for people.
    #[schema(example = "Somebody has some of these nights.")]
    detail: String,
    /// Each mistake in the request; empty when it is none of the caller's.
    errors: Vec<Mistake>,
    /// Under which the cause stands in the server's log, when it is the server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Uuid, required = false, example = "0f8e1c9a-3c1e-4c55-9d0c-2b1a7f0f6d11")]
    id: Option<Uuid>,
    #[serde(skip)]
    retry_after: Option<i64>,
}

/// One mistake in a request.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Mistake {
    /// Where: the path into the body, or the name of a parameter or header; empty when it is the whole.
    #[schema(example = json!(["checkOut"]))]
    field: Vec<String>,
    /// What kind of mistake it is.
    #[schema(value_type = Code)]
    code: &'static str,
    /// A sentence for people.
    #[schema(example = "Check out after check-in.")]
    message: String,
}

/// What kind of problem it is; GraphQL's codes.
#[derive(ToSchema)]
#[schema(example = "DATES_UNAVAILABLE")]
#[expect(dead_code, reason = "it stands in the description alone")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Code {
    /// The request can't be understood.
    BadUserInput,
    /// Nobody is signed in, or the access token is not good any more.
    Unauthenticated,
    /// It needs another role.
    Forbidden,
    /// There is no such thing, or it is not yours to see.
    NotFound,
    /// Too much was asked for, or tried too often.
    RateLimited,
    /// Something went wrong on our side.
    Internal,
    /// The thing changed since it was read.
    PreconditionFailed,
    /// The value breaks a rule that the message states.
    Invalid,
    /// A value is missing.
    Required,
    /// Somebody has it already.
    Taken,
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

impl Problem {
    /// A problem that is of the whole request.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Document {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code,
            detail: detail.into(),
            errors: vec![],
            id: None,
            retry_after: None,
        }))
    }

    /// The same for who may try again after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: Option<i64>) -> Self {
        self.0.retry_after = seconds;
        self
    }

    /// A request that can't be understood, because of one of its parts.
    pub(super) fn bad(field: &str, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        let field: Vec<_> = field
            .split('.')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        let detail = describe(&field, &message);
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", detail);
        problem.0.errors.push(Mistake {
            field,
            code,
            message,
        });
        problem
    }

    /// A request that is understood, and breaks a rule.
    pub(super) fn wrong(field: &str, code: ProblemCode, message: impl Into<String>) -> Self {
        Self::from(problem::Problem::new(field, code, message))
    }

    /// The same problem for a client who calls a field of the service by another name. `id` is the thing in the address.
    pub(super) fn calling(mut self, field: &str, name: &str) -> Self {
        if let [mistake] = &mut *self.0.errors
            && mistake.field == [field]
        {
            mistake.field = vec![name.to_owned()];
            self.0.detail = describe(&mistake.field, &mistake.message);
            if mistake.code == "NOT_FOUND" && name == "id" {
                self.0.status = StatusCode::NOT_FOUND.as_u16();
                self.0.title = "Not Found";
            }
        }
        self
    }

    /// There is no such thing at this address, or it is not the caller's to see.
    pub(super) fn not_found(what: &str) -> Self {
        Self::from(Error::from(problem::Problem::not_found("id", what)))
    }

    fn of_mistakes(mut problems: Vec<problem::Problem>) -> Self {
        for problem in &mut problems {
            // By REST it is a header.
            if problem.field == ["idempotencyKey"] {
                problem.field = vec!["Idempotency-Key".to_owned()];
            }
        }
        let details: Vec<_> = problems
            .iter()
            .map(|problem| describe(&problem.field, &problem.message))
            .collect();
        let (status, code) = match &*problems {
            [one] => (status_of(one), code_of(one.code)),
            _ => (StatusCode::UNPROCESSABLE_ENTITY, "INVALID"),
        };
        let mut whole = Self::new(status, code, details.join(" "));
        whole.0.errors = problems
            .into_iter()
            .map(|problem| Mistake {
                field: problem.field,
                code: code_of(problem.code),
                message: problem.message,
            })
            .collect();
        whole
    }
}

fn describe(field: &[String], message: &str) -> String {
    if field.is_empty() {
        message.to_owned()
    } else {
        format!("{}: {message}", field.join("."))
    }
}

impl Mistake {
    /// The same mistake as the services tell of it.
    pub(super) fn of(problem: problem::Problem) -> Self {
        Self {
            field: problem.field,
            code: code_of(problem.code),
            message: problem.message,
        }
    }
}

/// The code as GraphQL writes it.
const fn code_of(code: ProblemCode) -> &'static str {
    match code {
        ProblemCode::Invalid => "INVALID",
        ProblemCode::Required => "REQUIRED",
        ProblemCode::Taken => "TAKEN",
        ProblemCode::NotFound => "NOT_FOUND",
        ProblemCode::DatesUnavailable => "DATES_UNAVAILABLE",
        ProblemCode::TooManyGuests => "TOO_MANY_GUESTS",
        ProblemCode::OwnProperty => "OWN_PROPERTY",
        ProblemCode::WrongState => "WRONG_STATE",
        ProblemCode::WrongCredentials => "WRONG_CREDENTIALS",
        ProblemCode::PaymentDeclined => "PAYMENT_DECLINED",
        ProblemCode::IdempotencyConflict => "IDEMPOTENCY_CONFLICT",
    }
}

fn status_of(problem: &problem::Problem) -> StatusCode {
    match problem.code {
        // The thing in the address; what a body names and is not there is a mistake in the body.
        ProblemCode::NotFound if problem.field == ["id"] => StatusCode::NOT_FOUND,
        // Who signs in. Of a password that is only asked for once more, whoever reads 401 would take the token for lapsed.
        ProblemCode::WrongCredentials if problem.field.is_empty() => StatusCode::UNAUTHORIZED,
        ProblemCode::Taken
        | ProblemCode::DatesUnavailable
        | ProblemCode::WrongState
        | ProblemCode::IdempotencyConflict => StatusCode::CONFLICT,
        ProblemCode::PaymentDeclined => StatusCode::PAYMENT_REQUIRED,
        ProblemCode::Invalid
        | ProblemCode::Required
        | ProblemCode::NotFound
        | ProblemCode::TooManyGuests
        | ProblemCode::OwnProperty
        | ProblemCode::WrongCredentials => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(problems) => Self::of_mistakes(problems),
            Error::Unauthenticated => Self::new(
                StatusCode::UNAUTHORIZED,
                "UNAUTHENTICATED",
                "Sign in first.",
            ),
            Error::Forbidden(why) => Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", why),
            Error::Changed => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "PRECONDITION_FAILED",
                "It changed since you read it: read it again.",
            ),
            Error::TooMany { retry_after } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "RATE_LIMITED",
                "Too many tries. Wait a little, and try again.",
            )
            // Rounded up: who comes a moment early would be refused again.
            .retry_after(Some((retry_after.num_milliseconds() + 999) / 1_000)),
            Error::Unavailable(cause) => {
                let id = Uuid::new_v4();
                tracing::warn!(%id, cause = format!("{cause:#}"), "a request could not reach the database");
                let detail = "Something is away on our side. Try again in a moment.";
                let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "INTERNAL", detail)
                    .retry_after(Some(TRY_AGAIN_IN));
                problem.0.id = Some(id);
                problem
            }
            Error::Internal(cause) => {
                let id = Uuid::new_v4();
                tracing::error!(%id, ?cause, "a request failed");
                let mut problem = Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "INTERNAL",
                    "Something went wrong on our side.",
                );
                problem.0.id = Some(id);
                problem
            }
        }
    }
}

impl From<problem::Problem> for Problem {
    fn from(problem: problem::Problem) -> Self {
        Self::of_mistakes(vec![problem])
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let text = serde_json::to_string(&*self.0).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, MEDIA)], text).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.0.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED && !headers.contains_key(header::WWW_AUTHENTICATE) {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

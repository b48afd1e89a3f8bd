//! The description of the whole in OpenAPI 3.1 (<https://spec.openapis.org/oas/v3.1.1.html>): what the handlers say, and what holds for all of them.

use utoipa::{
    OpenApi, ToSchema as _,
    openapi::{
        self, Content, HeaderBuilder, HttpMethod, ObjectBuilder, Ref, RefOr, ResponseBuilder,
        Server, Type,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        response::Response,
        schema::{ArrayItems, Schema, SchemaType},
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

use super::{
    answer::ROOT,
    problem::{Code, Document, MEDIA, Mistake},
    resources,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Staygate",
        description = "A marketplace for short stays: hosts list properties; guests search, quote, book, pay and review; admins oversee.\n\n\
            Every address may be written with or without its last slash. Errors are problem documents (RFC 9457) with the codes of the GraphQL API. \
            Lists come a page at a time; the header `Link` says where the next one is. A change sent with the `ETag` of what was read in `If-Match` \
            is refused with 412 when the thing has changed since. Rates are limited for each person, and for each network where nobody is signed in; \
            the headers `RateLimit` and `RateLimit-Policy` say what is left, and GraphQL takes from the same.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact(),
    ),
    tags(
        (name = "users", description = "People: registered, shown, changed, erased."),
        (name = "sessions", description = "Signing in and out, and staying signed in."),
        (name = "properties", description = "Homes to stay in, their free nights and what a stay costs."),
        (name = "bookings", description = "Stays: made, changed, accepted, declined, cancelled, watched."),
        (name = "payments", description = "Paying, and giving back."),
        (name = "reviews", description = "What guests say of stays, and what hosts answer."),
    ),
    components(schemas(Document, Mistake, Code)),
)]
struct Base;

/// Answers that any operation may give: status, name, meaning.
const PROBLEMS: [(&str, &str, &str); 14] = [
    (
        "400",
        "BadRequest",
        "The request can't be understood: a parameter or field that is not known, of the wrong kind or there twice.",
    ),
    (
        "401",
        "Unauthenticated",
        "Nobody is signed in, the access token is not good any more, or mail address and password do not belong together.",
    ),
    ("402", "PaymentDeclined", "The payment provider said no."),
    ("403", "Forbidden", "It needs another role."),
    (
        "404",
        "NotFound",
        "There is no such thing, or it is not yours to see.",
    ),
    (
        "409",
        "Conflict",
        "It can't be done as things stand: somebody has it already, a night is not free, or the thing is in another state.",
    ),
    (
        "412",
        "PreconditionFailed",
        "The thing changed since it was read.",
    ),
    ("413", "TooLarge", "The body is too large."),
    ("415", "WrongMediaType", "The body is not sent as JSON."),
    (
        "422",
        "Invalid",
        "The request is understood, and a value breaks a rule.",
    ),
    (
        "429",
        "RateLimited",
        "Too much was asked for, or tried too often; the header `Retry-After` says when to come again.",
    ),
    (
        "500",
        "Internal",
        "Something went wrong on our side. The problem's `id` is in the server's log.",
    ),
    ("503", "Unavailable", "Try again in a moment."),
    ("304", "NotModified", "It is as the client has it."),
];

/// The description.
#[must_use]
pub fn document() -> openapi::OpenApi {
    let (_, mut document) = resources().split_for_parts();
    let mut base = Base::openapi();
    env!("CARGO_PKG_VERSION").clone_into(&mut base.info.version);
    document.info = base.info;
    document.tags = base.tags;
    document.servers = Some(vec![Server::new(ROOT)]);
    document.security = Some(vec![SecurityRequirement::new(
        "bearer",
        Vec::<String>::new(),
    )]);
    let components = document.components.get_or_insert_default();
    components
        .schemas
        .extend(base.components.unwrap_or_default().schemas);
    for (name, schema) in &mut components.schemas {
        if let (Some(thing), RefOr::T(list)) = (name.strip_prefix("List_"), schema) {
            name_rows(list, thing);
        }
    }
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.bearer_format = Some("JWT".to_owned());
    bearer.description = Some("An access token, from `POST /sessions/`.".to_owned());
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    for (status, name, meaning) in PROBLEMS {
        components
            .responses
            .insert(name.to_owned(), RefOr::T(problem(status, meaning)));
    }
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in [
            (HttpMethod::Get, &mut item.get),
            (HttpMethod::Post, &mut item.post),
            (HttpMethod::Patch, &mut item.patch),
            (HttpMethod::Delete, &mut item.delete),
        ] {
            if let Some(operation) = operation {
                complete(path, &method, operation);
            }
        }
    }
    document
}

/// Says of what a list is by name, so that a row of it and the thing at its own address are of one type to a client.
fn name_rows(list: &mut Schema, thing: &str) {
    if let Schema::Object(list) = list
        && let Some(RefOr::T(Schema::Array(rows))) = list.properties.get_mut("items")
    {
        let row = RefOr::Ref(Ref::from_schema_name(thing));
        rows.items = ArrayItems::RefOrSchema(Box::new(row));
    }
}

/// Says of an operation what holds for all that are like it.
fn complete(path: &str, method: &HttpMethod, operation: &mut Operation) {
    let reads = *method == HttpMethod::Get;
    let parameters = operation.parameters.get_or_insert_default();
    let named = |name: &str| {
        parameters
            .iter()
            .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == name))
    };
    let depends = named("If-Match");
    let is_in_address = path.contains("{id}");
    let has_body = operation.request_body.is_some();
    let is_of_sessions = path.starts_with("/sessions/");
    let pays = path == "/payments/" && !reads;
    for (status, name, _) in PROBLEMS {
        let may_be = match status {
            "304" => reads,
            "402" => pays,
            "403" => (!reads && !is_of_sessions) || path == "/users/",
            "409" => !reads && !is_of_sessions,
            "404" => is_in_address || path == "/reviews/",
            "412" => depends,
            "413" | "415" => has_body,
            _ => true,
        };
        if may_be {
            operation
                .responses
                .responses
                .entry(status.to_owned())
                .or_insert_with(|| RefOr::Ref(Ref::from_response_name(name)));
        }
    }
    for parameter in parameters.iter_mut() {
        if let RefOr::T(parameter) = parameter {
            never_null(parameter);
        }
    }
    if reads {
        let version = ParameterBuilder::new()
            .name("If-None-Match")
            .parameter_in(ParameterIn::Header)
            .required(utoipa::openapi::Required::False)
            .description(Some("The `ETag` that the client has: the answer is 304, without a body, while it is the same."))
            .schema(Some(text()))
            .example(Some("\"0123456789abcdef0123456789abcdef\"".into()));
        parameters.push(RefOr::T(version.build()));
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else {
            continue;
        };
        describe(response, status.starts_with('2') && status != "204");
    }
}

/// A parameter that may be left out is not null where it is there.
fn never_null(parameter: &mut Parameter) {
    let kind = match &mut parameter.schema {
        Some(RefOr::T(Schema::Object(object))) => &mut object.schema_type,
        Some(RefOr::T(Schema::Array(array))) => &mut array.schema_type,
        _ => return,
    };
    if let SchemaType::Array(kinds) = kind
        && let Some(one) = kinds.iter().find(|kind| **kind != Type::Null)
    {
        *kind = SchemaType::Type(one.clone());
    }
}

/// The headers that an answer has.
fn describe(response: &mut Response, is_thing: bool) {
    let is_list = response.content.values().any(|content| {
        matches!(
            content,
            RefOr::T(Content { schema: Some(RefOr::Ref(schema)), .. })
                if schema.ref_location.starts_with("#/components/schemas/List_")
        )
    });
    let mut add = |name: &str, meaning: &str| {
        let header = HeaderBuilder::new()
            .schema(Some(text()))
            .description(Some(meaning));
        response
            .headers
            .insert(name.to_owned(), header.build().into());
    };
    if is_thing {
        add(
            "ETag",
            "The name of this version, for `If-Match` and `If-None-Match`.",
        );
    }
    if is_list {
        add(
            "Link",
            "Where the list's first page is, the one after this (`next`) and the one before (`prev`), by RFC 8288.",
        );
    }
    add(
        "RateLimit",
        "What is left, and in how many seconds all of it is there again.",
    );
    add(
        "RateLimit-Policy",
        "How much may be asked for, and in how many seconds.",
    );
}

fn problem(status: &str, meaning: &str) -> Response {
    let response = ResponseBuilder::new().description(meaning);
    if status == "304" {
        return response.build();
    }
    let schema = Ref::from_schema_name(Document::name());
    let mut response = response.content(MEDIA, Content::new(Some(schema))).build();
    if status == "429" {
        let header = HeaderBuilder::new()
            .schema(Some(ObjectBuilder::new().schema_type(Type::Integer)))
            .description(Some("In how many seconds to come again."));
        response
            .headers
            .insert("Retry-After".to_owned(), header.build().into());
    }
    response
}

fn text() -> Schema {
    Schema::Object(ObjectBuilder::new().schema_type(Type::String).build())
}

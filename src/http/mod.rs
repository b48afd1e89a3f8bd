//! The edge: what arrives over the network, made into an actor and a request, and handed to one of the faces.

mod auth;
mod calendars;
mod card_numbers;
mod client;
mod connections;
mod cookie;
mod document;
mod documents;
mod failed;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod graphql;
mod health;
mod json;
mod keys;
mod limits;
mod metrics;
mod operation;
pub mod pages;
mod parameters;
mod protocol;
mod rates;
mod redirect;
mod request_id;
mod rest;
mod running;
mod sandbox;
mod socket;
mod sse;
mod traces;
mod webhooks;

use std::{ops::Deref, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::MatchedPath,
    http::{HeaderName, HeaderValue, Method, Request, StatusCode, header},
    middleware,
    response::Response,
    routing::{MethodRouter, get, post},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    cors::{AllowCredentials, AllowOrigin, CorsLayer},
    limit::RequestBodyLimitLayer,
    request_id::{PropagateRequestIdLayer, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
    timeout::TimeoutLayer,
    trace::{DefaultOnFailure, MakeSpan, TraceLayer},
};
use tracing::{Level, Span};

use self::request_id::NewRequestId;
pub use self::{
    client::Proxies,
    connections::Connections,
    documents::{Library, Manifest, TrustedOnly},
    limits::{LimitMode, Limits},
    metrics::admin_router,
    operation::{Plans, Rules},
    rates::{Held, Rates},
    redirect::{Target, redirecting},
    sse::Streams,
};
use crate::{
    domain::clock::Clock,
    graphql::StaygateSchema,
    service::{Services, error::TRY_AGAIN_IN},
    store::{self, answers::Answers, gateway::stripe::notice::Secrets},
};

/// What every handler can reach. Cheap to clone.
#[derive(Clone)]
pub struct Edge(Arc<EdgeParts>);

impl From<EdgeParts> for Edge {
    fn from(parts: EdgeParts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for Edge {
    type Target = EdgeParts;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// The same, piece by piece.
pub struct EdgeParts {
    /// The schema that is served.
    pub schema: StaygateSchema,
    /// The same for operations that are known to be valid: it does not look again.
    pub schema_of_valid: StaygateSchema,
    /// What tells answers of this server from those of another version, or one with other settings.
    pub edition: Arc<str>,
    /// What the schema says of operations.
    pub rules: Arc<Rules>,
    /// Operations that were read before.
    pub plans: Plans,
    /// What operations and requests may be.
    pub limits: Arc<Limits>,
    /// How much each caller may ask for.
    pub rates: Rates,
    /// Answers that many ask for.
    pub answers: Answers,
    /// Sockets and streams that are open.
    pub connections: Connections,
    /// Streams that several operations share.
    pub streams: Streams,
    /// Documents that clients name.
    pub library: Library,
    /// The services under it.
    pub services: Services,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Whose word is taken for where a request came from.
    pub proxies: Arc<Proxies>,
    /// Which pages may call from a browser.
    pub origins: Arc<Origins>,
    /// Cancelled as soon as it is known that the server will stop: nobody is to send it more.
    pub leaving: CancellationToken,
    /// Cancelled when the server is to stop: open sockets are closed then.
    pub stopping: CancellationToken,
    /// Open sockets, and mutations that run.
    pub tasks: TaskTracker,
}

/// Which origins may call from a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// All of them, without cookies.
    Any,
    /// These alone.
    These(Vec<HeaderValue>),
}

/// What is served beside the API.
#[derive(Clone)]
pub struct Extras {
    /// Which pages.
    pub pages: pages::Pages,
    /// Where payments are made.
    pub payments: Payments,
    /// Whether each line of the log says which request it is about; else that is said when the log is set to `debug`.
    pub tells_requests: bool,
    /// What keeps browsers on TLS (RFC 6797), where there is TLS.
    pub hsts: Option<HeaderValue>,
}

/// Where payments are made.
#[derive(Clone)]
pub enum Payments {
    /// In the sandbox, whose payment form is served.
    Sandbox,
    /// At Stripe, whose notices are taken if one of these signed them.
    Stripe(Arc<Secrets>),
}

/// Every route of the server.
pub fn router(edge: Edge, extras: &Extras) -> Router {
    let mut api = Router::new()
        .route(
            "/graphql",
            get(graphql::get_or_socket)
                .post(graphql::post)
                .put(graphql::shared::reserve)
                .delete(graphql::shared::complete),
        )
        .nest_service(crate::rest::ROOT, rest::resources(&edge))
        .route("/schema.graphql", get(health::schema))
        .route("/.well-known/jwks.json", get(keys::jwks))
        .route("/calendars/{name}", get(calendars::calendar))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready));
    api = match &extras.payments {
        Payments::Sandbox => api.route(
            "/sandbox/payments/{client_secret}/confirm",
            post(sandbox::confirm),
        ),
        Payments::Stripe(secrets) => {
            let limit = RequestBodyLimitLayer::new(webhooks::LARGEST);
            let secrets = Extension(Arc::clone(secrets));
            let webhook: MethodRouter<Edge> = post(webhooks::stripe).layer(limit);
            api.route("/webhooks/stripe", webhook.layer(secrets))
        }
    };
    let cors = cors(&edge.origins);
    let request_timeout = edge.limits.request;
    // One after the other from the outside in, as one layer: each layer of a router is a box of its own around each of its routes.
    let layers = ServiceBuilder::new()
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        // Pages have one of their own. Nothing else is a page, or belongs into one.
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::STRICT_TRANSPORT_SECURITY,
            extras.hsts.clone(),
        ))
        .layer(middleware::from_fn(metrics::measure))
        // Around the refusal, so that pages can read it. These two write nothing anywhere.
        .layer(cors)
        .layer(middleware::from_fn(card_numbers::refuse_in_head))
        .layer(middleware::map_request(request_id::keep_only_a_good_one))
        .layer(SetRequestIdLayer::new(request_id::HEADER, NewRequestId))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(Spans(extras.tells_requests))
                // What broke has a line of its own that says why; what is away for a moment is no error of ours.
                .on_failure(DefaultOnFailure::new().level(Level::WARN)),
        )
        .layer(PropagateRequestIdLayer::new(request_id::HEADER))
        .layer(CompressionLayer::new())
        .layer(middleware::map_response(again_in_a_moment))
        .layer(middleware::from_fn(rest::in_problems))
        .layer(CatchPanicLayer::new())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            request_timeout,
        ));
    let router = api
        .with_state(edge.clone())
        .merge(pages::routes(extras.pages))
        .layer(layers);
    if store::traces::are_on() {
        router.layer(middleware::from_fn_with_state(edge, traces::trace))
    } else {
        router
    }
}

/// Says of what can't be answered now when it is worth asking again, where nobody has said so: it took too long, or something is away.
async fn again_in_a_moment(mut response: Response) -> Response {
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        let headers = response.headers_mut();
        let wait = headers.entry(header::RETRY_AFTER);
        wait.or_insert_with(|| TRY_AGAIN_IN.into());
    }
    response
}

/// What the lines of the log say of the request that they are about: its route and not its address, which may have a secret in it. It costs about
/// as much as looking for a kept answer does, so that it is done where somebody reads it.
#[derive(Clone)]
struct Spans(bool);

impl<B> MakeSpan<B> for Spans {
    fn make_span(&mut self, request: &Request<B>) -> Span {
        let route = request.extensions().get::<MatchedPath>();
        let route = route.map(MatchedPath::as_str);
        let id = request.headers().get(request_id::HEADER);
        let id = id.and_then(|id| id.to_str().ok());
        let method = request.method();
        // Where there are traces.
        let trace_id = store::traces::id().map(tracing::field::display);
        if self.0 {
            tracing::info_span!("request", %method, route, id, trace_id)
        } else {
            tracing::debug_span!("request", %method, route, id, trace_id)
        }
    }
}

fn cors(origins: &Origins) -> CorsLayer {
    let (allowed, with_cookies) = match origins {
        Origins::Any => (AllowOrigin::any(), false.into()),
        Origins::These(origins) => {
            let trusted = origins.clone();
            let with_cookies =
                AllowCredentials::predicate(move |origin, _| trusted.contains(origin));
            (AllowOrigin::list(origins.clone()), with_cookies)
        }
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_credentials(with_cookies)
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            HeaderName::from_static("idempotency-key"),
            // Clients of Apollo's send one of these with simple requests to servers that want them.
            HeaderName::from_static("apollo-require-preflight"),
            HeaderName::from_static("x-requested-with"),
            request_id::HEADER,
            sse::LAST_EVENT_ID,
            sse::single::TOKEN,
        ])
        .expose_headers([
            header::ETAG,
            header::LINK,
            header::LOCATION,
            header::RETRY_AFTER,
            rates::LIMIT,
            rates::POLICY,
            request_id::HEADER,
        ])
        .max_age(Duration::from_mins(10))
}

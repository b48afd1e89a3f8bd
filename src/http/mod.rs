//! The edge: what arrives over the network, made into an actor and a request, and handed to one of the faces.

mod auth;
mod client;
mod document;
mod graphql;
mod health;
mod json;
mod operation;
pub mod pages;
mod protocol;
mod request_id;
mod sandbox;
mod socket;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::{HeaderValue, Method, StatusCode, header},
    middleware,
    routing::{get, post},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    cors::{AllowOrigin, CorsLayer},
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
    timeout::TimeoutLayer,
    trace::TraceLayer,
};

pub use self::client::Proxies;
use crate::{graphql::StaygateSchema, service::Services};

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// What every handler can reach. Cheap to clone.
#[derive(Clone)]
pub struct Edge {
    /// The schema that is served.
    pub schema: StaygateSchema,
    /// The services under it.
    pub services: Services,
    /// Whose word is taken for where a request came from.
    pub proxies: Arc<Proxies>,
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
#[derive(Debug, Clone)]
pub struct Extras {
    /// Which pages.
    pub pages: pages::Pages,
    /// Who may call from a browser.
    pub origins: Origins,
    /// Whether payments are made in the sandbox, whose payment form is served too.
    pub sandbox: bool,
}

/// Every route of the server.
pub fn router(edge: Edge, extras: Extras) -> Router {
    let mut api = Router::new()
        .route("/graphql", get(graphql::get_or_socket).post(graphql::post))
        .route("/schema.graphql", get(health::schema))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready));
    if extras.sandbox {
        api = api.route(
            "/sandbox/payments/{client_secret}/confirm",
            post(sandbox::confirm),
        );
    }
    api.with_state(edge)
        .merge(pages::routes(extras.pages))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_TIMEOUT,
        ))
        .layer(CatchPanicLayer::new())
        .layer(CompressionLayer::new())
        .layer(cors(extras.origins))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(PropagateRequestIdLayer::new(request_id::HEADER))
        .layer(TraceLayer::new_for_http())
        .layer(SetRequestIdLayer::new(request_id::HEADER, MakeRequestUuid))
        .layer(middleware::map_request(request_id::keep_only_a_good_one))
}

fn cors(origins: Origins) -> CorsLayer {
    let allowed = match origins {
        Origins::Any => AllowOrigin::any(),
        Origins::These(origins) => AllowOrigin::list(origins),
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT])
        .max_age(Duration::from_mins(10))
}

//! What only operators may ask, on a listener of its own; and what is told there of each request.

use std::time::Instant;

use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::{Method, header},
    middleware::Next,
    response::Response,
    routing::get,
};
use tokio_util::sync::CancellationToken;

use super::health;
use crate::service::Services;

/// The figures, in the text format of Prometheus, and whether the process runs and can serve.
pub fn admin_router(
    render: impl Fn() -> String + Clone + Send + Sync + 'static,
    services: Services,
    leaving: CancellationToken,
) -> Router {
    let metrics = move || {
        let text = render();
        async move { ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text) }
    };
    let ready = move || {
        let (services, leaving) = (services.clone(), leaving.clone());
        async move { health::look(&services, &leaving).await }
    };
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(health::live))
        .route("/readyz", get(ready))
}

/// Measures a request until its answer begins: what is sent after that is as slow as the client.
pub(super) async fn measure(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = named(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    // Resources know more of their address than who hands them on.
    let within = response.extensions().get::<MatchedPath>().cloned();
    let route = within.or(route);
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let status = match response.status().as_u16() {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    };
    metrics::histogram!(
        "staygate_http_request_duration_seconds",
        "method" => method, "route" => route.to_owned(), "status" => status
    )
    .record(began.elapsed());
    response
}

/// The methods that there are here: clients can make up others.
pub(super) fn named(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

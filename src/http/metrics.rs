//! What only operators may ask, on a listener of its own.

use axum::{Router, http::header, routing::get};

/// The counters, in the text format of Prometheus.
pub fn admin_router(render: impl Fn() -> String + Clone + Send + Sync + 'static) -> Router {
    let metrics = move || {
        let text = render();
        async move { ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text) }
    };
    Router::new().route("/metrics", get(metrics))
}

//! The plain port beside the one with TLS: it leads browsers there, and serves nothing.

use axum::{
    Router,
    extract::{OriginalUri, State},
    http::{HeaderMap, Method, StatusCode, header, uri::Authority},
    response::{IntoResponse, Response},
};
use url::Url;

/// Where the one with TLS is.
#[derive(Debug, Clone)]
pub enum Target {
    /// At this origin.
    Known(Url),
    /// At the host that was asked for, on this port.
    SameHost(u16),
}

/// Answers everything by the way there. What would change something is refused instead: a client that goes on sending its token in the clear must not
/// look as if it worked.
pub fn redirecting(target: Target) -> Router {
    Router::new().fallback(lead).with_state(target)
}

async fn lead(
    State(target): State<Target>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let origin = match target {
        Target::Known(url) => url.origin().ascii_serialization(),
        Target::SameHost(port) => {
            let host = headers
                .get(header::HOST)
                .and_then(|host| host.to_str().ok());
            let host = host.or_else(|| uri.authority().map(Authority::as_str));
            let Some(authority) = host.and_then(|host| host.parse::<Authority>().ok()) else {
                return (StatusCode::BAD_REQUEST, "Which host?\n").into_response();
            };
            match port {
                443 => format!("https://{}", authority.host()),
                _ => format!("https://{}:{port}", authority.host()),
            }
        }
    };
    if !method.is_safe() {
        let told = format!("This is served by TLS alone, at {origin}\n");
        return (StatusCode::FORBIDDEN, told).into_response();
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let to = format!("{origin}{path}");
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, to)]).into_response()
}

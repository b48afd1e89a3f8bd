//! Traces of requests (<https://www.w3.org/TR/trace-context/>).
//!
//! The trace of whoever calls goes on here. Whether it is recorded is said by a proxy that is trusted, within a bound; what strangers say of that counts for nothing,
//! so that nobody can have everything recorded.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderMap, Version},
    middleware::Next,
    response::Response,
};
use opentelemetry::{
    propagation::{Extractor, TextMapPropagator as _},
    trace::TraceContextExt as _,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;

use super::{Edge, client::Proxies, metrics::named, request_id};
use crate::store::traces::{About, Caller, Span};

/// The longest line that is read of what callers say of their trace, in bytes: what the specification wants at least
/// (<https://www.w3.org/TR/trace-context/#tracestate-limits>). Each part of the trace carries it along.
const LONGEST: usize = 512;

/// Traces a request until its answer begins: what is sent after that is as slow as the client.
pub(super) async fn trace(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let method = match named(request.method()) {
        "other" => "_OTHER",
        method => method,
    };
    let route = request.extensions().get::<MatchedPath>().cloned();
    // Balancers ask for these each second.
    let looks = |route: &MatchedPath| matches!(route.as_str(), "/livez" | "/readyz");
    if route.as_ref().is_some_and(looks) {
        return next.run(request).await;
    }
    let called = |route: &Option<MatchedPath>| match route {
        Some(route) => format!("{method} {}", route.as_str()),
        None => method.to_owned(),
    };
    let version = match request.version() {
        Version::HTTP_2 => "2",
        Version::HTTP_10 => "1.0",
        _ => "1.1",
    };
    let span = Span::of_request(caller(&edge.proxies, &request), || {
        About::asked(called(&route))
            .with("http.request.method", method)
            .with("network.protocol.version", version)
    });
    let response = span.around(next.run(request)).await;
    // Resources know more of their address than who hands them on.
    let within = response.extensions().get::<MatchedPath>().cloned();
    if let Some(route) = within.or(route) {
        span.note("http.route", route.as_str().to_owned());
        span.rename(|| called(&Some(route)));
    }
    let status = response.status();
    span.note("http.response.status_code", i64::from(status.as_u16()));
    // A client may have chosen it; it is short and plain, and in the log already.
    let id = response.headers().get(request_id::HEADER);
    if let Some(id) = id.and_then(|id| id.to_str().ok()) {
        span.note("staygate.request.id", id.to_owned());
    }
    if status.is_server_error() {
        span.failed(status.as_str().to_owned());
    }
    response
}

/// Who asks, by what is said of their trace; nobody who says it in a way that can't be read, or twice.
fn caller(proxies: &Proxies, request: &Request) -> Caller {
    let headers = Headers(request.headers());
    // The library reads numbers, of any length and with a sign.
    if !headers.get("traceparent").is_some_and(is_shaped) {
        return Caller::Silent;
    }
    let said = TraceContextPropagator::new().extract(&headers);
    let said = said.span().span_context().clone();
    if !said.is_valid() {
        return Caller::Silent;
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if peer.is_some_and(|ConnectInfo(peer)| proxies.trust(peer.ip())) {
        Caller::Trusted(said)
    } else {
        Caller::Stranger(said)
    }
}

/// Whether a line has the shape that `traceparent` has; later versions may have more behind it.
fn is_shaped(line: &str) -> bool {
    let mut parts = line.split('-');
    [2, 32, 16, 2].into_iter().all(|length| {
        let is_hex = |c: u8| matches!(c, b'0'..=b'9' | b'a'..=b'f');
        let part = parts.next().unwrap_or_default();
        part.len() == length && part.bytes().all(is_hex)
    })
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let mut lines = self.0.get_all(name).iter();
        match (lines.next(), lines.next()) {
            (Some(line), None) => line.to_str().ok().filter(|line| line.len() <= LONGEST),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn says(lines: &[&str]) -> Caller {
        let mut request = Request::builder();
        for line in lines {
            request = request.header("traceparent", *line);
        }
        let mut request = request.body(Body::empty()).expect("a request");
        let peer = SocketAddr::from(([10, 0, 0, 7], 4_711));
        request.extensions_mut().insert(ConnectInfo(peer));
        caller(&Proxies::parse("10.0.0.0/8").expect("a network"), &request)
    }

    #[test]
    fn what_can_t_be_read_or_is_said_twice_is_not_said() {
        const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(matches!(says(&[GOOD]), Caller::Trusted(_)));
        let long = format!("{GOOD}{}", "-00".repeat(2_000));
        for lines in [
            &[][..],
            &[GOOD, GOOD],
            &[""],
            &["00-00000000000000000000000000000000-00f067aa0ba902b7-01"],
            &["00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"],
            &["00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"],
            &["ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
            &["00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
            &["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"],
            &["00-7-00f067aa0ba902b7-01"],
            &["<script>alert(1)</script>"],
            &[&long],
        ] {
            assert!(matches!(says(lines), Caller::Silent), "{lines:?}");
        }
    }
}

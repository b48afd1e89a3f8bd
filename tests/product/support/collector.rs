//! A collector of traces: OTLP over HTTP, as the specification has it (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value},
    trace::v1::{Span, span::SpanKind, status::StatusCode as Outcome},
};
use prost::Message as _;
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};

/// How long it may take until what happened is here.
const COMES_WITHIN: Duration = Duration::from_secs(30);

/// One span, with what matters of it as text.
#[derive(Clone, Debug)]
pub struct Part {
    pub name: String,
    pub trace: String,
    pub id: String,
    /// Empty at the top.
    pub parent: String,
    pub kind: SpanKind,
    pub failed: bool,
    attributes: HashMap<String, String>,
    /// All of it, as it came.
    pub whole: String,
}

impl Part {
    fn of(span: &Span) -> Self {
        let outcome = span.status.as_ref().map(|status| status.code);
        Self {
            name: span.name.clone(),
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            kind: span.kind(),
            failed: outcome == Some(Outcome::Error as i32),
            attributes: texts(&span.attributes),
            whole: format!("{span:?}"),
        }
    }

    /// What an attribute says; nothing where there is none.
    pub fn says(&self, key: &str) -> &str {
        self.attributes.get(key).map_or("", String::as_str)
    }
}

#[derive(Default)]
struct Got {
    parts: Vec<Part>,
    resource: HashMap<String, String>,
    headers: HeaderMap,
}

/// A collector on this machine. It goes down with the runtime.
#[derive(Clone)]
pub struct Collector {
    base: String,
    got: Arc<Mutex<Got>>,
}

impl Collector {
    pub async fn start() -> Self {
        Self::that_takes(Duration::ZERO).await
    }

    /// One that takes so long for whatever it is sent.
    pub async fn that_takes(time: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let got = Arc::<Mutex<Got>>::default();
        let takes =
            async move |State(got): State<Arc<Mutex<Got>>>, headers: HeaderMap, body: Bytes| {
                sleep(time).await;
                take(&got, headers, body)
            };
        let router = Router::new()
            .route("/v1/traces", post(takes))
            .with_state(Arc::clone(&got));
        tokio::spawn(async { axum::serve(listener, router).await });
        Self {
            base: format!("http://{address}"),
            got,
        }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    /// Everything that came.
    pub fn has(&self) -> Vec<Part> {
        self.lock().parts.clone()
    }

    /// What the sender says of itself.
    pub fn resource(&self) -> HashMap<String, String> {
        self.lock().resource.clone()
    }

    /// What came along the last time.
    pub fn header(&self, name: &str) -> Option<String> {
        let value = self.lock().headers.get(name).cloned();
        value.map(|value| value.to_str().expect("text").to_owned())
    }

    /// The first part that is looked for, as soon as it is here.
    pub async fn finds(&self, is_it: impl Fn(&Part) -> bool) -> Part {
        let looking = async {
            loop {
                if let Some(part) = self.has().into_iter().find(&is_it) {
                    return part;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        let found = timeout(COMES_WITHIN, looking).await;
        found.unwrap_or_else(|_| {
            let names: Vec<_> = self.has().into_iter().map(|part| part.name).collect();
            panic!("not among {names:#?}")
        })
    }

    /// The whole trace at whose top is a part of this name, once that is here: children are over before, and are sent before.
    pub async fn trace_of(&self, top: impl Fn(&Part) -> bool) -> (Part, Vec<Part>) {
        let top = self.finds(top).await;
        let trace = self.has();
        let trace = trace.into_iter().filter(|part| part.trace == top.trace);
        (top.clone(), trace.collect())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Got> {
        self.got.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take(got: &Mutex<Got>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else {
        return StatusCode::BAD_REQUEST;
    };
    let mut got = got.lock().unwrap_or_else(PoisonError::into_inner);
    got.headers = headers;
    for sent in request.resource_spans {
        let resource = sent.resource.unwrap_or_default();
        got.resource = texts(&resource.attributes);
        let spans = sent.scope_spans.iter().flat_map(|scope| &scope.spans);
        got.parts.extend(spans.map(Part::of));
    }
    StatusCode::OK
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.collect()
}

fn texts(attributes: &[KeyValue]) -> HashMap<String, String> {
    let text = |value: Option<&AnyValue>| match value.and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    let pairs = attributes.iter();
    pairs
        .map(|pair| (pair.key.clone(), text(pair.value.as_ref())))
        .collect()
}

//! Traces: what each request and each job was made of and how long each part took, sent to a collector by OTLP (<https://opentelemetry.io/docs/specs/otlp/>).
//!
//! Where no collector is named, nothing is traced, and asking whether there is costs one look. A trace is decided on once, at its beginning
//! ([`sampling`]); in one that is not recorded, a part costs another look. What is recorded goes through a bounded queue to a thread of its own
//! ([`sending`]), so that a collector which is slow or away holds up nobody.
//!
//! Names and attributes follow the semantic conventions (<https://opentelemetry.io/docs/specs/semconv/>), but for what they would tell of people: no address,
//! no query, no text of a request, no value of a statement stands in a span, and whoever adds one keeps to that. A test guesses.

mod sampling;
mod sending;
mod span;
mod statement;

pub(super) use statement::statement;
pub use {
    sampling::Share,
    span::{About, Caller, Span, carried, id, note, parent},
};

use std::{collections::HashMap, sync::OnceLock, time::Duration};

use anyhow::{Context as _, anyhow};
use opentelemetry::{InstrumentationScope, KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    resource::TelemetryResourceDetector,
    trace::{SdkTracer, SdkTracerProvider},
};
use reqwest::{StatusCode, blocking::Client, redirect};
use url::Url;

use self::sending::{Bounded, Watched};

/// How long a collector may take to accept a connection.
const CONNECTS_WITHIN: Duration = Duration::from_secs(2);
/// How long it may take to accept a batch, tries included.
const TAKES_WITHIN: Duration = Duration::from_secs(5);
/// How long the end waits for it.
const ENDS_WITHIN: Duration = Duration::from_secs(3);

static TRACER: OnceLock<SdkTracer> = OnceLock::new();

fn tracer() -> Option<&'static SdkTracer> {
    TRACER.get()
}

/// Whether anything is traced in this process.
#[must_use]
pub fn are_on() -> bool {
    TRACER.get().is_some()
}

/// Where traces go, and what they say of this process.
#[derive(Clone)]
pub struct Options {
    /// Where the collector takes traces, such as `http://127.0.0.1:4318/v1/traces`.
    pub endpoint: Url,
    /// What is sent along, such as a key.
    pub headers: HashMap<String, String>,
    /// How many of all are recorded.
    pub share: Share,
    /// What this process is, by the names of the semantic conventions.
    pub resource: Vec<(String, String)>,
}

/// What traces this process, until [`end`](Self::end).
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Traces from now on whatever this process does. It is done once.
    ///
    /// # Errors
    /// When the client of the collector can't be built, or there are traces already.
    pub async fn begin(options: Options) -> anyhow::Result<Self> {
        // The client of a thread builds a runtime of its own, which must not be on a thread of ours.
        let provider = tokio::task::spawn_blocking(move || provider(options)).await??;
        let scope = InstrumentationScope::builder("staygate")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        TRACER
            .set(provider.tracer_with_scope(scope))
            .map_err(|_| anyhow!("there are traces already"))?;
        Ok(Self(provider))
    }

    /// Sends what is still here, for three seconds at most. What happens after it is not traced.
    pub async fn end(self) {
        // It waits for the thread that sends.
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(ENDS_WITHIN));
        if let Ok(Err(error)) = ended.await {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Asks a collector to take nothing, as a proof that it takes something.
///
/// # Errors
/// When it can't be reached, or does not answer as one does.
pub async fn greet(options: Options) -> anyhow::Result<()> {
    let status = tokio::task::spawn_blocking(move || {
        let mut request = client()?
            .post(options.endpoint)
            .header("content-type", "application/x-protobuf");
        for (name, value) in &options.headers {
            request = request.header(name, value);
        }
        // A request without spans is an empty message.
        let answer = request.send().map_err(reqwest::Error::without_url)?;
        anyhow::Ok(answer.status())
    });
    match status.await?? {
        StatusCode::OK => Ok(()),
        other => Err(anyhow!("it answers with {other}")),
    }
}

fn client() -> anyhow::Result<Client> {
    Client::builder()
        .user_agent("Staygate")
        .redirect(redirect::Policy::none())
        .timeout(TAKES_WITHIN)
        .connect_timeout(CONNECTS_WITHIN)
        .build()
        .context("the client of the collector can't be built")
}

fn provider(options: Options) -> anyhow::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client()?)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(options.endpoint)
        .with_headers(options.headers)
        .with_timeout(TAKES_WITHIN)
        .build()
        .context("traces can't be sent")?;
    // Without what the library would read from the environment by itself: every setting stands in one place.
    let resource = Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attributes(
            options
                .resource
                .into_iter()
                .map(|(key, value)| KeyValue::new(key, value)),
        )
        .build();
    let (exporter, waiting) = Watched::over(exporter);
    Ok(SdkTracerProvider::builder()
        .with_sampler(options.share)
        .with_resource(resource)
        .with_span_processor(Bounded::before(exporter, waiting))
        .build())
}

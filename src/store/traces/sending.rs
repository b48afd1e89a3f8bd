//! What is recorded, on its way to the collector: through a queue that has an end, past those who count.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use opentelemetry::Context;
use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor},
};

/// How many spans wait at most: a few MB. Those beyond are dropped.
const QUEUE: usize = 4_096;
/// How many are sent at a time.
const BATCH: usize = 512;
/// How often they are sent, where they are fewer.
const SENT_EVERY: Duration = Duration::from_secs(1);
/// How often it is told that they can't be sent.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// How many spans wait.
pub(super) type Waiting = Arc<AtomicUsize>;

fn count(outcome: &'static str, spans: usize) {
    metrics::counter!("staygate_spans_total", "outcome" => outcome)
        .increment(u64::try_from(spans).unwrap_or(u64::MAX));
}

/// The queue. The library's own is a little longer, so that it is this one which says what was dropped.
#[derive(Debug)]
pub(super) struct Bounded {
    queue: BatchSpanProcessor,
    waiting: Waiting,
}

impl Bounded {
    pub(super) fn before(exporter: Watched, waiting: Waiting) -> Self {
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE + BATCH)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(SENT_EVERY)
            .build();
        Self {
            queue: BatchSpanProcessor::new(exporter, config),
            waiting,
        }
    }
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        self.queue.on_start(span, cx);
    }

    fn on_end(&self, span: SpanData) {
        if self.waiting.fetch_add(1, Relaxed) < QUEUE {
            self.queue.on_end(span);
        } else {
            self.waiting.fetch_sub(1, Relaxed);
            count("dropped", 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.queue.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.queue.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.queue.set_resource(resource);
    }
}

/// Sends, and tells operators when it can't.
#[derive(Debug)]
pub(super) struct Watched {
    exporter: Otlp,
    waiting: Waiting,
    told_at: Mutex<Option<Instant>>,
}

impl Watched {
    pub(super) fn over(exporter: Otlp) -> (Self, Waiting) {
        let waiting = Waiting::default();
        let watched = Self {
            exporter,
            waiting: Arc::clone(&waiting),
            told_at: Mutex::default(),
        };
        (watched, waiting)
    }

    /// Whether it is time to say so again.
    fn may_tell(&self) -> bool {
        let mut told_at = self.told_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = told_at.is_none_or(|at| at.elapsed() >= TOLD_EVERY);
        if is_due {
            *told_at = Some(Instant::now());
        }
        is_due
    }
}

impl SpanExporter for Watched {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        self.waiting.fetch_sub(spans, Relaxed);
        let sent = self.exporter.export(batch).await;
        match &sent {
            Ok(()) => count("sent", spans),
            Err(error) => {
                count("failed", spans);
                if self.may_tell() {
                    tracing::warn!(
                        %error,
                        "traces can't be sent: see that OTEL_EXPORTER_OTLP_ENDPOINT can be reached; nothing else suffers"
                    );
                }
            }
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

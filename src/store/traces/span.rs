//! A part of a trace, for as long as it lasts.

use std::borrow::Cow;

use futures_util::future::Either;
use opentelemetry::{
    Context, ContextGuard, KeyValue, Value,
    context::{FutureExt as _, WithContext},
    trace::{
        SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, TraceId, TraceState,
        Tracer as _,
    },
};
use opentelemetry_sdk::trace::SdkTracer;
use tracing::{Instrument as _, instrument::Instrumented};

use super::{sampling::NotBelieved, tracer};

/// What a part is: its name, of which there are few, and what is known of it from the start.
#[derive(Debug, Clone)]
pub struct About {
    kind: SpanKind,
    name: Cow<'static, str>,
    attributes: Vec<KeyValue>,
}

impl About {
    fn new(kind: SpanKind, name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            name: name.into(),
            attributes: vec![],
        }
    }

    /// What was asked of us.
    pub fn asked(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(SpanKind::Server, name)
    }

    /// What we ask of another server.
    pub fn asks(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(SpanKind::Client, name)
    }

    /// What was left to be done later.
    pub fn left(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(SpanKind::Consumer, name)
    }

    /// What is done on the way.
    pub fn done(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(SpanKind::Internal, name)
    }

    /// What else is known. Nothing of people, and nothing that clients choose.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.attributes.push(KeyValue::new(key, value));
        self
    }

    pub(super) fn builder(self) -> SpanBuilder {
        SpanBuilder::from_name(self.name)
            .with_kind(self.kind)
            .with_attributes(self.attributes)
    }
}

/// Who asked, by what they say of their own trace.
#[derive(Debug, Clone)]
pub enum Caller {
    /// Somebody who says nothing of one.
    Silent,
    /// One who is believed: it is recorded if theirs is.
    Trusted(SpanContext),
    /// Any other: theirs goes on, and whether it is recorded is decided here.
    Stranger(SpanContext),
}

/// A part of a trace that lasts until this is dropped; nothing where it is not recorded.
#[derive(Debug)]
#[must_use]
pub struct Span {
    context: Option<Context>,
    /// Says in the lines of the log which trace they belong to, where nothing else does.
    lines: tracing::Span,
}

impl Span {
    const NOTHING: Self = Self {
        context: None,
        lines: tracing::Span::none(),
    };

    /// A request, which begins a trace or goes on with its caller's.
    pub fn of_request(caller: Caller, about: impl FnOnce() -> About) -> Self {
        let Some(tracer) = tracer() else {
            return Self::NOTHING;
        };
        let parent = match caller {
            Caller::Silent => Context::new(),
            Caller::Trusted(theirs) => Context::new().with_remote_span_context(theirs),
            Caller::Stranger(theirs) => {
                // Without what they note of their trace: nobody knows what stands there.
                let bare = SpanContext::new(
                    theirs.trace_id(),
                    theirs.span_id(),
                    theirs.trace_flags(),
                    true,
                    TraceState::NONE,
                );
                let parent = Context::new().with_remote_span_context(bare);
                parent.with_value(NotBelieved)
            }
        };
        let span = tracer.build_with_context(about().builder(), &parent);
        Self {
            context: Some(Context::new().with_span(span)),
            lines: tracing::Span::none(),
        }
    }

    /// A part of what goes on; a trace of its own where nothing does.
    pub fn here(about: impl FnOnce() -> About) -> Self {
        let Some(tracer) = tracer() else {
            return Self::NOTHING;
        };
        match now() {
            Now::Recorded => Self::within(tracer, about()),
            Now::Passed => Self::NOTHING,
            Now::Nothing => Self::begun(tracer, about()),
        }
    }

    /// A trace of its own.
    pub fn apart(about: impl FnOnce() -> About) -> Self {
        tracer().map_or(Self::NOTHING, |tracer| Self::begun(tracer, about()))
    }

    fn within(tracer: &SdkTracer, about: About) -> Self {
        let parent = Context::current();
        let span = tracer.build_with_context(about.builder(), &parent);
        Self {
            context: Some(parent.with_span(span)),
            lines: tracing::Span::none(),
        }
    }

    fn begun(tracer: &SdkTracer, about: About) -> Self {
        let name = about.name.clone();
        let span = tracer.build_with_context(about.builder(), &Context::new());
        let context = Context::new().with_span(span);
        let trace_id = context.span().span_context().trace_id();
        Self {
            context: Some(context),
            lines: tracing::info_span!("work", name = &*name, %trace_id),
        }
    }

    /// Does some work as this part.
    pub fn around<F: Future>(&self, work: F) -> Either<WithContext<Instrumented<F>>, F> {
        match &self.context {
            Some(context) => {
                let work = work.instrument(self.lines.clone());
                Either::Left(work.with_context(context.clone()))
            }
            None => Either::Right(work),
        }
    }

    /// What is done until the guard is dropped, on this thread, is done as this part.
    pub fn enter(&self) -> Option<ContextGuard> {
        self.context.clone().map(Context::attach)
    }

    /// It is over, although some of what it began may go on.
    pub fn end(&self) {
        if let Some(context) = &self.context {
            context.span().end();
        }
    }

    /// Says more of it.
    pub fn note(&self, key: &'static str, value: impl Into<Value>) {
        if let Some(context) = self.recorded() {
            context.span().set_attribute(KeyValue::new(key, value));
        }
    }

    /// Calls it something else. Of names there are few.
    pub fn rename(&self, name: impl FnOnce() -> String) {
        if let Some(context) = self.recorded() {
            context.span().update_name(name());
        }
    }

    /// It failed, for a reason of which there are few.
    pub fn failed(&self, why: impl Into<Value>) {
        if let Some(context) = self.recorded() {
            let span = context.span();
            span.set_attribute(KeyValue::new("error.type", why));
            span.set_status(Status::error(""));
        }
    }

    fn recorded(&self) -> Option<&Context> {
        let context = self.context.as_ref()?;
        context
            .span()
            .span_context()
            .is_sampled()
            .then_some(context)
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        self.end();
    }
}

/// Whether something is traced here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Now {
    /// Nothing is.
    Nothing,
    /// A trace goes on that is not recorded.
    Passed,
    /// One that is.
    Recorded,
}

pub(super) fn now() -> Now {
    Context::map_current(|context| {
        let span = context.span();
        match span.span_context() {
            context if context.is_sampled() => Now::Recorded,
            context if context.is_valid() => Now::Passed,
            _ => Now::Nothing,
        }
    })
}

/// Lets work that goes on in a task of its own be a part of what goes on here.
pub fn carried<F: Future>(work: F) -> Either<WithContext<F>, F> {
    if tracer().is_some() {
        Either::Left(work.with_current_context())
    } else {
        Either::Right(work)
    }
}

/// Says more of the part that goes on here.
pub fn note(key: &'static str, value: impl Into<Value>) {
    if tracer().is_some() && now() == Now::Recorded {
        Context::map_current(|context| {
            context.span().set_attribute(KeyValue::new(key, value));
        });
    }
}

/// The trace that goes on here.
#[must_use]
pub fn id() -> Option<TraceId> {
    tracer()?;
    let id = Context::map_current(|context| context.span().span_context().trace_id());
    (id != TraceId::INVALID).then_some(id)
}

/// What another server is told of it, as `traceparent` has it (<https://www.w3.org/TR/trace-context/#traceparent-header>). What came with a request as
/// `tracestate` stays here: it is between whoever calls and their own.
#[must_use]
pub fn parent() -> Option<String> {
    tracer()?;
    Context::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        span.is_valid().then(|| {
            let (trace, part) = (span.trace_id(), span.span_id());
            format!("00-{trace}-{part}-{:02x}", u8::from(span.is_sampled()))
        })
    })
}

//! Which traces are recorded: decided once for each, at its beginning.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanContext, SpanKind, TraceContextExt as _, TraceId},
};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

/// How many traces a second are recorded for no other reason than that a caller who is believed records them. A proxy may hand on what strangers claim.
const ON_THEIR_WORD: u64 = 100;

/// Stands beside a parent whose word on whether it is recorded counts for nothing.
#[derive(Debug)]
pub(super) struct NotBelieved;

/// How many of all traces are recorded, from 0 to 1.
///
/// It is drawn and not computed from the trace's id, as is usual: a caller could choose an id that is always recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(f64);

impl Share {
    /// None for what is not from 0 to 1.
    #[must_use]
    pub fn of(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then_some(Self(share))
    }

    fn is_drawn(self) -> bool {
        self.0 >= 1.0 || (self.0 > 0.0 && rand::random::<f64>() < self.0)
    }
}

impl ShouldSample for Share {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let span = parent.map(|parent| parent.span().span_context().clone());
        let span = span.filter(SpanContext::is_valid);
        let is_believed = parent.is_none_or(|parent| parent.get::<NotBelieved>().is_none());
        let is_recorded = match &span {
            None => self.is_drawn(),
            Some(parent) if parent.is_remote() && is_believed => {
                parent.is_sampled() && (is_within_the_bound() || self.is_drawn())
            }
            Some(parent) if parent.is_remote() => self.is_drawn(),
            Some(parent) => parent.is_sampled(),
        };
        SamplingResult {
            decision: if is_recorded {
                SamplingDecision::RecordAndSample
            } else {
                SamplingDecision::Drop
            },
            attributes: vec![],
            trace_state: span.map_or_else(Default::default, |span| span.trace_state().clone()),
        }
    }
}

/// Whether this second has room for one more on somebody's word. Two threads at the turn of a second may let some more pass.
fn is_within_the_bound() -> bool {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    static SECOND: AtomicU64 = AtomicU64::new(0);
    static TAKEN: AtomicU64 = AtomicU64::new(0);
    let second = BEGAN.get_or_init(Instant::now).elapsed().as_secs();
    if SECOND.swap(second, Relaxed) != second {
        TAKEN.store(0, Relaxed);
    }
    TAKEN.fetch_add(1, Relaxed) < ON_THEIR_WORD
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanId, TraceFlags, TraceState};

    use super::*;

    fn is_recorded(share: f64, parent: Option<(bool, bool)>) -> bool {
        decides(share, parent, &Context::new())
    }

    fn decides(share: f64, parent: Option<(bool, bool)>, beside: &Context) -> bool {
        let parent = parent.map(|(is_remote, is_sampled)| {
            let flags = TraceFlags::default().with_sampled(is_sampled);
            let (trace, span) = (TraceId::from(7_u128), SpanId::from(7_u64));
            let span = SpanContext::new(trace, span, flags, is_remote, TraceState::NONE);
            beside.with_remote_span_context(span)
        });
        let share = Share::of(share).expect("a share");
        let asked = share.should_sample(
            parent.as_ref(),
            TraceId::from(7_u128),
            "",
            &SpanKind::Server,
            &[],
            &[],
        );
        asked.decision == SamplingDecision::RecordAndSample
    }

    #[test]
    fn a_part_is_recorded_where_its_trace_is() {
        for share in [0.0, 1.0] {
            assert!(is_recorded(share, Some((false, true))));
            assert!(!is_recorded(share, Some((false, false))));
            assert!(!is_recorded(share, Some((true, false))));
            assert_eq!(is_recorded(share, None), share > 0.5);
        }
    }

    #[test]
    fn a_stranger_decides_nothing() {
        for theirs in [true, false] {
            for share in [0.0, 1.0] {
                let beside = Context::new().with_value(NotBelieved);
                assert_eq!(decides(share, Some((true, theirs)), &beside), share > 0.5);
            }
        }
    }

    #[test]
    fn what_others_record_is_recorded_here_within_a_bound() {
        let recorded = (0..1_000).filter(|_| is_recorded(0.0, Some((true, true))));
        let recorded = u64::try_from(recorded.count()).expect("a number");
        // The loop may see the turn of a second.
        assert!(
            (ON_THEIR_WORD..=2 * ON_THEIR_WORD).contains(&recorded),
            "{recorded}"
        );
    }

    #[test]
    fn a_share_is_a_share() {
        assert_eq!(Share::of(1.1), None);
        assert_eq!(Share::of(f64::NAN), None);
        let drawn = (0..10_000).filter(|_| is_recorded(0.1, None)).count();
        assert!((700..1_300).contains(&drawn), "{drawn}");
    }
}

//! Counters of what happens, for Prometheus.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Counts from now on, in this process. Gives what renders the counters in the text format of Prometheus.
pub(super) fn install() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new().build_recorder();
            let handle = recorder.handle();
            // Fails only when somebody else counts already; then there is nothing to render.
            let _ = metrics::set_global_recorder(recorder);
            handle
        })
        .clone()
}

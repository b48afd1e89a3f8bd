//! Figures of what happens, for Prometheus: what each is, and what they are called together.

use std::{sync::OnceLock, time::Duration};

use metrics::{describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use tokio::time::{MissedTickBehavior, interval};

use crate::store::db::Db;

/// The bounds of what takes time, in seconds: from an answer that was kept to the longest that a request may take.
const BOUNDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// How often what was measured is added up, whether or not anybody asks for it: until then each figure takes memory.
const ADDED_UP_EVERY: Duration = Duration::from_secs(5);

/// The figures of this process.
#[derive(Clone)]
pub(super) struct Figures {
    handle: PrometheusHandle,
    process: Collector,
    db: Db,
}

impl Figures {
    /// Counts from now on, in this process.
    pub(super) fn of(db: Db) -> Self {
        let handle = install();
        let process = Collector::default();
        process.describe();
        metrics::gauge!("staygate_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
        Self {
            handle,
            process,
            db,
        }
    }

    /// In the text format of Prometheus.
    pub(super) fn render(&self) -> String {
        self.process.collect();
        let (open, idle) = self.db.connections();
        metrics::gauge!("staygate_database_connections", "state" => "busy")
            .set(open.saturating_sub(idle));
        metrics::gauge!("staygate_database_connections", "state" => "idle").set(idle);
        self.handle.render()
    }

    /// Adds up what is measured, for good.
    pub(super) async fn add_up(self) {
        let mut rounds = interval(ADDED_UP_EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            self.handle.run_upkeep();
        }
    }
}

fn install() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let builder = PrometheusBuilder::new().set_buckets(&BOUNDS);
            let recorder = builder.expect("there are bounds").build_recorder();
            let handle = recorder.handle();
            // Fails only when somebody else counts already; then there is nothing to render.
            let _ = metrics::set_global_recorder(recorder);
            describe();
            describe_database();
            begin_at_zero();
            handle
        })
        .clone()
}

/// Lets counters be there before they first count: for Prometheus the first number that it sees of one is no increase.
fn begin_at_zero() {
    for name in [
        "staygate_card_numbers_refused_total",
        "staygate_backups_failed_total",
    ] {
        metrics::counter!(name).increment(0);
    }
    let kinds = ["mail", "backup"].as_slice();
    let causes = [
        "failed sign-ins",
        "refresh token reuse",
        "permission probing",
        "declined cards",
        "payments differ",
        "payment provider",
        "refund refused",
        "a backup failed",
    ]
    .as_slice();
    for (name, label, values) in [
        ("staygate_jobs_done_total", "kind", kinds),
        ("staygate_jobs_failed_total", "kind", kinds),
        ("staygate_jobs_given_up_total", "kind", kinds),
        ("staygate_alerts_total", "cause", causes),
        ("staygate_suspicions_total", "cause", causes),
        ("staygate_sign_ins_total", "outcome", &["done", "refused"]),
        (
            "staygate_provider_notices_total",
            "outcome",
            &["news", "no news", "again", "refused", "failed"],
        ),
        (
            "staygate_answer_cache_total",
            "result",
            &["hit", "hit_shared", "miss", "stale", "away"],
        ),
        ("staygate_over_limit_total", "limit", &["rate"]),
        (
            "staygate_spans_total",
            "outcome",
            &["sent", "failed", "dropped"],
        ),
    ] {
        for value in values {
            metrics::counter!(name, label => *value).increment(0);
        }
    }
    metrics::gauge!("staygate_connections_open").set(0);
    metrics::gauge!("staygate_subscriptions_open").set(0);
}

/// What each figure says. A test looks that none is missing.
fn describe() {
    describe_gauge!("staygate_build_info", "1, with the version that runs.");
    describe_gauge!(
        "staygate_certificate_expiry_timestamp_seconds",
        "When the first certificate of the chain that is shown expires, in seconds since 1970."
    );
    describe_histogram!(
        "staygate_http_request_duration_seconds",
        "How long requests took until their answer began, by method, route and class of status."
    );
    describe_histogram!(
        "staygate_operation_duration_seconds",
        "How long GraphQL queries and mutations took that were executed, by the field at their root and what came of them: ok, failed (in part, by the caller's mistake), broken (by ours), refused (nothing ran)."
    );
    describe_gauge!("staygate_subscriptions_open", "Subscriptions that run.");
    describe_gauge!(
        "staygate_connections_open",
        "Sockets and streams of events that are open."
    );
    describe_counter!(
        "staygate_over_limit_total",
        "What was over a limit, by limit; also where limits are only measured."
    );
    describe_counter!(
        "staygate_card_numbers_refused_total",
        "Requests that had what looks like a card number in them."
    );
    describe_counter!(
        "staygate_answer_cache_total",
        "Looks for kept answers, by what came of them."
    );
    describe_histogram!(
        "staygate_provider_call_duration_seconds",
        "How long calls to the payment provider took, by whether it answered (ok), refused (refused) or it is not known what became of them (unclear)."
    );
    describe_counter!(
        "staygate_provider_notices_total",
        "Notices of the payment provider, by what came of them."
    );
    describe_gauge!(
        "staygate_payments_different",
        "Payments that stand elsewhere in the provider's books than in ours."
    );
    describe_gauge!("staygate_jobs_due", "Jobs that are due, by kind.");
    describe_gauge!(
        "staygate_jobs_oldest_due_seconds",
        "For how long the oldest of them has been due."
    );
    describe_counter!("staygate_jobs_done_total", "Jobs that were done, by kind.");
    describe_counter!(
        "staygate_jobs_failed_total",
        "Jobs that failed and are tried again, by kind."
    );
    describe_counter!(
        "staygate_jobs_given_up_total",
        "Jobs that were given up, by kind."
    );
    describe_gauge!(
        "staygate_backup_last_success_timestamp_seconds",
        "When the last backup by the schedule was begun that was made and read back, in seconds since 1970."
    );
    describe_gauge!("staygate_backup_duration_seconds", "How long that took.");
    describe_gauge!("staygate_backup_bytes", "How large it is, encrypted.");
    describe_counter!(
        "staygate_backups_failed_total",
        "Backups by the schedule that failed."
    );
    describe_counter!(
        "staygate_sign_ins_total",
        "Sign-ins by password, done and refused."
    );
    describe_counter!(
        "staygate_suspicions_total",
        "What looked like an attack, by cause."
    );
    describe_counter!(
        "staygate_alerts_total",
        "Alerts that went to admins, by cause."
    );
    describe_counter!(
        "staygate_spans_total",
        "Parts of traces, by whether the collector took them (sent), did not (failed), or too many waited for it (dropped)."
    );
}

/// The same of the database.
fn describe_database() {
    describe_histogram!(
        "staygate_database_statement_duration_seconds",
        "How long SQL statements took, by whether they failed."
    );
    describe_histogram!(
        "staygate_replica_statement_duration_seconds",
        "How long SQL statements took that the replica was sent, by whether they failed: then the primary was asked."
    );
    describe_gauge!(
        "staygate_replica_lag_seconds",
        "How long ago the moment is up to which the replica is known to have everything."
    );
    describe_gauge!(
        "staygate_replica_in_use",
        "1 while what everybody may see is read from the replica, 0 while it lags behind or is away."
    );
    describe_histogram!(
        "staygate_database_wait_seconds",
        "How long connections were waited for where none was free."
    );
    describe_gauge!(
        "staygate_database_connections",
        "Connections to the database, busy and idle. Those that are kept at hand count as busy."
    );
}

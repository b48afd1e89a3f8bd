//! Every setting: its name, its default and what it is for. The file `staygate.example.toml` says the same to operators.
//!
//! A setting stands in the file `staygate.toml` (or the one that `--config` or `STAYGATE_CONFIG` names) or, with more weight, in an environment variable
//! or, with the most, in a flag. A name that is none of these stops the start: a misspelt setting would otherwise be one that is silently not in force.

mod backups;
mod names;
mod rules;
mod shown;
mod sources;
mod stores;
mod traces;

pub use names::{Kind, SETTINGS, Setting};
pub use rules::Provider;
pub use sources::{Flags, Origin, Sources};

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::{
    http::{LimitMode, TrustedOnly},
    service::tries::RateLimits,
};

/// Whether it is tried out or carries a business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Open and convenient, on one machine.
    Development,
    /// Nothing is guessed: secrets must be given, and what only helps developers is off.
    Production,
}

/// What lines of the log look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one object a line, with the request that it is about.
    Json,
}

/// Every setting, as it came.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "each is described in staygate.example.toml, which a test holds against this list"
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, as operators have them"
)]
pub struct Settings {
    pub database_url: String,
    pub database_connections: u32,
    pub database_replica_url: Option<String>,
    pub replica_max_lag: u32,
    pub redis_url: Option<String>,
    pub redis_prefix: String,
    pub listen: String,
    pub admin_listen: String,
    pub stop_delay: Option<u32>,
    pub tls_cert: Option<String>,
    pub tls_key: Option<String>,
    pub redirect_listen: Option<String>,
    pub hsts_max_age: u32,
    pub env: Environment,
    pub log: String,
    pub log_format: Option<LogFormat>,
    pub otel_exporter_otlp_endpoint: Option<String>,
    pub otel_exporter_otlp_headers: Option<String>,
    pub otel_service_name: String,
    pub otel_resource_attributes: Option<String>,
    pub traces_sampled: Option<f64>,
    pub cors_origins: Option<String>,
    pub trusted_proxies: Option<String>,
    pub playground: Option<bool>,
    pub workers: bool,
    pub jwt_key: Option<String>,
    pub access_token_ttl: i64,
    pub session_ttl: i64,
    pub refresh_grace: i64,
    pub hold_ttl: i64,
    pub verified_guests_only: bool,
    pub rate_limits: RateLimits,
    pub limits: LimitMode,
    pub max_tokens: u32,
    pub max_depth: u32,
    pub max_root_fields: u32,
    pub max_aliases: u32,
    pub max_directives: u32,
    pub max_cost: u32,
    pub max_batch: u32,
    pub max_body_kib: u32,
    pub max_socket_operations: u32,
    pub max_connections: u32,
    pub request_timeout: u32,
    pub statement_timeout: u32,
    pub init_timeout: u32,
    pub keep_alive: u32,
    pub ping_interval: u32,
    pub send_queue: u32,
    pub answer_cache: bool,
    pub answer_cache_local_bytes: u64,
    pub rate_bucket: u32,
    pub rate_signed_in: u32,
    pub rate_signed_out: u32,
    pub introspection: Option<bool>,
    pub persisted_queries: bool,
    pub trusted_documents: Option<String>,
    pub trusted_documents_only: TrustedOnly,
    pub smtp_url: Option<String>,
    pub mail_from: String,
    pub mail_dir: String,
    pub site_name: String,
    pub site_url: String,
    pub api_url: Option<String>,
    pub feed_interval: i64,
    pub feeds_from_private_networks: bool,
    pub password_memory_kib: u32,
    pub password_passes: u32,
    pub currency: String,
    pub service_fee_percent: Decimal,
    pub tax_percent: Decimal,
    pub sandbox_payments: Option<bool>,
    pub stripe_secret_key: Option<String>,
    pub stripe_webhook_secret: Option<String>,
    pub stripe_api_base: String,
    pub encryption_keys: Option<String>,
    pub backup_url: Option<String>,
    pub backup_recipients: Option<String>,
    pub backup_schedule: Option<String>,
    pub backup_keep_daily: u32,
    pub backup_keep_weekly: u32,
    pub backup_keep_monthly: u32,
    /// What the tools of AWS, Google Cloud and Azure read: no settings of ours.
    #[serde(skip)]
    pub store_variables: Vec<(String, String)>,
}

impl Settings {
    /// The settings in force in this process: of the file, its environment and its flags.
    ///
    /// # Errors
    /// One clear line for the first wrong, unknown or missing setting.
    pub fn load(flags: Flags) -> anyhow::Result<Self> {
        Sources::gather(flags)?.settings()
    }

    /// The same from a given environment and no flags.
    ///
    /// # Errors
    /// One clear line for the first wrong, unknown or missing setting.
    pub fn read(environment: impl Iterator<Item = (String, String)>) -> anyhow::Result<Self> {
        Sources::of(environment, Flags::default())?.settings()
    }
}

#[cfg(test)]
mod tests;

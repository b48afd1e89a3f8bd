//! Every setting: its name, its default and what it is for. The file `staygate.example.toml` says the same to operators.
//!
//! A setting stands in the file `staygate.toml` (or the one that `STAYGATE_CONFIG` names) or, with more weight, in an environment variable.
//! A name that is none of these stops the start: a misspelt setting would otherwise be one that is silently not in force.

mod rules;

pub use rules::Provider;

use anyhow::{Context as _, anyhow, bail};
use config::{Config, ConfigError, File, FileFormat};
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
    pub redis_url: Option<String>,
    pub redis_prefix: String,
    pub listen: String,
    pub admin_listen: String,
    pub env: Environment,
    pub log: String,
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
}

/// Each setting's key in the file, its environment variable, and its default.
const SETTINGS: &[(&str, &str, Option<&str>)] = &[
    ("database_url", "DATABASE_URL", Some("sqlite://staygate.db")),
    (
        "database_connections",
        "STAYGATE_DATABASE_CONNECTIONS",
        Some("8"),
    ),
    ("redis_url", "REDIS_URL", None),
    ("redis_prefix", "STAYGATE_REDIS_PREFIX", Some("staygate")),
    ("listen", "STAYGATE_LISTEN", Some("127.0.0.1:8000")),
    (
        "admin_listen",
        "STAYGATE_ADMIN_LISTEN",
        Some("127.0.0.1:9000"),
    ),
    ("env", "STAYGATE_ENV", Some("development")),
    ("log", "STAYGATE_LOG", Some("info")),
    ("cors_origins", "STAYGATE_CORS_ORIGINS", None),
    ("trusted_proxies", "STAYGATE_TRUSTED_PROXIES", None),
    ("playground", "STAYGATE_PLAYGROUND", None),
    ("workers", "STAYGATE_WORKERS", Some("true")),
    ("jwt_key", "STAYGATE_JWT_KEY", None),
    ("access_token_ttl", "STAYGATE_ACCESS_TOKEN_TTL", Some("300")),
    ("session_ttl", "STAYGATE_SESSION_TTL", Some("2592000")),
    ("refresh_grace", "STAYGATE_REFRESH_GRACE", Some("30")),
    ("hold_ttl", "STAYGATE_HOLD_TTL", Some("900")),
    (
        "verified_guests_only",
        "STAYGATE_VERIFIED_GUESTS_ONLY",
        Some("false"),
    ),
    ("rate_limits", "STAYGATE_RATE_LIMITS", Some("on")),
    ("limits", "STAYGATE_LIMITS", Some("on")),
    ("max_tokens", "STAYGATE_MAX_TOKENS", Some("2000")),
    ("max_depth", "STAYGATE_MAX_DEPTH", Some("10")),
    ("max_root_fields", "STAYGATE_MAX_ROOT_FIELDS", Some("20")),
    ("max_aliases", "STAYGATE_MAX_ALIASES", Some("15")),
    ("max_directives", "STAYGATE_MAX_DIRECTIVES", Some("50")),
    ("max_cost", "STAYGATE_MAX_COST", Some("1000")),
    ("max_batch", "STAYGATE_MAX_BATCH", Some("10")),
    ("max_body_kib", "STAYGATE_MAX_BODY_KIB", Some("256")),
    (
        "max_socket_operations",
        "STAYGATE_MAX_SOCKET_OPERATIONS",
        Some("20"),
    ),
    ("max_connections", "STAYGATE_MAX_CONNECTIONS", Some("100")),
    ("request_timeout", "STAYGATE_REQUEST_TIMEOUT", Some("10")),
    ("statement_timeout", "STAYGATE_STATEMENT_TIMEOUT", Some("3")),
    ("init_timeout", "STAYGATE_INIT_TIMEOUT", Some("3")),
    ("keep_alive", "STAYGATE_KEEP_ALIVE", Some("75")),
    ("ping_interval", "STAYGATE_PING_INTERVAL", Some("15")),
    ("send_queue", "STAYGATE_SEND_QUEUE", Some("128")),
    ("answer_cache", "STAYGATE_ANSWER_CACHE", Some("true")),
    (
        "answer_cache_local_bytes",
        "STAYGATE_ANSWER_CACHE_LOCAL_BYTES",
        Some("33554432"),
    ),
    ("rate_bucket", "STAYGATE_RATE_BUCKET", Some("1000")),
    ("rate_signed_in", "STAYGATE_RATE_SIGNED_IN", Some("50")),
    ("rate_signed_out", "STAYGATE_RATE_SIGNED_OUT", Some("10")),
    ("introspection", "STAYGATE_INTROSPECTION", None),
    (
        "persisted_queries",
        "STAYGATE_PERSISTED_QUERIES",
        Some("true"),
    ),
    ("trusted_documents", "STAYGATE_TRUSTED_DOCUMENTS", None),
    (
        "trusted_documents_only",
        "STAYGATE_TRUSTED_DOCUMENTS_ONLY",
        Some("nobody"),
    ),
    ("smtp_url", "SMTP_URL", None),
    (
        "mail_from",
        "STAYGATE_MAIL_FROM",
        Some("Staygate <no-reply@localhost>"),
    ),
    ("mail_dir", "STAYGATE_MAIL_DIR", Some("staygate-mail")),
    ("site_name", "STAYGATE_SITE_NAME", Some("Staygate")),
    (
        "site_url",
        "STAYGATE_SITE_URL",
        Some("http://127.0.0.1:8000"),
    ),
    ("api_url", "STAYGATE_API_URL", None),
    ("feed_interval", "STAYGATE_FEED_INTERVAL", Some("1800")),
    (
        "feeds_from_private_networks",
        "STAYGATE_FEEDS_FROM_PRIVATE_NETWORKS",
        Some("false"),
    ),
    (
        "password_memory_kib",
        "STAYGATE_PASSWORD_MEMORY_KIB",
        Some("19456"),
    ),
    ("password_passes", "STAYGATE_PASSWORD_PASSES", Some("2")),
    ("currency", "STAYGATE_CURRENCY", Some("USD")),
    (
        "service_fee_percent",
        "STAYGATE_SERVICE_FEE_PERCENT",
        Some("0"),
    ),
    ("tax_percent", "STAYGATE_TAX_PERCENT", Some("0")),
    ("sandbox_payments", "STAYGATE_SANDBOX_PAYMENTS", None),
    ("stripe_secret_key", "STRIPE_SECRET_KEY", None),
    ("stripe_webhook_secret", "STRIPE_WEBHOOK_SECRET", None),
    (
        "stripe_api_base",
        "STRIPE_API_BASE",
        Some("https://api.stripe.com"),
    ),
    ("encryption_keys", "STAYGATE_ENCRYPTION_KEYS", None),
];

/// Where the tests find their servers; a developer's shell may have them.
const OF_THE_TESTS: &str = "STAYGATE_TEST_";
/// Names the file; itself no setting of the file.
const CONFIG: &str = "STAYGATE_CONFIG";
/// The file that is read when none is named, if it is there.
const FILE: &str = "staygate.toml";

impl Settings {
    /// Reads the settings in force from the file and from this process's environment.
    ///
    /// # Errors
    /// One clear line for the first wrong, unknown or missing setting.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one home of the environment"
    )]
    pub fn load() -> anyhow::Result<Self> {
        Self::read(std::env::vars().filter(|(_, value)| !value.is_empty()))
    }

    /// The same from a given environment.
    ///
    /// # Errors
    /// One clear line for the first wrong, unknown or missing setting.
    pub fn read(environment: impl Iterator<Item = (String, String)>) -> anyhow::Result<Self> {
        let mut builder = Config::builder();
        for (key, _, default) in SETTINGS {
            builder = builder.set_default(*key, *default)?;
        }
        let mut file = (FILE.to_owned(), false);
        let mut overrides = Vec::new();
        for (name, value) in environment {
            if name == CONFIG {
                file = (value, true);
            } else if let Some((key, _, _)) =
                SETTINGS.iter().find(|(_, variable, _)| *variable == name)
            {
                overrides.push((*key, value));
            } else if name.starts_with("STAYGATE_") && !name.starts_with(OF_THE_TESTS) {
                bail!("{name} is not a setting; staygate.example.toml has them all");
            }
        }
        builder = builder.add_source(File::new(&file.0, FileFormat::Toml).required(file.1));
        for (key, value) in overrides {
            builder = builder.set_override(key, value)?;
        }
        let config = builder
            .build()
            .map_err(|error| anyhow!("{} can't be read: {}", file.0, without_text(&error)))?;
        let settings: Self = config.try_deserialize().context("a setting is wrong")?;
        settings.check()?;
        Ok(settings)
    }
}

/// What is wrong with a file, but for its text: there may be secrets in it.
fn without_text(error: &ConfigError) -> String {
    let told = match error {
        ConfigError::FileParse { cause, .. } => cause.to_string(),
        other => other.to_string(),
    };
    told.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;

//! Every setting's names, default and kind.

/// What may be shown of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// All of it.
    Plain,
    /// A URL, but for the password in it.
    Address,
    /// Nothing, and it is no flag either: the command line of a process is everybody's to read.
    Secret,
}

/// A setting.
#[derive(Debug)]
pub struct Setting {
    /// What it is called in the file. The flag is the same with hyphens.
    pub key: &'static str,
    /// Its environment variable.
    pub variable: &'static str,
    /// What is in force when nobody says otherwise; none where that hangs on other settings, or nothing is.
    pub default: Option<&'static str>,
    /// What may be shown of it.
    pub kind: Kind,
}

const fn plain(
    key: &'static str,
    variable: &'static str,
    default: Option<&'static str>,
) -> Setting {
    Setting {
        key,
        variable,
        default,
        kind: Kind::Plain,
    }
}

const fn address(
    key: &'static str,
    variable: &'static str,
    default: Option<&'static str>,
) -> Setting {
    Setting {
        kind: Kind::Address,
        ..plain(key, variable, default)
    }
}

const fn secret(key: &'static str, variable: &'static str) -> Setting {
    Setting {
        kind: Kind::Secret,
        ..plain(key, variable, None)
    }
}

/// All of them.
pub const SETTINGS: &[Setting] = &[
    address("database_url", "DATABASE_URL", Some("sqlite://staygate.db")),
    plain(
        "database_connections",
        "STAYGATE_DATABASE_CONNECTIONS",
        Some("8"),
    ),
    address("database_replica_url", "DATABASE_REPLICA_URL", None),
    plain("replica_max_lag", "STAYGATE_REPLICA_MAX_LAG", Some("5")),
    address("redis_url", "REDIS_URL", None),
    plain("redis_prefix", "STAYGATE_REDIS_PREFIX", Some("staygate")),
    plain("listen", "STAYGATE_LISTEN", Some("127.0.0.1:8000")),
    plain(
        "admin_listen",
        "STAYGATE_ADMIN_LISTEN",
        Some("127.0.0.1:9000"),
    ),
    plain("stop_delay", "STAYGATE_STOP_DELAY", None),
    plain("tls_cert", "STAYGATE_TLS_CERT", None),
    plain("tls_key", "STAYGATE_TLS_KEY", None),
    plain("redirect_listen", "STAYGATE_REDIRECT_LISTEN", None),
    plain("hsts_max_age", "STAYGATE_HSTS_MAX_AGE", Some("31536000")),
    plain("env", "STAYGATE_ENV", Some("development")),
    plain("log", "STAYGATE_LOG", Some("info")),
    plain("log_format", "STAYGATE_LOG_FORMAT", None),
    address(
        "otel_exporter_otlp_endpoint",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        None,
    ),
    secret("otel_exporter_otlp_headers", "OTEL_EXPORTER_OTLP_HEADERS"),
    plain("otel_service_name", "OTEL_SERVICE_NAME", Some("staygate")),
    plain("otel_resource_attributes", "OTEL_RESOURCE_ATTRIBUTES", None),
    plain("traces_sampled", "STAYGATE_TRACES_SAMPLED", None),
    plain("cors_origins", "STAYGATE_CORS_ORIGINS", None),
    plain("trusted_proxies", "STAYGATE_TRUSTED_PROXIES", None),
    plain("playground", "STAYGATE_PLAYGROUND", None),
    plain("workers", "STAYGATE_WORKERS", Some("true")),
    secret("jwt_key", "STAYGATE_JWT_KEY"),
    plain("access_token_ttl", "STAYGATE_ACCESS_TOKEN_TTL", Some("300")),
    plain("session_ttl", "STAYGATE_SESSION_TTL", Some("2592000")),
    plain("refresh_grace", "STAYGATE_REFRESH_GRACE", Some("30")),
    plain("hold_ttl", "STAYGATE_HOLD_TTL", Some("900")),
    plain(
        "verified_guests_only",
        "STAYGATE_VERIFIED_GUESTS_ONLY",
        Some("false"),
    ),
    plain("rate_limits", "STAYGATE_RATE_LIMITS", Some("on")),
    plain("limits", "STAYGATE_LIMITS", Some("on")),
    plain("max_tokens", "STAYGATE_MAX_TOKENS", Some("2000")),
    plain("max_depth", "STAYGATE_MAX_DEPTH", Some("10")),
    plain("max_root_fields", "STAYGATE_MAX_ROOT_FIELDS", Some("20")),
    plain("max_aliases", "STAYGATE_MAX_ALIASES", Some("15")),
    plain("max_directives", "STAYGATE_MAX_DIRECTIVES", Some("50")),
    plain("max_cost", "STAYGATE_MAX_COST", Some("1000")),
    plain("max_batch", "STAYGATE_MAX_BATCH", Some("10")),
    plain("max_body_kib", "STAYGATE_MAX_BODY_KIB", Some("256")),
    plain(
        "max_socket_operations",
        "STAYGATE_MAX_SOCKET_OPERATIONS",
        Some("20"),
    ),
    plain("max_connections", "STAYGATE_MAX_CONNECTIONS", Some("100")),
    plain("request_timeout", "STAYGATE_REQUEST_TIMEOUT", Some("10")),
    plain("statement_timeout", "STAYGATE_STATEMENT_TIMEOUT", Some("3")),
    plain("init_timeout", "STAYGATE_INIT_TIMEOUT", Some("3")),
    plain("keep_alive", "STAYGATE_KEEP_ALIVE", Some("75")),
    plain("ping_interval", "STAYGATE_PING_INTERVAL", Some("15")),
    plain("send_queue", "STAYGATE_SEND_QUEUE", Some("128")),
    plain("answer_cache", "STAYGATE_ANSWER_CACHE", Some("true")),
    plain(
        "answer_cache_local_bytes",
        "STAYGATE_ANSWER_CACHE_LOCAL_BYTES",
        Some("33554432"),
    ),
    plain("rate_bucket", "STAYGATE_RATE_BUCKET", Some("1000")),
    plain("rate_signed_in", "STAYGATE_RATE_SIGNED_IN", Some("50")),
    plain("rate_signed_out", "STAYGATE_RATE_SIGNED_OUT", Some("10")),
    plain("introspection", "STAYGATE_INTROSPECTION", None),
    plain(
        "persisted_queries",
        "STAYGATE_PERSISTED_QUERIES",
        Some("true"),
    ),
    plain("trusted_documents", "STAYGATE_TRUSTED_DOCUMENTS", None),
    plain(
        "trusted_documents_only",
        "STAYGATE_TRUSTED_DOCUMENTS_ONLY",
        Some("nobody"),
    ),
    address("smtp_url", "SMTP_URL", None),
    plain(
        "mail_from",
        "STAYGATE_MAIL_FROM",
        Some("Staygate <no-reply@localhost>"),
    ),
    plain("mail_dir", "STAYGATE_MAIL_DIR", Some("staygate-mail")),
    plain("site_name", "STAYGATE_SITE_NAME", Some("Staygate")),
    plain(
        "site_url",
        "STAYGATE_SITE_URL",
        Some("http://127.0.0.1:8000"),
    ),
    plain("api_url", "STAYGATE_API_URL", None),
    plain("feed_interval", "STAYGATE_FEED_INTERVAL", Some("1800")),
    plain(
        "feeds_from_private_networks",
        "STAYGATE_FEEDS_FROM_PRIVATE_NETWORKS",
        Some("false"),
    ),
    plain(
        "password_memory_kib",
        "STAYGATE_PASSWORD_MEMORY_KIB",
        Some("19456"),
    ),
    plain("password_passes", "STAYGATE_PASSWORD_PASSES", Some("2")),
    plain("currency", "STAYGATE_CURRENCY", Some("USD")),
    plain(
        "service_fee_percent",
        "STAYGATE_SERVICE_FEE_PERCENT",
        Some("0"),
    ),
    plain("tax_percent", "STAYGATE_TAX_PERCENT", Some("0")),
    plain("sandbox_payments", "STAYGATE_SANDBOX_PAYMENTS", None),
    secret("stripe_secret_key", "STRIPE_SECRET_KEY"),
    secret("stripe_webhook_secret", "STRIPE_WEBHOOK_SECRET"),
    address(
        "stripe_api_base",
        "STRIPE_API_BASE",
        Some("https://api.stripe.com"),
    ),
    secret("encryption_keys", "STAYGATE_ENCRYPTION_KEYS"),
    plain("backup_url", "STAYGATE_BACKUP_URL", None),
    plain("backup_recipients", "STAYGATE_BACKUP_RECIPIENTS", None),
    plain("backup_schedule", "STAYGATE_BACKUP_SCHEDULE", None),
    plain("backup_keep_daily", "STAYGATE_BACKUP_KEEP_DAILY", Some("7")),
    plain(
        "backup_keep_weekly",
        "STAYGATE_BACKUP_KEEP_WEEKLY",
        Some("5"),
    ),
    plain(
        "backup_keep_monthly",
        "STAYGATE_BACKUP_KEEP_MONTHLY",
        Some("12"),
    ),
];

//! What settings must be, and what they mean to those who use them.

use anyhow::{Context as _, anyhow, bail, ensure};
use axum::http::HeaderValue;
use chrono::Duration;
use rust_decimal::Decimal;
use url::Url;

use super::{Environment, LogFormat, Settings};
use crate::{
    domain::digest::sha256_hex,
    domain::price::Rates,
    http::{Limits, Manifest, Origins, Proxies, TrustedOnly},
    service::{Terms, mails::letter::Site},
    store::{gateway::stripe::amounts, passwords::HashCost},
};

/// Who moves the money.
#[derive(Debug, PartialEq, Eq)]
pub enum Provider<'a> {
    /// Nobody.
    Sandbox,
    /// Stripe.
    Stripe {
        /// The secret key of the account.
        key: &'a str,
        /// What notices are signed with, between commas.
        webhook_secret: &'a str,
        /// Where the API is.
        base: Url,
    },
}

impl Settings {
    /// Looks whether they can be used, all together.
    ///
    /// # Errors
    /// One clear line for the first that can't.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        self.check_stores()?;
        for (name, seconds) in [
            ("STAYGATE_ACCESS_TOKEN_TTL", self.access_token_ttl),
            ("STAYGATE_SESSION_TTL", self.session_ttl),
            ("STAYGATE_HOLD_TTL", self.hold_ttl),
        ] {
            ensure!(
                (1..=31_536_000).contains(&seconds),
                "{name} must be a number of seconds from 1 to a year"
            );
        }
        let code =
            self.currency.len() == 3 && self.currency.chars().all(|c| c.is_ascii_uppercase());
        ensure!(
            code,
            "STAYGATE_CURRENCY must be an ISO 4217 code such as USD"
        );
        for (name, percent) in [
            ("STAYGATE_SERVICE_FEE_PERCENT", self.service_fee_percent),
            ("STAYGATE_TAX_PERCENT", self.tax_percent),
        ] {
            let possible = percent >= Decimal::ZERO && percent <= Rates::MAX_PERCENT;
            ensure!(possible, "{name} must be 0 to {}", Rates::MAX_PERCENT);
        }
        ensure!(
            (0..=300).contains(&self.refresh_grace),
            "STAYGATE_REFRESH_GRACE must be 0 to 300 seconds"
        );
        let is_web = |address: &str| {
            let web = address.starts_with("http://") || address.starts_with("https://");
            web && !address.contains(['?', '#'])
        };
        ensure!(
            is_web(&self.site_url),
            "STAYGATE_SITE_URL must be the address of your web pages, such as https://www.example.com"
        );
        ensure!(
            is_web(self.api_url()) && Url::parse(self.api_url()).is_ok(),
            "STAYGATE_API_URL must be the address of this server, such as https://api.example.com"
        );
        ensure!(
            (60..=86_400).contains(&self.feed_interval),
            "STAYGATE_FEED_INTERVAL must be a number of seconds from 60 to a day"
        );
        ensure!(
            self.tls_cert.is_some() == self.tls_key.is_some(),
            "STAYGATE_TLS_CERT and STAYGATE_TLS_KEY belong together: the files with the certificate chain and its key"
        );
        ensure!(
            self.redirect_listen.is_none() || self.tls_cert.is_some(),
            "STAYGATE_REDIRECT_LISTEN leads to TLS: give STAYGATE_TLS_CERT and STAYGATE_TLS_KEY"
        );
        ensure!(
            self.stop_delay.is_none_or(|seconds| seconds <= 300),
            "STAYGATE_STOP_DELAY must be 0 to 300 seconds"
        );
        self.check_limits()?;
        self.origins()?;
        self.proxies()?;
        if self.is_production() {
            ensure!(
                self.jwt_key.is_some(),
                "STAYGATE_JWT_KEY must be given in production: an Ed25519 key in PKCS #8, as PEM"
            );
            ensure!(
                self.smtp_url.is_some(),
                "SMTP_URL must be given in production: nobody could verify an address or choose a new password without mail"
            );
            ensure!(
                self.site_url.starts_with("https://") && !self.mail_from.contains("@localhost"),
                "STAYGATE_SITE_URL (https://…) and STAYGATE_MAIL_FROM must be given in production: mailed links lead there, and come from there"
            );
            ensure!(
                self.encryption_keys.is_some(),
                "STAYGATE_ENCRYPTION_KEYS must be given in production: name:key, the key 32 random bytes in base64"
            );
        }
        self.provider()?;
        self.traces()?;
        self.check_backups()
    }

    /// Who moves the money: Stripe where its key is given, else the sandbox; that only in development, unless it is asked for.
    ///
    /// # Errors
    /// When there is none, or more than one, or Stripe can't be it.
    pub fn provider(&self) -> anyhow::Result<Provider<'_>> {
        let stripe = match (&self.stripe_secret_key, &self.stripe_webhook_secret) {
            (None, None) => None,
            (Some(key), Some(webhook_secret)) => Some((key, webhook_secret)),
            _ => bail!(
                "STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET belong together: without notices, payments settle late"
            ),
        };
        let sandbox = self.sandbox_payments;
        let Some((key, webhook_secret)) = stripe else {
            ensure!(
                sandbox.unwrap_or(!self.is_production()),
                "No payment provider is configured: give STRIPE_SECRET_KEY. The sandbox moves no money; set \
                 STAYGATE_SANDBOX_PAYMENTS=true to use it in production all the same"
            );
            return Ok(Provider::Sandbox);
        };
        ensure!(
            sandbox != Some(true),
            "STRIPE_SECRET_KEY and STAYGATE_SANDBOX_PAYMENTS=true can't both be: a payment has one provider"
        );
        ensure!(
            amounts::has_hundredths(&self.currency),
            "STAYGATE_CURRENCY: Stripe charges {} in whole units alone, and prices here have hundredths",
            self.currency
        );
        let base = Url::parse(&self.stripe_api_base).ok().filter(|base| {
            let web = matches!(base.scheme(), "http" | "https");
            web && base.path() == "/" && base.query().is_none()
        });
        let base = base.context(
            "STRIPE_API_BASE must be where the API is, without /v1, such as https://api.stripe.com",
        )?;
        Ok(Provider::Stripe {
            key,
            webhook_secret,
            base,
        })
    }

    fn check_limits(&self) -> anyhow::Result<()> {
        for (name, number, most) in [
            ("STAYGATE_MAX_TOKENS", self.max_tokens, 1_000_000),
            // The parser itself gives up at 32.
            ("STAYGATE_MAX_DEPTH", self.max_depth, 30),
            ("STAYGATE_MAX_ROOT_FIELDS", self.max_root_fields, 1_000),
            ("STAYGATE_MAX_ALIASES", self.max_aliases, 1_000),
            ("STAYGATE_MAX_DIRECTIVES", self.max_directives, 1_000),
            ("STAYGATE_MAX_COST", self.max_cost, 1_000_000),
            ("STAYGATE_MAX_BATCH", self.max_batch, 1_000),
            ("STAYGATE_MAX_BODY_KIB", self.max_body_kib, 1 << 20),
            (
                "STAYGATE_MAX_SOCKET_OPERATIONS",
                self.max_socket_operations,
                10_000,
            ),
            ("STAYGATE_MAX_CONNECTIONS", self.max_connections, 1_000_000),
            ("STAYGATE_REQUEST_TIMEOUT", self.request_timeout, 3_600),
            ("STAYGATE_STATEMENT_TIMEOUT", self.statement_timeout, 3_600),
            ("STAYGATE_INIT_TIMEOUT", self.init_timeout, 3_600),
            ("STAYGATE_KEEP_ALIVE", self.keep_alive, 3_600),
            ("STAYGATE_PING_INTERVAL", self.ping_interval, 3_600),
            ("STAYGATE_SEND_QUEUE", self.send_queue, 100_000),
            ("STAYGATE_RATE_BUCKET", self.rate_bucket, 1_000_000_000),
            ("STAYGATE_RATE_SIGNED_IN", self.rate_signed_in, 1_000_000),
            ("STAYGATE_RATE_SIGNED_OUT", self.rate_signed_out, 1_000_000),
        ] {
            ensure!(
                (1..=most).contains(&number),
                "{name} must be a number from 1 to {most}"
            );
        }
        ensure!(
            self.rate_bucket >= self.max_cost,
            "STAYGATE_RATE_BUCKET must hold what one operation may cost, STAYGATE_MAX_COST"
        );
        ensure!(
            self.trusted_documents_only == TrustedOnly::Nobody || self.trusted_documents.is_some(),
            "STAYGATE_TRUSTED_DOCUMENTS must name a manifest where STAYGATE_TRUSTED_DOCUMENTS_ONLY is set"
        );
        Ok(())
    }

    /// What operations and requests may be.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let seconds = |number: u32| std::time::Duration::from_secs(number.into());
        Limits {
            mode: self.limits,
            tokens: size(self.max_tokens),
            depth: size(self.max_depth),
            root_fields: size(self.max_root_fields),
            aliases: size(self.max_aliases),
            directives: size(self.max_directives),
            cost: self.max_cost,
            batch: size(self.max_batch),
            body: size(self.max_body_kib) << 10,
            request: seconds(self.request_timeout),
            operations: size(self.max_socket_operations),
            connections: size(self.max_connections),
            init: seconds(self.init_timeout),
            ping: seconds(self.ping_interval),
            queue: size(self.send_queue),
            introspection: self.is_open(),
        }
    }

    /// Whether the schema tells of itself: by default in development alone.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.introspection.unwrap_or(!self.is_production())
    }

    /// What answers depend on beside what is in the database: the schema, what may be asked, and what is not in the tables.
    #[must_use]
    pub fn edition(&self, sdl: &str) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let limits = self.limits();
        sha256_hex(format!("{version} {} {limits:?} {sdl}", self.currency))
    }

    /// The operations that the operator trusts.
    ///
    /// # Errors
    /// When the manifest can't be read.
    pub fn manifest(&self) -> anyhow::Result<Manifest> {
        let Some(file) = &self.trusted_documents else {
            return Ok(Manifest::default());
        };
        let read = std::fs::read_to_string(file).map_err(anyhow::Error::from);
        read.and_then(|json| Manifest::read(&json))
            .with_context(|| format!("STAYGATE_TRUSTED_DOCUMENTS: {file} can't be read"))
    }

    /// What lines of the log look like: by default for programs in production, for people elsewhere.
    #[must_use]
    pub fn log_format(&self) -> LogFormat {
        let default = if self.is_production() {
            LogFormat::Json
        } else {
            LogFormat::Text
        };
        self.log_format.unwrap_or(default)
    }

    /// For how long a server that is told to stop goes on as before, so that balancers hear of it first.
    #[must_use]
    pub fn stop_delay(&self) -> std::time::Duration {
        let seconds = if self.is_production() { 5 } else { 0 };
        std::time::Duration::from_secs(self.stop_delay.unwrap_or(seconds).into())
    }

    /// What the header says that keeps browsers on TLS (RFC 6797); none without TLS here, or where it is switched off.
    #[must_use]
    pub fn hsts(&self) -> Option<HeaderValue> {
        let on = self.tls_cert.is_some() && self.hsts_max_age > 0;
        on.then(|| HeaderValue::try_from(format!("max-age={}", self.hsts_max_age)).ok())?
    }

    /// Where others reach this server by TLS; none where the settings don't tell.
    #[must_use]
    pub fn https_url(&self) -> Option<Url> {
        let url = Url::parse(self.api_url()).ok();
        url.filter(|url| url.scheme() == "https")
    }

    /// Where others reach this server: by default where the web pages are.
    fn api_url(&self) -> &str {
        self.api_url.as_deref().unwrap_or(&self.site_url)
    }

    /// Whether it carries a business.
    #[must_use]
    pub fn is_production(&self) -> bool {
        self.env == Environment::Production
    }

    /// Whether there is a Playground: by default in development alone.
    #[must_use]
    pub fn has_playground(&self) -> bool {
        self.playground.unwrap_or(!self.is_production())
    }

    /// Which origins may call from a browser: by default any in development, none in production.
    ///
    /// # Errors
    /// When one is no origin.
    pub fn origins(&self) -> anyhow::Result<Origins> {
        match self.cors_origins.as_deref() {
            None if self.is_production() => Ok(Origins::These(vec![])),
            None | Some("*") => Ok(Origins::Any),
            Some(list) => list
                .split(',')
                .map(str::trim)
                .filter(|origin| !origin.is_empty())
                .map(|origin| {
                    let shape = origin.split_once("://").is_some_and(|(_, host)| !host.is_empty() && !host.contains('/'));
                    ensure!(shape, "STAYGATE_CORS_ORIGINS: {origin} is no origin such as https://www.example.com");
                    Ok(HeaderValue::from_str(origin)?)
                })
                .collect::<anyhow::Result<_>>()
                .map(Origins::These),
        }
    }

    /// Whose word is taken for where a request came from: by default nobody's.
    ///
    /// # Errors
    /// When one is neither an address nor a network.
    pub fn proxies(&self) -> anyhow::Result<Proxies> {
        let list = self.trusted_proxies.as_deref().unwrap_or_default();
        Proxies::parse(list).map_err(|error| anyhow!("STAYGATE_TRUSTED_PROXIES: {error}"))
    }

    /// What the operator decides about the marketplace.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms {
            currency: self.currency.clone(),
            rates: Rates {
                service_percent: self.service_fee_percent,
                tax_percent: self.tax_percent,
            },
            hold_ttl: Duration::seconds(self.hold_ttl),
            verified_guests_only: self.verified_guests_only,
            session_ttl: Duration::seconds(self.session_ttl),
            refresh_grace: Duration::seconds(self.refresh_grace),
            api_url: self.api_url().trim_end_matches('/').to_owned(),
            feed_interval: Duration::seconds(self.feed_interval),
            site: Site {
                name: self.site_name.clone(),
                url: self.site_url.trim_end_matches('/').to_owned(),
            },
        }
    }

    /// What one password hash costs.
    #[must_use]
    pub const fn hash_cost(&self) -> HashCost {
        HashCost {
            memory_kib: self.password_memory_kib,
            passes: self.password_passes,
        }
    }
}

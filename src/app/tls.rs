//! TLS: a certificate and its key, read anew when their files change.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use axum_server::tls_rustls::RustlsConfig;
use chrono::{DateTime, Utc};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::{
    fs,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use x509_parser::{certificate::X509Certificate, prelude::FromDer as _};

use super::config::Settings;
use crate::domain::digest::sha256_hex;

/// How often the files are looked at. Notices of the file system miss what reaches a container by a mounted folder.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(2);

/// The files of a certificate.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    chain: String,
    key: String,
}

/// A certificate in force, and what its files had in them.
pub(super) struct InForce {
    pub(super) config: RustlsConfig,
    validity: Validity,
    files: Certificate,
    digest: String,
}

/// When all certificates of a chain are good.
#[derive(Debug, Clone, Copy)]
pub(super) struct Validity {
    pub(super) begins: DateTime<Utc>,
    pub(super) ends: DateTime<Utc>,
}

impl Certificate {
    /// The files of the settings; none without TLS.
    pub(super) fn of(settings: &Settings) -> Option<Self> {
        Some(Self {
            chain: settings.tls_cert.clone()?,
            key: settings.tls_key.clone()?,
        })
    }

    /// Reads the files.
    ///
    /// # Errors
    /// When one can't be read, or they don't belong together.
    pub(super) async fn load(self) -> anyhow::Result<InForce> {
        let (chain, key, digest) = self.read().await?;
        let (config, validity) = server_config(&chain, &key)?;
        Ok(InForce {
            config: RustlsConfig::from_config(config),
            validity,
            files: self,
            digest,
        })
    }

    async fn read(&self) -> anyhow::Result<(Vec<u8>, Vec<u8>, String)> {
        let chain = fs::read(&self.chain).await;
        let chain = chain.with_context(|| format!("STAYGATE_TLS_CERT: {}", self.chain))?;
        let key = fs::read(&self.key).await;
        let key = key.with_context(|| format!("STAYGATE_TLS_KEY: {}", self.key))?;
        let digest = sha256_hex([chain.as_slice(), key.as_slice()].concat());
        Ok((chain, key, digest))
    }
}

impl InForce {
    pub(super) const fn validity(&self) -> Validity {
        self.validity
    }

    /// Gives new connections what the files say, from soon after they change. Files that can't be used change nothing: a renewal may be
    /// half done, and the certificate before is good for some time.
    pub(super) async fn follow(mut self, stopping: CancellationToken) {
        let mut looks = interval(LOOKED_AT_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.validity.tell();
        while stopping.run_until_cancelled(looks.tick()).await.is_some() {
            let Ok((chain, key, digest)) = self.files.read().await else {
                continue;
            };
            if digest == self.digest {
                continue;
            }
            self.digest = digest;
            match server_config(&chain, &key) {
                Ok((config, validity)) => {
                    self.config.reload_from_config(config);
                    self.validity = validity;
                    validity.tell();
                    tracing::info!(until = %validity.ends, "the certificate was read anew");
                }
                Err(error) => {
                    tracing::error!(
                        error = format!("{error:#}"),
                        "the new certificate can't be used; the one before stays"
                    );
                }
            }
        }
    }
}

impl Validity {
    fn of(chain: &[CertificateDer<'_>]) -> anyhow::Result<Self> {
        let mut all: Option<Self> = None;
        for certificate in chain {
            let (_, certificate) = X509Certificate::from_der(certificate)
                .context("STAYGATE_TLS_CERT has what is no certificate")?;
            let time = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or_default();
            let begins = time(certificate.validity().not_before.timestamp());
            let ends = time(certificate.validity().not_after.timestamp());
            all = Some(all.map_or(Self { begins, ends }, |all| Self {
                begins: all.begins.max(begins),
                ends: all.ends.min(ends),
            }));
        }
        all.context("STAYGATE_TLS_CERT has no certificate")
    }

    fn tell(self) {
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact")]
        metrics::gauge!("staygate_certificate_expiry_timestamp_seconds")
            .set(self.ends.timestamp() as f64);
    }
}

fn server_config(chain: &[u8], key: &[u8]) -> anyhow::Result<(Arc<ServerConfig>, Validity)> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<_, _>>()
        .context("STAYGATE_TLS_CERT is not in PEM")?;
    let validity = Validity::of(&chain)?;
    // What is wrong is not told: it is about a secret.
    let key = PrivateKeyDer::from_pem_slice(key).ok();
    let key = key.context("STAYGATE_TLS_KEY has no private key in PEM")?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("STAYGATE_TLS_CERT and STAYGATE_TLS_KEY can't be used together")?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((Arc::new(config), validity))
}

//! TLS: a certificate and its key, read anew when their files change.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use axum_server::tls_rustls::RustlsConfig;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::{
    fs,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

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
    files: Certificate,
    digest: String,
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
        let config = RustlsConfig::from_config(Arc::new(server_config(&chain, &key)?));
        Ok(InForce {
            config,
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
    /// Gives new connections what the files say, from soon after they change. Files that can't be used change nothing: a renewal may be
    /// half done, and the certificate before is good for some time.
    pub(super) async fn follow(mut self, stopping: CancellationToken) {
        let mut looks = interval(LOOKED_AT_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stopping.run_until_cancelled(looks.tick()).await.is_some() {
            let Ok((chain, key, digest)) = self.files.read().await else {
                continue;
            };
            if digest == self.digest {
                continue;
            }
            self.digest = digest;
            match server_config(&chain, &key) {
                Ok(config) => {
                    self.config.reload_from_config(Arc::new(config));
                    tracing::info!("the certificate was read anew");
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

fn server_config(chain: &[u8], key: &[u8]) -> anyhow::Result<ServerConfig> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<_, _>>()
        .context("STAYGATE_TLS_CERT is not in PEM")?;
    ensure!(!chain.is_empty(), "STAYGATE_TLS_CERT has no certificate");
    // What is wrong is not told: it is about a secret.
    let key = PrivateKeyDer::from_pem_slice(key).ok();
    let key = key.context("STAYGATE_TLS_KEY has no private key in PEM")?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("STAYGATE_TLS_CERT and STAYGATE_TLS_KEY can't be used together")?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

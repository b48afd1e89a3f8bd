//! Which store a URL means, and who may use it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow, bail, ensure};
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, RetryConfig, aws::AmazonS3Builder,
    azure::MicrosoftAzureBuilder, gcp::GoogleCloudStorageBuilder, local::LocalFileSystem,
    path::Path,
};
use url::Url;

use super::Blobs;

/// What says who may use Google Cloud, without asking a server for it that other machines do not have.
const GOOGLE: &[&str] = &[
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_SERVICE_ACCOUNT",
    "GOOGLE_SERVICE_ACCOUNT_PATH",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
];
/// The same for Azure.
const AZURE: &[&str] = &[
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_CLIENT_SECRET",
    "AZURE_STORAGE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
];

/// Configures one builder by all variables that it knows.
macro_rules! configured {
    ($builder:ty, $url:expr, $variables:expr) => {
        $variables.iter().fold(
            <$builder>::new()
                .with_url($url)
                .with_retry(retries())
                .with_client_options(client($variables)),
            |builder, (name, value)| match name.to_ascii_lowercase().parse() {
                Ok(key) => builder.with_config(key, value),
                Err(_) => builder,
            },
        )
    };
}

pub(super) fn open(url: &str, variables: &[(String, String)]) -> anyhow::Result<Blobs> {
    let given = |name: &&str| variables.iter().any(|(variable, _)| variable == name);
    let parsed = Url::parse(url).map_err(|why| {
        anyhow!("it must be file:///FOLDER, s3://BUCKET, gs://BUCKET or az://CONTAINER: {why}")
    })?;
    ensure!(
        parsed.username().is_empty() && parsed.password().is_none() && parsed.query().is_none(),
        "it holds no credentials: give them in variables such as AWS_ACCESS_KEY_ID"
    );
    let mut folder = None;
    let store: Arc<dyn ObjectStore> = match parsed.scheme() {
        "file" => {
            let path = parsed.to_file_path();
            let path =
                path.map_err(|()| anyhow!("it must be file:///FOLDER, with three slashes"))?;
            let store = local(&path)?;
            folder = Some(path);
            store
        }
        "s3" => Arc::new(configured!(AmazonS3Builder, url, variables).build()?),
        "gs" => {
            ensure!(
                GOOGLE.iter().any(given),
                "GOOGLE_APPLICATION_CREDENTIALS must name the file of a service account's key for {url}"
            );
            Arc::new(configured!(GoogleCloudStorageBuilder, url, variables).build()?)
        }
        "az" | "azure" => {
            ensure!(
                given(&"AZURE_STORAGE_ACCOUNT_NAME") && AZURE.iter().any(given),
                "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY (or what stands for it: a SAS token, a client) must be given for {url}"
            );
            Arc::new(configured!(MicrosoftAzureBuilder, url, variables).build()?)
        }
        other => bail!("{other}:// is no store: it may be file, s3, gs or az"),
    };
    let base = match folder {
        Some(_) => Path::default(),
        None => Path::from_url_path(parsed.path())?,
    };
    Ok(Blobs {
        store,
        base,
        folder,
        shown: url.trim_end_matches('/').to_owned(),
    })
}

/// A folder, made when it is not there.
fn local(path: &PathBuf) -> anyhow::Result<Arc<dyn ObjectStore>> {
    std::fs::create_dir_all(path)
        .with_context(|| format!("the folder {} can't be made", path.display()))?;
    let store = LocalFileSystem::new_with_prefix(path)?;
    // A backup that is said to be done is on the disk.
    Ok(Arc::new(store.with_fsync(true)))
}

fn client(variables: &[(String, String)]) -> ClientOptions {
    let plain = variables
        .iter()
        .any(|(name, value)| name.contains("ENDPOINT") && value.starts_with("http://"));
    ClientOptions::new()
        // Who names a server without TLS means it.
        .with_allow_http(plain)
        .with_connect_timeout(Duration::from_secs(10))
        .with_timeout(Duration::from_mins(2))
}

fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: 5,
        retry_timeout: Duration::from_mins(3),
    }
}

//! Documents in Redis.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use crate::store::redis::{Connection, Redis};

/// How long Redis may take: somebody waits for the answer, and can do without.
const PATIENCE: Duration = Duration::from_millis(250);

/// The way to Redis. Cheap to clone.
#[derive(Clone)]
pub(super) struct Remote {
    connection: Connection,
    prefix: Arc<str>,
}

impl Remote {
    pub(super) fn new(url: &str, prefix: &str) -> anyhow::Result<Self> {
        Ok(Self {
            connection: Redis::open(url)?.connection()?,
            prefix: prefix.into(),
        })
    }

    /// A document, which is kept for so long from now on.
    pub(super) async fn get(&self, digest: &str, time: Duration) -> Option<String> {
        let got = async {
            let mut connection = self.connection.clone();
            let document: Option<String> = redis::cmd("GETEX")
                .arg(self.name(digest))
                .arg("EX")
                .arg(time.as_secs())
                .query_async(&mut connection)
                .await?;
            anyhow::Ok(document)
        };
        in_time(got).await?
    }

    pub(super) async fn keep(&self, digest: &str, document: &str, time: Duration) {
        let kept = async {
            let mut connection = self.connection.clone();
            let () = redis::cmd("SET")
                .arg(self.name(digest))
                .arg(document)
                .arg("EX")
                .arg(time.as_secs())
                .query_async(&mut connection)
                .await?;
            anyhow::Ok(())
        };
        in_time(kept).await;
    }

    fn name(&self, digest: &str) -> String {
        format!("{}:document:{digest}", self.prefix)
    }
}

async fn in_time<T>(call: impl Future<Output = anyhow::Result<T>>) -> Option<T> {
    match timeout(PATIENCE, call).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::debug!(%error, "Redis does not tell a document");
            None
        }
        Err(_late) => None,
    }
}

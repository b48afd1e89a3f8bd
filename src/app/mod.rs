//! The composition root: every part is built once here, from the settings, and handed to those who use it.

pub mod config;
mod keys;
mod server;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;

use self::config::Settings;
use crate::{
    domain::clock::Clock,
    service::{Parts, Services},
    store::{
        bus::Bus,
        db::{Db, DbOptions},
        gateway::sandbox::Sandbox,
        passwords::Passwords,
        tokens::Tokens,
    },
};

pub use server::Server;

/// How long one statement may run while a client waits for it.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(3);

/// The parts of a running marketplace.
#[derive(Clone)]
pub struct App {
    /// What is in force.
    pub settings: Arc<Settings>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// The database, brought up to date.
    pub db: Db,
    /// Hashes passwords.
    pub passwords: Passwords,
    /// What can be done.
    pub services: Services,
}

impl App {
    /// Builds every part and brings the database up to date.
    ///
    /// # Errors
    /// When a part can't be built; the first line says which.
    pub async fn build(settings: Settings, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let db = connect(&settings, Some(STATEMENT_TIMEOUT)).await?;
        let passwords = passwords(&settings)?;
        let bus = match &settings.redis_url {
            None => Bus::in_process(),
            Some(url) => {
                Bus::over_redis(url, &settings.redis_prefix).context("REDIS_URL can't be used")?
            }
        };
        let ttl = chrono::Duration::seconds(settings.access_token_ttl);
        let pkcs8 = keys::signing_key(&db, settings.jwt_key.as_deref(), clock.now()).await?;
        let services = Services::new(Parts {
            db: db.clone(),
            bus,
            clock: Arc::clone(&clock),
            gateway: Arc::new(Sandbox),
            passwords: passwords.clone(),
            tokens: Tokens::new(&pkcs8, ttl)?,
            terms: settings.terms(),
        });
        Ok(Self {
            settings: Arc::new(settings),
            clock,
            db,
            passwords,
            services,
        })
    }
}

/// Opens the database and brings it up to date.
///
/// # Errors
/// When it can't be reached, or a migration fails.
pub async fn connect(
    settings: &Settings,
    statement_timeout: Option<Duration>,
) -> anyhow::Result<Db> {
    let options = |statement_timeout| DbOptions {
        url: settings.database_url.clone(),
        max_connections: settings.database_connections,
        statement_timeout,
    };
    // A migration may take longer than any client waits, and connections made before it would keep stale plans.
    let migrating = Db::connect(&DbOptions {
        max_connections: 1,
        ..options(None)
    })
    .await;
    let migrating = migrating.context("the database of DATABASE_URL can't be opened")?;
    migrating
        .migrate()
        .await
        .context("the database can't be brought up to date")?;
    migrating.close().await?;
    Db::connect(&options(statement_timeout))
        .await
        .context("the database of DATABASE_URL can't be opened")
}

/// What hashes passwords: one hash at a time on each core but one.
///
/// # Errors
/// When the configured cost is not possible.
pub fn passwords(settings: &Settings) -> anyhow::Result<Passwords> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Passwords::new(settings.hash_cost(), cores.saturating_sub(1).max(1))
}

//! The composition root: every part is built once here, from the settings, and handed to those who use it.

pub mod config;
pub mod doctor;
mod first_bytes;
mod keys;
mod listening;
mod metrics;
mod operators;
mod server;
mod tls;
mod traces;
mod vault;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    config::{Provider, Settings},
    operators::Operators,
};
use crate::{
    domain::clock::Clock,
    jobs,
    service::{
        Parts, Services, sealing, search, sessions::standing::Standings, suspicion::Suspicions,
        tries::Tries,
    },
    store::{
        answers::Answers,
        bus::Bus,
        db::{Db, DbOptions, replica::Replica},
        documents::Documents,
        feeds::Fetcher,
        gateway::{PaymentGateway, sandbox::Sandbox, stripe::Stripe},
        limits::Limiter,
        mail::{Mailer, folder::Folder, smtp::Smtp},
        passwords::Passwords,
        tokens::Tokens,
        vault::Vault,
    },
};

pub use server::Server;
pub use traces::trace;

/// The parts of a running marketplace.
#[derive(Clone)]
pub struct App {
    /// What is in force.
    pub settings: Arc<Settings>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// The database, brought up to date.
    pub db: Db,
    /// Where what everybody may see is read too, if there is one.
    pub replica: Option<Replica>,
    /// Hashes passwords.
    pub passwords: Passwords,
    /// Seals secrets in columns.
    pub vault: Vault,
    /// What can be done.
    pub services: Services,
    /// Counts what callers ask for.
    pub limiter: Limiter,
    /// Documents that clients sent before.
    pub documents: Documents,
    /// Answers that many ask for.
    pub answers: Answers,
}

impl App {
    /// Builds every part and brings the database up to date.
    ///
    /// # Errors
    /// When a part can't be built; the first line says which.
    pub async fn build(settings: Settings, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        // For every client that is not given one of its own. Somebody else in this process may have been first, with the same.
        drop(rustls::crypto::ring::default_provider().install_default());
        let statement_timeout = Some(Duration::from_secs(settings.statement_timeout.into()));
        let db = connect(&settings, statement_timeout).await?;
        let passwords = passwords(&settings)?;
        let bus = match &settings.redis_url {
            None => Bus::in_process(),
            Some(url) => {
                Bus::over_redis(url, &settings.redis_prefix).context("REDIS_URL can't be used")?
            }
        };
        let answers = answers(&settings)?;
        let replica = replica(&settings, statement_timeout, &answers).await?;
        let limiter = match &settings.redis_url {
            None => Limiter::in_process(),
            Some(url) => Limiter::over_redis(url, &settings.redis_prefix)
                .context("REDIS_URL can't be used")?,
        };
        let documents = match &settings.redis_url {
            None => Documents::in_process(),
            Some(url) => Documents::over_redis(url, &settings.redis_prefix)
                .context("REDIS_URL can't be used")?,
        };
        let ttl = chrono::Duration::seconds(settings.access_token_ttl);
        let vault = vault::open(&db, settings.encryption_keys.as_deref(), clock.now()).await?;
        let patient = Db::connect(&db_options(&settings, 1, None)).await?;
        let sealed = sealing::catch_up(&patient, &vault).await;
        sealed.context("secrets can't be sealed")?;
        patient.close().await?;
        let ring = keys::ring(&db, settings.jwt_key.as_deref(), clock.now()).await?;
        // A connection of its own: who is signed out must be known even while every other connection is busy.
        let feed_db = Db::connect(&db_options(&settings, 1, statement_timeout)).await?;
        let standings = Standings::follow(db.clone(), feed_db, &bus, Arc::clone(&clock));
        let services = Services::new(Parts {
            db: db.clone(),
            replica: replica.clone(),
            answers: answers.clone(),
            bus,
            clock: Arc::clone(&clock),
            gateway: gateway(&settings)?,
            vault: vault.clone(),
            passwords: passwords.clone(),
            tokens: Tokens::new(&ring, ttl).context("STAYGATE_JWT_KEY can't be used")?,
            backups: settings.backup_plan(&clock)?,
            terms: settings.terms(),
            standings,
            mailer: mailer(&settings)?,
            fetcher: Fetcher::new(settings.feeds_from_private_networks)?,
            tries: Tries {
                limiter: limiter.clone(),
                mode: settings.rate_limits,
            },
            suspicions: Suspicions::default(),
        });
        Ok(Self {
            settings: Arc::new(settings),
            clock,
            db,
            replica,
            passwords,
            vault,
            services,
            limiter,
            documents,
            answers,
        })
    }

    /// Does the background work until `stopping`, and tells operators of it.
    ///
    /// # Errors
    /// In production, when somebody else has the port for operators.
    pub async fn work(self, stopping: CancellationToken) -> anyhow::Result<()> {
        let operators = Operators::bind(&self.settings).await?;
        let beside = TaskTracker::new();
        operators.serve(&self, &beside, stopping.clone(), &stopping);
        Box::pin(jobs::run(self.services, stopping)).await;
        beside.close();
        beside.wait().await;
        Ok(())
    }
}

/// Where answers are kept.
fn answers(settings: &Settings) -> anyhow::Result<Answers> {
    let bytes = settings.answer_cache_local_bytes;
    Ok(match &settings.redis_url {
        _ if !settings.answer_cache => Answers::none(),
        None => Answers::in_process(bytes),
        Some(url) => Answers::over_redis(url, &settings.redis_prefix, bytes)
            .context("REDIS_URL can't be used")?,
    })
}

/// The replica of the settings. Nothing waits for it, and it is read once it has shown what it has.
async fn replica(
    settings: &Settings,
    statement_timeout: Option<Duration>,
    answers: &Answers,
) -> anyhow::Result<Option<Replica>> {
    let Some(url) = &settings.database_replica_url else {
        return Ok(None);
    };
    let options = DbOptions {
        url: url.clone(),
        max_connections: settings.database_connections,
        statement_timeout,
    };
    let max_lag = Duration::from_secs(settings.replica_max_lag.into());
    let primary = &settings.database_url;
    let replica = Replica::follow(&options, primary, max_lag, answers.clone()).await;
    Ok(Some(replica.context("DATABASE_REPLICA_URL can't be used")?))
}

/// The payment provider of the settings.
fn gateway(settings: &Settings) -> anyhow::Result<Arc<dyn PaymentGateway>> {
    Ok(match settings.provider()? {
        Provider::Sandbox => Arc::new(Sandbox),
        Provider::Stripe { key, base, .. } => {
            Arc::new(Stripe::new(&base, key, settings.site_url.clone())?)
        }
    })
}

/// Opens the database and brings it up to date.
///
/// # Errors
/// When it can't be reached, or a migration fails.
pub async fn connect(
    settings: &Settings,
    statement_timeout: Option<Duration>,
) -> anyhow::Result<Db> {
    // A migration may take longer than any client waits, and connections made before it would keep stale plans.
    let migrating = Db::connect(&db_options(settings, 1, None)).await;
    let migrating = migrating.context("the database of DATABASE_URL can't be opened")?;
    migrating
        .migrate()
        .await
        .context("the database can't be brought up to date")?;
    search::words::catch_up(&migrating)
        .await
        .context("the words of properties can't be brought up to date")?;
    migrating.close().await?;
    let connections = settings.database_connections;
    Db::connect(&db_options(settings, connections, statement_timeout))
        .await
        .context("the database of DATABASE_URL can't be opened")
}

fn db_options(
    settings: &Settings,
    max_connections: u32,
    statement_timeout: Option<Duration>,
) -> DbOptions {
    DbOptions {
        url: settings.database_url.clone(),
        max_connections,
        statement_timeout,
    }
}

/// What sends mail: a mail server or, where none is configured, a folder.
fn mailer(settings: &Settings) -> anyhow::Result<Arc<dyn Mailer>> {
    let from = &settings.mail_from;
    Ok(match &settings.smtp_url {
        Some(url) => Arc::new(Smtp::new(url, from).context("SMTP_URL or STAYGATE_MAIL_FROM")?),
        None => {
            Arc::new(Folder::new((&settings.mail_dir).into(), from).context("STAYGATE_MAIL_FROM")?)
        }
    })
}

/// What hashes passwords: one hash at a time on each core but one.
///
/// # Errors
/// When the configured cost is not possible.
pub fn passwords(settings: &Settings) -> anyhow::Result<Passwords> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Passwords::new(settings.hash_cost(), cores.saturating_sub(1).max(1))
}

//! The command line.

mod admin;
mod audit;
mod backup;
pub mod demo;
mod doctor;
mod flags;
mod keys;
mod ledger;
pub mod seed;

use std::{io::Write as _, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::{
    app::{
        self, App, Server,
        config::{Flags, LogFormat, Settings, Sources},
    },
    domain::clock::SystemClock,
    graphql, rest,
    store::traces::Traces,
};

/// The backend of a marketplace for short stays.
#[derive(Debug, Parser)]
#[command(name = "staygate", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Settings that the command line gives.
    #[arg(skip)]
    flags: Flags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring the database up to date and serve.
    Serve {
        /// Fill an empty database with a believable marketplace and three users, all with the password demo-password:
        /// guest@example.com, host@example.com and admin@example.com.
        #[arg(long)]
        demo: bool,
    },
    /// Do the background work apart from serving.
    Worker,
    /// Bring the database up to date.
    Migrate,
    /// Write bulk data for load tests.
    Seed {
        /// How many properties; bookings and reviews come with them.
        #[arg(long, default_value_t = 10_000)]
        properties: u32,
        /// The same seed writes the same rows.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Make admins, give people another role, suspend them.
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Prove the audit log whole.
    #[command(subcommand)]
    Audit(audit::Log),
    /// Change the keys that seal secrets.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Prove the books right.
    #[command(subcommand)]
    Ledger(ledger::Books),
    /// Print the settings in force and where each came from; secrets are masked.
    Config,
    /// Look at all that the server needs, and say what to do about what is not right.
    Doctor,
    /// Make, verify, list and prune backups of the database.
    Backup {
        #[command(subcommand)]
        command: Option<backup::Backup>,
    },
    /// Restore a backup into an empty database, or in the place of another one. Servers and workers must be stopped.
    Restore(backup::Restore),
    /// Print the GraphQL schema.
    Schema,
    /// Print the description of the REST API in `OpenAPI` 3.1, as JSON.
    Openapi,
    /// Ask the server on `STAYGATE_LISTEN` whether it is ready; for containers.
    Healthcheck,
}

/// Libraries that say much while they start or while a node of a cluster is away, and those that write down all that comes over a socket: nobody may find a secret in the log.
const QUIET: &str =
    "sqlx=warn,sea_orm_migration=warn,tungstenite=info,tokio_tungstenite=info,redis=error";

impl Cli {
    /// Reads the command line of this process; where it can't be understood, or asks for help, it says so and ends the process.
    #[must_use]
    pub fn of_process() -> Self {
        let mut matches = flags::with_settings(Self::command()).get_matches();
        let flags = flags::given(&matches);
        let mut cli = Self::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.exit());
        cli.flags = flags;
        cli
    }

    /// Does what was asked for.
    ///
    /// # Errors
    /// One clear line.
    pub async fn run(self) -> anyhow::Result<()> {
        let printed = match self.command {
            Command::Schema => Some(graphql::sdl()),
            Command::Openapi => Some(rest::document().to_pretty_json()? + "\n"),
            _ => None,
        };
        if let Some(text) = printed {
            return Ok(std::io::stdout().write_all(text.as_bytes())?);
        }
        let sources = Sources::gather(self.flags)?;
        if let Command::Config = self.command {
            write!(std::io::stdout(), "{sources}")?;
            return sources.settings().map(drop);
        }
        let settings = sources.settings()?;
        let log = match self.command {
            Command::Serve { .. } | Command::Worker => &settings.log,
            // Who types a command reads its answer alone.
            _ => "warn",
        };
        write_log(log, settings.log_format())?;
        match self.command {
            Command::Schema | Command::Openapi | Command::Config => Ok(()),
            Command::Serve { demo } => {
                let traces = app::trace(&settings).await?;
                let served = Box::pin(serve(settings, demo)).await;
                end(traces).await;
                served
            }
            Command::Doctor => Box::pin(doctor::run(&settings)).await,
            Command::Worker => {
                let traces = app::trace(&settings).await?;
                let app = App::build(settings, Arc::new(SystemClock)).await?;
                let worked = Box::pin(app.work(stopping()?)).await;
                end(traces).await;
                worked
            }
            Command::Admin(command) => {
                let app = App::build(settings, Arc::new(SystemClock)).await?;
                admin::run(&app.services.people, command).await
            }
            Command::Audit(command) => {
                let app = App::build(settings, Arc::new(SystemClock)).await?;
                audit::run(&app.services.audit, command).await
            }
            Command::Keys(command) => {
                let app = App::build(settings, Arc::new(SystemClock)).await?;
                // It may take longer than any client waits.
                let db = app::connect(&app.settings, None).await?;
                keys::run(&db, &app.vault, &command).await
            }
            Command::Ledger(command) => {
                let app = App::build(settings, Arc::new(SystemClock)).await?;
                ledger::run(&app.services.ledger, command).await
            }
            Command::Backup { command } => {
                let command = command.unwrap_or(backup::Backup::Run);
                backup::run(&settings, command).await
            }
            Command::Restore(command) => backup::restore(&settings, command, &stopping()?).await,
            Command::Migrate => app::connect(&settings, None).await.map(|_| ()),
            Command::Seed { properties, seed } => {
                // Bulk statements take longer than a client would wait.
                let db = app::connect(&settings, None).await?;
                let passwords = app::passwords(&settings)?;
                let summary = seed::run(&db, &passwords, &SystemClock, properties, seed).await?;
                println!("{summary}");
                Ok(())
            }
            Command::Healthcheck => healthcheck(&settings).await,
        }
    }
}

/// Writes the log to standard error.
fn write_log(level: &str, format: LogFormat) -> anyhow::Result<()> {
    // What libraries say of their own starting is of no interest unless it is asked for.
    let filter =
        EnvFilter::try_new(format!("{QUIET},{level}")).context("STAYGATE_LOG can't be read")?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).init(),
    }
    Ok(())
}

async fn serve(settings: Settings, demo: bool) -> anyhow::Result<()> {
    ensure!(
        !(demo && settings.is_production()),
        "--demo makes users with well-known passwords: not in production"
    );
    let stopping = stopping()?;
    let app = App::build(settings, Arc::new(SystemClock)).await?;
    if demo && !demo::fill(&app.db, &app.passwords, &*app.clock).await? {
        tracing::info!("the database has users already: no demo data was added");
    }
    let playground = app.settings.has_playground();
    let server = Server::bind(app, demo).await?;
    let address = server.address()?;
    tracing::info!(
        "serving on {}://{address}{}",
        if server.has_tls() { "https" } else { "http" },
        if playground {
            ", Playground at /playground"
        } else {
            ""
        }
    );
    if let Some(plain) = server.plain_address()? {
        tracing::info!("leading from http://{plain} to TLS");
    }
    server.run(stopping).await
}

/// Sends the last traces, if there are any.
async fn end(traces: Option<Traces>) {
    if let Some(traces) = traces {
        traces.end().await;
    }
}

/// Cancelled by Ctrl-C or SIGTERM.
fn stopping() -> anyhow::Result<CancellationToken> {
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    let token = CancellationToken::new();
    let told = token.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        told.cancel();
    });
    Ok(token)
}

/// One request of this machine's own, so that a check in a container needs no other tool. Whose certificate it is makes no difference here.
async fn healthcheck(settings: &Settings) -> anyhow::Result<()> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let scheme = if settings.tls_cert.is_some() {
        "https"
    } else {
        "http"
    };
    let address = settings
        .listen
        .replace("0.0.0.0", "127.0.0.1")
        .replace("[::]", "[::1]");
    let client = reqwest::Client::builder()
        .danger_accept_invalid_certs(true)
        .no_proxy()
        .timeout(Duration::from_secs(5))
        .build()?;
    let answer = client.get(format!("{scheme}://{address}/readyz")).send();
    let status = answer.await?.status();
    ensure!(status.is_success(), "not ready: {status}");
    Ok(())
}

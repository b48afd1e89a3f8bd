//! Serving: listen, answer, and stop without dropping what was begun.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum_server::{Handle, accept::NoDelayAcceptor};
use hyper_util::rt::TokioTimer;
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    App,
    config::{Provider, Settings},
    first_bytes::InTime,
    metrics,
};
use crate::{
    graphql::{self, Validation},
    http::{
        self, Connections, Edge, EdgeParts, Extras, Held, Library, Plans, Rates, Rules, Streams,
        pages::Pages,
    },
    jobs,
    store::gateway::stripe::notice::Secrets,
};

/// How long requests may take to end, and after them open sockets and background work.
const DRAIN: Duration = Duration::from_secs(10);

/// How often connections are told that the server stops.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// A server that has its port and does not answer yet.
pub struct Server {
    app: App,
    listener: TcpListener,
    /// For operators; none where it is switched off, or somebody else has its port in development.
    admin: Option<TcpListener>,
    demo: bool,
}

impl Server {
    /// Takes the ports.
    ///
    /// # Errors
    /// When somebody else has one. The one for operators may be missing in development, where several run on one machine.
    pub async fn bind(app: App, demo: bool) -> anyhow::Result<Self> {
        let address = &app.settings.listen;
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("can't listen on {address}"))?;
        let admin = bind_admin(&app.settings).await?;
        Ok(Self {
            app,
            listener,
            admin,
            demo,
        })
    }

    /// The address that it has; the port is a real one even where 0 was asked for.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Serves until `stopping`, then finishes what was begun and closes open sockets.
    ///
    /// # Errors
    /// When the network breaks.
    pub async fn run(self, stopping: CancellationToken) -> anyhow::Result<()> {
        let settings = &self.app.settings;
        let services = self.app.services.clone();
        let sdl = graphql::sdl();
        let edge = Edge::from(EdgeParts {
            schema: graphql::schema(services.clone(), settings.is_open(), Validation::Each),
            schema_of_valid: graphql::schema(
                services.clone(),
                settings.is_open(),
                Validation::Done,
            ),
            edition: settings.edition(&sdl).into(),
            rules: Arc::new(Rules::of(&sdl)),
            plans: Plans::default(),
            limits: Arc::new(settings.limits()),
            rates: Rates {
                limiter: self.app.limiter.clone(),
                mode: settings.rate_limits,
                bucket: settings.rate_bucket,
                signed_in: settings.rate_signed_in,
                signed_out: settings.rate_signed_out,
                held: Held::default(),
            },
            answers: self.app.answers.clone(),
            connections: Connections::default(),
            streams: Streams::default(),
            library: Library {
                sent: settings
                    .persisted_queries
                    .then(|| self.app.documents.clone()),
                trusted: Arc::new(settings.manifest()?),
                only: settings.trusted_documents_only,
            },
            services: services.clone(),
            clock: Arc::clone(&self.app.clock),
            proxies: Arc::new(settings.proxies()?),
            origins: Arc::new(settings.origins()?),
            stopping: stopping.clone(),
            tasks: TaskTracker::new(),
        });
        let extras = Extras {
            pages: Pages {
                playground: settings.has_playground(),
                demo: self.demo,
            },
            payments: match settings.provider()? {
                Provider::Sandbox => http::Payments::Sandbox,
                Provider::Stripe { webhook_secret, .. } => {
                    http::Payments::Stripe(Arc::new(Secrets::read(webhook_secret)))
                }
            },
        };
        let render = metrics::install();
        let work = TaskTracker::new();
        if let Some(admin) = self.admin {
            let router = http::admin_router(move || render.render());
            let stopping = stopping.clone().cancelled_owned();
            work.spawn(async {
                axum::serve(admin, router)
                    .with_graceful_shutdown(stopping)
                    .await
            });
        }
        if settings.workers {
            work.spawn(jobs::run(services, stopping.clone()));
        }
        let tasks = edge.tasks.clone();
        let router =
            http::router(edge, &extras).into_make_service_with_connect_info::<SocketAddr>();
        let handle = Handle::new();
        let server = http_server(self.listener, settings, handle.clone())?;
        let draining = async {
            stopping.cancelled().await;
            let told = timeout(DRAIN, async {
                // It wakes those who wait at that moment: a connection that is just being accepted hears it the next time.
                loop {
                    handle.graceful_shutdown(Some(DRAIN));
                    sleep(TELL_EVERY).await;
                }
            });
            let _: Result<(), _> = told.await;
        };
        tokio::select! {
            result = server.serve(router) => result?,
            () = draining => tracing::warn!("some requests did not end in time"),
        }
        tasks.close();
        work.close();
        let ended = timeout(DRAIN, async {
            tasks.wait().await;
            work.wait().await;
        });
        if ended.await.is_err() {
            tracing::warn!("some sockets, mutations or jobs did not end in time");
        }
        Ok(())
    }
}

/// A server that waits for nobody: not for a client that sends its request byte by byte, nor for one that has gone without a word.
fn http_server(
    listener: TcpListener,
    settings: &Settings,
    handle: Handle<SocketAddr>,
) -> anyhow::Result<axum_server::Server<SocketAddr, InTime<NoDelayAcceptor>>> {
    let seconds = |number: u32| Duration::from_secs(number.into());
    let server = axum_server::from_tcp(listener.into_std()?)?.handle(handle);
    let within = seconds(settings.keep_alive);
    let mut server = server.acceptor(InTime {
        // An event is sent when it happens, whether or not the one before has been acknowledged.
        inner: NoDelayAcceptor::new(),
        within,
    });
    let mut http = server.http_builder().http1();
    http.timer(TokioTimer::new()).header_read_timeout(within);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(seconds(settings.ping_interval))
        .keep_alive_timeout(seconds(settings.ping_interval))
        .enable_connect_protocol();
    Ok(server)
}

async fn bind_admin(settings: &Settings) -> anyhow::Result<Option<TcpListener>> {
    let address = &settings.admin_listen;
    if address == "off" {
        return Ok(None);
    }
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if settings.is_production() => {
            Err(error).with_context(|| format!("can't listen on {address} (STAYGATE_ADMIN_LISTEN)"))
        }
        Err(error) => {
            tracing::warn!(%error, address, "no metrics: can't listen there");
            Ok(None)
        }
    }
}

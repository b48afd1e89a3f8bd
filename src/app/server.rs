//! Serving: listen, answer, and stop without dropping what was begun.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum_server::Handle;
use futures_util::future::try_join_all;
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    App,
    config::{LogFormat, Provider, Settings},
    listening,
    operators::Operators,
    tls::{Certificate, InForce},
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
    /// Leads browsers to the one with TLS.
    plain: Option<TcpListener>,
    certificate: Option<InForce>,
    operators: Operators,
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
        let plain = match &app.settings.redirect_listen {
            None => None,
            Some(address) => Some(TcpListener::bind(address).await.with_context(|| {
                format!("can't listen on {address} (STAYGATE_REDIRECT_LISTEN)")
            })?),
        };
        let certificate = match Certificate::of(&app.settings) {
            None => None,
            Some(files) => Some(files.load().await?),
        };
        let operators = Operators::bind(&app.settings).await?;
        Ok(Self {
            app,
            listener,
            plain,
            certificate,
            operators,
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

    /// Where the plain port is that leads to the one with TLS, if there is one.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn plain_address(&self) -> anyhow::Result<Option<SocketAddr>> {
        let plain = self.plain.as_ref();
        Ok(plain.map(TcpListener::local_addr).transpose()?)
    }

    /// Whether it speaks TLS.
    #[must_use]
    pub const fn has_tls(&self) -> bool {
        self.certificate.is_some()
    }

    /// Serves until `leaving`, and for the delay of the settings after it; then finishes what was begun and closes open sockets.
    ///
    /// # Errors
    /// When the network breaks.
    pub async fn run(self, leaving: CancellationToken) -> anyhow::Result<()> {
        let settings = &self.app.settings;
        let stopping = CancellationToken::new();
        let edge = edge(&self.app, &leaving, &stopping)?;
        let extras = extras(settings, self.demo)?;
        let work = TaskTracker::new();
        self.operators
            .serve(&self.app, &work, leaving.clone(), &stopping);
        work.spawn({
            let (delay, stopping) = (settings.stop_delay(), stopping.clone());
            async move {
                leaving.cancelled().await;
                sleep(delay).await;
                stopping.cancel();
            }
        });
        if settings.workers {
            work.spawn(jobs::run(self.app.services.clone(), stopping.clone()));
        }
        let tasks = edge.tasks.clone();
        let router =
            http::router(edge, &extras).into_make_service_with_connect_info::<SocketAddr>();
        let (handle, plain_handle) = (Handle::new(), Handle::new());
        let mut serving = vec![];
        if let Some(plain) = self.plain {
            let port = self.listener.local_addr()?.port();
            let target = settings
                .https_url()
                .map_or(http::Target::SameHost(port), http::Target::Known);
            let leads = http::redirecting(target).into_make_service_with_connect_info();
            let handle = plain_handle.clone();
            serving.push(listening::serve(plain, None, leads, settings, handle)?);
        }
        let tls = self.certificate.map(|certificate| {
            let config = certificate.config.clone();
            work.spawn(certificate.follow(stopping.clone()));
            config
        });
        let port = self.listener;
        serving.push(listening::serve(
            port,
            tls,
            router,
            settings,
            handle.clone(),
        )?);
        let draining = async {
            stopping.cancelled().await;
            let told = timeout(DRAIN, async {
                // It wakes those who wait at that moment: a connection that is just being accepted hears it the next time.
                loop {
                    handle.graceful_shutdown(Some(DRAIN));
                    plain_handle.graceful_shutdown(Some(DRAIN));
                    sleep(TELL_EVERY).await;
                }
            });
            let _: Result<(), _> = told.await;
        };
        tokio::select! {
            result = try_join_all(serving) => drop(result?),
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

/// All that handlers reach.
fn edge(
    app: &App,
    leaving: &CancellationToken,
    stopping: &CancellationToken,
) -> anyhow::Result<Edge> {
    let (settings, services) = (&app.settings, &app.services);
    let sdl = graphql::sdl();
    Ok(Edge::from(EdgeParts {
        schema: graphql::schema(services.clone(), settings.is_open(), Validation::Each),
        schema_of_valid: graphql::schema(services.clone(), settings.is_open(), Validation::Done),
        edition: settings.edition(&sdl).into(),
        rules: Arc::new(Rules::of(&sdl)),
        plans: Plans::default(),
        limits: Arc::new(settings.limits()),
        rates: Rates {
            limiter: app.limiter.clone(),
            mode: settings.rate_limits,
            bucket: settings.rate_bucket,
            signed_in: settings.rate_signed_in,
            signed_out: settings.rate_signed_out,
            held: Held::default(),
        },
        answers: app.answers.clone(),
        connections: Connections::default(),
        streams: Streams::default(),
        library: Library {
            sent: settings.persisted_queries.then(|| app.documents.clone()),
            trusted: Arc::new(settings.manifest()?),
            only: settings.trusted_documents_only,
        },
        services: services.clone(),
        clock: Arc::clone(&app.clock),
        proxies: Arc::new(settings.proxies()?),
        origins: Arc::new(settings.origins()?),
        leaving: leaving.clone(),
        stopping: stopping.clone(),
        tasks: TaskTracker::new(),
    }))
}

/// What is served beside the API.
fn extras(settings: &Settings, demo: bool) -> anyhow::Result<Extras> {
    Ok(Extras {
        pages: Pages {
            playground: settings.has_playground(),
            demo,
        },
        payments: match settings.provider()? {
            Provider::Sandbox => http::Payments::Sandbox,
            Provider::Stripe { webhook_secret, .. } => {
                http::Payments::Stripe(Arc::new(Secrets::read(webhook_secret)))
            }
        },
        tells_requests: settings.log_format() == LogFormat::Json,
        hsts: settings.hsts(),
    })
}

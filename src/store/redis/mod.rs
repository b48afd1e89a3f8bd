//! Redis, in one of three kinds ([`Address`]): one server, a master that sentinels watch over, or a cluster.
//!
//! Many callers share one connection: what they send at once travels together, where a pool would make each wait for a connection of its own
//! (docs/adr/0013-one-connection-to-redis.md). What is different between the kinds ends here (docs/adr/0020-redis-that-survives-a-machine.md).

mod about;
mod address;
mod kept;
mod script;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::{FutureExt as _, StreamExt as _, future};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, Msg, Pipeline, RedisError,
    RedisFuture, RedisResult, TlsMode, Value,
    aio::{ConnectionLike, MultiplexedConnection, PubSubSink, PubSubStream},
    cluster::{ClusterClient, ClusterClientBuilder},
    cluster_async::ClusterConnection,
    sentinel::{SentinelClientBuilder, SentinelServerType},
};
use tokio::time::timeout;

pub(super) use self::script::Script;
pub use self::{
    about::{About, Clock, about},
    address::without_passwords,
};
use self::{
    address::{Address, Place, Sentinels},
    kept::Kept,
};

/// How long it may take to reach Redis, with what sentinels are asked before. Callers wait less than that, each as long as it can.
pub(super) const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long a server may leave every call without an answer before it is connected to anew, or another one in its place: a machine that is gone
/// closes no connection.
const SILENT_SERVER: Duration = Duration::from_secs(1);
/// The same of all nodes of a cluster before they are looked for anew, from those that the URL names. The crate looks after a part of them itself.
const SILENT_CLUSTER: Duration = Duration::from_secs(5);
/// How long one node of a cluster may take to be reached, or to answer, before it counts as away.
const SILENT_NODE: Duration = Duration::from_secs(1);

/// Whether this is a URL of Redis.
///
/// # Errors
/// What is wrong with it; in one line, without a password.
pub fn check(url: &str) -> anyhow::Result<()> {
    Address::parse(url).map(drop)
}

/// The way to Redis.
#[derive(Clone)]
pub(super) struct Redis {
    address: Arc<Address>,
    /// At which node of a cluster the next subscription is tried first.
    turn: Arc<AtomicUsize>,
}

impl Redis {
    /// # Errors
    /// When the URL is not one of Redis; in one line, without a password.
    pub(super) fn open(url: &str) -> anyhow::Result<Self> {
        Ok(Self {
            address: Arc::new(Address::parse(url)?),
            turn: Arc::default(),
        })
    }

    /// Whether what is kept is spread over several servers. What one command touches must be on one of them then: names that have the same part
    /// [in braces](https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags) are.
    pub(super) fn is_spread(&self) -> bool {
        matches!(*self.address, Address::Cluster(_))
    }

    /// A connection for commands. It is made when it is first needed, and anew after it broke; until then every call fails.
    ///
    /// # Errors
    /// When what the URL asks for can't be had, such as TLS without a root certificate.
    pub(super) fn connection(&self) -> anyhow::Result<Connection> {
        Ok(match &*self.address {
            Address::One(server) => {
                let client = Client::open(server.clone())?;
                Connection::Server(Kept::new(SILENT_SERVER, is_no_master, move || {
                    let client = client.clone();
                    in_time(async move { connect(&client).await }).boxed()
                }))
            }
            Address::Sentinel(sentinels) => {
                let sentinels = Arc::new(sentinels.clone());
                Connection::Server(Kept::new(SILENT_SERVER, is_no_master, move || {
                    let sentinels = Arc::clone(&sentinels);
                    let connecting = async move {
                        let master = sentinels.master().await?;
                        tracing::info!(master = %Place(master.addr()), "the sentinels name the master of Redis");
                        connect(&Client::open(master)?).await
                    };
                    in_time(connecting).boxed()
                }))
            }
            Address::Cluster(nodes) => {
                let client = cluster(nodes)?;
                // What a node says of itself the crate understands.
                let never = |_: &RedisError| false;
                Connection::Cluster(Kept::new(SILENT_CLUSTER, never, move || {
                    let client = client.clone();
                    in_time(async move { client.get_async_connection().await }).boxed()
                }))
            }
        })
    }

    /// Hears what is published to a channel from now on, over a connection of its own.
    ///
    /// # Errors
    /// When Redis can't be reached within two seconds.
    pub(super) async fn subscribe(&self, channel: &str) -> RedisResult<Subscription> {
        in_time(async {
            match &*self.address {
                Address::One(server) => Subscription::to(channel, server).await,
                Address::Sentinel(sentinels) => {
                    Subscription::to(channel, &sentinels.master().await?).await
                }
                // What is published at one node is heard at each.
                Address::Cluster(nodes) => {
                    let turn = self.turn.fetch_add(1, Relaxed);
                    let mut last = None;
                    for at in 0..nodes.len() {
                        let node = &nodes[(turn + at) % nodes.len()];
                        match timeout(SILENT_NODE, Subscription::to(channel, node)).await {
                            Ok(Ok(subscription)) => return Ok(subscription),
                            Ok(Err(error)) => last = Some(error),
                            Err(late) => last = Some(std::io::Error::from(late).into()),
                        }
                    }
                    Err(last.unwrap_or_else(|| (ErrorKind::Io, "no node").into()))
                }
            }
        })
        .await
    }
}

impl Sentinels {
    /// Where the master is, of whichever sentinel says it first. The server has said so itself, too.
    async fn master(&self) -> RedisResult<ConnectionInfo> {
        let asking = self.each.iter().map(|sentinel| {
            async move {
                let mut client = self.client(sentinel)?;
                let master = client.async_get_client().await?;
                Ok::<_, RedisError>(master.get_connection_info().clone())
            }
            .boxed()
        });
        let (master, _) = future::select_ok(asking).await?;
        Ok(master)
    }

    fn client(&self, sentinel: &ConnectionInfo) -> RedisResult<redis::sentinel::SentinelClient> {
        let (address, ours) = (sentinel.addr().clone(), sentinel.redis_settings());
        let by_tls = matches!(address, redis::ConnectionAddr::TcpTls { .. });
        let mut builder =
            SentinelClientBuilder::new([address], &self.name, SentinelServerType::Master)?
                .set_client_to_redis_db(self.settings.db());
        if by_tls {
            builder = builder
                .set_client_to_redis_tls_mode(TlsMode::Secure)
                .set_client_to_sentinel_tls_mode(TlsMode::Secure);
        }
        if let Some(user) = self.settings.username() {
            builder = builder.set_client_to_redis_username(user);
        }
        if let Some(password) = self.settings.password() {
            builder = builder.set_client_to_redis_password(password);
        }
        if let Some(user) = ours.username() {
            builder = builder.set_client_to_sentinel_username(user);
        }
        if let Some(password) = ours.password() {
            builder = builder.set_client_to_sentinel_password(password);
        }
        builder.build()
    }
}

async fn connect(client: &Client) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_WITHIN))
        // Each caller has a limit of its own.
        .set_response_timeout(None);
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

/// Whether an answer is that of a server which is no master, or none that may be written to: a replica, one that was cut off from its replicas, one that
/// is still reading what it had saved.
fn is_no_master(error: &RedisError) -> bool {
    let says = error.to_string();
    // Redis 6 tells what went wrong in a script behind the name of the script.
    let codes = ["READONLY", "NOREPLICAS", "MASTERDOWN", "LOADING"];
    error.is_io_error()
        || error.is_unrecoverable_error()
        || codes.iter().any(|code| says.contains(code))
}

fn cluster(nodes: &[ConnectionInfo]) -> RedisResult<ClusterClient> {
    ClusterClientBuilder::new(nodes.iter().cloned())
        .connection_timeout(SILENT_NODE)
        .response_timeout(SILENT_NODE)
        .retries(3)
        .min_retry_wait(10)
        .max_retry_wait(200)
        .build()
}

async fn in_time<T>(call: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let called = timeout(CONNECT_WITHIN, call).await;
    called.unwrap_or_else(|late| Err(std::io::Error::from(late).into()))
}

/// A connection that many share. Cheap to clone.
#[derive(Clone)]
pub(super) enum Connection {
    /// One server, or the master that sentinels name.
    Server(Kept<MultiplexedConnection>),
    Cluster(Kept<ClusterConnection>),
}

impl Connection {
    /// Another number is another connection, perhaps to another server.
    pub(super) fn number(&self) -> u64 {
        match self {
            Self::Server(kept) => kept.number(),
            Self::Cluster(kept) => kept.number(),
        }
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Server(kept) => async move {
                let mut held = kept.hold().await?;
                let result = held.connection.send_packed_command(cmd).await;
                held.ends(result)
            }
            .boxed(),
            Self::Cluster(kept) => async move {
                let mut held = kept.hold().await?;
                let result = held.connection.req_packed_command(cmd).await;
                held.ends(result)
            }
            .boxed(),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Server(kept) => async move {
                let mut held = kept.hold().await?;
                let connection = &mut held.connection;
                let results = connection
                    .send_packed_commands(commands, offset, count)
                    .await;
                held.ends(results)
            }
            .boxed(),
            Self::Cluster(kept) => async move {
                let mut held = kept.hold().await?;
                let connection = &mut held.connection;
                let results = connection
                    .req_packed_commands(commands, offset, count)
                    .await;
                held.ends(results)
            }
            .boxed(),
        }
    }

    fn get_db(&self) -> i64 {
        // Nobody asks for it but those who subscribe over the connection itself.
        0
    }
}

/// What is published to a channel.
pub(super) struct Subscription {
    sink: PubSubSink,
    messages: PubSubStream,
}

impl Subscription {
    async fn to(channel: &str, server: &ConnectionInfo) -> RedisResult<Self> {
        let client = Client::open(server.clone())?;
        let mut subscription = client.get_async_pubsub().await?;
        subscription.subscribe(channel).await?;
        let (sink, messages) = subscription.split();
        Ok(Self { sink, messages })
    }

    /// The next message; none once the connection broke.
    pub(super) async fn next(&mut self) -> Option<Msg> {
        self.messages.next().await
    }

    /// Whether the server is still there.
    ///
    /// # Errors
    /// When it is not, or does not say within the time.
    pub(super) async fn is_there(&mut self, within: Duration) -> anyhow::Result<()> {
        let _: Value = timeout(within, self.sink.ping()).await??;
        Ok(())
    }
}

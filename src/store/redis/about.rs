//! What Redis says of itself, for operators who look whether all is well: which kind it is, who is master, and what is missing.

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, InfoDict, RedisResult,
    aio::MultiplexedConnection,
};

use super::{
    CONNECT_WITHIN,
    address::{Address, Place, Sentinels},
    in_time,
};

/// What Redis says of itself.
#[derive(Debug)]
pub struct About {
    /// What is there.
    pub seen: String,
    /// What works now, and will not for long or in all cases.
    pub doubts: Vec<String>,
    /// The clock of each server that is written to.
    pub clocks: Vec<Clock>,
}

/// A server's clock.
#[derive(Debug)]
pub struct Clock {
    /// Whose.
    pub place: String,
    /// What it showed.
    pub shows: DateTime<Utc>,
}

/// Asks the servers of a URL about themselves.
///
/// # Errors
/// When none can be reached or lets us in; when no sentinel knows a master, or a cluster does not serve.
pub async fn about(url: &str) -> anyhow::Result<About> {
    match Address::parse(url)? {
        Address::One(server) => one(&server).await,
        Address::Sentinel(sentinels) => watched(&sentinels).await,
        Address::Cluster(nodes) => cluster(&nodes).await,
    }
}

/// One server.
struct Server {
    version: String,
    mode: String,
    is_master: bool,
    replicas: usize,
    clock: Clock,
}

async fn asked(server: &ConnectionInfo) -> anyhow::Result<Server> {
    let mut connection = reached(server).await?;
    let of: InfoDict = redis::cmd("INFO")
        .arg("server")
        .query_async(&mut connection)
        .await?;
    let copies: InfoDict = redis::cmd("INFO")
        .arg("replication")
        .query_async(&mut connection)
        .await?;
    let (seconds, micros): (i64, u32) = redis::cmd("TIME").query_async(&mut connection).await?;
    Ok(Server {
        version: of.get("redis_version").unwrap_or_default(),
        mode: of.get("redis_mode").unwrap_or_default(),
        is_master: copies
            .get::<String>("role")
            .is_none_or(|role| role == "master"),
        replicas: copies.get("connected_slaves").unwrap_or_default(),
        clock: Clock {
            place: Place(server.addr()).to_string(),
            shows: DateTime::from_timestamp(seconds, micros * 1_000).context("its clock is odd")?,
        },
    })
}

async fn reached(server: &ConnectionInfo) -> RedisResult<MultiplexedConnection> {
    let client = Client::open(server.clone())?;
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(CONNECT_WITHIN));
    in_time(client.get_multiplexed_async_connection_with_config(&config)).await
}

async fn one(server: &ConnectionInfo) -> anyhow::Result<About> {
    let of = asked(server).await;
    // A sentinel knows neither its replicas nor the time.
    let of = of.context("no server of redis:// answers there")?;
    let mut doubts = vec![];
    if of.mode == "cluster" {
        doubts.push("it is a node of a cluster: give redis-cluster://".to_owned());
    }
    if !of.is_master {
        doubts.push(
            "it is a replica, where nothing can be written: give the master, or redis-sentinel://"
                .to_owned(),
        );
    }
    Ok(About {
        seen: of.version,
        doubts,
        clocks: vec![of.clock],
    })
}

async fn watched(sentinels: &Sentinels) -> anyhow::Result<About> {
    let answers = join_all(sentinels.each.iter().map(async |sentinel| {
        let mut connection = reached(sentinel).await?;
        let mut asking = redis::cmd("SENTINEL");
        asking.arg("GET-MASTER-ADDR-BY-NAME").arg(&sentinels.name);
        asking
            .query_async::<Option<(String, u16)>>(&mut connection)
            .await
    }));
    let (answers, master) = tokio::join!(answers, in_time(sentinels.master()));
    let mut doubts = vec![];
    let place = master
        .as_ref()
        .ok()
        .map(|master| Place(master.addr()).to_string());
    for (sentinel, answer) in sentinels.each.iter().zip(&answers) {
        let who = Place(sentinel.addr());
        match answer {
            Err(error) => doubts.push(format!("the sentinel {who} does not answer ({error})")),
            Ok(None) => doubts.push(format!("the sentinel {who} knows no `{}`", sentinels.name)),
            Ok(Some((host, port))) => {
                let names = format!("{host}:{port}");
                if place.as_ref().is_some_and(|place| *place != names) {
                    doubts.push(format!("the sentinel {who} takes {names} for the master"));
                }
            }
        }
    }
    let master = master.with_context(|| {
        if doubts.is_empty() {
            "the sentinels name a master that does not answer".to_owned()
        } else {
            doubts.join("; ")
        }
    })?;
    let of = asked(&master).await.context("the master does not answer")?;
    if of.replicas == 0 {
        doubts.push("the master has no replica that could take over".to_owned());
    }
    let answered = answers
        .iter()
        .filter(|answer| matches!(answer, Ok(Some(_))))
        .count();
    Ok(About {
        seen: format!(
            "{}, {answered} of {} sentinels answer, `{}` is {} with {}",
            of.version,
            answers.len(),
            sentinels.name,
            of.clock.place,
            counted(of.replicas, "replica")
        ),
        doubts,
        clocks: vec![of.clock],
    })
}

async fn cluster(seeds: &[ConnectionInfo]) -> anyhow::Result<About> {
    let mut doubts = vec![];
    let mut told = None;
    for (seed, answer) in seeds.iter().zip(join_all(seeds.iter().map(nodes_of)).await) {
        match answer {
            Ok(answer) => told = told.or(Some((answer, seed))),
            Err(error) => doubts.push(format!("{} does not answer ({error})", Place(seed.addr()))),
        }
    }
    let ((state, nodes), seed) = told.with_context(|| doubts.join("; "))?;
    let host: &str = match seed.addr() {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host,
        _ => "",
    };
    let nodes: Vec<_> = nodes
        .lines()
        .filter_map(|line| Node::read(line, host))
        .collect();
    anyhow::ensure!(
        state.contains("cluster_state:ok"),
        "the cluster does not serve: parts of it have no master"
    );
    let (gone, here): (Vec<_>, Vec<_>) = nodes.iter().partition(|node| node.is_away);
    for node in &gone {
        doubts.push(format!("{}:{} is away", node.host, node.port));
    }
    let masters: Vec<_> = here
        .iter()
        .filter(|node| node.master.is_none() && node.has_slots)
        .collect();
    for master in &masters {
        if here.iter().all(|node| node.master != Some(master.id)) {
            doubts.push(format!(
                "{}:{} has no replica that could take over",
                master.host, master.port
            ));
        }
    }
    let of = join_all(
        masters
            .iter()
            .map(async |node| asked(&node.beside(seed)).await),
    )
    .await;
    let mut clocks = vec![];
    let mut version = String::new();
    for (node, of) in masters.iter().zip(of) {
        match of {
            Ok(of) => {
                version = of.version;
                clocks.push(of.clock);
            }
            Err(error) => doubts.push(format!(
                "{}:{}, as the cluster calls it, can't be reached from here ({error})",
                node.host, node.port
            )),
        }
    }
    Ok(About {
        seen: format!(
            "{version}, a cluster of {} with {}",
            counted(masters.len(), "master"),
            counted(
                here.iter().filter(|node| node.master.is_some()).count(),
                "replica"
            )
        ),
        doubts,
        clocks,
    })
}

/// What a node says of its cluster: whether it serves, and who is in it.
async fn nodes_of(seed: &ConnectionInfo) -> RedisResult<(String, String)> {
    let mut connection = reached(seed).await?;
    let state = redis::cmd("CLUSTER")
        .arg("INFO")
        .query_async(&mut connection)
        .await?;
    let nodes = redis::cmd("CLUSTER")
        .arg("NODES")
        .query_async(&mut connection)
        .await?;
    Ok((state, nodes))
}

/// A line of CLUSTER NODES (<https://redis.io/docs/latest/commands/cluster-nodes/>).
struct Node<'a> {
    id: &'a str,
    host: &'a str,
    port: u16,
    is_away: bool,
    /// The id of its master; none of a master.
    master: Option<&'a str>,
    has_slots: bool,
}

impl<'a> Node<'a> {
    /// A node that has met no other does not know its own address: then it is that of whom we asked.
    fn read(line: &'a str, asked: &'a str) -> Option<Self> {
        let parts: Vec<_> = line.split(' ').collect();
        let [id, place, flags, master, _, _, _, state, slots @ ..] = &parts[..] else {
            return None;
        };
        let (place, host) = place.split_once(',').unwrap_or((place, ""));
        let (address, port) = place.split('@').next()?.rsplit_once(':')?;
        Some(Self {
            id,
            host: match host.split(',').next() {
                Some(host) if !host.is_empty() => host,
                _ if address.is_empty() => asked,
                _ => address,
            },
            port: port.parse().ok()?,
            // `fail?` is what one node thinks alone.
            is_away: flags
                .split(',')
                .any(|flag| flag == "fail" || flag == "fail?" || flag == "noaddr")
                || *state != "connected",
            master: (*master != "-").then_some(*master),
            has_slots: !slots.is_empty(),
        })
    }

    /// It lets us in as another node of the cluster does.
    fn beside(&self, node: &ConnectionInfo) -> ConnectionInfo {
        let (host, port) = (self.host.to_owned(), self.port);
        let address = match node.addr() {
            ConnectionAddr::TcpTls { insecure, .. } => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: *insecure,
                tls_params: None,
            },
            _ => ConnectionAddr::Tcp(host, port),
        };
        node.clone().set_addr(address)
    }
}

fn counted(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}"),
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_of_a_cluster_are_told_apart() {
        let away = Node::read(
            "07c3 127.0.0.1:30004@31004,b.example master,fail - 1426238317239 1426238316232 4 disconnected",
            "asked",
        );
        let away = away.expect("a node");
        assert_eq!(
            (away.host, away.port, away.is_away, away.has_slots),
            ("b.example", 30004, true, false)
        );
        let replica = Node::read(
            "67ed 127.0.0.1:30002@31002,,shard-id=69bc slave 07c3 0 1426238316232 2 connected",
            "asked",
        );
        let replica = replica.expect("a node");
        assert_eq!(
            (replica.host, replica.is_away, replica.master),
            ("127.0.0.1", false, Some("07c3"))
        );
        let master = Node::read(
            "e7d1 ::1:30001@31001 myself,master - 0 0 1 connected 0-5460",
            "asked",
        )
        .expect("a node");
        assert_eq!(
            (master.host, master.port, master.master, master.has_slots),
            ("::1", 30001, None, true)
        );
        let alone = Node::read(
            "e7d1 :30001@31001 myself,master - 0 0 1 connected 0-5460",
            "asked",
        );
        assert_eq!(alone.map(|node| node.host), Some("asked"));
        assert!(Node::read("", "asked").is_none());
    }
}

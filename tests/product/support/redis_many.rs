//! Several servers of Redis together: a master that sentinels watch over, and a cluster. They go down with their handles.

use std::{fs, net::TcpListener, process::Command};

use super::redis::{Redis, SENTINEL, free_port};

/// How long a server is silent before the others take it for gone, in milliseconds.
const SILENCE: &str = "700";

/// A master, its replica, and three sentinels of whom two decide.
pub struct Watched {
    pub master: Redis,
    pub replica: Redis,
    sentinels: Vec<Redis>,
}

impl Watched {
    pub async fn start() -> Self {
        // A replica that is behind takes over all the same: there is no other.
        let quick = ["--repl-diskless-sync-delay", "0"];
        let master = Redis::start_with(&quick);
        let port = master.port().to_string();
        let replica =
            Redis::start_with(&[&quick[..], &["--replicaof", "127.0.0.1", &port]].concat());
        master
            .comes_to_say("INFO replication", &["state=online"])
            .await;
        let sentinels: Vec<_> = (0..3).map(|_| sentinel(&port)).collect();
        for sentinel in &sentinels {
            let knows_all = |said: Vec<String>| {
                let has = |name: &str, number: &str| {
                    said.chunks(2)
                        .any(|pair| pair[0] == name && pair[1] == number)
                };
                has("num-slaves", "1") && has("num-other-sentinels", "2")
            };
            sentinel
                .answers_so("SENTINEL MASTER market", knows_all)
                .await;
        }
        Self {
            master,
            replica,
            sentinels,
        }
    }

    pub fn url(&self) -> String {
        let places: Vec<_> = self.sentinels.iter().map(place).collect();
        format!("redis-sentinel://{}/?master=market", places.join(","))
    }

    /// The replica hears no more of what is written, and can't come back: the master lets in nobody new.
    pub async fn replica_is_cut_off(&self) {
        let client = redis::Client::open(self.master.url()).expect("a URL");
        let connected = client.get_multiplexed_async_connection().await;
        let mut master = connected.expect("the master answers");
        let mut both = redis::pipe();
        both.cmd("CONFIG")
            .arg("SET")
            .arg("requirepass")
            .arg("nobody knows it");
        both.cmd("CLIENT").arg("KILL").arg("TYPE").arg("replica");
        both.exec_async(&mut master).await.expect("it is done");
        self.replica
            .comes_to_say("INFO replication", &["master_link_status:down"])
            .await;
    }

    /// The replica is the master from now on.
    pub async fn has_another_master(&self) {
        self.replica
            .comes_to_say("INFO replication", &["role:master"])
            .await;
    }
}

fn sentinel(master: &str) -> Redis {
    (0..10)
        .find_map(|_| {
            let directory = tempfile::tempdir().expect("a directory for a sentinel");
            let file = format!(
                "sentinel monitor market 127.0.0.1 {master} 2\n\
                 sentinel down-after-milliseconds market {SILENCE}\n\
                 sentinel failover-timeout market 5000\n"
            );
            fs::write(directory.path().join(SENTINEL), file).expect("its file");
            Redis::start_in(directory, free_port(), &[])
        })
        .expect("a sentinel comes up")
}

/// A cluster: as many masters as it is given, and a replica for each of them or none.
pub struct Cluster {
    pub nodes: Vec<Redis>,
}

impl Cluster {
    pub async fn start(masters: usize, replicas: usize) -> Self {
        let nodes: Vec<_> = (0..masters * (1 + replicas)).map(|_| node()).collect();
        let places = nodes.iter().map(place);
        let replicas = replicas.to_string();
        let make = |program: &str| {
            Command::new(program)
                .args(["--cluster", "create"])
                .args(places.clone())
                .args(["--cluster-replicas", &replicas, "--cluster-yes"])
                .output()
        };
        let output = make("redis-cli").or_else(|_| make("valkey-cli"));
        let output = output.expect("redis-cli comes with redis-server");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        for node in &nodes {
            node.comes_to_say("CLUSTER INFO", &["cluster_state:ok"])
                .await;
            let knows_all = |said: String| said.matches("slave ").count() == nodes.len() - masters;
            node.answers_so("CLUSTER NODES", knows_all).await;
        }
        for node in &nodes[masters..] {
            node.comes_to_say("INFO replication", &["master_link_status:up"])
                .await;
        }
        Self { nodes }
    }

    /// Two of its nodes: they know the others.
    pub fn url(&self) -> String {
        let last = self.nodes.last().expect("a node");
        format!("redis-cluster://{},{}", place(&self.nodes[0]), place(last))
    }

    /// The node that has a key.
    pub async fn node_of(&mut self, key: &str) -> &mut Redis {
        let slot: u16 = self.nodes[0]
            .says(&format!("CLUSTER KEYSLOT {key}"))
            .await
            .expect("a slot");
        let lines: String = self.nodes[0]
            .says("CLUSTER NODES")
            .await
            .expect("its nodes");
        let has_it = |line: &&str| {
            line.split(' ').skip(8).any(|range| {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let number = |text: &str| text.parse::<u16>().unwrap_or(u16::MAX);
                (number(first)..=number(last)).contains(&slot)
            })
        };
        let line = lines.lines().find(has_it).expect("somebody has it");
        let node = self
            .nodes
            .iter_mut()
            .find(|node| line.contains(&place(node)));
        node.expect("one of these")
    }
}

fn node() -> Redis {
    (0..10)
        .find_map(|_| {
            let (port, bus) = (free_port(), free_port());
            // Nobody has it now, and the kernel gives it to nobody who connects meanwhile.
            drop(TcpListener::bind(("127.0.0.1", bus)).ok()?);
            let directory = tempfile::tempdir().expect("a directory for a node");
            let bus = bus.to_string();
            Redis::start_in(
                directory,
                port,
                &[
                    "--cluster-enabled",
                    "yes",
                    "--cluster-node-timeout",
                    "2500",
                    "--cluster-port",
                    &bus,
                    "--repl-diskless-sync-delay",
                    "0",
                ],
            )
        })
        .expect("a node comes up")
}

fn place(redis: &Redis) -> String {
    format!("127.0.0.1:{}", redis.port())
}

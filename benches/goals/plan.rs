//! What is measured, and all that has to run for it.

use std::{
    net::SocketAddr,
    path::Path,
    process,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::runtime::Runtime;

use super::{
    Arguments, Part,
    booking::{self, Guests},
    common::{
        load::CONNECTIONS,
        server::{Server, setting},
    },
    data::Data,
    kinds::Kind,
    pgbench::Pgbench,
    readers::{address, answers, must_agree},
    rows::{Contender, Fact, Meter, Row},
    servers::{self, CACHED, CACHED_IN_REDIS, Peer, UNCACHED},
    starting,
    usage::{Tree, of_machine},
    watching::{self, Heard, WATCHERS, Watchers},
};

/// How many properties the table is about.
const PROPERTIES: u32 = 10_000;

/// The rows, and who answers in them.
pub(super) struct Plan<'a> {
    pub(super) rows: Vec<Row>,
    folder: &'a Path,
    data: Rc<Data>,
    redis: String,
    /// Of PostgreSQL and Redis; who answers is added for each.
    meter: Meter,
    runtime: Runtime,
    node: Option<String>,
    watchers: Option<Watchers>,
    heard: Vec<Heard>,
    starting: bool,
    /// They answer for as long as they are here.
    servers: Vec<Server>,
    peers: Vec<Peer>,
    bare: Vec<Runtime>,
}

impl<'a> Plan<'a> {
    /// Starts all that answers.
    pub(super) fn of(arguments: &Arguments, folder: &'a Path) -> anyhow::Result<Self> {
        let database = setting("STAYGATE_BENCH_DATABASE")
            .context("STAYGATE_BENCH_DATABASE is a PostgreSQL; benches/run starts one")?;
        let redis = setting("STAYGATE_BENCH_REDIS").context("STAYGATE_BENCH_REDIS is a Redis")?;
        let data = Data::of(&database, PROPERTIES, folder)?;
        let meter = Meter {
            server: None,
            postgres: data.processes()?,
            redis: servers::redis_process(&redis)?,
        };
        let mut plan = Self {
            rows: Vec::new(),
            folder,
            data: Rc::new(data),
            redis,
            meter,
            runtime: Runtime::new()?,
            node: setting("STAYGATE_BENCH_NODE"),
            watchers: None,
            heard: Vec::new(),
            starting: arguments.rows.contains(&Part::Starting),
            servers: Vec::new(),
            peers: Vec::new(),
            bare: Vec::new(),
        };
        if plan.node.is_none() {
            println!("NO PEER: STAYGATE_BENCH_NODE names no Node.js.");
        }
        plan.reading(&arguments.rows)?;
        if arguments.rows.contains(&Part::Cached) {
            plan.cached()?;
        }
        if arguments.rows.contains(&Part::Booking) {
            plan.booking()?;
        }
        if let Some(properties) = arguments.growth {
            plan.growth(properties)?;
        }
        if arguments.rows.contains(&Part::Watching) {
            let (address, _) = plan.server(&UNCACHED)?;
            let (_, tokens) = booking::sign_in(&plan.data, &plan.runtime, address, WATCHERS)?;
            plan.watchers = Some(Watchers::open(
                &plan.servers[plan.servers.len() - 1],
                tokens,
            )?);
        }
        Ok(plan)
    }

    /// One round of everything.
    pub(super) fn round(&mut self, time: Duration) -> anyhow::Result<()> {
        let (start, others) = (Instant::now(), self.others());
        for row in &mut self.rows {
            row.round(time)?;
        }
        if let Some(watchers) = &self.watchers {
            self.heard.push(watchers.round(&self.data, time)?);
        }
        let others = self.others().saturating_sub(others);
        let cores = others.div_duration_f64(start.elapsed());
        println!("  {cores:.2} cores were busy with what is not measured here");
        Ok(())
    }

    /// The processor time that the machine has used for others so far.
    fn others(&self) -> Duration {
        let ours = [Tree(process::id()), self.meter.postgres, self.meter.redis];
        let ours: Duration = ours.map(Tree::processor).iter().sum();
        of_machine().saturating_sub(ours)
    }

    /// What there is beside the rows; and how many changes nobody heard of.
    pub(super) fn facts(&mut self) -> anyhow::Result<(Vec<Fact>, u32)> {
        let (mut facts, mut unheard) = (Vec::new(), 0);
        if let Some(watchers) = self.watchers.take() {
            (facts, unheard) = watchers.facts(&self.heard);
            self.server(&UNCACHED)?;
            let fresh = &self.servers[self.servers.len() - 1];
            facts.extend(watching::idle(fresh, &self.data.properties()?)?);
        }
        if self.starting {
            facts.extend(starting::facts(self.folder, &self.data.url, &self.redis)?);
        }
        Ok((facts, unheard))
    }

    /// The search and the home, without anything kept of answers.
    fn reading(&mut self, rows: &[Part]) -> anyhow::Result<()> {
        let wanted = [Part::Search, Part::Detail].map(|row| rows.contains(&row));
        if wanted == [false, false] {
            return Ok(());
        }
        let data = Rc::clone(&self.data);
        let (server, meter) = self.server(&UNCACHED)?;
        let peer = self.peer(false)?;
        let kinds = [Kind::search(&data)?, Kind::detail(&data)?];
        for (kind, wanted) in kinds.into_iter().zip(wanted) {
            if !wanted {
                continue;
            }
            let mut contenders: Vec<Box<dyn Contender>> = vec![
                Box::new(kind.readers("staygate", server, meter)),
                Box::new(self.limit(&data, &kind, "")?),
            ];
            if let Some((peer, meter)) = peer {
                must_agree(&self.runtime, server, peer, &kind.bodies)?;
                contenders.push(Box::new(kind.readers("npm peer", peer, meter)));
            }
            self.rows.push(Row {
                most: kind.most,
                ..Row::new(kind.name, contenders, Some(kind.least))
            });
        }
        Ok(())
    }

    /// The same search over and over, kept in the process, and in Redis alone.
    fn cached(&mut self) -> anyhow::Result<()> {
        let data = Rc::clone(&self.data);
        let mut search = Kind::search(&data)?;
        search.bodies.truncate(1);
        for (name, settings, least) in [
            ("cached search", &CACHED[..], 0.6),
            ("search cached in Redis alone", &CACHED_IN_REDIS[..], 0.25),
        ] {
            let (server, meter) = self.server(settings)?;
            let answer = answers(&self.runtime, server, &search.bodies)?.remove(0);
            let (threads, url) = servers::bare(answer)?;
            self.bare.push(threads);
            let mut contenders: Vec<Box<dyn Contender>> = vec![
                Box::new(search.readers("staygate", server, meter)),
                Box::new(search.readers("bare route", address(&url)?, self.meter)),
            ];
            // Its cache is one of its own processes.
            if least > 0.5
                && let Some((peer, meter)) = self.peer(true)?
            {
                contenders.push(Box::new(search.readers("npm peer", peer, meter)));
            }
            self.rows.push(Row::new(name, contenders, Some(least)));
        }
        Ok(())
    }

    fn booking(&mut self) -> anyhow::Result<()> {
        let (address, meter) = self.server(&UNCACHED)?;
        let (guests, tokens) = booking::sign_in(&self.data, &self.runtime, address, CONNECTIONS)?;
        let theirs = booking::pgbench(&self.data, &guests, self.meter)?;
        let ours = Guests {
            data: Rc::clone(&self.data),
            address,
            tokens,
            meter,
        };
        let contenders: Vec<Box<dyn Contender>> = vec![Box::new(ours), Box::new(theirs)];
        self.rows.push(Row::new("booking", contenders, Some(0.6)));
        Ok(())
    }

    /// The search and the home among many more properties, beside the few: what an answer costs may grow by half. Then what it costs
    /// pgbench.
    fn growth(&mut self, properties: u32) -> anyhow::Result<()> {
        let few = Rc::clone(&self.data);
        let many = few.beside("large", properties, self.folder)?;
        let (server, meter) = self.server(&UNCACHED)?;
        let (large, meter_of_large) = self.server_of(&many.url, &UNCACHED)?;
        for (kind, kind_of_many) in [
            (Kind::search(&few)?, Kind::search(&many)?),
            (Kind::detail(&few)?, Kind::detail(&many)?),
        ] {
            let ours: Vec<Box<dyn Contender>> = vec![
                Box::new(kind_of_many.readers("among many", large, meter_of_large)),
                Box::new(kind.readers("among few", server, meter)),
            ];
            let theirs: Vec<Box<dyn Contender>> = vec![
                Box::new(self.limit(&many, &kind_of_many, "large")?),
                Box::new(self.limit(&few, &kind, "")?),
            ];
            self.rows
                .push(Row::new(kind.growth[0], ours, Some(1.0 / 1.5)));
            self.rows.push(Row::new(kind.growth[1], theirs, None));
        }
        Ok(())
    }

    /// Starts a server with settings of its own.
    fn server(&mut self, settings: &[(&str, &str)]) -> anyhow::Result<(SocketAddr, Meter)> {
        self.server_of(&self.data.url.clone(), settings)
    }

    fn server_of(
        &mut self,
        database: &str,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<(SocketAddr, Meter)> {
        let server = servers::start(self.folder, database, &self.redis, settings)?;
        let meter = Meter {
            server: Some(Tree(server.process.id())),
            ..self.meter
        };
        let address = address(&server.url)?;
        self.servers.push(server);
        Ok((address, meter))
    }

    /// Starts the peer, where there is Node.js.
    fn peer(&mut self, caches: bool) -> anyhow::Result<Option<(SocketAddr, Meter)>> {
        let Some(node) = &self.node else {
            return Ok(None);
        };
        let peer = Peer::start(node, &self.data.url, caches)?;
        let meter = Meter {
            server: Some(peer.processes()),
            ..self.meter
        };
        let address = address(&peer.url)?;
        self.peers.push(peer);
        Ok(Some((address, meter)))
    }

    /// Pgbench with the statements of an operation.
    fn limit(&self, data: &Data, kind: &Kind, folder: &str) -> anyhow::Result<Pgbench> {
        let folder = self.folder.join(folder);
        std::fs::create_dir_all(&folder)?;
        Ok(Pgbench {
            url: data.url.clone(),
            files: kind.scripts(data, &folder)?,
            variables: Box::new(|| Ok(Vec::new())),
            meter: self.meter,
        })
    }
}

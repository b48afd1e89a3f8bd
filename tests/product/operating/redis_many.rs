//! Several servers of Redis: a cluster, and a master that sentinels watch over. What dies makes things slower, and never wrong.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use staygate::{
    domain::{
        clock::{Clock as _, SystemClock},
        rate::Quota,
    },
    store::limits::Limiter,
};
use tempfile::tempdir;
use tokio::time::timeout;

use crate::support::{
    Client, Cluster, Process, Redis, Watched, World, a_postgres_database, command,
};

const DETAIL: &str = "query($id: ID!) { property(id: $id) { title } }";
/// How long Redis may take to have another master, and instances to find it.
const FAILS_OVER_WITHIN: Duration = Duration::from_secs(30);

/// Asks until something is so.
async fn comes_true(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    while !is_so().await {
        assert!(began.elapsed() < FAILS_OVER_WITHIN, "{what}");
        looks.tick().await;
    }
}

/// Two instances that share a Redis, with a property that a host has listed.
struct Market {
    here: World,
    there: World,
    host: Client,
    property: String,
    limiters: [Limiter; 2],
    keys: u32,
}

impl Market {
    async fn over(url: &str) -> Self {
        let here = World::on_postgres_with(&[("REDIS_URL", url)]).await;
        let there = here.another_instance().await;
        let host = here.host("hana").await;
        let property = host.lists(json!({})).await;
        let prefix = &here.app.settings.redis_prefix;
        let limiter = || Limiter::over_redis(url, prefix).expect("a URL of Redis");
        Self {
            limiters: [limiter(), limiter()],
            keys: 0,
            here,
            there,
            host,
            property,
        }
    }

    async fn renames(&self, title: &str) {
        let change = json!({ "id": self.property, "title": title });
        let selection = "property { id }";
        let input = "UpdatePropertyInput!";
        self.host
            .mutate("updateProperty", input, change, selection)
            .await;
    }

    async fn title_at(&self, world: &World) -> Value {
        let one = json!({ "id": self.property });
        world.stranger().get(DETAIL, one).await["property"]["title"].clone()
    }

    /// How many statements a look at the property takes at an instance.
    async fn statements_at(&self, world: &World) -> u64 {
        let before = world.app.db.statements_sent();
        self.title_at(world).await;
        world.app.db.statements_sent() - before
    }

    /// Both give the answer again that either of them has kept.
    async fn keep(&self) {
        for world in [&self.here, &self.there] {
            comes_true("answers are kept", async || {
                self.statements_at(world).await == 0
            })
            .await;
        }
    }

    /// What is changed at one is seen at once there, and soon at the other.
    async fn share_news(&self, title: &str) {
        self.renames(title).await;
        assert_eq!(self.title_at(&self.here).await, title);
        let began = Instant::now();
        while self.title_at(&self.there).await != title {
            assert!(began.elapsed() < Duration::from_secs(2), "{title}");
        }
    }

    /// Whether what one lets through counts for the other.
    async fn count_together(&mut self) -> bool {
        self.keys += 1;
        let key = format!("key {}", self.keys);
        let quota = Quota {
            burst: 2,
            every: chrono::Duration::minutes(1),
        };
        let mut let_through = 0;
        for limiter in self.limiters.iter().chain(&self.limiters) {
            let taken = limiter.take(&key, quota, SystemClock.now()).await;
            let_through += u32::from(taken.is_ok());
        }
        assert!(let_through >= 2, "nobody is refused without a reason");
        let_through == 2
    }

    /// Somebody's socket at one instance is closed within a second of their signing out at the other.
    async fn sign_out_everywhere(&self, name: &str) {
        let guest = self.here.guest(name).await;
        let mut socket = self.there.as_seen_by(&guest).opens_a_socket().await;
        guest.signs_out(true).await;
        self.there.as_seen_by(&guest).is_refused().await;
        let closed = timeout(Duration::from_secs(1), socket.is_closed()).await;
        assert_eq!(closed.expect("it is closed in time").0, 4403);
    }

    async fn doctor_says(&self) -> String {
        let folder = tempdir().expect("a folder");
        let own = self.here.settings();
        let own: Vec<_> = own
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        command(folder.path(), &["doctor"], &own).await.1
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_on_a_cluster_share_answers_limits_and_news() {
    let cluster = Cluster::start(3, 0).await;
    let mut market = Market::over(&cluster.url()).await;
    market.keep().await;
    market.share_news("Through the cluster").await;
    market.keep().await;
    // Keys of all nodes.
    for _ in 0..20 {
        assert!(market.count_together().await);
    }
    market.sign_out_everywhere("gus").await;
    let guest = market.here.guest("wanda").await;
    let nights =
        "subscription($id: ID!) { availabilityChanged(propertyId: $id) { date available } }";
    let mut socket = market.there.as_seen_by(&guest).opens_a_socket().await;
    let one = json!({ "id": market.property });
    socket.subscribe("n", nights, one).await;
    // It is subscribed when it is told of what comes next; until then another night is taken.
    let mut heard = None;
    for night in 1..100 {
        let (from, to) = (market.here.day(night), market.here.day(night + 1));
        guest.books(&market.property, &from, &to).await;
        heard = socket.hears_within(Duration::from_millis(200)).await;
        if heard.is_some() {
            break;
        }
    }
    assert!(heard.is_some(), "news cross the cluster");
    let said = market.doctor_says().await;
    assert!(
        said.contains("a cluster of 3 masters with no replica"),
        "{said}"
    );
    assert!(said.contains("no replica that could take over"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_a_cluster_that_dies_makes_things_slower_never_wrong() {
    let mut cluster = Cluster::start(3, 1).await;
    let mut market = Market::over(&cluster.url()).await;
    market.keep().await;
    let said = market.doctor_says().await;
    assert!(
        said.contains("ok    Redis") && said.contains("3 masters with 3 replicas"),
        "{said}"
    );
    // The one that has what answers are held against.
    let moments = format!("{{{}:answers}}", market.here.app.settings.redis_prefix);
    cluster.node_of(&moments).await.is_killed();
    for number in 0..3 {
        let title = format!("Without a node, {number}");
        market.renames(&title).await;
        assert_eq!(market.title_at(&market.here).await, title);
    }
    market.sign_out_everywhere("gus").await;
    let mut is_shared = 0;
    comes_true("the replica takes over", async || {
        // Each is right meanwhile.
        is_shared += 1;
        let title = format!("On the way, {is_shared}");
        market.renames(&title).await;
        assert_eq!(market.title_at(&market.here).await, title);
        market.count_together().await && market.statements_at(&market.here).await == 0
    })
    .await;
    market.keep().await;
    market.share_news("A replica has taken over").await;
    market.sign_out_everywhere("gil").await;
    for _ in 0..20 {
        assert!(market.count_together().await);
    }
    let said = market.doctor_says().await;
    assert!(
        said.contains("look  Redis") && said.contains("is away"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sentinels_failover_is_survived() {
    let mut redis = Watched::start().await;
    let mut market = Market::over(&redis.url()).await;
    market.keep().await;
    market.share_news("Before").await;
    assert!(market.count_together().await);
    let said = market.doctor_says().await;
    let master = format!("`market` is 127.0.0.1:{}", redis.master.port());
    assert!(
        said.contains("ok    Redis") && said.contains("3 of 3 sentinels answer"),
        "{said}"
    );
    assert!(
        said.contains(&master) && said.contains("with 1 replica"),
        "{said}"
    );
    redis.master.is_killed();
    market.renames("While there is no master").await;
    let title = market.title_at(&market.here).await;
    assert_eq!(title, "While there is no master");
    market.sign_out_everywhere("gus").await;
    redis.has_another_master().await;
    comes_true("they count together again", async || {
        market.count_together().await
    })
    .await;
    market.keep().await;
    market.share_news("Over the new master").await;
    market.sign_out_everywhere("gil").await;
    market.keep().await;
    // The old one comes back, and is a replica soon: nobody writes to it.
    redis.master.starts_again();
    redis
        .master
        .comes_to_say("INFO replication", &["role:slave", "master_link_status:up"])
        .await;
    assert!(market.count_together().await);
    market.share_news("With a replica again").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_kept_is_not_shown_after_a_failover_that_lost_the_bump() {
    let mut redis = Watched::start().await;
    let (url, prefix) = a_postgres_database().await;
    let folder = tempdir().expect("a folder");
    let redis_url = redis.url();
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("REDIS_URL", redis_url.as_str()),
        ("STAYGATE_REDIS_PREFIX", prefix.as_str()),
        ("STAYGATE_WORKERS", "false"),
    ];
    let mut first = Process::serves(folder.path(), &settings).await;
    let input = json!({ "fullName": "hana", "email": "hana@example.com", "password": "a good password", "role": "HOST" });
    let host = Client::new(first.base()).sign_up(input).await;
    let property = host.lists(json!({ "title": "Old" })).await;
    let one = json!({ "id": property });
    let answer = format!("{prefix}:answer:");
    comes_true("the replica has the answer", async || {
        let shown = Client::new(first.base()).get(DETAIL, one.clone()).await;
        assert_eq!(shown["property"]["title"], "Old");
        let keys: Vec<Vec<u8>> = redis.replica.says("KEYS *").await.unwrap_or_default();
        keys.iter().any(|key| key.starts_with(answer.as_bytes()))
    })
    .await;
    redis.replica_is_cut_off().await;
    let change = json!({ "id": property, "title": "New" });
    host.mutate(
        "updateProperty",
        "UpdatePropertyInput!",
        change,
        "property { id }",
    )
    .await;
    // Nobody is left who knows of the bump.
    redis.master.is_killed();
    first.is_killed().await;
    redis.has_another_master().await;
    let kept: Vec<Vec<u8>> = redis.replica.says("KEYS *").await.unwrap_or_default();
    assert!(
        kept.iter().any(|key| key.starts_with(answer.as_bytes())),
        "the old answer is still there"
    );
    let second = Process::serves(folder.path(), &settings).await;
    for _ in 0..3 {
        let shown = Client::new(second.base()).get(DETAIL, one.clone()).await;
        assert_eq!(shown["property"]["title"], "New");
    }
}

/// It has heard less than the instances have: they know of moments that it counts again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_comes_back_with_what_it_had_saved_shows_nothing_old() {
    let mut redis = Redis::start();
    let market = Market::over(&redis.url()).await;
    market.keep().await;
    let _: Option<()> = redis.says("SAVE").await;
    for number in 0..10 {
        market
            .share_news(&format!("After it was saved, {number}"))
            .await;
    }
    market.keep().await;
    redis.is_killed();
    market.renames("While it was away").await;
    redis.starts_again_as_it_was_saved();
    let began = Instant::now();
    comes_true("answers are kept again", async || {
        assert_eq!(market.title_at(&market.here).await, "While it was away");
        // The other one may not have noticed yet that it is gone.
        let title = market.title_at(&market.there).await;
        assert!(title == "While it was away" || began.elapsed() < Duration::from_secs(2));
        market.statements_at(&market.here).await == 0
            && market.statements_at(&market.there).await == 0
    })
    .await;
    market.share_news("And it goes on").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_address_stops_the_start() {
    let folder = tempdir().expect("a folder");
    for (url, says) in [
        ("redis-cluster://:geheim@", "a host is missing"),
        (
            "redis-cluster://:geheim@a:1,b:2/3",
            "a cluster has one database",
        ),
        ("redis-sentinel://:geheim@a:1,b:2", "?master=NAME"),
        ("redis://:geheim@a:1,b:2", "redis-cluster://"),
        ("memcached://:geheim@a", "redis-sentinel://"),
    ] {
        let (good, said) = command(folder.path(), &["serve"], &[("REDIS_URL", url)]).await;
        assert!(
            !good && said.contains("REDIS_URL") && said.contains(says),
            "{said}"
        );
        assert!(
            said.trim_end().lines().count() == 1 && !said.contains("geheim"),
            "{said}"
        );
    }
    let url = "redis-sentinel://me:geheim@a,b:2/?master=market&sentinel_password=geheim";
    let (good, said) = command(folder.path(), &["config"], &[("REDIS_URL", url)]).await;
    let shown = "redis_url = \"redis-sentinel://me:***@a,b:2?master=market&sentinel_password=***\"";
    assert!(good && said.contains(shown), "{said}");
}

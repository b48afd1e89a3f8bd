//! Where Redis is: one server, a cluster, or the sentinels who know which server is the master.

use std::fmt;

use anyhow::{Context as _, anyhow, bail, ensure};
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo};
use url::form_urlencoded;

/// Where sentinels listen unless somebody says otherwise.
const SENTINEL_PORT: &str = "26379";
/// Where a node of a cluster does.
const PORT: &str = "6379";
/// Of a password that was not encoded.
const ENCODE: &str =
    "characters such as @ / ? # and , in a user or password must be written as %40 and the like";
/// What stands in the place of a secret.
const MASK: &str = "***";

/// A URL of Redis, taken apart.
#[derive(Clone)]
pub(super) enum Address {
    /// `redis://` or `rediss://` (by TLS), in any form that the `redis` crate knows.
    One(ConnectionInfo),
    /// `redis-cluster://[user:password@]host[:port],host[:port]`: some nodes, which know the others. `rediss-cluster://` by TLS.
    Cluster(Vec<ConnectionInfo>),
    /// `redis-sentinel://[user:password@]host[:port],host[:port][/database]?master=NAME`. User and password are those of the servers; those of the
    /// sentinels themselves are `sentinel_user=` and `sentinel_password=`. `rediss-sentinel://` speaks TLS with all of them.
    Sentinel(Sentinels),
}

/// Those who watch over a master and its replicas.
#[derive(Clone)]
pub(super) struct Sentinels {
    /// Where each of them is, and how it lets us in.
    pub(super) each: Vec<ConnectionInfo>,
    /// What they call the master.
    pub(super) name: String,
    /// How the master lets us in.
    pub(super) settings: RedisConnectionInfo,
}

impl Address {
    /// # Errors
    /// What is wrong, in one line without any part of the URL: there may be a password in it.
    pub(super) fn parse(url: &str) -> anyhow::Result<Self> {
        let Some(many) = Many::of(url) else {
            let one = url.into_connection_info().map(Self::One);
            return one.map_err(|error| {
                anyhow!("it must be redis://HOST:PORT, redis-cluster://… or redis-sentinel://… ({error})")
            });
        };
        ensure!(many.is_clear(), ENCODE);
        let mut master = None;
        let mut sentinel = RedisConnectionInfo::default();
        for (name, value) in form_urlencoded::parse(many.query.as_bytes()) {
            match (&*name, many.is_cluster()) {
                ("master", false) if !value.is_empty() => master = Some(value.into_owned()),
                ("sentinel_user", false) => sentinel = sentinel.set_username(value),
                ("sentinel_password", false) => sentinel = sentinel.set_password(value),
                _ => bail!("?{name}= means nothing there"),
            }
        }
        ensure!(
            many.fragment.is_empty(),
            "what stands behind # means nothing there"
        );
        let nodes = many.nodes()?;
        if many.is_cluster() {
            ensure!(
                many.database.is_empty(),
                "a cluster has one database: /{} means nothing there",
                many.database
            );
            return Ok(Self::Cluster(nodes));
        }
        let name = master
            .context("redis-sentinel:// needs ?master=NAME, what the sentinels call the master")?;
        let settings = nodes[0].redis_settings().clone();
        let sentinels = nodes
            .into_iter()
            .map(|node| node.set_redis_settings(sentinel.clone()))
            .collect();
        Ok(Self::Sentinel(Sentinels {
            each: sentinels,
            name,
            settings,
        }))
    }
}

/// The URL of a cluster or of sentinels without the passwords in it; none where it is neither.
#[must_use]
pub fn without_passwords(url: &str) -> Option<String> {
    let many = Many::of(url)?;
    let user = many.user.map(|user| match user.split_once(':') {
        Some((name, _)) => format!("{name}:{MASK}@"),
        None => format!("{user}@"),
    });
    if !many.is_clear() || !many.fragment.is_empty() {
        return Some(MASK.to_owned());
    }
    let mut shown = format!(
        "{}://{}{}",
        many.scheme,
        user.unwrap_or_default(),
        many.hosts
    );
    if !many.database.is_empty() {
        shown = format!("{shown}/{}", many.database);
    }
    for (at, part) in many
        .query
        .split('&')
        .filter(|part| !part.is_empty())
        .enumerate()
    {
        let mark = if at == 0 { '?' } else { '&' };
        let part = match part.split_once('=') {
            Some((name @ ("master" | "sentinel_user"), value)) => format!("{name}={value}"),
            Some((name, _)) => format!("{name}={MASK}"),
            None => MASK.to_owned(),
        };
        shown = format!("{shown}{mark}{part}");
    }
    Some(shown)
}

/// The parts of a URL with several hosts, which crates for URLs do not know.
struct Many<'a> {
    scheme: &'a str,
    user: Option<&'a str>,
    hosts: &'a str,
    database: &'a str,
    query: &'a str,
    fragment: &'a str,
}

impl<'a> Many<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let schemes = [
            "redis-cluster",
            "rediss-cluster",
            "redis-sentinel",
            "rediss-sentinel",
        ];
        if !schemes.contains(&scheme) {
            return None;
        }
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (user, rest) = match rest.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, rest),
        };
        let (hosts, database) = rest.split_once('/').unwrap_or((rest, ""));
        Some(Self {
            scheme,
            user,
            hosts,
            database,
            query,
            fragment,
        })
    }

    /// Whether no character of a user or password is taken for one that divides the URL: then part of it would stand elsewhere.
    fn is_clear(&self) -> bool {
        let elsewhere = [self.query, self.fragment]
            .iter()
            .any(|part| part.contains('@'));
        !elsewhere && self.user.is_none_or(|user| !user.contains(['@', '/', ',']))
    }

    fn is_cluster(&self) -> bool {
        self.scheme.ends_with("-cluster")
    }

    /// Each host, with the user and the database that they all share.
    fn nodes(&self) -> anyhow::Result<Vec<ConnectionInfo>> {
        let one = if self.scheme.starts_with("rediss") {
            "rediss"
        } else {
            "redis"
        };
        let user = self.user.map(|user| format!("{user}@")).unwrap_or_default();
        let usual = if self.is_cluster() {
            PORT
        } else {
            SENTINEL_PORT
        };
        let mut nodes = vec![];
        for host in self.hosts.split(',') {
            ensure!(
                !host.is_empty() && !host.starts_with(':'),
                "a host is missing: several stand between commas, host:port,host:port"
            );
            // The last colon of an IPv6 address is no port's.
            let has_port = host
                .rsplit_once(':')
                .is_some_and(|(_, port)| !port.contains(']'));
            let port = if has_port {
                String::new()
            } else {
                format!(":{usual}")
            };
            let node = format!("{one}://{user}{host}{port}/{}", self.database);
            let node = node.as_str().into_connection_info();
            nodes.push(
                node.map_err(|error| anyhow!("{host} is no host:port that can be used ({error})"))?,
            );
        }
        Ok(nodes)
    }
}

/// A server as operators know it: host and port.
pub(super) struct Place<'a>(pub(super) &'a ConnectionAddr);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                write!(f, "{host}:{port}")
            }
            other => write!(f, "{other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(nodes: &[ConnectionInfo]) -> Vec<String> {
        nodes
            .iter()
            .map(|node| Place(node.addr()).to_string())
            .collect()
    }

    #[test]
    fn each_kind_has_its_form() {
        assert!(matches!(
            Address::parse("redis://127.0.0.1:6379/3"),
            Ok(Address::One(_))
        ));
        assert!(matches!(
            Address::parse("rediss://:pw@redis.example"),
            Ok(Address::One(_))
        ));
        let Ok(Address::Cluster(nodes)) = Address::parse(
            "rediss-cluster://me:p%40s%2Cs@a.example:7000,10.0.0.2,[::1]:7002,[::2]",
        ) else {
            panic!("a cluster");
        };
        assert_eq!(
            places(&nodes),
            ["a.example:7000", "10.0.0.2:6379", "::1:7002", "::2:6379"]
        );
        for node in &nodes {
            assert_eq!(node.redis_settings().username(), Some("me"));
            assert_eq!(node.redis_settings().password(), Some("p@s,s"));
            assert!(matches!(
                node.addr(),
                ConnectionAddr::TcpTls {
                    insecure: false,
                    ..
                }
            ));
        }
        let url = "redis-sentinel://:one@a,b:26380/2?master=market&sentinel_user=watch&sentinel_password=t%26wo";
        let Ok(Address::Sentinel(sentinels)) = Address::parse(url) else {
            panic!("sentinels");
        };
        assert_eq!(places(&sentinels.each), ["a:26379", "b:26380"]);
        assert_eq!(sentinels.name, "market");
        assert_eq!(
            (sentinels.settings.password(), sentinels.settings.db()),
            (Some("one"), 2)
        );
        for sentinel in &sentinels.each {
            let settings = sentinel.redis_settings();
            assert_eq!(
                (settings.username(), settings.password()),
                (Some("watch"), Some("t&wo"))
            );
            assert_eq!(settings.db(), 0, "sentinels have no databases");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_a_password() {
        for (url, says) in [
            ("not a URL", "redis-cluster://"),
            ("http://geheim@a", "redis-cluster://"),
            ("redis://:geheim@a:1,b:2", "redis-cluster://"),
            ("redis-cluster://", "a host is missing"),
            ("redis-cluster://:geheim@a:7000,,b", "a host is missing"),
            ("redis-cluster://:geheim@:7000", "a host is missing"),
            ("redis-cluster://:geheim@a:70000", "a:70000 is no host:port"),
            ("redis-cluster://:geheim@a:b:c", "a:b:c is no host:port"),
            ("redis-cluster://:geheim@a:7000/1", "one database"),
            (
                "redis-cluster://:geheim@a?master=m",
                "?master= means nothing",
            ),
            ("redis-cluster://:ge,heim@a", "%40"),
            ("redis-cluster://:ge@heim@a", "%40"),
            ("redis-cluster://:ge/heim@a", "%40"),
            ("redis-cluster://heim:ge?heim@a", "%40"),
            ("redis-cluster://heim:ge#heim@a", "%40"),
            ("redis-sentinel://:geheim@a", "?master=NAME"),
            (
                "redis-sentinel://:geheim@a?master=",
                "?master= means nothing",
            ),
            ("redis-sentinel://:geheim@a/x?master=m", "is no host:port"),
            (
                "redis-sentinel://a?master=m&password=geheim",
                "?password= means nothing",
            ),
            ("redis-sentinel://a#m", "behind # means nothing"),
        ] {
            let error = Address::parse(url).err().map(|error| format!("{error:#}"));
            let error = error.unwrap_or_else(|| panic!("{url} is taken"));
            assert!(
                error.contains(says) && !error.contains("heim"),
                "{url}: {error}"
            );
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn passwords_are_masked() {
        for (url, shown) in [
            ("redis-cluster://a:1,b", "redis-cluster://a:1,b"),
            (
                "rediss-cluster://me:geheim@a:1,b",
                "rediss-cluster://me:***@a:1,b",
            ),
            (
                "redis-sentinel://:geheim@a/2?master=m&sentinel_user=u&sentinel_password=geheim",
                "redis-sentinel://:***@a/2?master=m&sentinel_user=u&sentinel_password=***",
            ),
            ("redis-sentinel://a?geheim", "redis-sentinel://a?***"),
            ("redis-cluster://me:geh/eim@a", "***"),
            ("redis-cluster://me:geh?eim@a", "***"),
            ("redis-cluster://me:geh#eim@a", "***"),
            ("redis-cluster://me:geh,eim@a", "***"),
        ] {
            assert_eq!(without_passwords(url).as_deref(), Some(shown));
        }
        assert_eq!(without_passwords("redis://:geheim@a"), None);
    }
}

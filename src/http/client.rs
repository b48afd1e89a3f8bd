//! Where a request comes from, also through proxies.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use anyhow::Context as _;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use ipnet::IpNet;

use super::request_id;
use crate::domain::actor::Client;

/// The most characters that are kept of what a client calls itself.
const USER_AGENT: usize = 300;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies whose word is taken for where a request came from. None of them by default: whoever can reach the port could say anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Parses addresses and networks with commas between: `10.0.0.0/8, 127.0.0.1, ::1`. An empty list is none.
    ///
    /// # Errors
    /// When one is neither, or is an IPv4 network written as one of IPv6, which would match nobody.
    pub fn parse(list: &str) -> anyhow::Result<Self> {
        list.split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(|text| {
                network(text)
                    .with_context(|| format!("{text} is no address or network such as 10.0.0.0/8"))
            })
            .collect::<anyhow::Result<_>>()
            .map(Self)
    }

    /// Whether one of them is speaking.
    pub(super) fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address))
    }

    /// The address of a request's sender.
    ///
    /// Each proxy writes who spoke to it at the right end of `X-Forwarded-For`, after what was there before. So the list is read from the
    /// right, for as long as a trusted proxy is speaking; anything further left is what a stranger claims. An entry that is no address
    /// tells nothing, nor does what stands before it: then it is the proxy that said so.
    fn sender(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let mut speaking = peer.to_canonical();
        let lines: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
        let entries = lines
            .iter()
            .rev()
            .flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for entry in entries {
            if !self.trust(speaking) {
                break;
            }
            match address(entry.trim()) {
                Some(address) => speaking = address,
                None => break,
            }
        }
        speaking
    }
}

/// A network, or an address as the network of it alone.
fn network(text: &str) -> Option<IpNet> {
    match text.parse::<IpAddr>() {
        Ok(address) => Some(address.to_canonical().into()),
        Err(_) => text
            .parse::<IpNet>()
            .ok()
            .filter(|net| net.addr().to_canonical() == net.addr()),
    }
}

/// An address, also with the port that some proxies add: `192.0.2.1:567`, `[2001:db8::1]:567`.
fn address(entry: &str) -> Option<IpAddr> {
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']');
    let address = entry
        .parse::<IpAddr>()
        .or_else(|_| entry.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .or_else(|| bracketed()?.parse::<Ipv6Addr>().ok().map(IpAddr::from))?;
    Some(address.to_canonical())
}

/// Where a request came from, and what it calls itself.
pub(super) fn client(proxies: &Proxies, headers: &HeaderMap, peer: SocketAddr) -> Client {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    Client {
        ip_address: Some(proxies.sender(headers, peer.ip())),
        user_agent: text(header::USER_AGENT).map(|text| text.chars().take(USER_AGENT).collect()),
        request_id: text(request_id::HEADER).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a request comes from whose socket's other end is `peer`, and which has these lines of `X-Forwarded-For`.
    fn seen(proxies: &str, peer: &str, lines: &[&str]) -> String {
        let headers = lines
            .iter()
            .map(|line| (FORWARDED_FOR, line.parse().unwrap()))
            .collect();
        let peer = SocketAddr::new(peer.parse().unwrap(), 4_711);
        let client = client(&Proxies::parse(proxies).unwrap(), &headers, peer);
        client.ip_address.unwrap().to_string()
    }

    #[test]
    fn nobody_is_believed_unless_trusted() {
        assert_eq!(seen("", "127.0.0.1", &["203.0.113.7"]), "127.0.0.1");
        assert_eq!(
            seen("10.0.0.0/8", "192.0.2.1", &["203.0.113.7"]),
            "192.0.2.1"
        );
        assert_eq!(
            seen("10.0.0.0/8", "10.1.2.3", &["203.0.113.7"]),
            "203.0.113.7"
        );
        assert_eq!(seen("10.0.0.0/8", "10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn what_stands_before_the_first_stranger_is_a_claim() {
        let proxies = "10.0.0.0/8, ::1";
        for (lines, expected) in [
            (&["198.51.100.1, 203.0.113.7"][..], "203.0.113.7"),
            (&["198.51.100.1, 203.0.113.7, 10.9.9.9"], "203.0.113.7"),
            (
                &["198.51.100.1", "203.0.113.7,10.9.9.9", "::1"],
                "203.0.113.7",
            ),
            (&["10.0.0.5, 10.0.0.6"], "10.0.0.5"),
        ] {
            assert_eq!(seen(proxies, "10.1.2.3", lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_address_ends_the_list() {
        for (lines, expected) in [
            (&["203.0.113.7, unknown"][..], "10.1.2.3"),
            (&["203.0.113.7, unknown, 10.0.0.5"], "10.0.0.5"),
            (&["203.0.113.7, "], "10.1.2.3"),
            (&[""], "10.1.2.3"),
            (&["[203.0.113.7]"], "10.1.2.3"),
            (&["203.0.113.7:port"], "10.1.2.3"),
        ] {
            assert_eq!(seen("10.0.0.0/8", "10.1.2.3", lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn an_address_has_one_spelling() {
        for (line, expected) in [
            ("203.0.113.7:567", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("[::ffff:203.0.113.7]:567", "203.0.113.7"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:123", "2001:db8::1"),
        ] {
            assert_eq!(seen("10.0.0.0/8", "10.1.2.3", &[line]), expected);
        }
        assert_eq!(
            seen("10.0.0.0/8", "::ffff:10.1.2.3", &["203.0.113.7"]),
            "203.0.113.7"
        );
        assert_eq!(
            seen("::ffff:10.1.2.3", "10.1.2.3", &["203.0.113.7"]),
            "203.0.113.7"
        );
    }

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        assert_eq!(Proxies::parse(" , ").unwrap(), Proxies::default());
        for bad in [
            "proxy",
            "10.0.0.0/33",
            "10.0.0.1:80",
            "127.0.0.1 ::1",
            "::ffff:10.0.0.0/104",
        ] {
            let message = Proxies::parse(bad).unwrap_err().to_string();
            assert!(message.contains(bad), "{message}");
        }
    }
}

//! Which addresses belong to the public internet.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::LazyLock,
};

use ipnet::{Ipv4Net, Ipv6Net};

/// IPv4 networks that are not global, by the IANA special-purpose registry, with multicast and what is reserved.
static NOT_GLOBAL: LazyLock<Vec<Ipv4Net>> = LazyLock::new(|| {
    let net = |a, b, c, d, length| Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length);
    vec![
        net(0, 0, 0, 0, 8),        // this network
        net(10, 0, 0, 0, 8),       // private
        net(100, 64, 0, 0, 10),    // shared by carriers
        net(127, 0, 0, 0, 8),      // loopback
        net(168, 63, 129, 16, 32), // public by its number, and Azure's own metadata
        net(169, 254, 0, 0, 16),   // link-local, with the clouds' metadata
        net(172, 16, 0, 0, 12),    // private
        net(192, 0, 0, 0, 24),     // protocol assignments
        net(192, 0, 2, 0, 24),     // documentation
        net(192, 88, 99, 0, 24),   // relays of 6to4
        net(192, 168, 0, 0, 16),   // private
        net(198, 18, 0, 0, 15),    // benchmarking
        net(198, 51, 100, 0, 24),  // documentation
        net(203, 0, 113, 0, 24),   // documentation
        net(224, 0, 0, 0, 4),      // multicast
        net(240, 0, 0, 0, 4),      // reserved, with broadcast
    ]
});

/// Global unicast in IPv6, and what of it is not: everything outside of the first network is refused unseen.
static GLOBAL_6: LazyLock<Ipv6Net> = LazyLock::new(|| net6(0x2000, 0, 0, 3));
static NOT_GLOBAL_6: LazyLock<Vec<Ipv6Net>> = LazyLock::new(|| {
    vec![
        net6(0x2001, 0, 0, 23), // protocol assignments, with Teredo and benchmarking
        net6(0x2001, 0xdb8, 0, 32), // documentation
        net6(0x2002, 0, 0, 16), // 6to4: leads to an IPv4 address
        net6(0x3fff, 0, 0, 20), // documentation
    ]
});
/// Where IPv6 alone is spoken, the rest of the world has addresses in here (NAT64, RFC 6052).
static TRANSLATED: LazyLock<Ipv6Net> = LazyLock::new(|| net6(0x64, 0xff9b, 0, 96));

fn net6(a: u16, b: u16, c: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

/// Whether an address belongs to the public internet. One in which another is wrapped up counts as that one, or is refused.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !NOT_GLOBAL.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) if TRANSLATED.contains(&address) => {
            let [.., a, b, c, d] = address.octets();
            is_public(Ipv4Addr::new(a, b, c, d).into())
        }
        IpAddr::V6(address) => {
            GLOBAL_6.contains(&address) && !NOT_GLOBAL_6.iter().any(|net| net.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_public_counts_as_public() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:7f00:1::",
            "2001:2::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}

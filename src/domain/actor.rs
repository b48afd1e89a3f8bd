//! Who is asking.

use std::net::{IpAddr, Ipv6Addr};

use uuid::Uuid;

use super::{ids::UserId, people::Role};

/// Who is asking. Every service method is given one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Nobody is signed in.
    Anonymous,
    /// A signed-in person.
    User(SignedIn),
}

/// A signed-in person, on one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The person.
    pub user_id: UserId,
    /// The person's role at this moment.
    pub role: Role,
    /// The session that the access token belongs to.
    pub session_id: Uuid,
}

impl Actor {
    /// The signed-in person, if there is one.
    #[must_use]
    pub fn signed_in(&self) -> Option<&SignedIn> {
        match self {
            Self::Anonymous => None,
            Self::User(user) => Some(user),
        }
    }

    /// The signed-in person's key, if there is one.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        self.signed_in().map(|user| user.user_id)
    }

    /// Whether an admin is asking.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.signed_in()
            .is_some_and(|user| user.role == Role::Admin)
    }

    /// Whether it is this very person.
    #[must_use]
    pub fn is(&self, user_id: UserId) -> bool {
        self.user_id() == Some(user_id)
    }
}

/// Where a request came from; kept with sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// The address of the other end.
    pub ip_address: Option<IpAddr>,
    /// What the client calls itself; at most 300 characters.
    pub user_agent: Option<String>,
    /// The name of the request; 1 to 64 of the characters `A-Z a-z 0-9 . _ -`.
    pub request_id: Option<String>,
}

impl Client {
    /// Whom limits take for one sender: the address, or of an IPv6 address its /64, since whoever has one of these has all of it (RFC 6177).
    #[must_use]
    pub fn network(&self) -> Option<String> {
        Some(match self.ip_address?.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let network = Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64));
                format!("{network}/64")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_take_an_ipv6_network_for_one_sender() {
        for (address, network) in [
            ("203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::", "2001:db8:1:2::/64"),
            ("::1", "::/64"),
        ] {
            let client = Client {
                ip_address: Some(address.parse().unwrap()),
                ..Client::default()
            };
            assert_eq!(client.network().as_deref(), Some(network));
        }
        assert_eq!(Client::default().network(), None);
    }
}

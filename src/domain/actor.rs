//! Who is asking.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use uuid::Uuid;

use super::{ids::UserId, people::Role};

/// Who is asking, and from where. Every service method is given one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actor {
    user: Option<SignedIn>,
    client: Arc<Client>,
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
    /// The number of the person's tokens that the access token carries.
    pub token_version: i32,
}

impl Actor {
    /// Nobody: what happens by itself.
    #[must_use]
    pub fn nobody() -> Self {
        Self::default()
    }

    /// A client that is not signed in.
    #[must_use]
    pub const fn anonymous(client: Arc<Client>) -> Self {
        Self { user: None, client }
    }

    /// A signed-in person.
    #[must_use]
    pub const fn person(user: SignedIn, client: Arc<Client>) -> Self {
        Self {
            user: Some(user),
            client,
        }
    }

    /// The signed-in person, if there is one.
    #[must_use]
    pub const fn signed_in(&self) -> Option<&SignedIn> {
        self.user.as_ref()
    }

    /// From where.
    #[must_use]
    pub const fn client(&self) -> &Arc<Client> {
        &self.client
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
    /// Whom limits take for one sender: see [`network_of`].
    #[must_use]
    pub fn network(&self) -> Option<String> {
        self.ip_address.map(network_of)
    }
}

/// Whom limits take for one sender: the address, or of an IPv6 address its /64, since whoever has one of these has all of it (RFC 6177).
#[must_use]
pub fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64));
            format!("{network}/64")
        }
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

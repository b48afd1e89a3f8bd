//! Who is asking.

use std::net::IpAddr;

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

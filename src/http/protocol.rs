//! The messages of the `graphql-transport-ws` subprotocol
//! (<https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>), and its close codes.

use async_graphql::{Response, ServerError};
use axum::extract::ws::CloseFrame;
use serde::{Deserialize, Serialize};

use super::{json::Object, parameters::Parameters};

/// The subprotocol's name.
pub(super) const NAME: &str = "graphql-transport-ws";

/// The payload of a message.
pub(super) type Map = serde_json::Map<String, serde_json::Value>;

/// What a client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum FromClient {
    ConnectionInit {
        payload: Option<Map>,
    },
    Ping {
        payload: Option<Map>,
    },
    Pong {},
    Subscribe {
        id: String,
        payload: Object<Parameters>,
    },
    Complete {
        id: String,
    },
}

/// What the server says.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum FromServer<'a> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Map>,
    },
    Next {
        id: &'a str,
        payload: &'a Response,
    },
    Error {
        id: &'a str,
        payload: &'a [ServerError],
    },
    Complete {
        id: &'a str,
    },
}

/// Why the server closes a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Close {
    /// The server stops.
    GoingAway,
    /// A message that is not one of the protocol.
    BadMessage(&'static str),
    /// An operation before `connection_init` was acknowledged, or the access token has lapsed.
    Unauthorized,
    /// The access token is not good, or its session has ended.
    Forbidden,
    /// The client does not speak the subprotocol.
    SubprotocolNotAcceptable,
    /// No `connection_init` in time.
    InitTimeout,
    /// An id that is in use.
    SubscriberExists(String),
    /// A second `connection_init`.
    TooManyInits,
    /// The caller has too many sockets and streams open.
    TooManyConnections,
    /// Something is away here that will be back.
    Away,
    /// Something broke here.
    Internal,
}

impl Close {
    pub(super) fn frame(&self) -> CloseFrame {
        let (code, reason) = match self {
            Self::GoingAway => (1001, "The server is stopping".to_owned()),
            Self::BadMessage(why) => (4400, (*why).to_owned()),
            Self::Unauthorized => (4401, "Unauthorized".to_owned()),
            Self::Forbidden => (4403, "Forbidden".to_owned()),
            Self::SubprotocolNotAcceptable => (4406, "Subprotocol not acceptable".to_owned()),
            Self::InitTimeout => (4408, "Connection initialisation timeout".to_owned()),
            // A close reason has at most 123 bytes (RFC 6455, 5.5).
            Self::SubscriberExists(id) => {
                let shown: String = id.chars().take(20).collect();
                (4409, format!("Subscriber for {shown} already exists"))
            }
            Self::TooManyInits => (4429, "Too many initialisation requests".to_owned()),
            // Of the registry of RFC 6455: clients try again, later.
            Self::TooManyConnections => (1013, "Too many connections".to_owned()),
            Self::Away => (1013, "Try again in a moment".to_owned()),
            Self::Internal => (4500, "Internal server error".to_owned()),
        };
        CloseFrame {
            code,
            reason: reason.into(),
        }
    }
}

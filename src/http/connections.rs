//! How many sockets and streams of events each caller has open.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_graphql::ServerError;

use super::limits::Limits;
use crate::domain::actor::Actor;

/// The open connections of all callers: of each person who is signed in, and of each network where nobody is.
#[derive(Debug, Clone, Default)]
pub struct Connections(Arc<Mutex<HashMap<String, usize>>>);

/// A caller's place for one connection, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    connections: Connections,
    of: String,
}

impl Connections {
    /// Takes a place.
    ///
    /// # Errors
    /// `RATE_LIMITED` when the caller has as many open as the limits allow.
    pub(super) fn enter(
        &self,
        limits: &Limits,
        actor: &Actor,
        network: Option<&str>,
    ) -> Result<Place, ServerError> {
        let of = actor.user_id().map_or_else(
            || format!("from {}", network.unwrap_or_default()),
            |user| user.to_string(),
        );
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = counts.get(&of).copied().unwrap_or_default() + 1;
        limits.check("connections", found, limits.connections)?;
        counts.insert(of.clone(), found);
        metrics::gauge!("staygate_connections_open").increment(1);
        Ok(Place {
            connections: self.clone(),
            of,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!("staygate_connections_open").decrement(1);
        let counts = &self.connections.0;
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.of);
            }
        }
    }
}

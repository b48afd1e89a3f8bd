//! Names to addresses, public ones alone.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Leaves out what must not be reached. What it gives is what is connected to, so a name that means something else a moment later gains nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolver {
    pub(super) may_reach: fn(IpAddr) -> bool,
}

/// A name has no address, or none that is public.
#[derive(Debug, thiserror::Error)]
#[error("no public address")]
pub(super) struct NotPublic;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let may_reach = self.may_reach;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found = found.map_err(|_| NotPublic)?;
            let allowed: Vec<SocketAddr> =
                found.filter(|address| may_reach(address.ip())).collect();
            if allowed.is_empty() {
                return Err(NotPublic.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

//! Speaking HTTP on a port, with TLS or without, and waiting for nobody there: not for a client that sends its request byte by byte, nor for one that has
//! gone without a word.

use std::{io, net::SocketAddr, time::Duration};

use axum::{Router, extract::connect_info::IntoMakeServiceWithConnectInfo};
use axum_server::{
    Handle,
    accept::NoDelayAcceptor,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use futures_util::{FutureExt as _, future::BoxFuture};
use hyper_util::rt::TokioTimer;
use tokio::net::TcpListener;

use super::{config::Settings, first_bytes::InTime};

/// Serves until it is told to stop by the handle.
///
/// # Errors
/// When the port can't be used; then, when the network breaks.
pub(super) fn serve(
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    service: IntoMakeServiceWithConnectInfo<Router, SocketAddr>,
    settings: &Settings,
    handle: Handle<SocketAddr>,
) -> anyhow::Result<BoxFuture<'static, io::Result<()>>> {
    let seconds = |number: u32| Duration::from_secs(number.into());
    let within = seconds(settings.keep_alive);
    let mut server = axum_server::from_tcp(listener.into_std()?)?.handle(handle);
    let mut http = server.http_builder().http1();
    http.timer(TokioTimer::new()).header_read_timeout(within);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(seconds(settings.ping_interval))
        .keep_alive_timeout(seconds(settings.ping_interval))
        .enable_connect_protocol();
    // An event is sent when it happens, whether or not the one before has been acknowledged.
    let inner = NoDelayAcceptor::new();
    Ok(match tls {
        None => server
            .acceptor(InTime { inner, within })
            .serve(service)
            .boxed(),
        Some(config) => {
            let inner = RustlsAcceptor::new(config).acceptor(inner);
            server
                .acceptor(InTime { inner, within })
                .serve(service)
                .boxed()
        }
    })
}

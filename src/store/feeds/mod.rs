//! Fetches calendars from addresses that strangers give.
//!
//! Whoever gives the address must not reach by it what only this server can: other machines of its network, itself, the keeper of a
//! cloud's secrets. So each connection is made to an address that was looked at ([`address`]): a name is resolved by a resolver that leaves
//! out what is not public, and what it gives is what is connected to; an address in place of a name is looked at before each request, redirects
//! too, which are followed here and not by the client. Nothing is sent but the request, and of what comes back the giver learns only what a public
//! server could have told anyone.

mod address;
mod resolver;

use std::{net::IpAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{self, HeaderMap, HeaderName},
    redirect,
};
use url::Host;

use self::{address::is_public, resolver::Resolver};
use super::traces::{About, Span};

/// How long a fetch may take, redirects and body included.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may take to be there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The largest calendar, in bytes.
const LARGEST: usize = 5 << 20;
/// How many redirects are followed.
const REDIRECTS: usize = 3;
/// The longest validator that is kept and sent back, in bytes.
const LONGEST_VALIDATOR: usize = 500;

/// Fetches calendars. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Fetcher {
    client: Client,
    may_ask: fn(&Url) -> Result<(), FetchError>,
}

/// What the other side calls a version of a calendar: to be asked whether there is a newer one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Version {
    /// Its `ETag`.
    pub etag: Option<String>,
    /// Its `Last-Modified`.
    pub last_modified: Option<String>,
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The version that was known is still the newest.
    NotModified,
    /// This one.
    Calendar {
        /// The body, of any kind: the media type is not looked at, as many servers give a wrong one.
        body: Vec<u8>,
        /// What it is called.
        version: Version,
    },
}

/// Why nothing came, in a sentence for whoever gave the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// A name that nobody has says the same as one that is not public: names of this network are nobody's business.
    #[error("The address does not lead to a server on the public internet.")]
    NotPublic,
    /// The port is another.
    #[error("Only the usual ports are asked: 80 for http and 443 for https.")]
    Port,
    /// The connection was refused, broke, or what came was not HTTP.
    #[error("The server could not be reached, or broke off its answer.")]
    Unreachable,
    /// It took too long.
    #[error("The server did not give the whole calendar within 10 seconds.")]
    TooSlow,
    /// It is larger than allowed.
    #[error("The calendar is larger than 5 MiB.")]
    TooLarge,
    /// It goes from one to the next.
    #[error("The address redirects more than 3 times, or to what is no http address.")]
    Redirects,
    /// It is packed, although that was not asked for.
    #[error("The server sent the calendar compressed.")]
    Compressed,
    /// The server said no.
    #[error("The server answered with the status {0}.")]
    Status(u16),
}

impl Fetcher {
    /// A fetcher of public calendars, or of those of any address and port where `anywhere` says so.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub fn new(anywhere: bool) -> anyhow::Result<Self> {
        if anywhere {
            Self::with(|_| Ok(()), |_| true)
        } else {
            Self::with(is_public_web, is_public)
        }
    }

    /// A fetcher that asks addresses which `may_ask` lets pass, redirects too, and connects only where `may_reach`.
    fn with(
        may_ask: fn(&Url) -> Result<(), FetchError>,
        may_reach: fn(IpAddr) -> bool,
    ) -> anyhow::Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = rustls::RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .context("TLS can't be set up")?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent("Staygate (calendar import)")
            // Someone else's connection, and the proxies of the environment, would go around the resolver.
            .no_proxy()
            .dns_resolver(Resolver { may_reach })
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .context("the client that fetches calendars can't be built")?;
        Ok(Self { client, may_ask })
    }

    /// Whether an address may be asked at all, as far as can be told without looking a name up.
    ///
    /// # Errors
    /// [`FetchError::Port`] and [`FetchError::NotPublic`].
    pub fn check(&self, url: &Url) -> Result<(), FetchError> {
        (self.may_ask)(url)
    }

    /// Fetches a calendar, unless `known` is still its newest version. It takes 10 seconds and 5 MiB at most.
    ///
    /// # Errors
    /// Every [`FetchError`].
    pub async fn fetch(&self, url: &Url, known: &Version) -> Result<Fetched, FetchError> {
        // Where it leads is the host's secret; and the trace is none of that server's business.
        let span = Span::here(|| About::asks("GET calendar").with("http.request.method", "GET"));
        let fetch = tokio::time::timeout(TIMEOUT, self.follow(url.clone(), known));
        let fetched = span.around(fetch).await;
        let fetched = fetched.unwrap_or(Err(FetchError::TooSlow));
        if let Err(error) = &fetched {
            span.failed(match error {
                FetchError::Status(status) => status.to_string(),
                other => format!("{other:?}"),
            });
        }
        fetched
    }

    async fn follow(&self, mut url: Url, known: &Version) -> Result<Fetched, FetchError> {
        for _ in 0..=REDIRECTS {
            let response = self.ask(&url, known).await?;
            let status = response.status();
            if status == StatusCode::NOT_MODIFIED && *known != Version::default() {
                return Ok(Fetched::NotModified);
            }
            if status == StatusCode::OK {
                return read(response).await;
            }
            if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Err(FetchError::Status(status.as_u16()));
            }
            let next = text(response.headers(), &header::LOCATION, usize::MAX);
            let next = next.and_then(|next| url.join(&next).ok());
            let is_web = |url: &Url| matches!(url.scheme(), "http" | "https");
            url = next.filter(is_web).ok_or(FetchError::Redirects)?;
        }
        Err(FetchError::Redirects)
    }

    async fn ask(&self, url: &Url, known: &Version) -> Result<Response, FetchError> {
        self.check(url)?;
        let mut request = self
            .client
            .get(url.clone())
            .header(header::ACCEPT, "text/calendar, */*;q=0.5")
            .header(header::ACCEPT_ENCODING, "identity");
        if let Some(etag) = &known.etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        if let Some(at) = &known.last_modified {
            request = request.header(header::IF_MODIFIED_SINCE, at);
        }
        request.send().await.map_err(|error| broken(&error))
    }
}

/// Whether an address is of the usual ports, and a name or a public address.
fn is_public_web(url: &Url) -> Result<(), FetchError> {
    if !matches!(url.port_or_known_default(), Some(80 | 443)) {
        return Err(FetchError::Port);
    }
    // The parser has made one address of its many spellings, such as 127.1 and 0x7f.1.
    let passes = match url.host() {
        Some(Host::Ipv4(address)) => is_public(address.into()),
        Some(Host::Ipv6(address)) => is_public(address.into()),
        Some(Host::Domain(_)) => true,
        None => false,
    };
    if passes {
        Ok(())
    } else {
        Err(FetchError::NotPublic)
    }
}

/// Reads the body, and no more of it than is allowed, whatever length it was said to have.
async fn read(mut response: Response) -> Result<Fetched, FetchError> {
    let headers = response.headers();
    let packed = headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if packed {
        return Err(FetchError::Compressed);
    }
    let version = Version {
        etag: text(headers, &header::ETAG, LONGEST_VALIDATOR),
        last_modified: text(headers, &header::LAST_MODIFIED, LONGEST_VALIDATOR),
    };
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        if body.len() + chunk.len() > LARGEST {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Fetched::Calendar { body, version })
}

fn text(headers: &HeaderMap, name: &HeaderName, longest: usize) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    (value.len() <= longest).then(|| value.to_owned())
}

/// What an error of the client means to the host: its own words could tell what answered inside.
fn broken(error: &reqwest::Error) -> FetchError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<resolver::NotPublic>() {
            return FetchError::NotPublic;
        }
        cause = error.source();
    }
    // Without its own words, in which the address stands.
    let (timed_out, refused) = (error.is_timeout(), error.is_connect());
    tracing::debug!(timed_out, refused, "a calendar was not fetched");
    FetchError::Unreachable
}

#[cfg(test)]
mod tests;

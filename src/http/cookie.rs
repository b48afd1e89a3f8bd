//! The refresh token in a browser: a cookie that no script can read and no other site can use.
//!
//! A browser that asked for it at sign-in gets its refresh tokens in a cookie alone. Whatever reads or writes that cookie answers to pages of this
//! very origin and of the configured ones, and to nobody else: `SameSite=Strict` holds other sites off, the check of `Origin` holds
//! off those that are the same site and yet somebody else's.

use axum::http::{HeaderMap, HeaderValue, header};
use chrono::{DateTime, Utc};

use super::Origins;
use crate::graphql::context::{Browser, RefreshCookie};

/// The prefix makes browsers insist on `Secure`, on `Path=/`, and on no other host having set it
/// (draft-ietf-httpbis-rfc6265bis, 4.1.3.2).
const NAME: &str = "__Host-staygate-refresh";

/// What a request says of the browser that it comes from.
pub(super) fn browser(headers: &HeaderMap, origins: &Origins) -> Browser {
    Browser {
        is_trusted: is_trusted(headers, origins),
        refresh_token: read(headers),
    }
}

/// The header that keeps a refresh token in the browser, or takes it away.
pub(super) fn set(cookie: &RefreshCookie, now: DateTime<Utc>) -> Option<HeaderValue> {
    let (token, age) = match cookie {
        RefreshCookie::Keep { token, until } => (token.as_str(), (*until - now).num_seconds()),
        RefreshCookie::Remove => ("", 0),
    };
    let text = format!("{NAME}={token}; Path=/; Max-Age={age}; HttpOnly; Secure; SameSite=Strict");
    HeaderValue::from_str(&text).ok()
}

fn read(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == NAME)
        .map(|(_, token)| token.to_owned())
}

/// Whether a page asks that may: one of this very host, or of a configured origin. Every browser says which page asks when it posts.
fn is_trusted(headers: &HeaderMap, origins: &Origins) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return false;
    };
    if let Origins::These(configured) = origins
        && configured.contains(origin)
    {
        return true;
    }
    let asking = origin.to_str().ok().and_then(|text| text.split_once("://"));
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    asking.is_some_and(|(_, asking)| Some(asking) == host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusts(pairs: &[(&'static str, &'static str)], origins: &Origins) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| {
                (
                    header::HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect();
        is_trusted(&headers, origins)
    }

    #[test]
    fn only_pages_of_this_host_and_of_configured_origins_use_the_cookie() {
        let host = ("host", "api.example.com");
        let app = Origins::These(vec![HeaderValue::from_static("https://app.example.com")]);
        for (origin, trusted) in [
            ("https://api.example.com", true),
            ("https://app.example.com", true),
            ("http://app.example.com", false),
            ("https://evil.example.com", false),
            ("https://api.example.com.evil.com", false),
            ("null", false),
        ] {
            assert_eq!(
                trusts(&[host, ("origin", origin)], &app),
                trusted,
                "{origin}"
            );
        }
        assert!(!trusts(&[host], &app), "no browser posts without an origin");
        let elsewhere = [host, ("origin", "https://elsewhere.com")];
        assert!(
            !trusts(&elsewhere, &Origins::Any),
            "any page may call, none with the cookie"
        );
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("a=b; __Host-staygate-refresh=x.y"),
        );
        assert_eq!(read(&headers).as_deref(), Some("x.y"));
        assert_eq!(read(&HeaderMap::new()), None);
    }
}

//! The web pages: the front page at `/`, the documentation of REST, and the Playground.
//!
//! All that they load stands in the binary, in one table. A browser that shows them asks no other host
//! for anything, and the content security policy of every answer holds it to that.

use std::{future::ready, sync::Arc, sync::LazyLock};

use axum::{
    Router,
    body::Bytes,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use sha2::{Digest, Sha256};

use crate::rest;

/// Which pages are served, and what they say.
#[derive(Clone, Copy, Debug)]
pub struct Pages {
    /// Whether there is a Playground. Without it `/playground` is no route, and the front page has no
    /// link to it.
    pub playground: bool,
    /// Whether the database was filled with demo data: the front page then names the demo users.
    pub demo: bool,
}

/// The routes `/`, `/docs`, `/api/v1/openapi.json`, `/playground`, `/favicon.svg` and `/assets/{name}`, for GET and HEAD.
///
/// Every file has an `ETag` and is answered with 304 when `If-None-Match` names it.
pub fn routes(pages: Pages) -> Router {
    let routes = Router::new()
        .route("/", serve(File::own(HTML, front_page(pages))))
        .route("/docs", serve(File::own(HTML, include_str!("docs.html"))))
        .route("/docs/", serve(File::own(HTML, include_str!("docs.html"))))
        .route("/api/v1/openapi.json", get(description))
        .route(
            "/favicon.svg",
            serve(File::own(SVG, include_str!("favicon.svg"))),
        )
        .route("/assets/{name}", get(asset));
    if pages.playground {
        routes.route(
            "/playground",
            serve(File::own(HTML, include_str!("playground.html"))),
        )
    } else {
        routes
    }
}

fn front_page(pages: Pages) -> String {
    let part = |shown: bool, html: &'static str| if shown { html.trim_end() } else { "" };
    include_str!("front.html")
        .replace(
            "{{playground}}",
            part(pages.playground, include_str!("front.playground.html")),
        )
        .replace(
            "{{demo}}",
            part(pages.demo, include_str!("front.demo.html")),
        )
}

fn serve(file: File) -> MethodRouter {
    let file = Arc::new(file);
    get(move |request: HeaderMap| ready(file.answer(&request)))
}

async fn asset(Path(name): Path<String>, request: HeaderMap) -> Response {
    match ASSETS.iter().find(|(known, _)| *known == name) {
        Some((_, file)) => file.answer(&request),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What the page of the documentation shows.
async fn description(request: HeaderMap) -> Response {
    DESCRIPTION.answer(&request)
}

/// Made once it is asked for.
static DESCRIPTION: LazyLock<File> = LazyLock::new(|| {
    let text = rest::document().to_json();
    File::own(JSON, text.expect("names and texts are written as JSON"))
});

const JSON: &str = "application/json";
const CSS: &str = "text/css; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const TEXT: &str = "text/plain; charset=utf-8";

macro_rules! own {
    ($type:expr, $name:literal) => {
        ($name, File::own($type, include_str!($name)))
    };
}

macro_rules! vendored {
    ($type:expr, $name:literal) => {
        (
            $name,
            File::vendored($type, include_bytes!(concat!("vendor/", $name, ".gz"))),
        )
    };
}

/// What `/assets/{name}` serves. Made once: hashing half a megabyte for each router would be felt.
static ASSETS: LazyLock<[(&str, File); 14]> = LazyLock::new(|| {
    [
        own!(CSS, "docs.css"),
        own!(JS, "docs.js"),
        own!(JS, "examples.js"),
        own!(CSS, "front.css"),
        own!(CSS, "playground.css"),
        own!(JS, "playground.js"),
        vendored!(CSS, "graphiql-4.1.2.css"),
        vendored!(JS, "graphiql-4.1.2.js"),
        vendored!(JS, "graphql-ws-6.4.2.js"),
        vendored!(JS, "react-18.3.1.js"),
        vendored!(JS, "react-dom-18.3.1.js"),
        vendored!(CSS, "swagger-ui-5.35.0.css"),
        vendored!(JS, "swagger-ui-5.35.0.js"),
        (
            "licenses.txt",
            File::own(TEXT, include_str!("vendor/LICENSES.txt")),
        ),
    ]
});

/// Scripts, requests and sockets of this server alone. Styles may be inline because GraphiQL and Swagger UI
/// write some; their fonts and icons are `data:` URLs in their style sheets.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
    form-action 'none'";

/// Bytes with the headers that go with them.
struct File {
    body: Bytes,
    content_type: &'static str,
    gzipped: bool,
    cache_control: &'static str,
    etag: HeaderValue,
}

impl File {
    /// A file of ours: asked for anew each time, so that a page and its script are of the same release.
    fn own(content_type: &'static str, text: impl Into<Bytes>) -> Self {
        Self::new(
            content_type,
            false,
            "public, max-age=0, must-revalidate",
            text.into(),
        )
    }

    /// A file of `vendor/`: its name carries its version, so it may be kept for good.
    ///
    /// It is sent gzipped, whatever the client accepts: every browser that runs the pages does, and
    /// keeping the unpacked bytes as well would make the binary bigger for nobody.
    fn vendored(content_type: &'static str, gzip: &'static [u8]) -> Self {
        Self::new(
            content_type,
            true,
            "public, max-age=31536000, immutable",
            Bytes::from_static(gzip),
        )
    }

    fn new(
        content_type: &'static str,
        gzipped: bool,
        cache_control: &'static str,
        body: Bytes,
    ) -> Self {
        let digest = Sha256::digest(&body);
        let hash = digest
            .iter()
            .take(16)
            .fold(0, |hash, byte| (hash << 8) | u128::from(*byte));
        Self {
            // Weak, because a compressing layer in front may change the bytes.
            etag: HeaderValue::try_from(format!("W/\"{hash:032x}\""))
                .expect("hexadecimal digits in quotes are a header value"),
            body,
            content_type,
            gzipped,
            cache_control,
        }
    }

    fn answer(&self, request: &HeaderMap) -> Response {
        let standing = [
            (header::ETAG, self.etag.clone()),
            (
                header::CACHE_CONTROL,
                HeaderValue::from_static(self.cache_control),
            ),
            (
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static(POLICY),
            ),
            (
                header::REFERRER_POLICY,
                HeaderValue::from_static("no-referrer"),
            ),
            (
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            ),
        ];
        if self.is_held_by(request) {
            return (StatusCode::NOT_MODIFIED, standing).into_response();
        }
        let mut response = (
            standing,
            [(header::CONTENT_TYPE, self.content_type)],
            self.body.clone(),
        )
            .into_response();
        if self.gzipped {
            response
                .headers_mut()
                .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    /// Whether `If-None-Match` names this file, by the weak comparison of RFC 9110, section 13.1.2.
    fn is_held_by(&self, request: &HeaderMap) -> bool {
        let opaque = |tag: &[u8]| tag.strip_prefix(b"W/").unwrap_or(tag).to_vec();
        let own = opaque(self.etag.as_bytes());
        request
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .any(|tag| tag == b"*" || opaque(tag) == own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_page_links_to_the_playground_only_when_it_is_served() {
        let page = |playground| {
            front_page(Pages {
                playground,
                demo: true,
            })
        };
        assert!(page(true).contains("href=\"/playground\""));
        assert!(!page(false).contains("/playground"));
    }

    #[test]
    fn the_front_page_links_to_the_documentation_always() {
        for playground in [true, false] {
            let page = front_page(Pages {
                playground,
                demo: false,
            });
            assert!(page.contains("href=\"/docs\""));
        }
    }

    #[test]
    fn the_front_page_names_the_demo_users_only_on_demo_data() {
        let page = |demo| {
            front_page(Pages {
                playground: true,
                demo,
            })
        };
        assert!(page(true).contains("guest@example.com"));
        assert!(!page(false).contains("@example.com"));
        assert!(!page(false).contains("{{"));
    }

    #[test]
    fn every_asset_that_a_page_loads_is_served() {
        let pages = [
            include_str!("front.html"),
            include_str!("docs.html"),
            include_str!("playground.html"),
        ]
        .concat();
        let loaded: Vec<_> = pages
            .split("\"/assets/")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(loaded.len(), 13);
        for name in loaded {
            assert!(ASSETS.iter().any(|(known, _)| *known == name), "{name}");
        }
    }

    #[test]
    fn a_browser_that_holds_a_file_is_not_sent_it_again() {
        let file = File::own(TEXT, "a");
        let answer = |tag: &str| {
            let tag = HeaderValue::from_str(tag).expect("the tests write header values");
            file.answer(&HeaderMap::from_iter([(header::IF_NONE_MATCH, tag)]))
                .status()
        };
        let etag = file.etag.to_str().expect("an ETag is text");

        assert_eq!(answer(etag), StatusCode::NOT_MODIFIED);
        assert_eq!(
            answer(etag.trim_start_matches("W/")),
            StatusCode::NOT_MODIFIED
        );
        assert_eq!(
            answer(&format!("\"other\", {etag}")),
            StatusCode::NOT_MODIFIED
        );
        assert_eq!(answer("*"), StatusCode::NOT_MODIFIED);
        assert_eq!(answer("\"other\""), StatusCode::OK);
    }
}

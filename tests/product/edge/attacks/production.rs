//! What a server in production tells of itself: no schema, no names that were nearly right, no causes of its failures, no page to try things on.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Method;
use ring::{rand::SystemRandom, signature::Ed25519KeyPair};
use serde_json::{Value, json};

use super::super::posts;
use crate::support::{Client, World, on_both_engines, required};

async fn in_production() -> World {
    let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("randomness");
    let body = STANDARD.encode(pair.as_ref());
    let key = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    let sealing = format!("a:{}", STANDARD.encode([7; 32]));
    let mail = required("STAYGATE_TEST_SMTP");
    World::on_sqlite_with(&[
        ("STAYGATE_ENV", "production"),
        ("STAYGATE_JWT_KEY", &key),
        ("STAYGATE_ENCRYPTION_KEYS", &sealing),
        ("SMTP_URL", &mail),
        ("STAYGATE_SITE_URL", "https://www.example.com"),
        ("STAYGATE_MAIL_FROM", "no-reply@example.com"),
        ("STAYGATE_SANDBOX_PAYMENTS", "true"),
    ])
    .await
}

async fn gets(who: &Client, path: &str) -> (u16, reqwest::header::HeaderMap, String) {
    let request = who
        .request(Method::GET, path)
        .header("accept", "text/html, */*;q=0.1");
    let sent = request.header("origin", "https://evil.example").send();
    let answer = sent.await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    (status, headers, answer.text().await.expect("text"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_production_nobody_introspects_by_any_way() {
    let world = in_production().await;
    let stranger = world.stranger();
    for query in [
        "{ __schema { types { name } } }",
        "{ s: __schema { queryType { name } } }",
        "query Q { __typename ...F } fragment F on Query { t: __type(name: \"User\") { fields { name } } }",
        "{ ... @include(if: true) { ... on Query { __schema { types { name } } } } }",
        "{ properties { totalCount } __type(name: \"Viewer\") { name } }",
        "mutation { __schema { types { name } } }",
        "mutation { __type(name: \"User\") { name } }",
        "subscription { __schema { types { name } } }",
    ] {
        let body = json!({ "query": query });
        let in_url: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let mut socket = stranger.opens_a_socket().await;
        socket.subscribe("s", query, json!({})).await;
        let (_, _, by_post) = posts(&stranger, &body).await;
        let (_, _, by_list) = posts(&stranger, &json!([body])).await;
        let (_, _, by_get) = gets(&stranger, &format!("/graphql?query={in_url}")).await;
        let by_socket = socket.hears().await["payload"].take();
        for answer in [
            by_post.to_string(),
            by_list.to_string(),
            by_get,
            by_socket.to_string(),
        ] {
            assert!(answer.contains("BAD_USER_INPUT"), "{query}: {answer}");
            for told in [
                "\"types\":",
                "\"fields\":",
                "queryType\":{",
                "\"data\":{",
                "email",
            ] {
                assert!(!answer.contains(told), "{query}: {answer}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_production_no_mistake_is_answered_with_what_may_have_been_meant() {
    let world = in_production().await;
    for (query, variables, right) in [
        ("{ propertis { totalCount } }", json!({}), "properties"),
        ("{ viewer { emial } }", json!({}), "email"),
        (
            "{ properties(frist: 1) { totalCount } }",
            json!({}),
            "first",
        ),
        (
            "{ properties(filter: { txet: \"x\" }) { totalCount } }",
            json!({}),
            "text",
        ),
        (
            "query($f: PropertyFilter) { properties(filter: $f) { totalCount } }",
            json!({ "f": { "txet": "x" } }),
            "text",
        ),
        (
            "{ properties(sort: NEWST) { totalCount } }",
            json!({}),
            "NEWEST",
        ),
        (
            "query($f: PropertyFiltr) { properties(filter: $f) { totalCount } }",
            json!({}),
            "PropertyFilter",
        ),
        ("{ ... on Qeury { __typename } }", json!({}), "\"Query\""),
        (
            "{ viewer @inclde(if: true) { email } }",
            json!({}),
            "include",
        ),
        ("mutation { singIn { accessToken } }", json!({}), "signIn"),
        (
            "mutation { signIn(input: { emial: \"\", password: \"\" }) { accessToken } }",
            json!({}),
            "PASSWORD",
        ),
    ] {
        let (_, _, answer) = posts(
            &world.stranger(),
            &json!({ "query": query, "variables": variables }),
        )
        .await;
        let said = answer["errors"].to_string();
        assert!(said.contains("BAD_USER_INPUT"), "{query}: {said}");
        assert!(
            !said.contains("Did you mean") && !said.contains(right),
            "{query}: {said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_production_there_is_no_playground_and_no_page_of_others_may_call() {
    let world = in_production().await;
    let stranger = world.stranger();
    for path in [
        "/playground",
        "/graphiql",
        "/graphql/playground",
        "/altair",
        "/voyager",
        "/debug",
        "/metrics",
        "/.env",
    ] {
        let (status, _, _) = gets(&stranger, path).await;
        assert_eq!(status, 404, "{path}");
    }
    let (_, headers, front) = gets(&stranger, "/").await;
    assert!(!front.contains("/playground"), "{front}");
    assert!(
        !headers.contains_key("access-control-allow-origin"),
        "{headers:?}"
    );
    // Of the REST API, which is public, the documentation is; nobody else's script runs in it.
    let (status, headers, docs) = gets(&stranger, "/docs").await;
    assert!(status == 200 && front.contains("/docs"), "{docs}");
    let policy = headers["content-security-policy"].to_str().expect("text");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    let (status, headers, page) = gets(&stranger, "/graphql").await;
    assert_eq!(status, 400, "{page}");
    assert!(!page.contains("<html") && !headers.contains_key("access-control-allow-origin"));
    for name in ["server", "x-powered-by"] {
        assert!(!headers.contains_key(name), "{headers:?}");
    }
}

/// Nothing but that it went wrong, and by what name the operator finds it.
fn is_masked(what: &str, error: &Value) {
    assert_eq!(
        error["message"], "Something went wrong on our side.",
        "{what}"
    );
    let extensions = error["extensions"].as_object().expect("extensions");
    let names: Vec<_> = extensions.keys().map(String::as_str).collect();
    assert_eq!(
        (names, &extensions["code"]),
        (vec!["code", "id"], &json!("INTERNAL")),
        "{what}"
    );
    let fields = error.as_object().expect("an error").keys();
    assert!(
        fields
            .into_iter()
            .all(|field| ["message", "locations", "path", "extensions"].contains(&field.as_str())),
        "{what}: {error}"
    );
}

on_both_engines! {
    async fn a_failure_of_ours_is_told_without_its_cause(world: World) {
        let host = world.host("hana").await;
        let guest = world.guest("gus").await;
        let property = host.lists(json!({})).await;
        let booking = guest.books(&property, &world.day(1), &world.day(2)).await;
        let secret = guest.tries_to_pay(&booking, "tok_threeDSecure").await["payment"]["clientSecret"].take();
        for table in ["properties", "bookings", "payments"] {
            world.meddles(&format!("ALTER TABLE {table} RENAME TO {table}_elsewhere")).await.expect("renamed");
        }
        let query = "{ viewer { bookings { nodes { id } } } }";
        let mutation = format!("mutation {{ createBooking(input: {{ propertyId: \"{property}\", checkIn: \"{}\", checkOut: \"{}\" }}) {{ booking {{ id }} }} }}", world.day(3), world.day(4));
        for query in [query, "{ properties { totalCount nodes { id } } }", mutation.as_str()] {
            let body = json!({ "query": query });
            let (status, _, answer) = posts(&guest, &body).await;
            assert_eq!(status, 200);
            is_masked(query, &answer["errors"][0]);
            is_masked(query, &posts(&guest, &json!([body])).await.2[0]["errors"][0]);
            let mut socket = guest.opens_a_socket().await;
            socket.subscribe("s", query, json!({})).await;
            is_masked(query, &socket.hears().await["payload"]["errors"][0]);
        }
        let path = format!("/sandbox/payments/{}/confirm", secret.as_str().expect("a secret"));
        let answer = guest.request(Method::POST, &path).send().await.expect("an answer");
        assert_eq!((answer.status().as_u16(), answer.text().await.expect("text").as_str()), (500, ""));
    }
}

//! Answers that a client has already are not sent again.

use reqwest::{Method, header::HeaderMap};
use serde_json::json;

use super::{posts, text};
use crate::support::{Client, World};

async fn gets(who: &Client, query: &str, known: &str) -> (u16, HeaderMap, String) {
    let path = url::form_urlencoded::byte_serialize(query.as_bytes()).collect::<String>();
    let request = who.request(Method::GET, &format!("/graphql?query={path}"));
    let sent = request.header("if-none-match", known).send();
    let answer = sent.await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    (status, headers, answer.text().await.expect("text"))
}

#[tokio::test]
async fn a_query_that_is_answered_as_before_is_304() {
    let world = World::on_sqlite().await;
    let host = world.host("hana").await;
    let stranger = world.stranger();
    let query = "{ properties { totalCount } }";
    let (status, headers, body) = gets(&stranger, query, "").await;
    assert_eq!(
        (status, text(&headers, "cache-control")),
        (200, "public, no-cache")
    );
    assert!(
        text(&headers, "vary").contains("authorization"),
        "{headers:?}"
    );
    let name = text(&headers, "etag").to_owned();
    assert!(name.starts_with("W/\"") && !body.is_empty());
    for known in [&name, "*", &format!("\"other\", {name}"), &name[2..]] {
        let (status, headers, body) = gets(&stranger, query, known).await;
        assert_eq!((status, body.as_str()), (304, ""), "{known}");
        assert_eq!(text(&headers, "etag"), name);
    }
    host.lists(json!({})).await;
    let (status, headers, body) = gets(&stranger, query, &name).await;
    assert_eq!(status, 200);
    assert!(body.contains(":1") && text(&headers, "etag") != name);
}

#[tokio::test]
async fn what_is_somebodys_own_or_a_mistake_is_kept_by_nobody_else() {
    let world = World::on_sqlite().await;
    let guest = world.guest("gus").await;
    let (_, headers, _) = gets(&guest, "{ viewer { email } }", "").await;
    assert_eq!(text(&headers, "cache-control"), "private, no-cache");
    let (_, headers, _) = gets(&guest, "{ nothing }", "").await;
    assert_eq!(
        (text(&headers, "cache-control"), text(&headers, "etag")),
        ("no-store", "")
    );
    let (_, headers, _) = posts(&guest, &json!({ "query": "{ __typename }" })).await;
    assert_eq!(
        (text(&headers, "cache-control"), text(&headers, "etag")),
        ("no-store", "")
    );
}

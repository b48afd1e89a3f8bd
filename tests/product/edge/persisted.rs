//! Documents that clients name instead of sending them.

use reqwest::Method;
use serde_json::{Value, json};
use staygate::domain::digest::sha256_hex;

use super::posts;
use crate::support::{Client, World, on_both_engines};

const QUERY: &str = "query Known { __typename }";

fn by_digest(digest: &str) -> Value {
    json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": digest } } })
}

async fn code(who: &Client, body: &Value) -> Value {
    posts(who, body).await.2["errors"][0]["extensions"]["code"].clone()
}

on_both_engines! {
    async fn a_document_is_sent_once_and_named_from_then_on(world: World) {
        let stranger = world.stranger();
        let digest = sha256_hex(QUERY);
        let named = by_digest(&digest);
        let (_, _, unknown) = posts(&stranger, &named).await;
        assert_eq!((&unknown["errors"][0]["message"], &unknown["errors"][0]["extensions"]["code"]), (&json!("PersistedQueryNotFound"), &json!("PERSISTED_QUERY_NOT_FOUND")));
        let mut both = named.clone();
        both["query"] = json!(QUERY);
        assert_eq!(posts(&stranger, &both).await.2, json!({ "data": { "__typename": "Query" } }));
        assert_eq!(posts(&stranger, &named).await.2, json!({ "data": { "__typename": "Query" } }));
        let extensions = named["extensions"].to_string();
        let extensions: String = url::form_urlencoded::byte_serialize(extensions.as_bytes()).collect();
        let got = stranger.request(Method::GET, &format!("/graphql?extensions={extensions}")).send().await.expect("an answer");
        assert_eq!(got.json::<Value>().await.expect("JSON"), json!({ "data": { "__typename": "Query" } }));
        let mut socket = stranger.opens_a_socket().await;
        socket.say(json!({ "type": "subscribe", "id": "s", "payload": named })).await;
        assert_eq!(socket.hears().await["payload"], json!({ "data": { "__typename": "Query" } }));
        let other = world.another_instance().await;
        let told = posts(&other.stranger(), &named).await.2;
        assert_eq!(told["data"]["__typename"] == "Query", world.is_postgres(), "what Redis shares");
    }

    async fn what_is_not_what_its_digest_says_or_no_good_document_is_not_kept(world: World) {
        let stranger = world.stranger();
        let mut other = by_digest(&sha256_hex("{ viewer { email } }"));
        other["query"] = json!(QUERY);
        assert_eq!(code(&stranger, &other).await, "BAD_USER_INPUT");
        let bad = "{ nothing at all";
        let mut broken = by_digest(&sha256_hex(bad));
        broken["query"] = json!(bad);
        assert_eq!(code(&stranger, &broken).await, "BAD_USER_INPUT");
        for digest in [sha256_hex(QUERY), sha256_hex(bad), "x".to_owned(), String::new(), "é".repeat(64), "0".repeat(10_000)] {
            assert_eq!(code(&stranger, &by_digest(&digest)).await, "PERSISTED_QUERY_NOT_FOUND", "{digest}");
        }
        let next = json!({ "extensions": { "persistedQuery": { "version": 2, "sha256Hash": sha256_hex(QUERY) } } });
        assert_eq!(code(&stranger, &next).await, "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn signed_out_callers_may_be_held_to_what_the_operator_trusts() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("manifest.json");
    std::fs::write(&file, json!({ "known-1": QUERY }).to_string()).expect("a manifest");
    let settings = [
        ("STAYGATE_TRUSTED_DOCUMENTS", file.to_str().expect("text")),
        ("STAYGATE_TRUSTED_DOCUMENTS_ONLY", "signed-out"),
    ];
    let world = World::on_sqlite().await;
    let guest = world.guest("gus").await;
    let strict = world.instance_with(&settings).await;
    let stranger = strict.stranger();
    for trusted in [
        json!({ "documentId": "known-1" }),
        by_digest("known-1"),
        json!({ "query": QUERY }),
    ] {
        let (_, _, answer) = posts(&stranger, &trusted).await;
        assert_eq!(
            answer,
            json!({ "data": { "__typename": "Query" } }),
            "{trusted}"
        );
    }
    let own = json!({ "query": "{ properties { totalCount } }" });
    assert_eq!(code(&stranger, &own).await, "FORBIDDEN");
    let unknown = json!({ "documentId": "known-2" });
    assert_eq!(code(&stranger, &unknown).await, "PERSISTED_QUERY_NOT_FOUND");
    let (_, _, answer) = posts(&strict.as_seen_by(&guest), &own).await;
    assert_eq!(answer["data"]["properties"]["totalCount"], 0);
}

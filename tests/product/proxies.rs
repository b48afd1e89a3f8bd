//! Whose word is taken for where a request came from.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::World;

/// The address that the server keeps for a session whose sign-in came with this `X-Forwarded-For`.
async fn address_of_a_session(world: &World, forwarded_for: &str) -> Value {
    let sign_in = r#"mutation { signIn(input: { email: "gus@example.com", password: "a good password" }) {
        accessToken refreshToken viewer { user { id } } } }"#;
    let answer = world
        .stranger()
        .request(Method::POST, "/graphql")
        .header("x-forwarded-for", forwarded_for)
        .json(&json!({ "query": sign_in }))
        .send()
        .await
        .expect("an answer");
    let answer: Value = answer.json().await.expect("an answer in JSON");
    let gus = world.stranger().with_session(&answer["data"]["signIn"]);
    let own = gus
        .get("{ viewer { sessions { current ipAddress } } }", json!({}))
        .await;
    let sessions = own["viewer"]["sessions"].as_array().expect("a list");
    let current = sessions.iter().find(|session| session["current"] == true);
    current.expect("this session")["ipAddress"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_cannot_say_where_it_is() {
    for settings in [&[][..], &[("STAYGATE_TRUSTED_PROXIES", "10.0.0.0/8")]] {
        let world = World::on_sqlite_with(settings).await;
        world.guest("gus").await;
        for claim in ["203.0.113.7", "203.0.113.7, 10.0.0.1", "127.0.0.2"] {
            assert_eq!(address_of_a_session(&world, claim).await, "127.0.0.1");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trusted_proxy_says_where_a_client_is() {
    let proxies = ("STAYGATE_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8");
    let world = World::on_sqlite_with(&[proxies]).await;
    world.guest("gus").await;
    let claimed = "198.51.100.1, 203.0.113.7:4711, 10.0.0.1";
    assert_eq!(address_of_a_session(&world, claimed).await, "203.0.113.7");
}

//! The log of a server that carries a business: for programs, and without people in it.

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::support::{Client, Process};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_say_which_request_they_are_about_and_nothing_of_people() {
    let folder = tempdir().expect("a folder");
    let settings = [
        ("STAYGATE_LOG_FORMAT", "json"),
        ("STAYGATE_LOG", "info,tower_http=debug"),
        ("STAYGATE_RATE_LIMITS", "measure"),
        ("STAYGATE_TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let server = Process::serves(folder.path(), &settings).await;
    let stranger = Client::new(server.base());
    let person = json!({ "fullName": "Wilhelmina Quist", "email": "quist@example.com", "password": "a good password", "role": "GUEST" });
    let quist = stranger.sign_up(person).await;
    let sign_in = "mutation { signIn(input: { email: \"quist@example.com\", password: \"a bad password\" }) { userErrors { code } } }";
    for _ in 0..25 {
        let attempt = stranger
            .request(Method::POST, "/graphql")
            .header("x-forwarded-for", "203.0.113.77");
        let answer = attempt
            .json(&json!({ "query": sign_in }))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), 200);
    }
    let asked = quist
        .request(Method::GET, "/api/v1/users/1/?email=quist@example.com")
        .send()
        .await
        .expect("an answer");
    let id = asked.headers()["x-request-id"]
        .to_str()
        .expect("text")
        .to_owned();
    let lines = server.has_said_until(|line| line.contains(&id)).await;
    let read: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).expect("an object of JSON"))
        .collect();
    let about = read
        .iter()
        .find(|line| line["span"]["id"] == id.as_str())
        .expect("a line about the request");
    assert_eq!(about["span"]["method"], "GET");
    assert!(
        about["timestamp"].is_string() && about["level"].is_string(),
        "{about}"
    );
    let alert = read
        .iter()
        .find(|line| line["target"] == "staygate::alert")
        .expect("somebody guesses");
    assert_eq!(alert["cause"], "failed sign-ins");
    for line in &lines {
        for secret in ["quist", "Quist", "password", "203.0.113.77"] {
            assert!(!line.contains(secret), "{secret}: {line}");
        }
    }
}

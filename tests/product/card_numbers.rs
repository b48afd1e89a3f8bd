//! Card numbers: refused wherever they are sent, and found nowhere afterwards.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Process, a_postgres_database, has_kept};

const NUMBER: &str = "4242424242424242";

/// Sends a number in every way that a request has room for. Gives the statuses and codes of the answers.
#[expect(clippy::too_many_lines, reason = "it is one list")]
async fn sends_it_everywhere(guest: &Client) -> Vec<(&'static str, u16, Value)> {
    let query = "mutation($input: CreatePaymentInput!) { createPayment(input: $input) { userErrors { code } } }";
    let operation =
        |query: &str, variables: Value| json!({ "query": query, "variables": variables });
    let input =
        |token: Value| json!({ "input": { "bookingId": "Qm9va2luZzox", "paymentToken": token } });
    let in_text = |text: &str| {
        format!(
            "mutation {{ createReview(input: {{ bookingId: \"Qm9va2luZzox\", rating: 5, comment: {text} }}) {{ userErrors {{ code }} }} }}"
        )
    };
    let escaped = NUMBER
        .chars()
        .map(|digit| format!("\\u00{:x}", u32::from(digit)));
    let escaped = escaped.collect::<Vec<_>>().concat();
    let bodies = [
        ("a variable", operation(query, input(json!(NUMBER)))),
        (
            "a variable with spaces",
            operation(query, input(json!("4242 4242 4242 4242"))),
        ),
        (
            "a number",
            operation(query, input(json!(4_242_424_242_424_242_i64))),
        ),
        (
            "a variable that nobody asked for",
            operation(
                query,
                json!({ "input": null, "card": { "number": [NUMBER] } }),
            ),
        ),
        (
            "the name of a variable",
            operation(query, json!({ NUMBER: 1 })),
        ),
        (
            "a literal",
            operation(&in_text(&format!("\"{NUMBER}\"")), json!({})),
        ),
        (
            "a literal of escapes",
            operation(&in_text(&format!("\"{escaped}\"")), json!({})),
        ),
        (
            "a literal in a block",
            operation(&in_text(&format!("\"\"\"it was {NUMBER}\"\"\"")), json!({})),
        ),
        (
            "a comment",
            operation(&format!("{{ __typename }} # {NUMBER}"), json!({})),
        ),
        (
            "what does not parse",
            operation(&format!("{{ {NUMBER}"), json!({})),
        ),
        (
            "the operation's name",
            json!({ "query": "{ __typename }", "operationName": NUMBER }),
        ),
    ];
    let mut answers = vec![];
    for (what, body) in bodies {
        let sent = guest
            .request(Method::POST, "/graphql")
            .json(&body)
            .send()
            .await
            .expect("an answer");
        let status = sent.status().as_u16();
        let answer: Value = sent.json().await.expect("JSON");
        answers.push((
            what,
            status,
            answer["errors"][0]["extensions"]["code"].clone(),
        ));
    }
    let fine = json!({ "query": "{ __typename }" });
    for header in [
        "idempotency-key",
        "x-request-id",
        "user-agent",
        "last-event-id",
        "x-forwarded-for",
    ] {
        let request = guest
            .request(Method::POST, "/graphql")
            .header(header, NUMBER)
            .json(&fine);
        answers.push((
            header,
            request.send().await.expect("an answer").status().as_u16(),
            Value::Null,
        ));
    }
    for path in [
        format!("/graphql?query=%7B__typename%7D&operationName={NUMBER}"),
        format!("/calendars/{NUMBER}.ics"),
        format!("/{NUMBER}"),
        "/graphql?query=%7B__typename%7D&x=4242+4242+4242+4242".to_owned(),
        "/graphql?x=%34%32%34%32%34%32%34%32%34%32%34%32%34%32%34%32".to_owned(),
    ] {
        let sent = guest
            .request(Method::GET, &path)
            .send()
            .await
            .expect("an answer");
        answers.push(("an address", sent.status().as_u16(), Value::Null));
    }
    let mut socket = guest.opens_a_socket().await;
    socket
        .subscribe(
            "s",
            "subscription($after: String) { viewerBookingStatusChanged(after: $after) { cursor } }",
            json!({ "after": NUMBER }),
        )
        .await;
    let refused = socket.hears().await;
    answers.push((
        "a socket",
        400,
        refused["payload"][0]["extensions"]["code"].clone(),
    ));
    answers
}

async fn is_found_nowhere(url: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = [("DATABASE_URL", url), ("STAYGATE_LOG", "trace")];
    let server = Process::serves(folder.path(), &settings).await;
    let stranger = Client::new(server.base());
    let guest = stranger.sign_up(json!({ "fullName": "Gus Guest", "email": "gus@example.com", "password": "a good password" })).await;
    for (what, status, code) in sends_it_everywhere(&guest).await {
        assert!(
            status == 400 && code.is_null() || code == "BAD_USER_INPUT",
            "{what}: {status} {code}"
        );
    }
    let log = server.has_said();
    let is_there = log.iter().any(|line| line.contains("/graphql"));
    assert!(is_there, "the log is there: {log:#?}");
    for written in [NUMBER, "4242 4242 4242 4242", "4242+4242"] {
        let told: Vec<_> = log.iter().filter(|line| line.contains(written)).collect();
        assert!(told.is_empty(), "{told:#?}");
        assert!(!has_kept(url, written).await, "{written} is kept");
    }
    assert!(has_kept(url, "Gus Guest").await, "the look is a good one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_number_is_refused_everywhere_and_found_nowhere_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    is_found_nowhere(&format!(
        "sqlite://{}",
        folder.path().join("staygate.db").display()
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_number_is_refused_everywhere_and_found_nowhere_on_postgres() {
    let (url, _) = a_postgres_database().await;
    is_found_nowhere(&url).await;
}

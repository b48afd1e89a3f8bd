//! Card numbers: refused wherever they are sent, and found nowhere afterwards.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Process, World, a_postgres_database, has_kept};

const NUMBER: &str = "4242424242424242";

/// Sends a number in every way that a request has room for. Gives the answers.
#[expect(clippy::too_many_lines, reason = "it is one list")]
async fn sends_it_everywhere(guest: &Client) -> Vec<(&'static str, reqwest::Response)> {
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
        (
            "a literal after a new line",
            operation(&in_text(&format!("\"it was\\n{NUMBER}\"")), json!({})),
        ),
        (
            "a literal with other escapes between",
            operation(&in_text("\"4242\\t4242\\/4242\\t4242\""), json!({})),
        ),
        (
            "a number with a point",
            operation(query, input(json!(4_242_424_242_424_242.0_f64))),
        ),
        (
            "an extension",
            json!({ "query": "{ __typename }", "extensions": { "card": NUMBER } }),
        ),
        (
            "what nobody asked for",
            json!({ "query": "{ __typename }", "card": NUMBER }),
        ),
    ];
    let mut answers = vec![];
    for (what, body) in bodies {
        let request = guest.request(Method::POST, "/graphql").json(&body);
        answers.push((what, request.send().await.expect("an answer")));
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
        answers.push((header, request.send().await.expect("an answer")));
    }
    for path in [
        format!("/graphql?query=%7B__typename%7D&operationName={NUMBER}"),
        format!("/calendars/{NUMBER}.ics"),
        format!("/{NUMBER}"),
        "/graphql?query=%7B__typename%7D&x=4242+4242+4242+4242".to_owned(),
        "/graphql?query=%7B__typename%7D&x=%34%32%34%32%34%32%34%32%34%32%34%32%34%32%34%32"
            .to_owned(),
    ] {
        let request = guest.request(Method::GET, &path);
        answers.push(("an address", request.send().await.expect("an answer")));
    }
    answers
}

/// The same on sockets, which are closed by it.
async fn says_it_on_sockets(guest: &Client) {
    let subscription =
        "subscription($after: String) { viewerBookingStatusChanged(after: $after) { cursor } }";
    let payload = json!({ "query": subscription, "variables": { "after": NUMBER } });
    for message in [
        json!({ "type": "subscribe", "id": "s", "payload": payload }),
        json!({ "type": "subscribe", "id": NUMBER, "payload": { "query": subscription } }),
        json!({ "type": "ping", "payload": { "card": NUMBER } }),
    ] {
        let mut socket = guest.opens_a_socket().await;
        socket.say(message).await;
        let closed = (4400, "Never send a card number".to_owned());
        assert_eq!(socket.is_closed().await, closed);
    }
    let mut socket = guest.opens_a_raw_socket().await;
    socket
        .say(json!({ "type": "connection_init", "payload": { "card": NUMBER } }))
        .await;
    assert_eq!(socket.is_closed().await.0, 4400);
}

async fn is_found_nowhere(url: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = [("DATABASE_URL", url), ("STAYGATE_LOG", "trace")];
    let server = Process::serves(folder.path(), &settings).await;
    let stranger = Client::new(server.base());
    let guest = stranger.sign_up(json!({ "fullName": "Gus Guest", "email": "gus@example.com", "password": "a good password" })).await;
    for (what, answer) in sends_it_everywhere(&guest).await {
        let status = answer.status().as_u16();
        let said = answer.text().await.expect("text");
        let is_told = said.contains("looks like a card number");
        assert!(status == 400 && is_told, "{what}: {status} {said}");
        assert!(!said.contains("4242"), "{what}: it is never repeated");
    }
    says_it_on_sockets(&guest).await;
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

#[tokio::test]
async fn a_page_of_another_origin_can_read_why_it_was_refused() {
    let world = World::on_sqlite().await;
    let request = world.stranger().request(Method::GET, &format!("/{NUMBER}"));
    let sent = request.header("origin", "https://www.example.com");
    let answer = sent.send().await.expect("an answer");
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn long_numbers_that_others_put_into_a_request_are_let_through() {
    let world = World::on_sqlite().await;
    let query =
        "query($box: BoundingBox) { properties(filter: { within: $box }) { edges { cursor } } }";
    let area = json!({ "south": 37.830_097_770_163_62, "west": -122.424_242_424_242_42, "north": 38, "east": -122 });
    let request = world.stranger().request(Method::POST, "/graphql");
    let request = request
        .header(
            "x-cloud-trace-context",
            "105445aa7843bc8bf206b12000100000/5234567890123456781;o=1",
        )
        .header("cookie", "theirs=4242424242424242");
    let sent = request.json(&json!({ "query": query, "variables": { "box": area } }));
    let answer: Value = sent
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    assert_eq!(answer, json!({ "data": { "properties": { "edges": [] } } }));
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

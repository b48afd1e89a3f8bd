//! Line breaks that begin something of their own: a header of a mail or of an answer, or a second request.

use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Duration, timeout},
};

use crate::support::{World, a_property, on_both_engines};

const BREAKS: [&str; 5] = ["\r\n", "\n", "\r", "\u{85}", "\r\n\r\n"];

/// What a server says to these bytes, until it hangs up or has nothing more to say.
async fn says_to(world: &World, bytes: &str) -> String {
    let client = world.stranger();
    let address = client.base().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).await.expect("a connection");
    let sent = bytes.replace("HOST", &address);
    stream
        .write_all(sent.as_bytes())
        .await
        .expect("it is written");
    stream.shutdown().await.expect("nothing more is written");
    let mut said = vec![];
    let read = timeout(Duration::from_secs(5), stream.read_to_end(&mut said)).await;
    read.expect("the server hangs up").expect("an answer");
    String::from_utf8(said).expect("text")
}

on_both_engines! {
    async fn a_line_break_in_a_name_or_a_title_begins_no_header_of_a_mail(world: World) {
        let host = world.host("hana").await;
        let (guests, eves) = (world.address("gus"), world.address("eve"));
        for line_break in BREAKS {
            let text = format!("Gus{line_break}Bcc: {eves}{line_break}X-Evil: 1");
            let person = |name: &str, email: &str| json!({ "fullName": name, "email": email, "password": "a good password" });
            for input in [person(&text, &guests), person("Gus", &format!("{guests}{line_break}Bcc: {eves}"))] {
                let refused = world.stranger().mutate("signUp", "SignUpInput!", input, "accessToken").await;
                assert_eq!(refused["userErrors"][0]["code"], "INVALID", "{refused}");
            }
            for field in ["title", "location"] {
                let refused = host.mutate("createProperty", "CreatePropertyInput!", a_property(&json!({ field: text })), "property { id }").await;
                assert_eq!(refused["userErrors"][0]["code"], "INVALID", "{refused}");
            }
        }
        // Whatever came to stand in the database by another way.
        let property = host.lists(json!({})).await;
        let guest = world.stranger().sign_up(json!({ "fullName": "Gus", "email": guests, "password": "a good password" })).await;
        let evil = format!("'Evil' || {0} || 'Bcc: {eves}' || {0} || 'X-Evil: 1'", if world.is_postgres() { "chr(13) || chr(10)" } else { "char(13) || char(10)" });
        world.meddles(&format!("UPDATE users SET full_name = {evil}")).await.expect("meddled");
        world.meddles(&format!("UPDATE properties SET title = {evil}, location = {evil}")).await.expect("meddled");
        guest.pays(&guest.books(&property, &world.day(1), &world.day(2)).await).await;
        let mails = world.mails_to(&guests).await;
        assert_eq!(mails.len(), 2, "both are written, without what may be no name: {mails:?}");
        let headers = mails.iter().flat_map(|mail| &mail.headers);
        let evil: Vec<_> = headers.filter(|name| ["bcc", "x-evil"].contains(&name.to_lowercase().as_str())).collect();
        assert!(evil.is_empty(), "{evil:?}");
        assert!(world.mails_to(&eves).await.is_empty(), "and none goes to somebody else");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_a_request_says_becomes_a_header_of_the_answer() {
    let world = World::on_sqlite().await;
    let evil = "%0d%0aX-Evil:%201%0d%0aSet-Cookie:%20a=b";
    for path in [
        format!("/graphql?query=%7B__typename%7D&operationName={evil}"),
        format!("/graphql?query={evil}"),
        format!("/calendars/{evil}.ics"),
        format!("/assets/{evil}"),
        format!("/{evil}"),
        format!("/sandbox/payments/{evil}/confirm"),
    ] {
        for method in [Method::GET, Method::POST] {
            let request = world.stranger().request(method, &path);
            let sent = request.header("x-request-id", "a\tb").send();
            let answer = sent.await.expect("an answer");
            assert!(answer.status().as_u16() < 500, "{path}");
            for name in ["x-evil", "set-cookie", "location"] {
                assert!(!answer.headers().contains_key(name), "{path}");
            }
            assert_ne!(answer.headers()["x-request-id"], "a\tb");
        }
    }
}

/// Whoever stands before the server may see one request where it sees two, or the other way round.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_whose_end_can_be_read_in_two_ways_hides_no_second_one() {
    let world = World::on_sqlite().await;
    let body = r#"{"query":"{ __typename }"}"#;
    let hidden = "GET /livez HTTP/1.1\r\nHost: HOST\r\n\r\n";
    let post = |headers: &str, body: &str| {
        format!(
            "POST /graphql HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n{headers}\r\n\r\n{body}"
        )
    };
    let length = body.len();
    for (what, bytes) in [
        (
            "two lengths",
            post(
                &format!(
                    "Content-Length: {length}\r\nContent-Length: {}",
                    length + hidden.len()
                ),
                &format!("{body}{hidden}"),
            ),
        ),
        (
            "a list of lengths",
            post(
                &format!("Content-Length: {length}, {}", length + 1),
                &format!("{body}{hidden}"),
            ),
        ),
        (
            "a length with a sign",
            post(
                &format!("Content-Length: +{length}"),
                &format!("{body}{hidden}"),
            ),
        ),
        (
            "a length in another base",
            post("Content-Length: 0x1a", &format!("{body}{hidden}")),
        ),
        (
            "an encoding nobody knows",
            post("Transfer-Encoding: xchunked", &format!("0\r\n\r\n{hidden}")),
        ),
        (
            "chunks that are not last",
            post(
                "Transfer-Encoding: chunked, identity",
                &format!("0\r\n\r\n{hidden}"),
            ),
        ),
        (
            "a space before the colon",
            post("Transfer-Encoding : chunked", &format!("0\r\n\r\n{hidden}")),
        ),
        (
            "a folded line",
            post("X-Folded: a\r\n b\r\nContent-Length: 0", hidden),
        ),
        (
            "a bare carriage return",
            post("X-Bare: a\rContent-Length: 0\r\nContent-Length: 5", hidden),
        ),
        ("a NUL", post("X-Nul: a\0b\r\nContent-Length: 0", hidden)),
        (
            "chunks of no size",
            post("Transfer-Encoding: chunked", &format!("-1\r\n\r\n{hidden}")),
        ),
    ] {
        let said = says_to(&world, &bytes).await;
        let statuses: Vec<_> = said
            .lines()
            .filter(|line| line.starts_with("HTTP/1.1 "))
            .collect();
        assert!(
            matches!(statuses[..], [one] if one.starts_with("HTTP/1.1 4")),
            "{what}: {said}"
        );
        assert!(
            !said.contains("ok\n"),
            "{what}: the hidden request is answered: {said}"
        );
    }
    let both = post(
        &format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
        &format!("{length:x}\r\n{body}\r\n0\r\n\r\n{hidden}"),
    );
    let said = says_to(&world, &both).await;
    // The encoding counts, says RFC 9112 (6.3), and whoever counts by the length has passed a request on that it should have refused.
    let answers = said.matches("HTTP/1.1 ").count();
    assert!(answers == 1 && said.contains("connection: close"), "{said}");
}

//! Sockets and streams that stay open: how many a caller has, and how long one may take to say what it wants.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Duration, timeout},
};

use crate::support::{Client, Socket, World};

const EVENTS: &str = "subscription { viewerBookingStatusChanged { to } }";
const TWO: [(&str, &str); 1] = [("STAYGATE_MAX_CONNECTIONS", "2")];

async fn reserves(who: &Client) -> u16 {
    let answer = who.request(Method::PUT, "/graphql").send().await;
    answer.expect("an answer").status().as_u16()
}

async fn streams(who: &Client) -> reqwest::Response {
    let request = who.request(Method::POST, "/graphql");
    let request = request.header("accept", "text/event-stream");
    let answer = request.json(&json!({ "query": EVENTS })).send().await;
    answer.expect("an answer")
}

#[tokio::test]
async fn a_person_has_so_many_sockets_and_streams_and_no_more() {
    let world = World::on_sqlite_with(&TWO).await;
    let guest = world.guest("gus").await;
    let stream = streams(&guest).await;
    assert_eq!(stream.status(), 200);
    let socket = guest.opens_a_socket().await;
    let refused = streams(&guest).await;
    assert_eq!(refused.status(), 429);
    let told: Value = refused.json().await.expect("JSON");
    let told = &told["errors"][0]["extensions"];
    assert_eq!(
        (&told["code"], &told["limit"]),
        (
            &json!("RATE_LIMITED"),
            &json!({ "name": "connections", "most": 2, "found": 3 })
        )
    );
    assert_eq!(reserves(&guest).await, 429);
    let mut one_more = Socket::open(guest.base()).await;
    let token = guest.token.as_deref().expect("signed in");
    let payload = json!({ "authorization": format!("Bearer {token}") });
    one_more
        .say(json!({ "type": "connection_init", "payload": payload }))
        .await;
    assert_eq!(one_more.is_closed().await.0, 1013);
    // Another person has places of their own, and a place that was left is free.
    assert_eq!(reserves(&world.guest("nora").await).await, 201);
    drop((stream, socket));
    for tries in 0.. {
        assert!(tries < 1_000, "no place came free");
        if reserves(&guest).await == 201 {
            break;
        }
    }
}

#[tokio::test]
async fn a_network_has_so_many_sockets_that_belong_to_nobody() {
    let world = World::on_sqlite_with(&TWO).await;
    let guest = world.guest("gus").await;
    // Whoever has said who they are is not counted there.
    let _theirs = guest.opens_a_socket().await;
    let _one = Socket::open(world.stranger().base()).await;
    let _two = Socket::open(world.stranger().base()).await;
    let request = world.stranger().request(Method::GET, "/graphql");
    let upgrade = request
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-protocol", "graphql-transport-ws");
    assert_eq!(upgrade.send().await.expect("an answer").status(), 429);
}

#[tokio::test]
async fn who_says_no_whole_request_in_time_is_cut_off() {
    let world = World::on_sqlite_with(&[("STAYGATE_KEEP_ALIVE", "1")]).await;
    let stranger = world.stranger();
    let address = stranger.base().trim_start_matches("http://");
    for begun in ["", "PR", "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        let mut connection = TcpStream::connect(address).await.expect("a connection");
        let written = connection.write_all(begun.as_bytes()).await;
        written.expect("it can be written");
        let mut answer = vec![];
        let read = timeout(Duration::from_secs(20), connection.read_to_end(&mut answer));
        read.await.expect("it ends").expect("with nothing broken");
        assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    }
}

//! Requests that take their time.

use sea_orm::ConnectionTrait as _;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Duration, timeout},
};

use super::super::posts;
use crate::support::World;

const IN_TIME: Duration = Duration::from_secs(10);
const A_SECOND: (&str, &str) = ("STAYGATE_REQUEST_TIMEOUT", "1");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_does_not_end_is_waited_for_no_longer_than_a_request_may_take() {
    let world = World::on_sqlite_with(&[A_SECOND]).await;
    let address = world
        .stranger()
        .base()
        .trim_start_matches("http://")
        .to_owned();
    let mut stream = TcpStream::connect(&address).await.expect("a connection");
    let begun = format!(
        "POST /graphql HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{\"query\":"
    );
    stream
        .write_all(begun.as_bytes())
        .await
        .expect("it is written");
    let mut said = [0; 12];
    let answered = timeout(IN_TIME, stream.read_exact(&mut said)).await;
    answered.expect("an answer in time").expect("an answer");
    assert_eq!(&said, b"HTTP/1.1 503");
}

/// Somebody else keeps what a query reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_takes_too_long_is_given_up() {
    let settings = [A_SECOND, ("STAYGATE_STATEMENT_TIMEOUT", "60")];
    let world = World::on_postgres_with(&settings).await;
    let other = world.app.db.begin().await.expect("a transaction");
    let keeps = "LOCK TABLE properties IN ACCESS EXCLUSIVE MODE";
    other.execute_unprepared(keeps).await.expect("it is kept");
    let body = json!({ "query": "{ properties { totalCount } }" });
    let request = world.stranger().request(reqwest::Method::POST, "/graphql");
    let sent = timeout(IN_TIME, request.json(&body).send()).await;
    let answer = sent.expect("an answer in time").expect("an answer");
    assert_eq!(answer.status(), 503);
    let by_rest = timeout(IN_TIME, async {
        world.stranger().reads("/properties/").await
    });
    let (status, code, _) = by_rest.await.expect("an answer in time").problem();
    assert_eq!((status, code.as_str()), (503, "INTERNAL"));
    drop(other);
    let (_, _, fine) = posts(&world.stranger(), &body).await;
    assert_eq!(fine["data"]["properties"]["totalCount"], 0);
}

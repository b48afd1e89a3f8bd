//! What is away comes back, and nothing that was acknowledged is lost meanwhile.

use reqwest::{Method, StatusCode, header};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use url::Url;

use crate::support::{Client, Line, Socket, World};

/// One request of GraphQL, and what its answer is.
async fn asks(client: &Client, query: &str) -> (StatusCode, Option<String>, Value) {
    let answer = client
        .request(Method::POST, "/graphql")
        .json(&json!({ "query": query }));
    let answer = answer.send().await.expect("an answer");
    let again = answer
        .headers()
        .get(header::RETRY_AFTER)
        .map(|wait| wait.to_str().expect("text").to_owned());
    (answer.status(), again, answer.json().await.expect("JSON"))
}

/// A server whose way to the database can be cut.
async fn by_a_line(world: &World, settings: &[(&str, &str)]) -> (World, Line) {
    let mut url = Url::parse(&world.settings()["DATABASE_URL"]).expect("a URL");
    let line = Line::to(&format!(
        "{}:{}",
        url.host_str().expect("a host"),
        url.port().unwrap_or(5432)
    ))
    .await;
    url.set_port(Some(line.port())).expect("it takes a port");
    url.set_host(Some("127.0.0.1")).expect("it takes a host");
    let mut all = vec![("DATABASE_URL", url.as_str())];
    all.extend(settings);
    (world.instance_with(&all).await, line)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_the_database_is_away_everything_says_when_to_come_again_and_then_goes_on() {
    let world = World::on_postgres().await;
    let (server, line) = by_a_line(&world, &[("STAYGATE_ANSWER_CACHE", "false")]).await;
    let guest = server.as_seen_by(&world.guest("gus").await);
    let property = world
        .host("hana")
        .await
        .lists(json!({ "instantBook": true }))
        .await;
    let booking = guest.books(&property, &world.day(1), &world.day(3)).await;

    line.is_cut();
    let search = "{ properties(first: 1) { nodes { id } } }";
    let book = format!(
        "mutation {{ createBooking(input: {{ propertyId: \"{property}\", checkIn: \"{}\", checkOut: \"{}\", guests: 1 }}) {{ userErrors {{ code }} }} }}",
        world.day(5),
        world.day(6)
    );
    let (away, list) = (
        guest.request(Method::GET, "/readyz"),
        guest.request(Method::GET, "/api/v1/properties/"),
    );
    let (found, booked, away, listed) = tokio::join!(
        asks(&guest, search),
        asks(&guest, &book),
        away.send(),
        list.send()
    );
    for (status, again, told) in [found, booked] {
        assert_eq!(
            (status, again.as_deref()),
            (StatusCode::SERVICE_UNAVAILABLE, Some("2")),
            "{told}"
        );
        let error = &told["errors"][0];
        assert_eq!(
            (
                &error["extensions"]["code"],
                &error["extensions"]["retryAfter"]
            ),
            (&json!("INTERNAL"), &json!(2)),
            "{told}"
        );
    }
    for answer in [away, listed] {
        let answer = answer.expect("an answer");
        assert_eq!(
            (answer.status(), &answer.headers()[header::RETRY_AFTER]),
            (
                StatusCode::SERVICE_UNAVAILABLE,
                &"2".parse().expect("a value")
            )
        );
    }
    let lives = guest
        .request(Method::GET, "/livez")
        .send()
        .await
        .expect("an answer");
    assert_eq!(lives.status(), 200, "a restart would mend nothing");

    line.is_mended();
    let (status, _, told) = asks(&guest, &book).await;
    assert_eq!(
        (status, &told["data"]["createBooking"]["userErrors"]),
        (StatusCode::OK, &json!([])),
        "{told}"
    );
    let ready = guest
        .request(Method::GET, "/readyz")
        .send()
        .await
        .expect("an answer");
    assert_eq!(ready.status(), 200);
    let kept = guest
        .get(
            "query($id: ID!) { booking(id: $id) { status } }",
            json!({ "id": booking["id"] }),
        )
        .await;
    assert_eq!(
        kept["booking"]["status"], "PENDING",
        "what was acknowledged is there"
    );
    assert_eq!(world.number("SELECT count(*) FROM bookings").await, 2);
}

/// SQLite says the same of itself in a test beside `is_unavailable`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_what_would_be_written_and_reads_on() {
    let world = World::on_postgres().await;
    let guest = world.guest("gus").await;
    let property = world.host("hana").await.lists(json!({})).await;
    // As PostgreSQL itself says it of a disk that is full.
    let full = "CREATE FUNCTION is_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
        CREATE TRIGGER is_full BEFORE INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION is_full()";
    world
        .app
        .db
        .read()
        .execute_unprepared(full)
        .await
        .expect("it is full");
    let book = format!(
        "mutation {{ createBooking(input: {{ propertyId: \"{property}\", checkIn: \"{}\", checkOut: \"{}\", guests: 1 }}) {{ userErrors {{ code }} }} }}",
        world.day(5),
        world.day(6)
    );
    let (status, again, told) = asks(&guest, &book).await;
    assert_eq!(
        (status, again.as_deref()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("2")),
        "{told}"
    );
    assert!(!told.to_string().contains("extend"), "{told}");
    let (status, _, told) = asks(&guest, "{ properties(first: 1) { nodes { id } } }").await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(world.number("SELECT count(*) FROM nights").await, 0);
}

/// Of 4500, which says that something broke, clients take it that coming again is of no use.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_is_opened_while_the_database_is_away_is_told_to_come_again() {
    let world = World::on_postgres().await;
    let (server, line) = by_a_line(&world, &[]).await;
    let gus = server.as_seen_by(&world.guest("gus").await);
    let token = gus.token.clone().expect("a token");
    line.is_cut();
    let mut socket = Socket::open(gus.base()).await;
    let payload = json!({ "authorization": format!("Bearer {token}") });
    socket
        .say(json!({ "type": "connection_init", "payload": payload }))
        .await;
    let (code, _) = socket.is_closed().await;
    assert_eq!(code, 1013, "try again later, of the registry of RFC 6455");
    line.is_mended();
    Socket::introduced(gus.base(), Some(&token)).await;
}

/// The end of the audit log is what every write waits for, as it does where the disk is slow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_too_long_in_the_database_is_to_be_tried_again() {
    let world = World::on_postgres().await;
    let server = world
        .instance_with(&[("STAYGATE_STATEMENT_TIMEOUT", "1")])
        .await;
    let guest = server.as_seen_by(&world.guest("gus").await);
    let property = world.host("hana").await.lists(json!({})).await;
    let slow = world.app.db.begin().await.expect("a write");
    slow.execute_unprepared("SELECT * FROM audit_head FOR UPDATE")
        .await
        .expect("the end of the log");
    let book = format!(
        "mutation {{ createBooking(input: {{ propertyId: \"{property}\", checkIn: \"{}\", checkOut: \"{}\", guests: 1 }}) {{ userErrors {{ code }} }} }}",
        world.day(5),
        world.day(6)
    );
    let (status, again, told) = asks(&guest, &book).await;
    assert_eq!(
        (status, again.as_deref()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("2")),
        "{told}"
    );
    slow.commit().await.expect("the write");
    let (status, _, told) = asks(&guest, &book).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(world.number("SELECT count(*) FROM bookings").await, 1);
}

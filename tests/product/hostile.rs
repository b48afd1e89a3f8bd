//! Clients that mean no good, or have no luck.

use serde_json::json;
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    time::{Duration, Instant, timeout},
};

use crate::support::{BOOKING_FIELDS, Client, World, on_both_engines};

/// Sends a request and hangs up as soon as it is written.
async fn send_and_leave(client: &Client, query: &str, variables: serde_json::Value) {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let address = client.base().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).await.expect("a connection");
    let token = client.token.clone().expect("a token");
    let request = format!(
        "POST /graphql HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it is written");
}

on_both_engines! {
    async fn a_payment_whose_client_hangs_up_is_made_to_its_end(world: World) {
        let property = world.host("hana").await.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let mut bookings = Vec::new();
        for day in 0..30 {
            bookings.push(guest.books(&property, &world.day(day + 1), &world.day(day + 2)).await);
        }
        let pay = "mutation($input: CreatePaymentInput!) { createPayment(input: $input) { payment { id } } }";
        for booking in &bookings {
            let input = json!({ "input": { "bookingId": booking["id"], "paymentToken": "tok_visa" } });
            send_and_leave(&guest, pay, input).await;
        }
        // Whichever of them the server has begun, it ends.
        let began = Instant::now();
        let half_done = "SELECT count(*) FROM payments WHERE payment_status = 'PENDING'";
        let (mut all, mut same) = (-1, 0);
        while same < 20 {
            let now = world.number("SELECT count(*) FROM payments").await;
            same = if now == all && world.number(half_done).await == 0 { same + 1 } else { 0 };
            all = now;
            assert!(began.elapsed() < Duration::from_secs(20), "half a payment is left");
        }
        for booking in &bookings {
            let booking = guest.sees(booking).await;
            let paid = booking["payment"]["status"] == "PAID";
            assert_eq!(paid, booking["status"] == "CONFIRMED", "{booking}");
        }
    }

    async fn a_mutation_does_not_run_over_get_whatever_its_name(world: World) {
        for query in ["mutation { becomeHost { userErrors { code } } }", "mutation M { becomeHost { userErrors { code } } }"] {
            let path = format!("/graphql?query={}", query.replace(' ', "%20").replace('{', "%7B").replace('}', "%7D"));
            let guest = world.guest(&format!("g{}", query.len())).await;
            let answer = guest.request(reqwest::Method::GET, &path).send().await.expect("an answer");
            assert_eq!(answer.status(), 405);
            let viewer = guest.get("{ viewer { user { role } } }", json!({})).await;
            assert_eq!(viewer["viewer"]["user"]["role"], "GUEST");
        }
    }

    async fn what_a_sign_in_answers_is_shown_with_the_rights_of_whoever_signed_in(world: World) {
        let property = world.host("hana").await.lists(json!({})).await;
        let guest = world.guest("gus").await;
        guest.pays(&guest.books(&property, &world.day(1), &world.day(2)).await).await;
        let query = format!("mutation($input: SignInInput!) {{ signIn(input: $input) {{ viewer {{ bookings {{ nodes {{
            {BOOKING_FIELDS} payment {{ booking {{ id }} }} }} }} }} }} }}");
        let input = json!({ "input": { "email": "gus@example.com", "password": "a good password" } });
        for caller in [world.stranger(), world.guest("olga").await] {
            let answer = caller.get(&query, input.clone()).await;
            assert_eq!(answer["signIn"]["viewer"]["bookings"]["nodes"][0]["payment"]["status"], "PAID");
        }
        let twice = "mutation($input: SignInInput!) { a: signIn(input: $input) { accessToken } b: signIn(input: $input) { accessToken } }";
        assert_eq!(world.stranger().refusal(twice, input).await, "BAD_USER_INPUT", "passwords are not tried by the dozen");
    }

    async fn a_host_has_no_longer_to_answer_than_until_the_stay_begins(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({ "instantBook": false })).await;
        let guest = world.guest("gus").await;
        let booking = guest.books(&property, &world.day(0), &world.day(1)).await;
        guest.pays(&booking).await;
        assert_eq!(guest.sees(&booking).await["expiresAt"], "2027-03-10T15:00:00Z");
        world.clock.advance(chrono::Duration::hours(4));
        let late = host.mutate_by_id("acceptBooking", booking["id"].as_str().expect("an id"), "booking { id }").await;
        assert_eq!(late["userErrors"][0]["code"], "WRONG_STATE");
    }

    async fn nobody_confirms_a_payment_without_its_secret(world: World) {
        let property = world.host("hana").await.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let booking = guest.books(&property, &world.day(1), &world.day(2)).await;
        let payment = guest.tries_to_pay(&booking, "tok_threeDSecure").await["payment"].take();
        let secret = payment["clientSecret"].as_str().expect("a secret").to_owned();
        let guessed = format!("{}{}", &secret[..secret.len() - 4], "0000");
        for wrong in [guessed.as_str(), "sandbox_%00_secret_00", "sandbox__secret_", "%20", "sandbox_%27_secret_%27"] {
            let form = format!("/sandbox/payments/{wrong}/confirm");
            let answer = world.stranger().request(reqwest::Method::POST, &form).send().await.expect("an answer");
            assert_eq!(answer.status(), 404, "{wrong}");
        }
        assert_eq!(guest.sees(&booking).await["status"], "PENDING");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fragments_that_double_at_every_step_do_not_hold_the_server_up() {
    let world = World::on_sqlite().await;
    let step = |n: usize| format!("fragment f{n} on Query {{...f{m} ...f{m}}} ", m = n + 1);
    let steps: Vec<_> = (0..40).map(step).collect();
    let query = format!(
        "{{...f0}} {} fragment f40 on Query {{__typename}}",
        steps.concat()
    );
    let refused = timeout(
        Duration::from_secs(5),
        world.stranger().refusal(&query, json!({})),
    )
    .await;
    assert_eq!(refused.as_deref(), Ok("QUERY_TOO_COMPLEX"));
    let mut socket = world.stranger().opens_a_socket().await;
    socket.subscribe("a", &query, json!({})).await;
    assert_eq!(socket.hears().await["type"], "error");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_nodes_cost_a_statement_a_kind_and_aliases_are_bounded() {
    let world = World::on_sqlite().await;
    let property = world.host("hana").await.lists(json!({})).await;
    let ids = vec![property; 60];
    let before = world.app.db.statements_sent();
    let fields: Vec<_> = (0..15)
        .map(|n| format!("n{n}: nodes(ids: $ids) {{ id }}"))
        .collect();
    let query = |fields: &[String]| format!("query($ids: [ID!]!) {{ {} }}", fields.join(" "));
    world
        .stranger()
        .get(&query(&fields), json!({ "ids": ids }))
        .await;
    assert!(world.app.db.statements_sent() - before <= 2);
    let fields: Vec<_> = (0..16)
        .map(|n| format!("n{n}: nodes(ids: $ids) {{ id }}"))
        .collect();
    assert_eq!(
        world
            .stranger()
            .refusal(&query(&fields), json!({ "ids": ids }))
            .await,
        "QUERY_TOO_COMPLEX"
    );
}

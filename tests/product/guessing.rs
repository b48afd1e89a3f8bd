//! Those who guess passwords: slowed down, told nothing, and noticed.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Client, SESSION, World, on_both_engines};

const SIGN_IN: &str =
    "mutation($input: SignInInput!) { signIn(input: $input) { accessToken userErrors { code } } }";

fn credentials(email: &str, password: &str) -> Value {
    json!({ "input": { "email": email, "password": password } })
}

/// A server that slows down, behind a proxy that says where clients are.
async fn strict(world: &World) -> World {
    let settings = [
        ("STAYGATE_RATE_LIMITS", "on"),
        // What operations cost is another matter.
        ("STAYGATE_RATE_BUCKET", "1000000"),
        ("STAYGATE_TRUSTED_PROXIES", "127.0.0.1"),
    ];
    world.instance_with(&settings).await
}

/// What a sign-in from some address is answered with: the code of its mistake or refusal, or that it is let in; and when to come again.
async fn tries(client: &Client, from: &str, email: &str, password: &str) -> (String, Option<u64>) {
    let body = json!({ "query": SIGN_IN, "variables": credentials(email, password) });
    let answer = client
        .request(reqwest::Method::POST, "/graphql")
        .header("x-forwarded-for", from)
        .json(&body)
        .send()
        .await
        .expect("an answer");
    let wait = answer.headers().get("retry-after");
    let wait = wait.map(|value| value.to_str().expect("text").parse().expect("seconds"));
    let answer: Value = answer.json().await.expect("JSON");
    let error = &answer["errors"][0]["extensions"]["code"];
    let mistake = &answer["data"]["signIn"]["userErrors"][0]["code"];
    let code = error.as_str().or(mistake.as_str()).unwrap_or("let in");
    (code.to_owned(), wait)
}

on_both_engines! {
    async fn wrong_passwords_slow_down_who_guesses_and_the_owner_at_home_stays_welcome(world: World) {
        let world = strict(&world).await;
        let stranger = world.stranger();
        let input = json!({ "fullName": "gus", "email": "gus@example.com", "password": "a good password" });
        let body = json!({ "query": "mutation($input: SignUpInput!) { signUp(input: $input) { accessToken } }", "variables": { "input": input } });
        let home = stranger.request(reqwest::Method::POST, "/graphql").header("x-forwarded-for", "203.0.113.1").json(&body);
        assert_eq!(home.send().await.expect("an answer").status(), 200);

        for _ in 0..10 {
            assert_eq!(tries(&stranger, "198.51.100.1", "gus@example.com", "a guess").await, ("WRONG_CREDENTIALS".into(), None));
        }
        let (code, wait) = tries(&stranger, "198.51.100.1", "gus@example.com", "a guess").await;
        assert_eq!(code, "RATE_LIMITED");
        assert!(wait.is_some_and(|seconds| (1..=30).contains(&seconds)), "{wait:?}");
        assert_eq!(tries(&stranger, "198.51.100.1", "gus@example.com", "a good password").await.0, "RATE_LIMITED", "not even the right one");
        // One of many machines, each of which has tries of its own, until the account's are used up for strangers.
        for machine in 0..40 {
            tries(&stranger, &format!("198.51.100.{}", 100 + machine), "gus@example.com", "a guess").await;
        }
        assert_eq!(tries(&stranger, "198.51.100.200", "gus@example.com", "a good password").await.0, "RATE_LIMITED");
        assert_eq!(tries(&stranger, "203.0.113.1", "gus@example.com", "a good password").await.0, "let in", "the owner at home");

        world.clock.advance(chrono::Duration::seconds(31));
        assert_eq!(tries(&stranger, "198.51.100.1", "gus@example.com", "a good password").await.0, "let in", "nobody is locked out for good");
    }

    async fn right_passwords_are_never_too_many(world: World) {
        let world = strict(&world).await;
        world.guest("gus").await;
        for _ in 0..30 {
            assert_eq!(tries(&world.stranger(), "198.51.100.1", "gus@example.com", "a good password").await.0, "let in");
        }
    }

    async fn known_and_unknown_addresses_are_slowed_down_alike(world: World) {
        let world = strict(&world).await;
        world.guest("gus").await;
        for email in ["gus@example.com", "nobody@example.com"] {
            let mut codes = Vec::new();
            for _ in 0..12 {
                codes.push(tries(&world.stranger(), "198.51.100.1", email, "a guess").await.0);
            }
            assert_eq!(codes[..10], vec!["WRONG_CREDENTIALS"; 10], "{email}");
            assert_eq!(codes[10..], vec!["RATE_LIMITED"; 2], "{email}");
        }
    }

    async fn tries_at_once_are_counted_each(world: World) {
        let world = strict(&world).await;
        world.guest("gus").await;
        let stranger = world.stranger();
        let all = (0..40).map(|_| tries(&stranger, "198.51.100.1", "gus@example.com", "a guess"));
        let codes = futures_util::future::join_all(all).await;
        let through = codes.iter().filter(|(code, _)| code == "WRONG_CREDENTIALS").count();
        assert_eq!(through, 10, "{codes:?}");
    }

    async fn instances_with_one_redis_count_together(world: World) {
        if !world.is_postgres() {
            return;
        }
        let (one, other) = (strict(&world).await, strict(&world).await);
        for server in [&one, &other] {
            for _ in 0..5 {
                assert_eq!(tries(&server.stranger(), "198.51.100.1", "gus@example.com", "a guess").await.0, "WRONG_CREDENTIALS");
            }
        }
        assert_eq!(tries(&one.stranger(), "198.51.100.1", "gus@example.com", "a guess").await.0, "RATE_LIMITED");
    }

    async fn measuring_refuses_nobody(world: World) {
        let world = world.instance_with(&[("STAYGATE_RATE_LIMITS", "measure")]).await;
        for _ in 0..15 {
            assert_eq!(tries(&world.stranger(), "", "gus@example.com", "a guess").await.0, "WRONG_CREDENTIALS");
        }
    }

    async fn an_address_is_mailed_no_more_than_some_links(world: World) {
        let world = strict(&world).await;
        let address = world.address("gus");
        let input = json!({ "fullName": "gus", "email": address, "password": "a good password" });
        world.stranger().sign_up(input).await;
        let before = world.mails_to(&address).await.len();
        for _ in 0..6 {
            let asked = world.stranger().mutate("requestPasswordReset", "RequestPasswordResetInput!", json!({ "email": address }), "").await;
            assert_eq!(asked, json!({ "userErrors": [] }), "whoever floods a mailbox does not learn that it ends");
        }
        assert_eq!(world.mails_to(&address).await.len() - before, 3);
    }

    async fn who_has_a_stolen_access_token_does_not_get_to_guess_the_password(world: World) {
        let world = strict(&world).await;
        let gus = world.guest("gus").await;
        let change = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { code } } }";
        let guess = json!({ "input": { "currentPassword": "a guess", "newPassword": "a new password" } });
        for _ in 0..5 {
            let answer = gus.get(change, guess.clone()).await;
            assert_eq!(answer["changePassword"]["userErrors"][0]["code"], "WRONG_CREDENTIALS");
        }
        assert_eq!(gus.refusal(change, guess).await, "RATE_LIMITED");
    }

    async fn many_failed_sign_ins_raise_one_alert_in_a_quarter_of_an_hour(world: World) {
        let address = world.address("ada");
        let input = json!({ "fullName": "ada", "email": address, "password": "a good password" });
        world.stranger().sign_up(input).await;
        world.meddles("UPDATE users SET role = 'ADMIN'").await.expect("an admin");
        world.mails_to(&address).await;
        let alerts = "SELECT count(*) FROM audit_entries WHERE action = 'alert.raised'";
        for round in 1..=2 {
            for _ in 0..60 {
                world.stranger().get(SIGN_IN, credentials("nobody@example.com", "a guess")).await;
            }
            assert_eq!(world.number(alerts).await, round, "one however many");
            world.clock.advance(chrono::Duration::minutes(15));
        }
        let mails = world.mails_to(&address).await;
        let told = mails.iter().filter(|mail| mail.text.contains("failed sign-ins")).count();
        assert_eq!(told, 2, "{mails:?}");
    }

    async fn who_tries_what_is_not_theirs_is_noticed(world: World) {
        let gus = world.guest("gus").await;
        let list = "mutation($input: CreatePropertyInput!) { createProperty(input: $input) { property { id } } }";
        let input = json!({ "input": crate::support::a_property(&json!({})) });
        let alerts = "SELECT count(*) FROM audit_entries WHERE action = 'alert.raised' AND detail LIKE 'permission probing%'";
        for _ in 0..10 {
            assert_eq!(gus.refusal(list, input.clone()).await, "FORBIDDEN");
        }
        assert_eq!(world.number(alerts).await, 0);
        for key in 1..=10 {
            use base64::Engine as _;
            let id = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("Booking:{key}"));
            let seen = gus.get("query($id: ID!) { booking(id: $id) { id } }", json!({ "id": id })).await;
            assert_eq!(seen["booking"], json!(null));
        }
        assert_eq!(world.number(alerts).await, 1);
    }

    async fn what_can_be_no_password_costs_nothing_and_says_nothing(world: World) {
        world.guest("gus").await;
        let long = "x".repeat(200_000);
        for (email, password) in [("gus@example.com", long.as_str()), ("a\u{0}@example.com", "a guess"), ("gus@example.com\r\nBcc: x@example.com", "a guess")] {
            let answer = world.stranger().get(SIGN_IN, credentials(email, password)).await;
            assert_eq!(answer["signIn"]["userErrors"], json!([{ "code": "WRONG_CREDENTIALS" }]));
        }
        let body = json!({ "query": SIGN_IN, "variables": credentials("gus@example.com", &"x".repeat(1_000_000)) });
        let answer = world.stranger().request(reqwest::Method::POST, "/graphql").json(&body).send().await.expect("an answer");
        assert_eq!(answer.status(), 413);
    }
}

/// Who listens to the clock learns no more than who reads the answer: over 200 tries each, in turn, at the recommended cost of a hash.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn known_and_unknown_addresses_take_the_same_time() {
    for world in [World::on_sqlite().await, World::on_postgres().await] {
        let recommended = [
            ("STAYGATE_PASSWORD_MEMORY_KIB", "19456"),
            ("STAYGATE_PASSWORD_PASSES", "2"),
        ];
        let server = world.instance_with(&recommended).await;
        server.guest("gus").await;
        let stranger = server.stranger();
        let mut times: [Vec<Duration>; 2] = Default::default();
        // Known, unknown, unknown, known: whatever the machine does to every other try it does to both.
        for turn in 0..400 {
            let whose = usize::from(matches!(turn % 4, 1 | 2));
            let address = ["gus@example.com", "eve@example.com"][whose];
            let began = Instant::now();
            let answer = stranger.get(SIGN_IN, credentials(address, "a guess")).await;
            times[whose].push(began.elapsed());
            let code = &answer["signIn"]["userErrors"][0]["code"];
            assert_eq!(code, "WRONG_CREDENTIALS");
        }
        let [known, unknown] = times.map(|mut times| {
            times.sort();
            times[times.len() / 2].as_secs_f64()
        });
        let ratio = known / unknown;
        assert!(
            (0.95..=1.05).contains(&ratio),
            "known {known:.5} s, unknown {unknown:.5} s"
        );
        let reset = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { userErrors { code } } }";
        let mut statements = Vec::new();
        for address in ["gus@example.com", "eve@example.com"] {
            let before = server.app.db.statements_sent();
            let input = json!({ "input": { "email": address } });
            stranger.get(reset, input).await;
            statements.push(server.app.db.statements_sent() - before);
        }
        assert_eq!(
            statements[0], statements[1],
            "what is done does not depend on who it is"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_signs_up_by_the_hundred() {
    let settings = [
        ("STAYGATE_RATE_LIMITS", "on"),
        ("STAYGATE_RATE_BUCKET", "1000000"),
    ];
    let world = World::on_sqlite_with(&settings).await;
    let sign_up =
        format!("mutation($input: SignUpInput!) {{ signUp(input: $input) {{ {SESSION} }} }}");
    let input = |n: u32| json!({ "input": { "fullName": "bot", "email": format!("bot{n}@example.com"), "password": "a good password" } });
    for n in 0..500 {
        world.stranger().get(&sign_up, input(n)).await;
    }
    assert_eq!(
        world.stranger().refusal(&sign_up, input(500)).await,
        "RATE_LIMITED"
    );
}

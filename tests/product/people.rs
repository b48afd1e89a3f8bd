//! People: signing up, in and out, and what others see of them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, World, on_both_engines};

const WHO: &str = "{ viewer { email } }";
const SESSION: &str =
    "accessToken refreshToken accessTokenExpiresAt viewer { email user { id fullName role } }";
const REFRESH: &str =
    "mutation($input: RefreshSessionInput!) { refreshSession(input: $input) { accessToken } }";
const DEVICES: &str =
    "{ viewer { sessions { id current userAgent ipAddress createdAt lastUsedAt expiresAt } } }";

/// The status and the answer to a question with this header.
async fn asks_with(
    client: &Client,
    header: &'static str,
    value: &str,
    query: &str,
) -> (u16, Value) {
    let request = client
        .request(Method::POST, "/graphql")
        .header(header, value);
    let answer = request
        .json(&json!({ "query": query }))
        .send()
        .await
        .expect("an answer");
    (
        answer.status().as_u16(),
        answer.json().await.expect("an answer in JSON"),
    )
}

async fn is_let_in(client: &Client) {
    let (status, answer) = asks_with(client, "accept", "application/json", WHO).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer["data"]["viewer"]["email"].is_string(), "{answer}");
}

async fn is_refused(client: &Client) {
    assert!(client.token.is_some());
    says_unauthenticated(&asks_with(client, "accept", "application/json", WHO).await);
}

fn says_unauthenticated((status, answer): &(u16, Value)) {
    assert_eq!(*status, 401, "{answer}");
    assert_eq!(
        answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED",
        "{answer}"
    );
    assert_eq!(answer["data"], json!(null));
}

async fn tries_to_sign_in(client: &Client, email: &str, password: &str) -> Value {
    let input = json!({ "email": email, "password": password });
    client
        .mutate("signIn", "SignInInput!", input, SESSION)
        .await
}

async fn signs_in(client: &Client, email: &str) -> Client {
    let answer = tries_to_sign_in(client, email, "a good password").await;
    assert_eq!(answer["userErrors"], json!([]));
    client.with_session(&answer)
}

async fn refreshes(client: &Client) -> Client {
    let input = json!({ "refreshToken": client.refresh_token });
    let answer = client
        .mutate("refreshSession", "RefreshSessionInput!", input, SESSION)
        .await;
    assert_eq!(answer["userErrors"], json!([]));
    client.with_session(&answer)
}

/// Tries to take new tokens, as a browser does whose access token is gone.
async fn refresh_is_refused(stranger: &Client, refresh_token: Option<&str>) {
    let input = json!({ "input": { "refreshToken": refresh_token } });
    assert_eq!(stranger.refusal(REFRESH, input).await, "UNAUTHENTICATED");
}

async fn signs_out(client: &Client, everywhere: bool) {
    let query = "mutation($everywhere: Boolean!) { signOut(everywhere: $everywhere) { userErrors { code } } }";
    let answer = client.get(query, json!({ "everywhere": everywhere })).await;
    assert_eq!(answer["signOut"]["userErrors"], json!([]));
}

on_both_engines! {
    async fn a_new_person_is_signed_in_and_a_guest_unless_said_otherwise(world: World) {
        let input = json!({ "fullName": "  Gus Grissom ", "email": " Gus@Example.COM ", "password": "a good password" });
        let answer = world.stranger().mutate("signUp", "SignUpInput!", input, SESSION).await;
        assert_eq!(answer["userErrors"], json!([]));
        assert_eq!(answer["viewer"]["email"], "gus@example.com");
        assert_eq!(answer["viewer"]["user"]["fullName"], "Gus Grissom");
        assert_eq!(answer["viewer"]["user"]["role"], "GUEST");
        let gus = world.stranger().with_session(&answer);
        let own = gus.get("{ viewer { email user { id role } } }", json!({})).await;
        assert_eq!(own["viewer"], json!({ "email": "gus@example.com", "user": { "id": gus.id, "role": "GUEST" } }));
        let host = world.host("hana").await;
        let seen = gus.get("query($id: ID!) { user(id: $id) { fullName role } }", json!({ "id": host.id })).await;
        assert_eq!(seen["user"], json!({ "fullName": "hana", "role": "HOST" }));
        assert_eq!(world.stranger().get("{ viewer { email } }", json!({})).await["viewer"], json!(null));
    }

    async fn a_mail_address_has_one_account_whatever_its_case(world: World) {
        let gus = world.guest("gus").await;
        let input = json!({ "fullName": "Another Gus", "email": "GUS@example.Com", "password": "another good one" });
        let answer = world.stranger().mutate("signUp", "SignUpInput!", input, SESSION).await;
        assert_eq!(answer["userErrors"][0]["code"], "TAKEN");
        assert_eq!(answer["userErrors"][0]["field"], json!(["email"]));
        assert_eq!((&answer["accessToken"], &answer["viewer"]), (&json!(null), &json!(null)));
        assert_eq!(world.number("SELECT count(*) FROM users").await, 1);
        assert_eq!(world.number("SELECT count(*) FROM sessions").await, 1);
        assert_eq!(signs_in(&world.stranger(), "gUs@EXAMPLE.com").await.id, gus.id);
    }

    async fn an_unknown_address_and_a_wrong_password_are_answered_in_the_same_words(world: World) {
        world.guest("gus").await;
        let stranger = world.stranger();
        let wrong = tries_to_sign_in(&stranger, "gus@example.com", "a bad password").await;
        assert_eq!(wrong["userErrors"][0]["code"], "WRONG_CREDENTIALS");
        assert_eq!(wrong["userErrors"][0]["field"], json!([]));
        assert_eq!((&wrong["accessToken"], &wrong["refreshToken"], &wrong["viewer"]), (&json!(null), &json!(null), &json!(null)));
        let long = "x".repeat(2_000);
        for (email, password) in [
            ("nobody@example.com", "a good password"), ("no mail address", "a good password"), ("", ""),
            ("gus@example.com", ""), ("gus@example.com", long.as_str()), ("gus@example.com", "A good password"),
        ] {
            assert_eq!(tries_to_sign_in(&stranger, email, password).await, wrong, "{email}");
        }
        assert_eq!(world.number("SELECT count(*) FROM sessions").await, 1, "signing up made the only one");
    }

    async fn nobody_signs_up_as_an_admin(world: World) {
        let input = json!({ "fullName": "Eve", "email": "eve@example.com", "password": "a good password", "role": "ADMIN" });
        let answer = world.stranger().mutate("signUp", "SignUpInput!", input, SESSION).await;
        assert_eq!(answer["userErrors"][0]["field"], json!(["role"]));
        assert_eq!(answer["userErrors"][0]["code"], "INVALID");
        assert_eq!(answer["accessToken"], json!(null));
        assert_eq!(world.number("SELECT count(*) FROM users").await, 0);
    }

    async fn every_mistake_in_a_sign_up_is_named_at_once(world: World) {
        let input = json!({ "fullName": " ", "email": "gus at example", "password": "seven77", "role": "ADMIN" });
        let answer = world.stranger().mutate("signUp", "SignUpInput!", input, SESSION).await;
        let problems = answer["userErrors"].as_array().expect("a list");
        let named: Vec<_> = problems.iter().map(|problem| (problem["field"].clone(), problem["code"].clone())).collect();
        assert_eq!(named, [
            (json!(["fullName"]), json!("REQUIRED")), (json!(["email"]), json!("INVALID")),
            (json!(["password"]), json!("INVALID")), (json!(["role"]), json!("INVALID")),
        ]);
        for problem in problems {
            let message = problem["message"].as_str().expect("a sentence");
            assert!(message.ends_with('.') && !message.contains("seven77"), "{message}");
        }
        assert_eq!(world.number("SELECT count(*) FROM users").await, 0);
    }

    async fn a_lapsed_access_token_is_refused_and_the_refreshed_one_is_good(world: World) {
        let old = world.guest("gus").await;
        world.clock.advance(Duration::days(29));
        let new = refreshes(&old).await;
        is_let_in(&old).await;
        world.clock.advance(Duration::days(1));
        is_refused(&old).await;
        is_let_in(&new).await;
    }

    async fn a_device_that_is_not_used_for_a_month_is_signed_out(world: World) {
        let gus = world.guest("gus").await;
        world.clock.advance(Duration::days(30));
        refresh_is_refused(&world.stranger(), gus.refresh_token.as_deref()).await;
    }

    async fn a_refresh_token_is_good_once_and_its_second_use_ends_the_whole_session(world: World) {
        let first = world.guest("gus").await;
        let elsewhere = signs_in(&world.stranger(), "gus@example.com").await;
        let second = refreshes(&first).await;
        assert_ne!(first.refresh_token, second.refresh_token);
        assert_eq!(first.id, second.id);
        let third = refreshes(&second).await;
        is_let_in(&third).await;

        refresh_is_refused(&world.stranger(), first.refresh_token.as_deref()).await;
        is_refused(&third).await;
        is_refused(&first).await;
        refresh_is_refused(&world.stranger(), third.refresh_token.as_deref()).await;
        is_let_in(&elsewhere).await;
    }

    async fn what_is_no_refresh_token_is_refused_and_ends_nothing(world: World) {
        let gus = world.guest("gus").await;
        let good = gus.refresh_token.clone().expect("a refresh token");
        for bad in ["", "x", ".", "not-a-session.secret", "\u{0}.\u{0}", gus.token.as_deref().expect("a token")] {
            refresh_is_refused(&world.stranger(), Some(bad)).await;
        }
        refresh_is_refused(&world.stranger(), None).await;
        let (_, secret) = good.split_once('.').expect("two parts");
        let other = format!("{}.{secret}", "0".repeat(32));
        refresh_is_refused(&world.stranger(), Some(&other)).await;
        is_let_in(&refreshes(&gus).await).await;
    }

    async fn signing_out_ends_this_session_alone(world: World) {
        let phone = world.guest("gus").await;
        let laptop = signs_in(&world.stranger(), "gus@example.com").await;
        signs_out(&phone, false).await;
        is_refused(&phone).await;
        refresh_is_refused(&world.stranger(), phone.refresh_token.as_deref()).await;
        is_let_in(&laptop).await;
        is_let_in(&refreshes(&laptop).await).await;
    }

    async fn signing_out_everywhere_ends_every_session_of_this_person_alone(world: World) {
        let phone = world.guest("gus").await;
        let laptop = signs_in(&world.stranger(), "gus@example.com").await;
        let other = world.guest("olga").await;
        signs_out(&phone, true).await;
        is_refused(&phone).await;
        is_refused(&laptop).await;
        refresh_is_refused(&world.stranger(), laptop.refresh_token.as_deref()).await;
        is_let_in(&other).await;
        is_let_in(&signs_in(&world.stranger(), "gus@example.com").await).await;
        let nobody = world.stranger().refusal("mutation { signOut { userErrors { code } } }", json!({})).await;
        assert_eq!(nobody, "UNAUTHENTICATED");
    }

    async fn a_token_that_is_not_good_refuses_the_whole_request(world: World) {
        let gus = world.guest("gus").await;
        let good = gus.token.clone().expect("a token");
        let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("a token has three parts") };
        let swap = |text: &str| {
            let middle = text.len() / 2;
            let other = if &text[middle..=middle] == "A" { "B" } else { "A" };
            format!("{}{other}{}", &text[..middle], &text[middle + 1..])
        };
        let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let elsewhere = World::on_sqlite().await.guest("gus").await.token.expect("a token");
        let stranger = world.stranger();
        for bad in [
            format!("Bearer {header}.{}.{signature}", swap(claims)), format!("Bearer {header}.{claims}.{}", swap(signature)),
            format!("Bearer {unsigned}.{claims}."), format!("Bearer {unsigned}.{claims}.{signature}"), format!("Bearer {elsewhere}"),
            format!("Basic {good}"), "Basic Z3VzOmEgZ29vZCBwYXNzd29yZA==".to_owned(), good.clone(), format!("Bearer{good}"),
            format!("Bearer {good} {good}"), "Bearer".to_owned(), "Bearer ".to_owned(), "garbage".to_owned(), String::new(),
        ] {
            says_unauthenticated(&asks_with(&stranger, "authorization", &bad, "{ __typename }").await);
        }
        let (status, answer) = asks_with(&stranger, "authorization", &format!("bearer {good}"), WHO).await;
        assert_eq!((status, &answer["data"]["viewer"]["email"]), (200, &json!("gus@example.com")));
    }

    async fn a_guest_who_turns_host_lists_a_property_with_the_token_at_hand(world: World) {
        let gus = world.guest("gus").await;
        let list = "mutation($input: CreatePropertyInput!) { createProperty(input: $input) { property { id } } }";
        let input = json!({ "input": crate::support::a_property(&json!({})) });
        assert_eq!(gus.refusal(list, input).await, "FORBIDDEN");
        let turn = "mutation { becomeHost { viewer { user { id role } } userErrors { code } } }";
        for _ in 0..2 {
            let turned = gus.get(turn, json!({})).await;
            assert_eq!(turned["becomeHost"], json!({ "viewer": { "user": { "id": gus.id, "role": "HOST" } }, "userErrors": [] }));
        }
        gus.lists(json!({})).await;
        assert_eq!(world.stranger().refusal(turn, json!({})).await, "UNAUTHENTICATED");
        let admin = world.admin("ada").await.get(turn, json!({})).await;
        assert_eq!(admin["becomeHost"]["userErrors"][0]["code"], "WRONG_STATE", "an admin does not host");
    }

    async fn a_person_sees_every_signed_in_device_and_which_one_it_is(world: World) {
        let phone = world.guest("gus").await;
        world.clock.advance(Duration::hours(1));
        let sign_in = r#"mutation { signIn(input: { email: "gus@example.com", password: "a good password" }) {
            accessToken refreshToken viewer { user { id } } } }"#;
        let (_, answer) = asks_with(&world.stranger(), "user-agent", "Laptop/1.0 (Gus's)", sign_in).await;
        let laptop = world.stranger().with_session(&answer["data"]["signIn"]);
        world.guest("olga").await;

        let devices = laptop.get(DEVICES, json!({})).await["viewer"]["sessions"].take();
        assert_eq!(devices.as_array().map(Vec::len), Some(2), "{devices}");
        assert_eq!((&devices[0]["current"], &devices[1]["current"]), (&json!(true), &json!(false)), "newest first");
        assert_eq!(devices[0]["userAgent"], "Laptop/1.0 (Gus's)");
        assert_eq!((&devices[0]["ipAddress"], &devices[1]["ipAddress"]), (&json!("127.0.0.1"), &json!("127.0.0.1")));
        assert_eq!(devices[0]["createdAt"], "2027-03-10T13:00:00Z");
        assert_eq!(devices[0]["expiresAt"], "2027-04-09T13:00:00Z");
        let seen = phone.get(DEVICES, json!({})).await["viewer"]["sessions"].take();
        assert_eq!((&seen[0]["current"], &seen[1]["current"]), (&json!(false), &json!(true)));

        world.clock.advance(Duration::hours(1));
        let laptop = refreshes(&laptop).await;
        let used = laptop.get(DEVICES, json!({})).await["viewer"]["sessions"].take();
        assert_eq!((&used[0]["id"], &used[0]["lastUsedAt"]), (&devices[0]["id"], &json!("2027-03-10T14:00:00Z")));
        signs_out(&phone, false).await;
        let left = laptop.get(DEVICES, json!({})).await["viewer"]["sessions"].take();
        assert_eq!(left.as_array().map(Vec::len), Some(1));
    }

    async fn what_is_private_is_shown_to_nobody_else(world: World) {
        let gus = world.guest("gus").await;
        let nosy = world.guest("nosy").await;
        let fields = gus.get(r#"{ __type(name: "User") { fields { name } } }"#, json!({})).await;
        let fields: Vec<_> = fields["__type"]["fields"].as_array().expect("fields").iter().map(|field| field["name"].clone()).collect();
        assert_eq!(fields, ["id", "databaseId", "fullName", "role", "createdAt", "properties", "reviews"]);
        let session = gus.get(DEVICES, json!({})).await["viewer"]["sessions"][0]["id"].take();
        let node = "query($id: ID!) { node(id: $id) { __typename id } }";
        assert_eq!(gus.get(node, json!({ "id": session })).await["node"]["__typename"], "Session");
        for who in [nosy, world.stranger(), world.admin("ada").await] {
            let asked = who.refusal("query($id: ID!) { user(id: $id) { fullName email } }", json!({ "id": gus.id })).await;
            assert_eq!(asked, "BAD_USER_INPUT");
            assert_eq!(who.get(node, json!({ "id": session })).await["node"], json!(null), "a session is its owner's");
        }
    }
}

/// Instances share PostgreSQL; SQLite has one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_out_token_is_refused_by_every_instance_at_once() {
    let here = World::on_postgres().await;
    let there = here.another_instance().await;
    let phone = here.guest("gus").await;
    let laptop = signs_in(&here.stranger(), "gus@example.com").await;
    is_let_in(&there.as_seen_by(&phone)).await;
    signs_out(&phone, false).await;
    is_refused(&there.as_seen_by(&phone)).await;
    is_let_in(&there.as_seen_by(&laptop)).await;
    let laptop = refreshes(&there.as_seen_by(&laptop)).await;
    is_let_in(&here.as_seen_by(&laptop)).await;
    signs_out(&there.as_seen_by(&laptop), true).await;
    is_refused(&here.as_seen_by(&laptop)).await;
    refresh_is_refused(&here.stranger(), laptop.refresh_token.as_deref()).await;
}

//! Guesses by the dozen in one request: they are counted as if each was sent alone.

use chrono::Duration;
use serde_json::{Value, json};

use super::super::posts;
use crate::support::{Client, World, on_both_engines};

/// A server that slows down who guesses. What operations cost is another matter.
async fn strict(world: &World) -> World {
    let settings = [
        ("STAYGATE_RATE_LIMITS", "on"),
        ("STAYGATE_RATE_BUCKET", "1000000"),
    ];
    world.instance_with(&settings).await
}

fn sign_in(password: &str) -> Value {
    let query = "mutation($input: SignInInput!) { signIn(input: $input) { accessToken userErrors { code } } }";
    let input = json!({ "email": "gus@example.com", "password": password });
    json!({ "query": query, "variables": { "input": input } })
}

/// The code of each answer: a refusal's or a mistake's, or that somebody is let in.
async fn tries_all(who: &Client, passwords: &[&str]) -> Vec<String> {
    let list: Vec<_> = passwords.iter().map(|password| sign_in(password)).collect();
    let (_, _, answers) = posts(who, &json!(list)).await;
    let answers = answers.as_array().expect("a list").iter();
    let codes = answers.map(|answer| {
        let refused = answer["errors"][0]["extensions"]["code"].as_str();
        let mistake = &answer["data"]["signIn"]["userErrors"][0]["code"];
        refused.or(mistake.as_str()).unwrap_or("let in").to_owned()
    });
    codes.collect()
}

/// One operation with a field under many names.
fn under_many_names(times: usize, field: &str) -> Value {
    let fields: Vec<_> = (0..times)
        .map(|n| format!("a{n}: {} ", field.replace("GUESS", &format!("guess-{n}"))))
        .collect();
    json!({ "query": format!("mutation {{ {} }}", fields.concat()) })
}

/// How many fields of an operation were looked at, and how many refused as too many.
async fn looked_at(who: &Client, body: &Value) -> (usize, usize) {
    let (_, _, answer) = posts(who, body).await;
    let refused = answer["errors"].as_array().map_or(0, Vec::len);
    let limited = answer.to_string().matches("\"RATE_LIMITED\"").count();
    assert_eq!(refused, limited, "{answer}");
    (answer.to_string().matches("\"INVALID\"").count(), limited)
}

on_both_engines! {
    async fn passwords_that_are_tried_in_a_list_count_as_if_they_were_sent_apart(world: World) {
        let shop = strict(&world).await;
        world.guest("gus").await;
        let stranger = shop.stranger();
        assert_eq!(tries_all(&stranger, &["a guess"; 6]).await, ["WRONG_CREDENTIALS"; 6]);
        let mixed = tries_all(&stranger, &["a guess", "a guess", "a guess", "a guess", "a guess", "a good password"]).await;
        assert_eq!(mixed[..4], ["WRONG_CREDENTIALS"; 4]);
        assert_eq!(mixed[4..], ["RATE_LIMITED"; 2], "not even the right one, in the same list");
        let (_, headers, _) = posts(&stranger, &json!([sign_in("a guess")])).await;
        assert!(headers.contains_key("retry-after"));
        shop.clock.advance(Duration::minutes(1));
        assert_eq!(tries_all(&stranger, &["a good password"]).await, ["let in"]);
    }

    async fn one_operation_tries_one_password(world: World) {
        world.guest("gus").await;
        let before = world.number("SELECT count(*) FROM sessions").await;
        let wrong = r#"signIn(input: { email: "gus@example.com", password: "GUESS" }) { accessToken }"#;
        let right = wrong.replace("GUESS", "a good password");
        for fields in [
            format!("a: {wrong} b: {right}"), format!("a: {wrong} ...F }} fragment F on Mutation {{ b: {right}"), format!("... {{ a: {wrong} }} ... @include(if: true) {{ b: {right} }}"),
        ] {
            let (_, _, answer) = posts(&world.stranger(), &json!({ "query": format!("mutation {{ {fields} }}") })).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
            assert!(!answer.to_string().contains("eyJ"), "nobody is let in by the second one: {answer}");
        }
        assert_eq!(world.number("SELECT count(*) FROM sessions").await, before);
    }

    async fn mailed_secrets_are_guessed_no_faster_under_many_names_or_in_a_list(world: World) {
        let shop = strict(&world).await;
        let stranger = shop.stranger();
        let verify = under_many_names(15, r#"verifyEmail(input: { token: "GUESS" }) { userErrors { code } }"#);
        let reset = under_many_names(1, r#"resetPassword(input: { token: "GUESS", newPassword: "a good password" }) { userErrors { code } }"#);
        for _ in 0..2 {
            assert_eq!(looked_at(&stranger, &verify).await, (15, 0));
        }
        // A refused field of a root that has no null empties the rest.
        assert!(matches!(looked_at(&stranger, &verify).await, (0, 1..)));
        let (_, _, list) = posts(&stranger, &json!([reset, reset, reset])).await;
        assert_eq!(list.to_string().matches("\"RATE_LIMITED\"").count(), 3, "{list}");
        shop.clock.advance(Duration::seconds(10));
        assert_eq!(looked_at(&stranger, &reset).await, (1, 0), "one comes back in ten seconds");
        assert!(matches!(looked_at(&stranger, &reset).await, (0, 1..)));
    }

    async fn ids_that_are_guessed_in_one_request_are_noticed_as_if_they_were_sent_apart(world: World) {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let ids: Vec<_> = (1..=10).map(|key| URL_SAFE_NO_PAD.encode(format!("Booking:{key}"))).collect();
        let alerts = "SELECT count(*) FROM audit_entries WHERE action = 'alert.raised' AND detail LIKE 'permission probing%'";
        let names: Vec<_> = ids.iter().enumerate().map(|(n, id)| format!("a{n}: booking(id: \"{id}\") {{ id }} ")).collect();
        let many_names = json!({ "query": format!("{{ {} }}", names.concat()) });
        let list = json!(ids.iter().map(|id| json!({ "query": format!("{{ node(id: \"{id}\") {{ id }} }}") })).collect::<Vec<_>>());
        let by_list = json!({ "query": "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", "variables": { "ids": ids } });
        for (number, body) in [many_names, list, by_list].into_iter().enumerate() {
            let nosy = world.guest(&format!("nosy{number}")).await;
            let before = world.number(alerts).await;
            posts(&nosy, &body).await;
            assert_eq!(world.number(alerts).await, before, "ten in a row may be a mistake");
            posts(&nosy, &body).await;
            assert_eq!(world.number(alerts).await, before + 1, "{body}");
            world.clock.advance(Duration::minutes(15));
        }
    }
}

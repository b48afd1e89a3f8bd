//! People: accounts, and what others see of them.

use serde_json::json;

use crate::support::{SESSION, on_both_engines};

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
        assert_eq!(world.stranger().signs_in("gUs@EXAMPLE.com").await.id, gus.id);
    }

    async fn an_unknown_address_and_a_wrong_password_are_answered_in_the_same_words(world: World) {
        world.guest("gus").await;
        let stranger = world.stranger();
        let wrong = stranger.tries_to_sign_in("gus@example.com", "a bad password").await;
        assert_eq!(wrong["userErrors"][0]["code"], "WRONG_CREDENTIALS");
        assert_eq!(wrong["userErrors"][0]["field"], json!([]));
        assert_eq!((&wrong["accessToken"], &wrong["refreshToken"], &wrong["viewer"]), (&json!(null), &json!(null), &json!(null)));
        let long = "x".repeat(2_000);
        for (email, password) in [
            ("nobody@example.com", "a good password"), ("no mail address", "a good password"), ("", ""),
            ("gus@example.com", ""), ("gus@example.com", long.as_str()), ("gus@example.com", "A good password"),
        ] {
            assert_eq!(stranger.tries_to_sign_in(email, password).await, wrong, "{email}");
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

    async fn what_is_private_is_shown_to_nobody_else(world: World) {
        let gus = world.guest("gus").await;
        let nosy = world.guest("nosy").await;
        let fields = gus.get(r#"{ __type(name: "User") { fields { name } } }"#, json!({})).await;
        let fields: Vec<_> = fields["__type"]["fields"].as_array().expect("fields").iter().map(|field| field["name"].clone()).collect();
        assert_eq!(fields, ["id", "databaseId", "fullName", "role", "createdAt", "properties", "reviews"]);
        let session = gus.get("{ viewer { sessions { id } } }", json!({})).await["viewer"]["sessions"][0]["id"].take();
        let node = "query($id: ID!) { node(id: $id) { __typename id } }";
        assert_eq!(gus.get(node, json!({ "id": session })).await["node"]["__typename"], "Session");
        for who in [nosy, world.stranger(), world.admin("ada").await] {
            let asked = who.refusal("query($id: ID!) { user(id: $id) { fullName email } }", json!({ "id": gus.id })).await;
            assert_eq!(asked, "BAD_USER_INPUT");
            assert_eq!(who.get(node, json!({ "id": session })).await["node"], json!(null), "a session is its owner's");
        }
    }
}

//! Who asks for much waits, by what it costs.

use chrono::Duration;
use serde_json::json;

use super::{posts, text};
use crate::support::{World, on_both_engines};

const LIMITED: [(&str, &str); 4] = [
    ("STAYGATE_RATE_LIMITS", "on"),
    ("STAYGATE_MAX_COST", "100"),
    ("STAYGATE_RATE_BUCKET", "100"),
    ("STAYGATE_TRUSTED_PROXIES", "127.0.0.1"),
];

on_both_engines! {
    async fn who_has_asked_for_much_waits_until_as_much_came_back(world: World) {
        let shop = world.instance_with(&LIMITED).await;
        let stranger = shop.stranger();
        let page = json!({ "query": "{ properties(first: 39) { nodes { id } } }", "extensions": { "cost": true } });
        let (status, headers, answer) = posts(&stranger, &page).await;
        assert_eq!((status, &answer["extensions"]["cost"]), (200, &json!({ "cost": 40, "limit": 100, "remaining": 60, "resetSeconds": 4 })));
        assert_eq!((text(&headers, "ratelimit"), text(&headers, "ratelimit-policy")), ("\"cost\";r=60;t=4", "\"cost\";q=100;w=10"));
        assert_eq!(posts(&stranger, &page).await.0, 200);
        let (status, headers, answer) = posts(&stranger, &page).await;
        assert_eq!((status, text(&headers, "retry-after")), (429, "2"));
        let told = &answer["errors"][0]["extensions"];
        assert_eq!((&told["code"], &told["retryAfter"], &told["limit"]), (&json!("RATE_LIMITED"), &json!(2), &json!({ "name": "rate", "most": 100, "found": 40 })));
        shop.clock.advance(Duration::seconds(2));
        assert_eq!(posts(&stranger, &page).await.0, 200, "after what it said");
    }

    async fn instances_count_together_and_each_person_alone(world: World) {
        let one = world.instance_with(&LIMITED).await;
        let other = one.another_instance().await;
        let page = json!({ "query": "{ properties(first: 59) { nodes { id } } }" });
        let guest = one.as_seen_by(&world.guest("gus").await);
        assert_eq!(posts(&guest, &page).await.0, 200);
        if world.is_postgres() {
            assert_eq!(posts(&other.as_seen_by(&guest), &page).await.0, 429, "they share Redis");
        }
        let neighbour = one.as_seen_by(&world.guest("nora").await);
        assert_eq!(posts(&neighbour, &page).await.0, 200);
        assert_eq!(posts(&one.stranger(), &page).await.0, 200);
        assert_eq!(posts(&guest, &page).await.0, 429);
        // Who is signed in has more of it back each second.
        one.clock.advance(Duration::seconds(1));
        assert_eq!(posts(&guest, &page).await.0, 200);
    }

    async fn who_sends_nothing_but_mistakes_is_held_too(world: World) {
        let shop = world.instance_with(&LIMITED).await;
        let stranger = shop.stranger();
        let wrong = json!({ "query": "{ nothing }" });
        for _ in 0..100 {
            assert_eq!(posts(&stranger, &wrong).await.0, 200);
        }
        for _ in 0..3 {
            let (status, headers, _) = posts(&stranger, &wrong).await;
            assert_eq!((status, text(&headers, "retry-after")), (429, "1"));
        }
        let mut socket = stranger.opens_a_socket().await;
        socket.subscribe("s", "{ __typename }", json!({})).await;
        assert_eq!(socket.hears().await["payload"][0]["extensions"]["code"], "RATE_LIMITED");
        shop.clock.advance(Duration::seconds(1));
        assert_eq!(posts(&stranger, &wrong).await.0, 200);
    }

    async fn a_body_that_is_no_request_costs_one_too(world: World) {
        let shop = world.instance_with(&LIMITED).await;
        let stranger = shop.stranger();
        let sends = async |body: &str| {
            let request = stranger.request(reqwest::Method::POST, "/graphql").header("content-type", "application/json");
            request.body(body.to_owned()).send().await.expect("an answer").status().as_u16()
        };
        let too_large = json!({ "query": " ".repeat(300 * 1024) }).to_string();
        let too_many = json!(vec![json!({ "query": "{ __typename }" }); 11]).to_string();
        let bodies = [("{", 400), ("[]", 400), (too_large.as_str(), 413), (too_many.as_str(), 400)];
        for _ in 0..25 {
            for (body, status) in bodies {
                assert_eq!(sends(body).await, status);
            }
        }
        for (body, _) in bodies {
            assert_eq!(sends(body).await, 429, "nothing is left for a look at it");
        }
    }

    async fn what_did_not_run_costs_one(world: World) {
        let shop = world.instance_with(&LIMITED).await;
        let stranger = shop.stranger();
        // It is found only as it is about to run.
        let wrong = json!({ "query": "query($n: Int) { properties(first: $n) { nodes { id } } }", "variables": { "n": "many" } });
        for _ in 0..5 {
            let (_, _, answer) = posts(&stranger, &wrong).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "QUERY_TOO_COMPLEX", "what is no number costs as the longest page: {answer}");
        }
        let wrong = json!({ "query": "{ properties(first: 90) { nodes { id nothing } } }" });
        for _ in 0..5 {
            let (_, headers, answer) = posts(&stranger, &wrong).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
            assert!(text(&headers, "ratelimit").starts_with("\"cost\";r=9"), "{headers:?}");
        }
    }

    async fn a_socket_is_told_in_its_own_way(world: World) {
        let shop = world.instance_with(&LIMITED).await;
        let mut socket = shop.as_seen_by(&world.guest("gus").await).opens_a_socket().await;
        let query = "{ properties(first: 59) { nodes { id } } }";
        socket.subscribe("first", query, json!({})).await;
        assert_eq!((socket.hears().await["type"].as_str(), socket.hears().await["type"].as_str()), (Some("next"), Some("complete")));
        socket.subscribe("second", query, json!({})).await;
        let refused = socket.hears().await;
        assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("second")));
        assert_eq!(refused["payload"][0]["extensions"]["code"], "RATE_LIMITED");
    }
}

#[tokio::test]
async fn a_spoofed_address_has_no_bucket_of_its_own() {
    let settings = [LIMITED[0], LIMITED[1], LIMITED[2]];
    let world = World::on_sqlite_with(&settings).await;
    let page = json!({ "query": "{ properties(first: 59) { nodes { id } } }" });
    let mut statuses = vec![];
    for from in ["198.51.100.1", "198.51.100.2"] {
        let request = world.stranger().request(reqwest::Method::POST, "/graphql");
        let sent = request.header("x-forwarded-for", from).json(&page).send();
        statuses.push(sent.await.expect("an answer").status().as_u16());
    }
    assert_eq!(statuses, [200, 429]);
}

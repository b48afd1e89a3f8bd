//! What holds for every address.

use reqwest::Method;
use serde_json::json;

use super::{at, booked, listed, paid};
use crate::support::{World, on_both_engines};

on_both_engines! {
    async fn an_address_may_be_written_without_its_last_slash(world: World) {
        let host = world.host("hana").await;
        let home = listed(&host, json!({})).await;
        let stranger = world.stranger();
        for path in [at("properties", &home), "/properties/?limit=1".to_owned(), "/properties/".to_owned()] {
            let without = path.replacen("/?", "?", 1);
            let without = without.trim_end_matches('/');
            assert_eq!(stranger.reads(without).await.thing(200), stranger.reads(&path).await.thing(200));
        }
        let made = host.posts("/properties", crate::support::a_property(&json!({}))).await;
        assert_eq!(made.status, 201);
    }

    async fn a_list_is_walked_by_its_links_there_and_back(world: World) {
        let host = world.host("hana").await;
        for n in 0..5 {
            listed(&host, json!({ "title": format!("Home {n}") })).await;
        }
        let stranger = world.stranger();
        let all = stranger.reads("/properties/").await.thing(200)["items"].clone();
        let link = |answer: &crate::support::Answer, relation: &str| {
            let links = answer.header("link").to_owned();
            let end = format!("; rel=\"{relation}\"");
            let found = links.split(", ").find_map(|link| link.strip_suffix(&end));
            found.map(|link| link.trim_matches(['<', '>']).trim_start_matches("/api/v1").to_owned())
        };
        let mut page = stranger.reads("/properties/?limit=2&location=lisbon").await;
        assert_eq!(link(&page, "prev"), None);
        let mut walked = page.body["items"].as_array().expect("rows").clone();
        while let Some(next) = link(&page, "next") {
            page = stranger.reads(&next).await;
            walked.extend(page.body["items"].as_array().expect("rows").clone());
        }
        assert_eq!(json!(walked), all);
        let mut back = page.body["items"].as_array().expect("rows").clone();
        while let Some(previous) = link(&page, "prev") {
            page = stranger.reads(&previous).await;
            let rows = page.body["items"].as_array().expect("rows").clone();
            back.splice(0..0, rows);
        }
        assert_eq!(json!(back), all);
        let first = link(&page, "first").expect("a first page");
        assert_eq!(stranger.reads(&first).await.body["items"], json!(walked[..2]));
    }

    async fn a_key_makes_a_thing_once(world: World) {
        let (host, guest) = (world.host("hana").await, world.guest("gus").await);
        let home = listed(&host, json!({})).await;
        let stay = json!({ "propertyId": home["id"], "checkIn": world.day(1), "checkOut": world.day(3) });
        let key = [("idempotency-key", "\"b7d6\"")];
        let first = guest.sends(Method::POST, "/bookings/", Some(stay.clone()), &key).await;
        let again = guest.sends(Method::POST, "/bookings/", Some(stay.clone()), &key).await;
        assert_eq!(first.header("location"), again.header("location"));
        let booking = first.thing(201);
        assert_eq!(again.thing(201), booking);
        let mut other = stay;
        other["guests"] = json!(2);
        let conflict = guest.sends(Method::POST, "/bookings/", Some(other), &key).await;
        assert_eq!(conflict.problem(), (409, "IDEMPOTENCY_CONFLICT".to_owned(), vec!["Idempotency-Key".to_owned()]));
        let pays = json!({ "bookingId": booking["id"], "paymentToken": "tok_visa" });
        let first = guest.sends(Method::POST, "/payments/", Some(pays.clone()), &key).await;
        assert_eq!(first.status, 409, "a key is for one request: {:?}", first.body);
        let key = [("idempotency-key", "b7d7")];
        let first = guest.sends(Method::POST, "/payments/", Some(pays.clone()), &key).await.thing(201);
        assert_eq!(guest.sends(Method::POST, "/payments/", Some(pays), &key).await.thing(201), first);
    }

    async fn a_list_takes_as_many_statements_for_one_row_as_for_many(world: World) {
        let (host, guest) = (world.host("hana").await, world.guest("gus").await);
        let stranger = world.stranger();
        let mut costs = vec![];
        for n in 0..12 {
            let home = listed(&host, json!({})).await;
            booked(&world, &guest, &home, n + 1).await;
            let mut cost = vec![];
            for (who, path) in [(&stranger, "/properties/"), (&guest, "/bookings/"), (&stranger, "/properties/1/")] {
                let before = world.app.db.statements_sent();
                who.reads(path).await.thing(200);
                cost.push(world.app.db.statements_sent() - before);
            }
            costs.push(cost);
        }
        // The property and its amenities. Who is signed in may be looked up once more on a busy machine.
        let most = [2, 2, 2];
        assert!(costs.iter().all(|cost| cost.iter().zip(most).all(|(cost, most)| *cost <= most)), "{costs:?}");
    }

    async fn what_was_changed_is_stored_nowhere_on_its_way(world: World) {
        let (host, guest) = (world.host("hana").await, world.guest("gus").await);
        let home = listed(&host, json!({})).await;
        let booking = booked(&world, &guest, &home, 1).await;
        let payment = guest.posts("/payments/", json!({ "bookingId": booking["id"], "paymentToken": "tok_threeDSecure" })).await;
        assert_eq!(payment.header("cache-control"), "no-store");
        let payment = payment.thing(201);
        assert!(payment["clientSecret"].is_string());
        // The form is the guest's.
        let seen = host.reads(&at("payments", &payment)).await.thing(200);
        assert_eq!((&seen["id"], &seen["clientSecret"]), (&payment["id"], &json!(null)));
    }

    async fn what_a_client_may_not_do_it_may_not_do_here(world: World) {
        let (host, guest, other) = (world.host("hana").await, world.guest("gus").await, world.guest("otto").await);
        let home = listed(&host, json!({})).await;
        let booking = booked(&world, &guest, &home, 1).await;
        let payment = paid(&guest, &booking).await;
        for (path, who) in [(at("bookings", &booking), &other), (at("payments", &payment), &other), (format!("{}events/", at("bookings", &booking)), &other)] {
            assert_eq!(who.reads(&path).await.problem(), (404, "NOT_FOUND".to_owned(), vec!["id".to_owned()]), "{path}");
            assert_eq!(world.stranger().reads(&path).await.problem().0, 401);
        }
        assert_eq!(other.patches(&at("properties", &home), json!({ "title": "Mine now" })).await.problem().0, 404);
        assert_eq!(other.deletes(&at("properties", &home)).await.problem().0, 404);
        assert_eq!(guest.posts("/properties/", crate::support::a_property(&json!({}))).await.problem().0, 403);
        assert_eq!(host.deletes(&at("properties", &home)).await.problem(), (409, "WRONG_STATE".to_owned(), vec![String::new()]));
        let refund = format!("{}refunds/", at("payments", &payment));
        assert_eq!(guest.posts(&refund, json!({})).await.problem().0, 404);
        let mut forged = guest.clone();
        forged.token = Some("forged".to_owned());
        let refused = forged.reads(&at("properties", &home)).await;
        assert_eq!((refused.status, refused.header("www-authenticate")), (401, "Bearer error=\"invalid_token\""));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_takes_from_one_bucket_by_rest_and_by_graphql() {
    let limited = [("STAYGATE_RATE_LIMITS", "on")];
    for world in [
        World::on_sqlite_with(&limited).await,
        World::on_postgres_with(&limited).await,
    ] {
        let stranger = world.stranger();
        let left = |answer: &crate::support::Answer| {
            let header = answer.header("ratelimit");
            let left = header.split(';').find_map(|part| part.strip_prefix("r="));
            left.and_then(|left| left.parse::<u32>().ok())
                .expect("what is left")
        };
        let first = left(&stranger.reads("/properties/?limit=100").await);
        assert!(first <= 900, "a list costs what it may have: {first}");
        stranger.ask("{ __typename }", json!({})).await;
        let mut last = first;
        let refused = loop {
            let answer = stranger.reads("/properties/?limit=100").await;
            if answer.status == 429 {
                break answer;
            }
            assert!(left(&answer) < last);
            last = left(&answer);
        };
        assert_eq!(refused.problem().1, "RATE_LIMITED");
        let wait: i64 = refused.header("retry-after").parse().expect("seconds");
        assert!(wait > 0);
        let by_graphql = stranger
            .ask("{ properties(first: 100) { nodes { id } } }", json!({}))
            .await;
        assert_eq!(
            by_graphql["errors"][0]["extensions"]["code"],
            "RATE_LIMITED"
        );
        world.clock.advance(chrono::Duration::seconds(wait));
        assert_eq!(stranger.reads("/properties/?limit=100").await.status, 200);
    }
}

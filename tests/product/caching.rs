//! Answers that are given again, and never once what they show has changed.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Client, Redis, World, on_both_engines};

const SEARCH: &str = "query Search($filter: PropertyFilter) { properties(filter: $filter, sort: RATING_DESC) { totalCount nodes {
    id title averageRating host { fullName } reviews(first: 2) { nodes { comment hostResponse author { fullName } } } } } }";
const DETAIL: &str =
    "query($id: ID!) { property(id: $id) { title amenities reviewCount host { fullName
    properties { nodes { title reviewCount } } reviews { totalCount } } } }";
const QUOTE: &str = "query($id: ID!, $in: Date!, $out: Date!) { property(id: $id) { title quote(checkIn: $in, checkOut: $out) { available } } }";

/// What is asked, and how many statements that took.
async fn asked(world: &World, client: &Client, query: &str, variables: &Value) -> (Value, u64) {
    let before = world.app.db.statements_sent();
    let answer = client.get(query, variables.clone()).await;
    (answer, world.app.db.statements_sent() - before)
}

/// Asks until the answer is kept: the first time that an operation is asked for, the server gets to know it.
async fn is_kept(world: &World, client: &Client, query: &str, variables: &Value) -> Value {
    for _ in 0..2 {
        client.get(query, variables.clone()).await;
    }
    let (answer, statements) = asked(world, client, query, variables).await;
    assert_eq!(statements, 0, "{query} is answered without a statement");
    answer
}

/// A property with a review, its host and its guest.
async fn a_reviewed_property(world: &World) -> (Client, Client, String, Value) {
    let host = world.host("hana").await;
    let guest = world.guest("gus").await;
    let property = host.lists(json!({})).await;
    let booking = guest.books(&property, &world.day(1), &world.day(2)).await;
    guest.pays(&booking).await;
    world.clock.advance(chrono::Duration::days(3));
    world.background_round().await;
    let input = json!({ "bookingId": booking["id"], "rating": 3, "comment": "Fine." });
    let review = guest
        .mutate("createReview", "CreateReviewInput!", input, "review { id }")
        .await;
    let review = review["review"]["id"].clone();
    (host, guest, property, review)
}

on_both_engines! {
    async fn an_answer_is_given_again_without_a_statement_until_what_it_shows_changes(world: World) {
        let (host, guest, property, review) = a_reviewed_property(&world).await;
        let stranger = world.stranger();
        let (all, one) = (json!({}), json!({ "id": property }));
        is_kept(&world, &stranger, SEARCH, &all).await;
        is_kept(&world, &stranger, DETAIL, &one).await;

        let change = json!({ "id": property, "title": "A new name", "amenities": ["sauna"] });
        host.mutate("updateProperty", "UpdatePropertyInput!", change, "property { id }").await;
        let found = is_kept(&world, &stranger, SEARCH, &all).await;
        assert_eq!(found["properties"]["nodes"][0]["title"], "A new name");
        let shown = is_kept(&world, &stranger, DETAIL, &one).await;
        assert_eq!(shown["property"]["amenities"], json!(["sauna"]));
        assert_eq!(shown["property"]["host"]["properties"]["nodes"][0]["title"], "A new name");

        let change = json!({ "id": review, "rating": 5, "comment": "Better than I thought." });
        guest.mutate("updateReview", "UpdateReviewInput!", change, "review { id }").await;
        let found = is_kept(&world, &stranger, SEARCH, &all).await;
        let node = &found["properties"]["nodes"][0];
        assert_eq!(node["averageRating"], 5.0);
        assert_eq!(node["reviews"]["nodes"][0]["comment"], "Better than I thought.");

        let answer = json!({ "id": review, "response": "Thank you." });
        host.mutate("respondToReview", "RespondToReviewInput!", answer, "review { id }").await;
        let found = is_kept(&world, &stranger, SEARCH, &all).await;
        assert_eq!(found["properties"]["nodes"][0]["reviews"]["nodes"][0]["hostResponse"], "Thank you.");

        for (person, name) in [(&guest, "Gustav"), (&host, "Johanna")] {
            let change = json!({ "fullName": name });
            person.mutate("updateProfile", "UpdateProfileInput!", change, "viewer { user { id } }").await;
        }
        let found = is_kept(&world, &stranger, SEARCH, &all).await;
        let node = &found["properties"]["nodes"][0];
        assert_eq!(node["host"]["fullName"], "Johanna");
        assert_eq!(node["reviews"]["nodes"][0]["author"]["fullName"], "Gustav");
        let shown = is_kept(&world, &stranger, DETAIL, &one).await;
        assert_eq!(shown["property"]["host"]["fullName"], "Johanna");

        host.lists(json!({ "title": "Another one" })).await;
        let found = is_kept(&world, &stranger, SEARCH, &all).await;
        assert_eq!(found["properties"]["totalCount"], 2);
        let shown = is_kept(&world, &stranger, DETAIL, &one).await;
        let listed = &shown["property"]["host"]["properties"]["nodes"];
        assert_eq!(listed.as_array().map(Vec::len), Some(2));

        guest.mutate_by_id("deleteReview", review.as_str().expect("an id"), "deletedId").await;
        let shown = is_kept(&world, &stranger, DETAIL, &one).await;
        assert_eq!(shown["property"]["reviewCount"], 0);
        host.mutate_by_id("deleteProperty", &property, "deletedId").await;
        let shown = is_kept(&world, &stranger, DETAIL, &one).await;
        assert_eq!(shown["property"], Value::Null);
        let found = is_kept(&world, &stranger, SEARCH, &all).await;
        assert_eq!(found["properties"]["totalCount"], 1);
    }

    async fn what_was_not_there_is_found_once_it_is(world: World) {
        let host = world.host("hana").await;
        let stranger = world.stranger();
        let filter = json!({ "filter": { "location": "Tromsø" } });
        let nothing = is_kept(&world, &stranger, SEARCH, &filter).await;
        assert_eq!(nothing["properties"]["totalCount"], 0);
        let draft = host.lists(json!({ "location": "Tromsø, Norway", "status": "DRAFT" })).await;
        let one = json!({ "id": draft });
        assert_eq!(is_kept(&world, &stranger, DETAIL, &one).await["property"], Value::Null);
        let change = json!({ "id": draft, "status": "LISTED" });
        host.mutate("updateProperty", "UpdatePropertyInput!", change, "property { id }").await;
        assert_ne!(is_kept(&world, &stranger, DETAIL, &one).await["property"], Value::Null);
        let found = is_kept(&world, &stranger, SEARCH, &filter).await;
        assert_eq!(found["properties"]["totalCount"], 1);
    }

    async fn who_is_signed_in_is_neither_given_what_was_kept_nor_kept(world: World) {
        let host = world.host("hana").await;
        let draft = host.lists(json!({ "status": "DRAFT" })).await;
        let one = json!({ "id": draft });
        for _ in 0..3 {
            assert_ne!(host.get(DETAIL, one.clone()).await["property"], Value::Null);
        }
        let stranger = world.stranger();
        assert_eq!(is_kept(&world, &stranger, DETAIL, &one).await["property"], Value::Null);
        let (shown, statements) = asked(&world, &host, DETAIL, &one).await;
        assert_ne!(shown["property"], Value::Null);
        assert!(statements > 0);
    }

    async fn what_changes_by_itself_is_asked_anew_each_time(world: World) {
        let property = world.host("hana").await.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let stranger = world.stranger();
        let stay = json!({ "id": property, "in": world.day(1), "out": world.day(3) });
        let is_free = async || stranger.get(QUOTE, stay.clone()).await["property"]["quote"]["available"].clone();
        for _ in 0..3 {
            assert_eq!(is_free().await, true);
        }
        guest.books(&property, &world.day(1), &world.day(3)).await;
        assert_eq!(is_free().await, false);
        // The hold lapses, and nobody writes anything.
        world.clock.advance(chrono::Duration::minutes(16));
        assert_eq!(is_free().await, true);
        let dates = json!({ "filter": { "checkIn": world.day(1), "checkOut": world.day(3) } });
        for _ in 0..3 {
            let (_, statements) = asked(&world, &stranger, SEARCH, &dates).await;
            assert!(statements > 0);
        }
    }

    async fn an_answer_that_nobody_changes_is_made_anew_after_a_minute(world: World) {
        world.host("hana").await.lists(json!({})).await;
        let stranger = world.stranger();
        is_kept(&world, &stranger, SEARCH, &json!({})).await;
        world.clock.advance(chrono::Duration::seconds(61));
        let (_, statements) = asked(&world, &stranger, SEARCH, &json!({})).await;
        // In Redis it is a minute of its own clock.
        assert!(statements > 0 || world.is_postgres());
    }

    async fn operations_are_told_apart_by_name_variables_and_document(world: World) {
        let host = world.host("hana").await;
        host.lists(json!({ "title": "Hut" })).await;
        let stranger = world.stranger();
        let document = "query A { properties { nodes { title } } } query B { properties { totalCount } }";
        for _ in 0..3 {
            for (name, field) in [("A", "nodes"), ("B", "totalCount")] {
                let body = json!({ "query": document, "operationName": name });
                let answer = stranger.request(reqwest::Method::POST, "/graphql").json(&body).send().await;
                let answer: Value = answer.expect("an answer").json().await.expect("JSON");
                assert_ne!(answer["data"]["properties"][field], Value::Null, "{answer}");
            }
            for (place, count) in [("Lisbon", 1), ("Rome", 0)] {
                let filter = json!({ "filter": { "location": place } });
                let found = stranger.get(SEARCH, filter).await;
                assert_eq!(found["properties"]["totalCount"], count, "{place}");
            }
        }
    }

    async fn what_tells_of_the_schema_is_kept_too(world: World) {
        let stranger = world.stranger();
        for _ in 0..4 {
            assert_eq!(stranger.get("{ __typename }", json!({})).await, json!({ "__typename": "Query" }));
            let named = stranger.get("{ __schema { queryType { name } } }", json!({})).await;
            assert_eq!(named["__schema"]["queryType"]["name"], "Query");
        }
    }

    async fn of_many_who_ask_the_same_at_once_one_is_answered_by_the_database(world: World) {
        world.host("hana").await.lists(json!({})).await;
        let stranger = world.stranger();
        let (_, alone) = asked(&world, &stranger, SEARCH, &json!({})).await;
        let before = world.app.db.statements_sent();
        let many = (0..50).map(|_| stranger.get(SEARCH, json!({})));
        let answers = join_all(many).await;
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        assert_eq!(world.app.db.statements_sent() - before, alone);
    }
}

#[tokio::test]
async fn an_answer_of_one_instance_is_given_by_another_and_by_neither_once_it_changed() {
    let here = World::on_postgres().await;
    let there = here.another_instance().await;
    let host = here.host("hana").await;
    let property = host.lists(json!({})).await;
    let one = json!({ "id": property });
    let (near, far) = (here.stranger(), there.stranger());
    far.get(DETAIL, one.clone()).await;
    is_kept(&here, &near, DETAIL, &one).await;
    is_kept(&there, &far, DETAIL, &one).await;
    for number in 0..20 {
        let change = json!({ "id": property, "title": format!("Hut {number}") });
        host.mutate(
            "updateProperty",
            "UpdatePropertyInput!",
            change,
            "property { id }",
        )
        .await;
        let shown = near.get(DETAIL, one.clone()).await;
        assert_eq!(shown["property"]["title"], format!("Hut {number}"));
        // The other instance hears of it at once, but not in no time.
        let began = Instant::now();
        while far.get(DETAIL, one.clone()).await["property"]["title"] != format!("Hut {number}") {
            assert!(began.elapsed() < Duration::from_secs(2));
        }
    }
}

#[tokio::test]
async fn without_redis_nothing_is_kept_and_nothing_is_wrong() {
    let mut redis = Redis::start();
    let world = World::on_postgres_with(&[("REDIS_URL", &redis.url())]).await;
    let host = world.host("hana").await;
    let property = host.lists(json!({})).await;
    let one = json!({ "id": property });
    let stranger = world.stranger();
    is_kept(&world, &stranger, DETAIL, &one).await;
    redis.is_killed();
    let renames = async |title: &str| {
        let change = json!({ "id": property, "title": title });
        host.mutate(
            "updateProperty",
            "UpdatePropertyInput!",
            change,
            "property { id }",
        )
        .await;
        let shown = stranger.get(DETAIL, one.clone()).await;
        assert_eq!(shown["property"]["title"], title);
    };
    renames("While it is away").await;
    renames("Still away").await;
    redis.starts_again();
    renames("It is back").await;
    let kept = async || {
        let (_, statements) = asked(&world, &stranger, DETAIL, &one).await;
        statements == 0
    };
    // It is found again within some tenths of a second.
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    while !kept().await {
        looks.tick().await;
    }
    renames("And answers are kept again").await;
}

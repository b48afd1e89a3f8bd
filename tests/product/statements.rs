//! How many SQL statements an answer costs: a number that does not grow with the rows.

mod budgets;
mod columns;

use serde_json::json;

use crate::support::{Client, World, on_both_engines};

/// A page as a search result shows it.
const PAGE: &str = "{ properties(first: 20) { nodes {
    id title averageRating reviewCount pricePerNight { amount } host { fullName }
    reviews(first: 3) { nodes { rating comment author { fullName } } } } } }";

async fn reviewed_properties(world: &World, count: usize) {
    let mut stays = Vec::new();
    for n in 0..count {
        let property = world
            .host(&format!("host{count}x{n}"))
            .await
            .lists(json!({}))
            .await;
        for m in 0..4 {
            let guest = world.guest(&format!("guest{count}x{n}x{m}")).await;
            let booking = guest
                .books(&property, &world.day(m + 1), &world.day(m + 2))
                .await;
            guest.pays(&booking).await;
            stays.push((guest, booking));
        }
    }
    world.clock.advance(chrono::Duration::days(7));
    world.background_round().await;
    for (guest, booking) in stays {
        let input = json!({ "bookingId": booking["id"], "rating": 5 });
        guest
            .mutate("createReview", "CreateReviewInput!", input, "review { id }")
            .await;
    }
}

async fn cost(world: &World, client: &Client, query: &str) -> u64 {
    let before = world.app.db.statements_sent();
    client.get(query, json!({})).await;
    world.app.db.statements_sent() - before
}

on_both_engines! {
    async fn a_page_of_properties_with_hosts_reviews_and_authors_costs_four_statements_however_many_there_are(world: World) {
        let stranger = world.stranger();
        reviewed_properties(&world, 2).await;
        let few = cost(&world, &stranger, PAGE).await;
        reviewed_properties(&world, 18).await;
        let shown = stranger.get(PAGE, json!({})).await;
        let nodes = shown["properties"]["nodes"].as_array().expect("nodes");
        assert_eq!(nodes.len(), 20);
        assert!(nodes.iter().all(|node| node["reviews"]["nodes"].as_array().is_some_and(|reviews| reviews.len() == 3)));
        let many = cost(&world, &stranger, PAGE).await;
        assert!(few <= 4 && many <= 4, "properties, hosts, reviews, authors: {few} and {many}");
    }

    async fn who_is_signed_in_is_known_without_a_statement_for_each_request(world: World) {
        let gus = world.guest("gus").await;
        let laptop = world.stranger().signs_in("gus@example.com").await;
        let there = world.another_instance().await;
        for (world, client) in [(&world, &gus), (&there, &gus), (&there, &laptop)] {
            let client = world.as_seen_by(client);
            // Until the instance has read, on a connection of its own, who has signed out, each request looks.
            let mut looking = 0;
            while cost(world, &client, "{ __typename }").await > 0 {
                looking += 1;
                assert!(looking < 1_000, "the session is looked up for each request");
            }
            let before = world.app.db.statements_sent();
            for _ in 0..100 {
                client.get("{ __typename }", json!({})).await;
            }
            // A busy machine may let more than 300 milliseconds pass between two readings.
            let sent = world.app.db.statements_sent() - before;
            assert!(sent < 50, "{sent} statements for 100 requests");
        }
    }

    async fn the_total_is_counted_only_when_it_is_selected(world: World) {
        world.host("hana").await.lists(json!({})).await;
        let stranger = world.stranger();
        assert_eq!(cost(&world, &stranger, "{ properties { nodes { id } pageInfo { hasNextPage } } }").await, 1);
        assert_eq!(cost(&world, &stranger, "{ properties { totalCount nodes { id } } }").await, 2);
    }

    async fn a_list_of_bookings_with_all_that_belongs_to_them_costs_the_same_for_one_and_for_ten(world: World) {
        let property = world.host("hana").await.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let list = "{ viewer { bookings { nodes { id status property { title host { fullName } } guest { fullName }
            payment { status } review { rating } events { to } } } } }";
        let mut costs = Vec::new();
        for day in 0..10 {
            let booking = guest.books(&property, &world.day(day), &world.day(day + 1)).await;
            guest.pays(&booking).await;
            costs.push(cost(&world, &guest, list).await);
        }
        // Viewer, bookings; properties, guests, payments, reviews, events; and the properties' hosts, unless they came in time for the
        // guests' batch. The session is looked up only when a busy machine was late to tell that nobody has signed out.
        let without_session = costs.iter().filter(|cost| **cost <= 8).count();
        assert!(costs.iter().all(|cost| *cost <= 9) && without_session > 5, "{costs:?}");
    }
}

//! The way of a marketplace from the first look to the confirmed stay.

use serde_json::json;

use crate::support::on_both_engines;

on_both_engines! {
    async fn a_guest_searches_looks_asks_the_price_books_pays_and_sees_the_booking_confirmed(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({ "title": "Tiled flat below the castle" })).await;
        host.lists(json!({ "location": "Porto, Portugal" })).await;
        let guest = world.guest("gus").await;

        let found = guest.get(
            "query($filter: PropertyFilter) { properties(filter: $filter) { totalCount nodes { id title host { fullName } } } }",
            json!({ "filter": { "location": "lisbon", "text": "TILED", "checkIn": world.day(30), "checkOut": world.day(33), "guests": 2,
                                "amenities": ["wifi"] } }),
        ).await;
        assert_eq!(found["properties"]["totalCount"], 1);
        assert_eq!(found["properties"]["nodes"][0]["id"], json!(property));
        assert_eq!(found["properties"]["nodes"][0]["host"]["fullName"], "hana");

        let quote = guest.get(
            "query($id: ID!, $in: Date!, $out: Date!) { property(id: $id) { quote(checkIn: $in, checkOut: $out, guests: 2) {
                available nights problems { code } total { amount currency } lineItems { kind description amount { amount } } } } }",
            json!({ "id": property, "in": world.day(30), "out": world.day(33) }),
        ).await;
        assert_eq!(quote["property"]["quote"], json!({
            "available": true, "nights": 3, "problems": [],
            "total": { "amount": "320.00", "currency": "USD" },
            "lineItems": [
                { "kind": "NIGHTS", "description": "3 nights", "amount": { "amount": "300.00" } },
                { "kind": "CLEANING_FEE", "description": "Cleaning", "amount": { "amount": "20.00" } },
            ],
        }));

        let booking = guest.books(&property, &world.day(30), &world.day(33)).await;
        assert_eq!(booking["status"], "PENDING");
        assert_eq!(booking["totalPrice"]["amount"], "320.00");
        assert_eq!(booking["expiresAt"], "2027-03-10T12:15:00Z");
        assert_eq!(booking["events"][0]["from"], json!(null));

        let mut socket = guest.opens_a_socket().await;
        socket.subscribe(
            "watch",
            "subscription($id: ID!, $after: String) { bookingStatusChanged(bookingId: $id, after: $after) {
                from to at booking { id status payment { status } } } }",
            json!({ "id": booking["id"], "after": booking["events"][0]["cursor"] }),
        ).await;
        let payment = guest.pays(&booking).await;
        assert_eq!(payment["status"], "PAID");
        assert_eq!(payment["amount"]["amount"], "320.00");
        let event = &socket.next_event().await["bookingStatusChanged"];
        assert_eq!((&event["from"], &event["to"]), (&json!("PENDING"), &json!("CONFIRMED")));
        assert_eq!(event["booking"]["status"], "CONFIRMED");
        assert_eq!(event["booking"]["payment"]["status"], "PAID");

        let mine = guest.get("{ viewer { bookings(status: CONFIRMED) { totalCount nodes { id property { title } } } } }", json!({})).await;
        assert_eq!(mine["viewer"]["bookings"]["nodes"][0]["property"]["title"], "Tiled flat below the castle");
        let theirs = host.get("{ viewer { reservations { totalCount nodes { id guest { fullName } } } } }", json!({})).await;
        assert_eq!(theirs["viewer"]["reservations"]["nodes"][0]["guest"]["fullName"], "gus");
    }

    async fn a_finished_stay_is_completed_reviewed_and_rated(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let booking = guest.books(&property, &world.day(1), &world.day(3)).await;
        let review = json!({ "bookingId": booking["id"], "rating": 4, "comment": "Quiet, and a good bed." });
        guest.pays(&booking).await;
        let early = guest.mutate("createReview", "CreateReviewInput!", review.clone(), "review { id }").await;
        assert_eq!(early["userErrors"][0]["code"], "WRONG_STATE", "the stay is not over");

        world.clock.advance(chrono::Duration::days(3));
        world.background_round().await;
        assert_eq!(guest.sees(&booking).await["status"], "COMPLETED");
        let written = guest.mutate("createReview", "CreateReviewInput!", review.clone(), "review { rating comment author { fullName } }").await;
        assert_eq!(written["review"], json!({ "rating": 4, "comment": "Quiet, and a good bed.", "author": { "fullName": "gus" } }));
        let again = guest.mutate("createReview", "CreateReviewInput!", review, "review { id }").await;
        assert_eq!(again["userErrors"][0]["code"], "WRONG_STATE", "one review a booking");

        let second = world.guest("gil").await;
        let booking = second.books(&property, &world.day(1), &world.day(3)).await;
        second.pays(&booking).await;
        world.clock.advance(chrono::Duration::days(3));
        world.background_round().await;
        let input = json!({ "bookingId": booking["id"], "rating": 5 });
        second.mutate("createReview", "CreateReviewInput!", input, "review { id }").await;
        let rated = world.stranger().get(
            "query($id: ID!) { property(id: $id) { averageRating reviewCount reviews { totalCount nodes { rating } } } }",
            json!({ "id": property }),
        ).await;
        assert_eq!(rated["property"], json!({
            "averageRating": 4.5, "reviewCount": 2, "reviews": { "totalCount": 2, "nodes": [{ "rating": 5 }, { "rating": 4 }] },
        }));
    }

    async fn anything_with_an_id_is_found_by_it_by_those_who_may_see_it(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let booking = guest.books(&property, &world.day(1), &world.day(3)).await;
        let payment = guest.pays(&booking).await;
        let ids = json!({ "ids": [property, booking["id"], payment["id"], guest.id] });
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
        let kinds = |answer: serde_json::Value| -> Vec<Option<String>> {
            let nodes = answer["nodes"].as_array().expect("nodes").clone();
            nodes.iter().map(|node| node["__typename"].as_str().map(str::to_owned)).collect()
        };
        let all = ["Property", "Booking", "Payment", "User"].map(|kind| Some(kind.to_owned()));
        assert_eq!(kinds(guest.get(query, ids.clone()).await), all);
        assert_eq!(kinds(host.get(query, ids.clone()).await), all);
        let public = [all[0].clone(), None, None, all[3].clone()];
        assert_eq!(kinds(world.stranger().get(query, ids.clone()).await), public);
        assert_eq!(kinds(world.guest("nosy").await.get(query, ids).await), public);
    }
}

//! Reviews: written, changed, deleted, moderated, answered; and averages that agree with them.

use chrono::Duration;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Client, World, on_both_engines};

/// How many properties have a rating.
const RATED: &str = "SELECT count(*) FROM properties WHERE (rating_sum, review_count, rating_hundredths) <> (0, 0, 0)";

const REVIEW: &str = "review { id rating comment hostResponse author { id } }";

/// A listing, and guests who each have a stay there that is over.
struct Scene {
    host: Client,
    property: String,
    stays: Vec<(Client, Value)>,
}

impl Scene {
    async fn set(world: &World, guests: i64) -> Self {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let mut stays = vec![];
        for n in 0..guests {
            let guest = world.guest(&format!("guest{n}")).await;
            let booking = guest
                .books(&property, &world.day(n + 1), &world.day(n + 2))
                .await;
            guest.pays(&booking).await;
            stays.push((guest, booking));
        }
        world.clock.advance(Duration::days(guests + 2));
        world.background_round().await;
        Self {
            host,
            property,
            stays,
        }
    }

    /// What everyone sees of the property's ratings.
    async fn ratings(&self, world: &World) -> Value {
        let query = "query($id: ID!) { property(id: $id) { averageRating reviewCount reviews { nodes { rating } } } }";
        let seen = world
            .stranger()
            .get(query, json!({ "id": self.property }))
            .await;
        let property = &seen["property"];
        json!([
            property["averageRating"],
            property["reviewCount"],
            property["reviews"]["nodes"].as_array().map(Vec::len)
        ])
    }
}

async fn writes(guest: &Client, booking: &Value, rating: i64, comment: &str) -> Value {
    let input = json!({ "bookingId": booking["id"], "rating": rating, "comment": comment });
    guest
        .mutate("createReview", "CreateReviewInput!", input, REVIEW)
        .await
}

async fn changes(who: &Client, input: Value) -> Value {
    who.mutate("updateReview", "UpdateReviewInput!", input, REVIEW)
        .await
}

async fn deletes(who: &Client, review: &Value) -> Value {
    who.mutate_by_id(
        "deleteReview",
        review["id"].as_str().expect("an id"),
        "deletedId",
    )
    .await
}

async fn answers(who: &Client, review: &Value, response: &str) -> Value {
    let input = json!({ "id": review["id"], "response": response });
    who.mutate("respondToReview", "RespondToReviewInput!", input, REVIEW)
        .await
}

fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or("done")
}

/// How many properties have a rating that their reviews do not make.
async fn disagreeing(world: &World) -> i64 {
    let sum =
        "(SELECT coalesce(sum(rating), 0) FROM reviews r WHERE r.property_id = p.property_id)";
    let count = "(SELECT count(*) FROM reviews r WHERE r.property_id = p.property_id)";
    let hundredths =
        format!("CASE WHEN {count} = 0 THEN 0 ELSE ({sum} * 100 + {count} / 2) / {count} END");
    let sql = format!(
        "SELECT count(*) FROM properties p WHERE rating_sum <> {sum} OR review_count <> {count} OR rating_hundredths <> {hundredths}"
    );
    world.number(&sql).await
}

on_both_engines! {
    async fn its_author_changes_a_review_and_what_is_left_out_stays(world: World) {
        let scene = Scene::set(&world, 2).await;
        let (guest, booking) = &scene.stays[0];
        let (other, others) = &scene.stays[1];
        let review = writes(guest, booking, 4, "Quiet.").await["review"].take();
        writes(other, others, 5, "").await;
        let id = &review["id"];
        for (change, rating, comment, average) in [
            (json!({ "id": id, "rating": 1 }), 1, json!("Quiet."), 3.0),
            (json!({ "id": id, "rating": null, "comment": "Loud." }), 1, json!("Loud."), 3.0),
            (json!({ "id": id, "rating": 2, "comment": null }), 2, json!("Loud."), 3.5),
            (json!({ "id": id, "comment": " " }), 2, json!(null), 3.5),
            (json!({ "id": id }), 2, json!(null), 3.5),
        ] {
            let changed = changes(guest, change.clone()).await;
            let review = &changed["review"];
            assert_eq!((&review["rating"], &review["comment"]), (&json!(rating), &comment), "{change}");
            assert_eq!(scene.ratings(&world).await, json!([average, 2, 2]), "{change}");
        }
        for input in [json!({ "id": id, "rating": 0 }), json!({ "id": id, "rating": 6 }), json!({ "id": id, "comment": "x".repeat(4_001) })] {
            assert_eq!(code(&changes(guest, input).await), "INVALID");
        }
        let both = changes(guest, json!({ "id": id, "rating": 6, "comment": "a\u{0}b" })).await;
        assert_eq!(both["userErrors"].as_array().map(Vec::len), Some(2), "every mistake at once");
        let admin = world.admin("ada").await;
        for stranger in [other, &scene.host, &admin] {
            assert_eq!(code(&changes(stranger, json!({ "id": id, "rating": 5 })).await), "NOT_FOUND");
        }
        assert_eq!((scene.ratings(&world).await, disagreeing(&world).await), (json!([3.5, 2, 2]), 0));
    }

    async fn its_author_deletes_a_review_and_may_write_another(world: World) {
        let scene = Scene::set(&world, 1).await;
        let (guest, booking) = &scene.stays[0];
        let review = writes(guest, booking, 1, "").await["review"].take();
        assert_eq!(code(&writes(guest, booking, 5, "").await), "WRONG_STATE", "one a booking");
        assert_eq!(code(&deletes(&scene.host, &review).await), "NOT_FOUND");
        assert_eq!(deletes(guest, &review).await["deletedId"], review["id"]);
        assert_eq!(scene.ratings(&world).await, json!([null, 0, 0]), "as if it never had been");
        assert_eq!(world.number(RATED).await, 0);
        assert_eq!(code(&deletes(guest, &review).await), "NOT_FOUND");
        let again = writes(guest, booking, 5, "").await;
        assert_ne!(again["review"]["id"], review["id"]);
        assert_eq!(scene.ratings(&world).await, json!([5.0, 1, 1]));
    }

    async fn a_review_that_an_admin_takes_away_is_not_written_again(world: World) {
        let scene = Scene::set(&world, 2).await;
        let admin = world.admin("ada").await;
        let (guest, booking) = &scene.stays[0];
        let review = writes(guest, booking, 1, "Rude words.").await["review"].take();
        assert_eq!(deletes(&admin, &review).await["deletedId"], review["id"]);
        let again = writes(guest, booking, 1, "").await;
        assert_eq!(again["userErrors"][0]["message"], "The review of this stay was removed, and no other can be written.");
        assert_eq!(code(&again), "WRONG_STATE");
        let (other, others) = &scene.stays[1];
        assert_eq!(code(&writes(other, others, 4, "").await), "done", "it is about that stay alone");
        assert_eq!(scene.ratings(&world).await, json!([4.0, 1, 1]));
        let acts = "SELECT count(*) FROM audit_entries WHERE action = 'review.removed' AND outcome = 'DONE'";
        assert_eq!(world.number(acts).await, 1);
    }

    async fn a_host_answers_a_review_once(world: World) {
        let scene = Scene::set(&world, 1).await;
        let (guest, booking) = &scene.stays[0];
        let review = writes(guest, booking, 3, "").await["review"].take();
        let (admin, other) = (world.admin("ada").await, world.host("otto").await);
        for stranger in [guest, &admin, &other] {
            assert_eq!(code(&answers(stranger, &review, "Thank you.").await), "NOT_FOUND");
        }
        for (response, refusal) in [("", "REQUIRED"), (" \n ", "REQUIRED"), (&*"x".repeat(4_001), "INVALID"), ("a\u{7}b", "INVALID")] {
            assert_eq!(code(&answers(&scene.host, &review, response).await), refusal);
        }
        let answered = answers(&scene.host, &review, " Thank you. ").await;
        assert_eq!(answered["review"]["hostResponse"], "Thank you.");
        assert_eq!(code(&answers(&scene.host, &review, "And again.").await), "WRONG_STATE");
        let changed = changes(guest, json!({ "id": review["id"], "rating": 4 })).await;
        assert_eq!(changed["review"]["hostResponse"], "Thank you.", "the answer stays");
        let one_of_many = writes(guest, booking, 3, "").await;
        assert_eq!(code(&one_of_many), "WRONG_STATE");
    }

    async fn reviews_of_a_deleted_property_are_still_their_authors(world: World) {
        let scene = Scene::set(&world, 3).await;
        let mut reviews = vec![];
        for (guest, booking) in &scene.stays[..2] {
            reviews.push(writes(guest, booking, 2, "").await["review"].take());
        }
        scene.host.mutate_by_id("deleteProperty", &scene.property, "deletedId").await;
        let changed = changes(&scene.stays[0].0, json!({ "id": reviews[0]["id"], "rating": 5 })).await;
        assert_eq!(changed["review"]["rating"], 5);
        assert_eq!(code(&deletes(&scene.stays[1].0, &reviews[1]).await), "done");
        let (guest, booking) = &scene.stays[2];
        assert_eq!(code(&writes(guest, booking, 4, "").await), "done");
        assert_eq!(code(&answers(&scene.host, &reviews[0], "Thank you.").await), "done");
        assert_eq!((world.number("SELECT count(*) FROM properties WHERE rating_sum = 9").await, disagreeing(&world).await), (1, 0));
    }

    async fn what_is_no_review_is_refused_in_one_way(world: World) {
        let scene = Scene::set(&world, 1).await;
        let (guest, booking) = &scene.stays[0];
        for (id, refusal) in [("nonsense", "INVALID"), (&*scene.property, "INVALID"), ("UmV2aWV3OjQyNDI0Mg", "NOT_FOUND")] {
            let no_review = json!({ "id": id });
            assert_eq!(code(&changes(guest, no_review.clone()).await), refusal, "{id}");
            assert_eq!(code(&deletes(guest, &no_review).await), refusal, "{id}");
            assert_eq!(code(&answers(guest, &no_review, "Hello.").await), refusal, "{id}");
        }
        for (rating, comment) in [(0, ""), (6, ""), (-1, ""), (3, &*"x".repeat(4_001))] {
            assert_eq!(code(&writes(guest, booking, rating, comment).await), "INVALID");
        }
        assert_eq!(scene.ratings(&world).await, json!([null, 0, 0]));
    }

    async fn in_a_storm_of_reviews_written_changed_deleted_and_removed_averages_agree_with_the_rows(world: World) {
        let scene = Scene::set(&world, 8).await;
        let admin = world.admin("ada").await;
        let there = world.another_instance().await;
        let storm = scene.stays.iter().enumerate().map(async |(n, (guest, booking))| {
            let elsewhere = there.as_seen_by(guest);
            let admin = if n % 2 == 0 { admin.clone() } else { there.as_seen_by(&admin) };
            for round in 0..4_i64 {
                let rating = 1 + (i64::try_from(n).expect("small") + round) % 5;
                // Twice at once: one of them writes it.
                let (one, two) = tokio::join!(writes(guest, booking, rating, "x"), writes(&elsewhere, booking, rating, "x"));
                let written: Vec<_> = [one, two].into_iter().filter(|made| code(made) == "done").collect();
                assert_eq!(written.len(), 1);
                let review = &written[0]["review"];
                let change = |rating: i64| json!({ "id": review["id"], "rating": rating });
                let removes = async || if n % 4 == 0 && round == 3 { deletes(&admin, review).await } else { json!(null) };
                let (_, _, deleted, again, _) = tokio::join!(
                    changes(guest, change(5)), changes(&elsewhere, change(1)),
                    async { if (round + rating) % 2 == 0 || round < 3 { deletes(guest, review).await } else { json!(null) } },
                    writes(&elsewhere, booking, 3, "y"), removes(),
                );
                if round < 3 && code(&deleted) == "done" && code(&again) == "done" {
                    // It was written anew behind the deletion.
                    deletes(guest, &again["review"]).await;
                }
            }
        });
        join_all(storm).await;
        assert_eq!(disagreeing(&world).await, 0);
        assert!(world.number("SELECT count(*) FROM reviews").await > 0, "some stay");
        for (guest, booking) in &scene.stays {
            let seen = guest.get("query($id: ID!) { booking(id: $id) { review { id } } }", json!({ "id": booking["id"] })).await;
            let review = &seen["booking"]["review"];
            if !review.is_null() {
                assert_eq!(code(&deletes(guest, review).await), "done");
            }
        }
        assert_eq!(world.number(RATED).await, 0);
        assert_eq!(scene.ratings(&world).await, json!([null, 0, 0]));
    }
}

//! From an account to a review, by addresses alone.

use serde_json::json;

use super::{at, booked, listed, paid};
use crate::support::on_both_engines;

on_both_engines! {
    async fn a_guest_finds_books_pays_and_reviews_and_a_host_answers(world: World) {
        let stranger = world.stranger();
        let account = json!({ "fullName": "Hana", "email": "hana@example.com", "password": "a good password", "role": "HOST" });
        let registered = stranger.posts("/users/", account).await;
        let place = registered.header("location").to_owned();
        let session = registered.thing(201);
        assert_eq!(place, format!("/api/v1/users/{}/", session["user"]["id"]));
        let mut host = stranger.clone();
        host.token = session["accessToken"].as_str().map(str::to_owned);
        let guest = world.guest("gus").await;

        let home = listed(&host, json!({})).await;
        let found = stranger.reads("/properties/?location=lisbon&guests=2&maxPrice=150.00&amenities=wifi,kitchen&within=38,-10,39,-9").await.thing(200);
        assert_eq!(found["items"], json!([home]));
        let again = stranger.reads("/properties/?amenities=wifi&amenities=kitchen&within=38&within=-10&within=39&within=-9").await.thing(200);
        assert_eq!(again["items"], json!([home]));
        let dates = format!("checkIn={}&checkOut={}&guests=2", world.day(1), world.day(3));
        let quote = stranger.reads(&format!("{}quote/?{dates}", at("properties", &home))).await.thing(200);
        assert_eq!((&quote["available"], &quote["nights"], &quote["total"]["amount"]), (&json!(true), &json!(2), &json!("220.00")));

        let booking = booked(&world, &guest, &home, 1).await;
        assert_eq!((&booking["status"], &booking["totalPrice"]["amount"]), (&json!("PENDING"), &json!("220.00")));
        let payment = paid(&guest, &booking).await;
        assert_eq!(payment["status"], "PAID");
        let booking = guest.reads(&at("bookings", &booking)).await.thing(200);
        assert_eq!(booking["status"], "CONFIRMED");
        let hosted = host.reads("/bookings/?as=HOST&status=CONFIRMED").await.thing(200);
        assert_eq!(hosted["items"], json!([booking]));
        let paid = host.reads(&format!("/payments/?bookingId={}", booking["id"])).await.thing(200);
        assert_eq!(paid["items"], json!([payment]));

        world.clock.advance(chrono::Duration::days(7));
        world.background_round().await;
        let review = json!({ "bookingId": booking["id"], "rating": 4, "comment": "Quiet." });
        let review = guest.posts("/reviews/", review).await.thing(201);
        let answered = host.posts(&format!("{}response/", at("reviews", &review)), json!({ "response": "Thanks." })).await.thing(200);
        assert_eq!(answered["hostResponse"], "Thanks.");
        let reviews = stranger.reads(&format!("/reviews/?propertyId={}", home["id"])).await.thing(200);
        assert_eq!(reviews["items"], json!([answered]));
        let rated = stranger.reads(&at("properties", &home)).await.thing(200);
        assert_eq!((&rated["averageRating"], &rated["reviewCount"]), (&json!(4.0), &json!(1)));
    }

    async fn a_request_is_accepted_or_declined_and_a_booking_changed_or_cancelled(world: World) {
        let (host, guest) = (world.host("hana").await, world.guest("gus").await);
        let home = listed(&host, json!({ "instantBook": false })).await;
        let (first, second) = (booked(&world, &guest, &home, 20).await, booked(&world, &guest, &home, 30).await);
        let longer = json!({ "checkOut": world.day(24) });
        let changed = guest.patches(&at("bookings", &first), longer).await.thing(200);
        assert_eq!((&changed["checkOut"], &changed["totalPrice"]["amount"]), (&json!(world.day(24)), &json!("420.00")));
        let (payment, _) = (paid(&guest, &first).await, paid(&guest, &second).await);
        let act = |booking: &serde_json::Value, act: &str| format!("{}{act}/", at("bookings", booking));
        let accepted = host.posts(&act(&first, "accept"), json!({})).await.thing(200);
        assert_eq!(accepted["status"], "CONFIRMED");
        let declined = host.posts(&act(&second, "decline"), json!({})).await.thing(200);
        assert_eq!((&declined["status"], &declined["cancellationReason"]), (&json!("CANCELLED"), &json!("DECLINED_BY_HOST")));
        let refund = format!("{}refunds/", at("payments", &payment));
        let refunded = host.posts(&refund, json!({ "amount": "20.00" })).await.thing(200);
        assert_eq!((&refunded["status"], &refunded["refundedAmount"]["amount"]), (&json!("PARTIALLY_REFUNDED"), &json!("20.00")));
        let preview = guest.reads(&act(&first, "refund-preview")).await.thing(200);
        assert_eq!(preview["refund"]["amount"], "400.00");
        let cancelled = guest.posts(&act(&first, "cancel"), json!({})).await.thing(200);
        assert_eq!(cancelled["cancellationReason"], "CANCELLED_BY_GUEST");
        let back = guest.reads(&at("payments", &payment)).await.thing(200);
        assert_eq!((&back["status"], &back["refundedAmount"]["amount"]), (&json!("REFUNDED"), &json!("420.00")));
        let history = guest.reads(&act(&first, "events")).await.thing(200);
        let moves: Vec<_> = history["items"].as_array().expect("events").iter().map(|event| event["to"].clone()).collect();
        assert_eq!(moves, ["PENDING", "CONFIRMED", "CANCELLED"]);
    }

    async fn a_host_keeps_a_calendar(world: World) {
        let host = world.host("hana").await;
        let home = listed(&host, json!({})).await;
        let calendar = format!("{}calendar/", at("properties", &home));
        let change = json!({ "from": world.day(1), "to": world.day(3), "available": false, "pricePerNight": "150.00" });
        let nights = host.patches(&calendar, change).await.thing(200);
        let night = json!({ "date": world.day(1), "available": false, "price": { "amount": "150.00", "currency": "USD" } });
        assert_eq!(nights["nights"][0], night);
        // Null is not the same as nothing.
        let change = json!({ "from": world.day(1), "to": world.day(2), "pricePerNight": null });
        host.patches(&calendar, change).await.thing(200);
        let range = format!("{calendar}?from={}&to={}", world.day(1), world.day(4));
        let nights = world.stranger().reads(&range).await.thing(200);
        let shown: Vec<_> = nights["nights"].as_array().expect("nights").iter()
            .map(|night| (night["available"] == true, night["price"]["amount"].as_str().expect("an amount").to_owned())).collect();
        assert_eq!(shown, [(false, "100.00".to_owned()), (false, "150.00".to_owned()), (true, "100.00".to_owned())]);
    }

    async fn a_device_signs_in_stays_signed_in_and_signs_out(world: World) {
        world.guest("gus").await;
        let stranger = world.stranger();
        let who = json!({ "email": "gus@example.com", "password": "a good password" });
        let signed_in = stranger.posts("/sessions/", who.clone()).await.thing(201);
        let refreshed = stranger.posts("/sessions/refresh/", json!({ "refreshToken": signed_in["refreshToken"] })).await.thing(200);
        let mut gus = stranger.clone();
        gus.token = refreshed["accessToken"].as_str().map(str::to_owned);
        let devices = gus.reads("/sessions/").await.thing(200);
        let devices = devices["items"].as_array().expect("devices").clone();
        let other = devices.iter().find(|device| device["current"] == false).expect("another device");
        assert_eq!(gus.deletes(&format!("/sessions/{}/", other["id"].as_str().expect("a key"))).await.status, 204);
        assert_eq!(gus.deletes("/sessions/current/").await.status, 204);
        let refused = gus.reads("/users/me/").await;
        assert_eq!(refused.problem(), (401, "UNAUTHENTICATED".to_owned(), vec![]));
        assert!(refused.header("www-authenticate").starts_with("Bearer"));
        let wrong = stranger.posts("/sessions/", json!({ "email": "gus@example.com", "password": "another password" })).await;
        assert_eq!((wrong.status, wrong.body["code"].as_str()), (401, Some("WRONG_CREDENTIALS")));
    }

    async fn people_are_listed_to_admins_and_what_is_private_to_nobody_else(world: World) {
        let (gus, hana, ada) = (world.guest("gus").await, world.host("hana").await, world.admin("ada").await);
        let people = ada.reads("/users/").await.thing(200);
        let names: Vec<_> = people["items"].as_array().expect("people").iter().map(|person| person["fullName"].clone()).collect();
        assert_eq!(names, ["ada", "hana", "gus"]);
        assert_eq!(people["items"][2]["account"]["email"], "gus@example.com");
        assert_eq!(hana.reads("/users/").await.problem().0, 403);
        assert_eq!(world.stranger().reads("/users/").await.problem().0, 401);
        let gus_at = format!("/users/{}/", gus.key().await);
        assert_eq!(hana.reads(&gus_at).await.thing(200)["account"], json!(null));
        assert_eq!(gus.reads(&gus_at).await.thing(200)["account"]["email"], "gus@example.com");
        let reads = "SELECT COUNT(*) FROM audit_entries WHERE action = 'admin.read'";
        let before = world.number(reads).await;
        assert_eq!(ada.reads(&gus_at).await.thing(200)["account"]["email"], "gus@example.com");
        assert_eq!(world.number(reads).await, before + 1);
        let renamed = gus.patches(&gus_at, json!({ "fullName": "Gustav" })).await.thing(200);
        assert_eq!(renamed["fullName"], "Gustav");
        assert_eq!(hana.patches(&gus_at, json!({ "fullName": "Hans" })).await.problem().0, 404);
        assert_eq!(gus.posts("/users/me/host/", json!({})).await.thing(200)["role"], "HOST");
    }
}

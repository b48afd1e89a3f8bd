//! Bad input: each mistake is named, and none is the server's.

use reqwest::{Method, header};
use serde_json::json;

use super::{at, listed};
use crate::support::{Answer, Client, on_both_engines};

async fn raw(client: &Client, path: &str, media: &str, body: String) -> Answer {
    let request = client.request(Method::POST, &format!("/api/v1{path}"));
    Answer::of(request.header(header::CONTENT_TYPE, media).body(body)).await
}

on_both_engines! {
    async fn a_mistake_in_an_address_is_named(world: World) {
        let host = world.host("hana").await;
        let home = at("properties", &listed(&host, json!({})).await);
        let stranger = world.stranger();
        for (path, status, field) in [
            ("/properties/?foo=1".to_owned(), 400, "foo"),
            ("/properties/?limit=1&limit=2".into(), 400, "limit"),
            ("/properties/?limit=0".into(), 400, "limit"),
            ("/properties/?limit=101".into(), 400, "limit"),
            ("/properties/?limit=many".into(), 400, "limit"),
            ("/properties/?limit=99999999999".into(), 400, "limit"),
            ("/properties/?hostId=-1".into(), 400, "hostId"),
            ("/properties/?minRating=NaN".into(), 400, "minRating"),
            ("/properties/?minRating=6".into(), 422, "minRating"),
            ("/properties/?minPrice=1e3".into(), 400, "minPrice"),
            ("/properties/?within=1,2,3".into(), 400, "within"),
            ("/properties/?within=1,2,3,inf".into(), 400, "within"),
            ("/properties/?sort=newest".into(), 400, "sort"),
            ("/properties/?checkIn=2027-02-30".into(), 400, "checkIn"),
            ("/properties/?checkIn=2027-3-1".into(), 400, "checkIn"),
            ("/properties/?checkIn=2027-03-20".into(), 422, "checkOut"),
            ("/properties/?after=nonsense".into(), 422, "after"),
            ("/properties/?after=bjowOjQy&before=bjowOjQy".into(), 422, "before"),
            ("/properties/0/".into(), 400, "id"),
            ("/properties/007/".into(), 400, "id"),
            ("/properties/2147483648/".into(), 400, "id"),
            ("/properties/UHJvcGVydHk6MQ/".into(), 400, "id"),
            ("/properties/%00/".into(), 400, "id"),
            ("/properties/%FF/".into(), 400, "id"),
            (format!("{home}?foo=1"), 400, "foo"),
            (format!("{home}calendar/"), 400, "from"),
            (format!("{home}calendar/?from=2027-03-20&to=2027-03-19"), 422, "to"),
            (format!("{home}calendar/?from=2027-03-20&to=2029-03-19"), 422, "to"),
            ("/reviews/".into(), 422, "propertyId"),
            ("/reviews/?propertyId=999".into(), 404, "id"),
        ] {
            let (found, _, fields) = stranger.reads(&path).await.problem();
            assert_eq!((found, fields), (status, vec![field.to_owned()]), "{path}");
        }
        let nowhere = stranger.reads("/nowhere/").await;
        assert_eq!(nowhere.problem(), (404, "NOT_FOUND".to_owned(), vec![]));
        let put = stranger.sends(Method::PUT, "/properties/", Some(json!({})), &[]).await;
        assert_eq!((put.status, put.header("allow")), (405, "GET,HEAD,POST"));
    }

    async fn a_mistake_in_a_body_is_named(world: World) {
        let host = world.host("hana").await;
        let property = |field: &str, value: &str| {
            let mut text = crate::support::a_property(&json!({})).to_string();
            text.truncate(text.len() - 1);
            format!("{text}, \"{field}\": {value}}}")
        };
        for (body, status, code, field) in [
            (property("colour", "1"), 400, "INVALID", "colour"),
            (property("title", "\"Twice\""), 400, "INVALID", "title"),
            (property("minNights", "1.5"), 400, "INVALID", "minNights"),
            (property("minNights", "99999999999"), 400, "INVALID", "minNights"),
            (property("minNights", "\"1\""), 400, "INVALID", "minNights"),
            (property("minNights", "0"), 422, "INVALID", "minNights"),
            (property("status", "\"listed\""), 400, "INVALID", "status"),
            (property("timeZone", "\"Mars/Olympus\""), 422, "INVALID", "timeZone"),
            ("{}".into(), 400, "REQUIRED", "title"),
            ("[]".into(), 400, "INVALID", ""),
            ("null".into(), 400, "INVALID", ""),
            (String::new(), 400, "INVALID", ""),
            ("{".into(), 400, "INVALID", ""),
            (crate::support::a_property(&json!({})).to_string() + " {}", 400, "INVALID", ""),
            (format!("{}1{}", "{\"a\":".repeat(5_000), "}".repeat(5_000)), 400, "INVALID", "a"),
        ] {
            let answer = raw(&host, "/properties/", "application/json", body.clone()).await;
            let (found, _, fields) = answer.problem();
            let shown = &body[body.len().saturating_sub(60)..];
            assert_eq!((found, fields), (status, vec![field.to_owned()]), "{shown}");
            assert_eq!(answer.body["errors"][0]["code"], code, "{shown}");
        }
        // A whole number may be written with a point.
        let made = raw(&host, "/properties/", "application/json; charset=utf-8", property("minNights", "2.0")).await.thing(201);
        assert_eq!(made["minNights"], 2);
        let whole = made["id"].as_i64().expect("a key");
        for (change, status) in [(json!({ "title": null }), 400), (json!({ "cleaningFee": null }), 200), (json!({ "amenities": null }), 200), (json!({}), 200)] {
            let answer = host.patches(&format!("/properties/{whole}/"), change.clone()).await;
            assert_eq!(answer.status, status, "{change}: {:?}", answer.body);
        }
        let shown = host.reads(&format!("/properties/{whole}/")).await.thing(200);
        assert_eq!((&shown["cleaningFee"]["amount"], &shown["amenities"], &shown["title"]), (&json!("0.00"), &json!([]), &json!("A room with a view")));
    }

    async fn what_a_client_wrote_is_not_told_again_at_any_length(world: World) {
        let guest = world.guest("gus").await;
        let name = "a".repeat(50_000);
        let body = json!({ name.clone(): 1 }).to_string();
        for answer in [guest.reads(&format!("/properties/?{name}")).await, raw(&guest, "/bookings/", "application/json", body).await] {
            assert_eq!(answer.status, 400);
            assert!(answer.body.to_string().len() < 2_000);
        }
    }

    async fn a_body_is_json_and_not_too_large_and_never_has_a_card_number(world: World) {
        let guest = world.guest("gus").await;
        for media in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", ""] {
            let answer = raw(&guest, "/bookings/", media, "{}".into()).await;
            assert_eq!(answer.problem().0, 415, "{media}");
        }
        let large = format!("{{\"comment\": \"{}\"}}", "x".repeat(300 << 10));
        assert_eq!(raw(&guest, "/reviews/", "application/json", large).await.problem().0, 413);
        let card = json!({ "bookingId": 1, "paymentToken": "4242 4242 4242 4242" }).to_string();
        let refused = raw(&guest, "/payments/", "application/json", card).await;
        assert_eq!(refused.status, 400);
        assert!(!world.has_kept("4242 4242 4242 4242").await);
        let refused = guest.reads("/properties/?text=4242424242424242").await;
        assert_eq!((refused.status, refused.body["code"].as_str()), (400, Some("BAD_USER_INPUT")));
    }
}

//! Hostile and wrong input: a clear error, never a failure of the server, and nothing written.

mod documents;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Client, World, a_property, on_both_engines};

const CREATE: &str = "mutation($input: CreatePropertyInput!) { createProperty(input: $input) {
    property { id title description location pricePerNight { amount } } userErrors { field code message } } }";
const BOOK: &str = "mutation($input: CreateBookingInput!) { createBooking(input: $input) { booking { id } userErrors { field code message } } }";
const FIND: &str =
    "query($filter: PropertyFilter) { properties(filter: $filter) { totalCount nodes { title } } }";
const LIST: &str = "query($first: Int, $after: String, $last: Int, $before: String) {
    properties(first: $first, after: $after, last: $last, before: $before) { nodes { id } } }";

/// The status and the JSON that answer this body.
async fn post(client: &Client, body: impl Into<reqwest::Body>) -> (StatusCode, Value) {
    let request = client
        .request(Method::POST, "/graphql")
        .header("content-type", "application/json");
    read(request.body(body).send().await.expect("an answer")).await
}

async fn read(answer: reqwest::Response) -> (StatusCode, Value) {
    let status = answer.status();
    let text = answer.text().await.expect("text");
    (
        status,
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}, and no JSON: {text}")),
    )
}

/// The request is refused as a whole, and the caller is told why.
fn is_refused(what: &str, (status, answer): &(StatusCode, Value)) {
    assert!(
        status.is_success() || status.is_client_error(),
        "{what}: {status}"
    );
    let error = &answer["errors"][0];
    let codes = [json!("BAD_USER_INPUT"), json!("QUERY_TOO_COMPLEX")];
    assert!(
        codes.contains(&error["extensions"]["code"]),
        "{what}: {answer}"
    );
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|message| message.len() > 10),
        "{what}: {answer}"
    );
    // A nullable field of the root is null by itself.
    let nothing = |data: &Value| {
        data.as_object()
            .is_none_or(|fields| fields.values().all(Value::is_null))
    };
    assert!(answer.get("data").is_none_or(nothing), "{what}: {answer}");
}

async fn refuses(client: &Client, query: &str, variables: Value) {
    let what: String = variables.to_string().chars().take(200).collect();
    let body = json!({ "query": query, "variables": variables });
    is_refused(&what, &post(client, body.to_string()).await);
}

/// The request runs, and its payload names this field and this code.
async fn names(client: &Client, query: &str, input: Value, field: &str, code: &str) {
    let answer = client.get(query, json!({ "input": input })).await;
    let payload = answer
        .as_object()
        .and_then(|data| data.values().next())
        .expect("a payload");
    let problems = payload["userErrors"].as_array().expect("a list");
    let fields: Vec<_> = problems
        .iter()
        .map(|problem| (problem["field"][0].clone(), problem["code"].clone()))
        .collect();
    assert_eq!(fields, [(json!(field), json!(code))], "{problems:?}");
}

/// How many rows there are of what clients write.
async fn rows(world: &World) -> i64 {
    world.number(
        "SELECT (SELECT count(*) FROM properties) + (SELECT count(*) FROM property_amenities) + (SELECT count(*) FROM bookings)
              + (SELECT count(*) FROM nights) + (SELECT count(*) FROM payments) + (SELECT count(*) FROM reviews)
              + (SELECT count(*) FROM users) + (SELECT count(*) FROM sessions) + (SELECT count(*) FROM idempotency_keys)
              + (SELECT count(*) FROM booking_events)",
    ).await
}

async fn a_listing(world: &World) -> (Client, Client, String) {
    let host = world.host("hana").await;
    let property = host.lists(json!({})).await;
    (host, world.guest("gus").await, property)
}

on_both_engines! {
    async fn dates_are_real_and_written_the_one_way(world: World) {
        let (_, guest, property) = a_listing(&world).await;
        let before = rows(&world).await;
        for wrong in [
            json!("2027-02-30"), json!("2027-13-01"), json!("2027-00-10"), json!("2027-2-3"), json!("20270203"), json!("2027-02-03T00:00:00Z"),
            json!("03/02/2027"), json!("tomorrow"), json!(""), json!("2027-02-29"), json!("+027-02-03"), json!("2027- 2- 3"), json!(" 2027-2-3 "),
            json!("2027\u{2010}02\u{2010}03"), json!("2027-03-1\u{0}"), json!("٢٠٢٧-٠٣-١٢"), json!(20_270_203), json!(null), json!(true), json!(["2027-03-12"]), json!({}),
        ] {
            let input = json!({ "propertyId": property, "checkIn": wrong, "checkOut": world.day(5) });
            refuses(&guest, BOOK, json!({ "input": input })).await;
            if !wrong.is_null() {
                refuses(&guest, FIND, json!({ "filter": { "checkIn": world.day(1), "checkOut": wrong } })).await;
            }
        }
        let literal = format!(r#"mutation {{ createBooking(input: {{ propertyId: "{property}", checkIn: 2027-03-11, checkOut: "2027-03-12" }}) {{ booking {{ id }} }} }}"#);
        refuses(&guest, &literal, json!({})).await;
        assert_eq!(rows(&world).await, before);
    }

    async fn a_stay_has_a_night_to_come_and_not_too_many(world: World) {
        let (host, guest, property) = a_listing(&world).await;
        let before = rows(&world).await;
        let stay = |from, to| json!({ "propertyId": property, "checkIn": world.day(from), "checkOut": world.day(to) });
        for (from, to, field) in [
            (5, 5, "checkOut"), (5, 4, "checkOut"), (-1, 2, "checkIn"), (-400, -399, "checkIn"), (1, 367, "checkOut"), (729, 731, "checkOut"), (100_000, 100_001, "checkOut"),
        ] {
            names(&guest, BOOK, stay(from, to), field, "INVALID").await;
        }
        for (from, to) in [("0001-01-01", "0001-01-02"), ("9999-12-30", "9999-12-31"), ("0000-01-01", "9999-12-31")] {
            let answer = guest.tries_to_book(&property, from, to).await;
            assert_eq!(answer["userErrors"][0]["code"], "INVALID", "{from} to {to}");
        }
        names(&host, BOOK, stay(1, 2), "propertyId", "OWN_PROPERTY").await;
        for (guests, code) in [(0, "INVALID"), (-1, "INVALID"), (i32::MIN, "INVALID"), (5, "TOO_MANY_GUESTS"), (10_000, "TOO_MANY_GUESTS")] {
            let mut input = stay(1, 2);
            input["guests"] = json!(guests);
            names(&guest, BOOK, input, "guests", code).await;
        }
        let mut input = stay(2, 1);
        input["guests"] = json!(0);
        let answer = guest.get(BOOK, json!({ "input": input })).await;
        assert_eq!(answer["createBooking"]["userErrors"].as_array().map(Vec::len), Some(2), "both at once");
        let admin = world.admin("ada").await;
        assert_eq!(admin.refusal(BOOK, json!({ "input": stay(1, 2) })).await, "FORBIDDEN");
        assert_eq!(world.stranger().refusal(BOOK, json!({ "input": stay(1, 2) })).await, "UNAUTHENTICATED");
        assert_eq!(rows(&world).await, before + 2, "the admin and the admin's session");
    }

    async fn an_id_is_one_of_its_own_kind(world: World) {
        let (host, guest, property) = a_listing(&world).await;
        let before = rows(&world).await;
        let long = "A".repeat(10_240);
        for wrong in [
            guest.id.as_str(), "", "garbage", "1", "UHJvcGVydHk6", "UHJvcGVydHk6MDE", "UHJvcGVydHk6OTk5OTk5OTk5OTk5", "Ym9va2luZzox", "\u{0}", "🏡", "%", long.as_str(),
        ] {
            refuses(&guest, "query($id: ID!) { property(id: $id) { id } }", json!({ "id": wrong })).await;
            names(&guest, BOOK, json!({ "propertyId": wrong, "checkIn": world.day(1), "checkOut": world.day(2) }), "propertyId", "INVALID").await;
            let answer = host.mutate("updateProperty", "UpdatePropertyInput!", json!({ "id": wrong, "title": "Changed" }), "property { id }").await;
            assert_eq!((&answer["userErrors"][0]["field"], &answer["userErrors"][0]["code"]), (&json!(["id"]), &json!("INVALID")));
            let answer = guest.mutate_by_id("cancelBooking", wrong, "booking { id }").await;
            assert_eq!(answer["userErrors"][0]["code"], "INVALID");
            if wrong != guest.id {
                refuses(&guest, "query($id: ID!) { node(id: $id) { id } }", json!({ "id": wrong })).await;
                refuses(&guest, FIND, json!({ "filter": { "hostId": wrong } })).await;
            }
        }
        let none = "query($id: ID!) { property(id: $id) { id } }";
        for unknown in ["UHJvcGVydHk6MjE0NzQ4MzY0Nw", "UHJvcGVydHk6LTE"] {
            assert_eq!(guest.get(none, json!({ "id": unknown })).await["property"], json!(null), "there is no such property");
        }
        let many: Vec<_> = (0..101).map(|_| property.clone()).collect();
        refuses(&guest, "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": many })).await;
        assert_eq!(rows(&world).await, before);
    }

    async fn a_page_is_asked_for_by_its_rules(world: World) {
        let (_, guest, _) = a_listing(&world).await;
        for wrong in [
            json!({ "first": 101 }), json!({ "first": -1 }), json!({ "last": 101 }), json!({ "last": -1 }), json!({ "first": i32::MIN }),
            json!({ "first": 1, "last": 1 }), json!({ "first": 9_999_999_999_i64 }), json!({ "first": 1.5 }), json!({ "first": "1" }),
            json!({ "after": "" }), json!({ "after": "garbage" }), json!({ "after": "\u{0}" }), json!({ "before": "bjowOjE\u{0}" }),
            json!({ "before": "bjowOg" }), json!({ "after": "bjowOjE6MQ" }), json!({ "after": "A".repeat(10_240) }), json!({ "after": "MTox" }),
            json!({ "after": 1 }), json!({ "after": "bjowOjk5OTk5OTk5OTk5OTk5OTk5OTk5" }), json!({ "after": guest.id }),
        ] {
            refuses(&guest, LIST, wrong).await;
        }
        // Well-formed, and of no row that there is.
        for (sort, cursor) in [
            ("NEWEST", "bjowOi05MjIzMzcyMDM2ODU0Nzc1ODA4"), ("PRICE_ASC", "cDo5MjIzMzcyMDM2ODU0Nzc1ODA3OjkyMjMzNzIwMzY4NTQ3NzU4MDc"),
            ("PRICE_DESC", "cTotOTIyMzM3MjAzNjg1NDc3NTgwODox"), ("RATING_DESC", "cjotOTIyMzM3MjAzNjg1NDc3NTgwODotOTIyMzM3MjAzNjg1NDc3NTgwOA"),
        ] {
            let query = "query($sort: PropertySort!, $after: String) { properties(sort: $sort, after: $after) { nodes { id } } }";
            let answer = guest.get(query, json!({ "sort": sort, "after": cursor })).await;
            assert_eq!(answer["properties"]["nodes"], json!([]), "{sort}: after the last row");
        }
        let events = "subscription($after: String) { viewerBookingStatusChanged(after: $after) { to } }";
        let mut socket = guest.opens_a_socket().await;
        for wrong in ["", "garbage", "\u{0}", "bjowOjE"] {
            socket.subscribe("w", events, json!({ "after": wrong })).await;
            let refused = socket.hears().await;
            assert_eq!(refused.pointer("/payload/errors/0/extensions/code"), Some(&json!("BAD_USER_INPUT")), "{refused}");
            assert_eq!(socket.hears().await["type"], "complete");
        }
    }

    async fn a_price_is_an_amount_within_bounds(world: World) {
        let (host, _, _) = a_listing(&world).await;
        let before = rows(&world).await;
        for wrong in [
            json!("100.001"), json!(100.001), json!("-1"), json!("-0.01"), json!("0"), json!("0.99"), json!("100000.01"), json!("79228162514264337593543950335"),
            json!(99_999_999), json!("1.0000000000000000000000000001"), json!(i64::MAX), json!(-5),
        ] {
            names(&host, CREATE, a_property(&json!({ "pricePerNight": wrong })), "pricePerNight", "INVALID").await;
        }
        for wrong in [json!("1e400"), json!("NaN"), json!("Infinity"), json!(""), json!("12,50"), json!("$12"), json!(1e300), json!("9".repeat(5_000)), json!("1\u{0}"), json!(true), json!([]), json!(null)] {
            refuses(&host, CREATE, json!({ "input": a_property(&json!({ "pricePerNight": wrong })) })).await;
        }
        for (field, wrong) in [("cleaningFee", json!("-1")), ("cleaningFee", json!("0.001")), ("maxGuests", json!(0)), ("maxGuests", json!(-1)), ("maxGuests", json!(10_000)), ("latitude", json!(90.1)), ("longitude", json!(-180.1))] {
            names(&host, CREATE, a_property(&json!({ field: wrong })), field, "INVALID").await;
        }
        for (field, wrong) in [("maxGuests", json!(2_147_483_648_i64)), ("maxGuests", json!(2.5)), ("latitude", json!("38.71")), ("instantBook", json!("yes")), ("status", json!("OPEN")), ("cancellationPolicy", json!("flexible"))] {
            refuses(&host, CREATE, json!({ "input": a_property(&json!({ field: wrong })) })).await;
        }
        for wrong in [json!({ "minPrice": "-1" }), json!({ "maxPrice": "1.001" }), json!({ "minPrice": "79228162514264337593543950335" }), json!({ "guests": 0 }), json!({ "guests": -1 }), json!({ "minRating": -0.1 })] {
            refuses(&host, FIND, json!({ "filter": wrong })).await;
        }
        assert_eq!(rows(&world).await, before);
    }

    async fn control_characters_and_nul_are_refused_wherever_text_is_taken(world: World) {
        let (host, guest, property) = a_listing(&world).await;
        let booking = guest.books(&property, &world.day(10), &world.day(12)).await;
        let before = rows(&world).await;
        for bad in ["\u{0}", "\u{7}", "\u{1b}[31m", "\u{7f}", "\u{85}"] {
            let text = format!("before{bad}and after");
            for field in ["title", "description", "location"] {
                names(&host, CREATE, a_property(&json!({ field: text })), field, "INVALID").await;
            }
            names(&host, CREATE, a_property(&json!({ "amenities": [text] })), "amenities", "INVALID").await;
            names(&host, CREATE, a_property(&json!({ "timeZone": text })), "timeZone", "INVALID").await;
            for field in ["text", "location"] {
                refuses(&guest, FIND, json!({ "filter": { field: text } })).await;
            }
            refuses(&guest, FIND, json!({ "filter": { "amenities": [text] } })).await;
            let stay = json!({ "propertyId": property, "checkIn": world.day(1), "checkOut": world.day(2), "idempotencyKey": text });
            names(&guest, BOOK, stay, "idempotencyKey", "INVALID").await;
            for field in ["paymentToken", "idempotencyKey"] {
                let mut input = json!({ "bookingId": booking["id"], "paymentToken": "tok_visa" });
                input[field] = json!(text);
                let answer = guest.mutate("createPayment", "CreatePaymentInput!", input, "payment { id }").await;
                assert_eq!((&answer["userErrors"][0]["field"], &answer["userErrors"][0]["code"]), (&json!([field]), &json!("INVALID")));
            }
            for (field, value) in [("fullName", text.clone()), ("email", format!("gil{bad}@example.com"))] {
                let mut input = json!({ "fullName": "Gil", "email": "gil@example.com", "password": "a good password" });
                input[field] = json!(value);
                let answer = world.stranger().mutate("signUp", "SignUpInput!", input, "accessToken").await;
                assert_eq!((&answer["userErrors"][0]["field"], &answer["userErrors"][0]["code"]), (&json!([field]), &json!("INVALID")));
            }
            let sign_in = json!({ "email": format!("gus{bad}@example.com"), "password": "a good password" });
            let answer = world.stranger().mutate("signIn", "SignInInput!", sign_in, "accessToken").await;
            assert_eq!(answer["userErrors"][0]["code"], "WRONG_CREDENTIALS");
        }
        for input in [a_property(&json!({ "title": "two\nlines" })), a_property(&json!({ "title": "a\ttab" }))] {
            names(&host, CREATE, input, "title", "INVALID").await;
        }
        assert_eq!(rows(&world).await, before);
        let lines = "First paragraph.\n\n\tSecond paragraph.";
        host.lists(json!({ "description": lines })).await;
        let found = guest.get(FIND, json!({ "filter": { "text": "second paragraph" } })).await;
        assert_eq!(found["properties"]["totalCount"], 1, "a description has paragraphs");
    }

    async fn a_text_is_bounded_and_stored_as_it_was_typed(world: World) {
        let host = world.host("hana").await;
        for (field, length) in [("title", 100 * 1024), ("title", 121), ("description", 8_001), ("location", 201), ("title", 2)] {
            names(&host, CREATE, a_property(&json!({ field: "x".repeat(length) })), field, "INVALID").await;
        }
        for (field, text) in [("title", ""), ("title", "   "), ("description", "\n\t "), ("location", "")] {
            names(&host, CREATE, a_property(&json!({ field: text })), field, "REQUIRED").await;
        }
        let amenities: Vec<_> = (0..51).map(|number| format!("amenity_{number}")).collect();
        names(&host, CREATE, a_property(&json!({ "amenities": amenities })), "amenities", "INVALID").await;
        assert_eq!(world.number("SELECT count(*) FROM properties").await, 0);
        for title in [
            "🏡 Cosy 👩‍👩‍👧‍👦 home", "بيت جميل قرب البحر", "\u{200f}דירה ליד הים\u{200f}", "e\u{301}toile, decomposed", "ﬁn ＷＩＤＥ", "<b>\"bold\"</b> & 'more' \\ %_",
            "$1; DROP TABLE users --", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "null",
        ] {
            let made = host.get(CREATE, json!({ "input": a_property(&json!({ "title": title, "description": title.repeat(3), "location": title })) })).await;
            let property = &made["createProperty"]["property"];
            assert_eq!((&property["title"], &property["location"]), (&json!(title), &json!(title)), "{made}");
            let seen = world.stranger().get("query($id: ID!) { property(id: $id) { title description } }", json!({ "id": property["id"] })).await;
            assert_eq!(seen["property"], json!({ "title": title, "description": title.repeat(3) }));
        }
        host.lists(json!({ "title": "界".repeat(120) })).await;
    }

    async fn a_card_number_is_refused_and_never_repeated(world: World) {
        let (_, guest, property) = a_listing(&world).await;
        let booking = guest.books(&property, &world.day(10), &world.day(12)).await;
        let before = rows(&world).await;
        let pay = "mutation($input: CreatePaymentInput!) { createPayment(input: $input) { payment { id } userErrors { field code message } } }";
        for number in ["4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242", " 378282246310005 ", "card_4242424242424242", "4242424242424242|12|30|123"] {
            let answer = guest.ask(pay, json!({ "input": { "bookingId": booking["id"], "paymentToken": number } })).await;
            let refused = &answer["errors"][0]["extensions"]["code"];
            assert_eq!(refused, "BAD_USER_INPUT", "{number}");
            assert!(!answer.to_string().contains("4242") && !answer.to_string().contains("378282246310005"), "{answer}");
        }
        for body in [
            json!({ "query": pay, "variables": { "input": { "bookingId": booking["id"], "paymentToken": 4_242_424_242_424_242_i64 } } }),
            json!({ "query": format!("mutation {{ createPayment(input: {{ bookingId: {}, paymentToken: 4242424242424242 }}) {{ payment {{ id }} }} }}", booking["id"]) }),
            json!({ "query": pay, "variables": { "input": { "bookingId": booking["id"], "paymentToken": ["4242424242424242"] } } }),
        ] {
            let answer = post(&guest, body.to_string()).await;
            is_refused("a card number of another type", &answer);
            assert!(!answer.1.to_string().contains("4242"), "{}", answer.1);
        }
        assert_eq!(rows(&world).await, before);
        guest.pays(&booking).await;
    }
}

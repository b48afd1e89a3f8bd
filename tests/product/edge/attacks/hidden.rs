//! Ids of what is somebody else's: the answer is, letter by letter, the one to an id that nothing has.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::super::posts;
use crate::support::{Client, on_both_engines};

/// A mutation with one input, of which an id is given.
const WITH_INPUT: [(&str, &str, &str, &str); 12] = [
    (
        "Property",
        "updateProperty",
        "UpdatePropertyInput",
        r#""id": ID, "title": "Mine now""#,
    ),
    (
        "Property",
        "addCalendarFeed",
        "AddCalendarFeedInput",
        r#""propertyId": ID, "url": "https://example.com/a.ics", "name": "Mine""#,
    ),
    (
        "Property",
        "updateCalendar",
        "UpdateCalendarInput",
        r#""propertyId": ID, "from": "2027-04-01", "to": "2027-04-02", "available": false"#,
    ),
    (
        "Property",
        "createBooking",
        "CreateBookingInput",
        r#""propertyId": ID, "checkIn": "2027-04-01", "checkOut": "2027-04-02""#,
    ),
    (
        "Booking",
        "updateBooking",
        "UpdateBookingInput",
        r#""id": ID, "guests": 1"#,
    ),
    (
        "Booking",
        "createPayment",
        "CreatePaymentInput",
        r#""bookingId": ID, "paymentToken": "tok_visa""#,
    ),
    (
        "Booking",
        "createReview",
        "CreateReviewInput",
        r#""bookingId": ID, "rating": 1"#,
    ),
    (
        "Payment",
        "refundPayment",
        "RefundPaymentInput",
        r#""id": ID"#,
    ),
    (
        "Payment",
        "refundPayment",
        "RefundPaymentInput",
        r#""id": ID, "amount": "1.00""#,
    ),
    (
        "Review",
        "updateReview",
        "UpdateReviewInput",
        r#""id": ID, "rating": 1"#,
    ),
    (
        "Review",
        "respondToReview",
        "RespondToReviewInput",
        r#""id": ID, "response": "Mine""#,
    ),
    (
        "Property",
        "updateProperty",
        "UpdatePropertyInput",
        r#""id": ID, "status": "LISTED""#,
    ),
];

/// One that takes nothing but an id, by the name of its argument.
const WITH_ID: [(&str, &str, &str); 8] = [
    ("Property", "deleteProperty", "id"),
    ("Property", "publishCalendar", "propertyId"),
    ("Booking", "acceptBooking", "id"),
    ("Booking", "declineBooking", "id"),
    ("Booking", "cancelBooking", "id"),
    ("CalendarFeed", "removeCalendarFeed", "id"),
    ("Session", "revokeSession", "id"),
    ("Review", "deleteReview", "id"),
];

/// Everything that can be asked with the id of a thing of some kind: documents, and their variables.
fn questions(kind: &str, id: &str) -> Vec<(String, Value)> {
    let by_id = json!({ "id": id });
    let mut all = vec![
        (
            "query($id: ID!) { node(id: $id) { __typename id } }".to_owned(),
            by_id.clone(),
        ),
        (
            "query($id: ID!) { nodes(ids: [$id, $id]) { __typename id } }".to_owned(),
            by_id.clone(),
        ),
    ];
    // Anybody may read a review.
    if kind == "Review" {
        all.clear();
    }
    if ["Property", "Booking"].contains(&kind) {
        let field = kind.to_lowercase();
        all.push((
            format!("query($id: ID!) {{ {field}(id: $id) {{ id }} }}"),
            by_id.clone(),
        ));
    }
    for (_, name, argument) in WITH_ID.iter().filter(|(of, ..)| *of == kind) {
        all.push((format!("mutation($id: ID!) {{ {name}({argument}: $id) {{ userErrors {{ field code message }} }} }}"), by_id.clone()));
    }
    for (_, name, input, fields) in WITH_INPUT.iter().filter(|(of, ..)| *of == kind) {
        let fields = format!("{{{}}}", fields.replace("ID", &format!("\"{id}\"")));
        let input_value: Value = serde_json::from_str(&fields).expect("JSON");
        all.push((format!("mutation($input: {input}!) {{ {name}(input: $input) {{ userErrors {{ field code message }} }} }}"), json!({ "input": input_value })));
    }
    all
}

/// The id of something of the same kind that there is not.
fn of_nothing(id: &str) -> (String, String) {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).expect("an id")).expect("text");
    let (kind, key) = text.split_once(':').expect("a kind");
    let other = if key.len() == 32 {
        "0123456789abcdef0123456789abcdef"
    } else {
        "2000000000"
    };
    (
        kind.to_owned(),
        URL_SAFE_NO_PAD.encode(format!("{kind}:{other}")),
    )
}

async fn answers(who: &Client, kind: &str, id: &str) -> Vec<(String, String)> {
    let mut answers = vec![];
    for (query, variables) in questions(kind, id) {
        let body = json!({ "query": query, "variables": variables });
        let (status, _, answer) = posts(who, &body).await;
        answers.push((query, format!("{status} {answer}")));
    }
    let (field, argument) = match kind {
        "Booking" => ("bookingStatusChanged", "bookingId"),
        "Property" => ("availabilityChanged", "propertyId"),
        _ => return answers,
    };
    let query = format!("subscription($id: ID!) {{ {field}({argument}: $id) {{ __typename }} }}");
    let mut socket = who.opens_a_socket().await;
    socket.subscribe("s", &query, json!({ "id": id })).await;
    answers.push((query, socket.hears().await.to_string()));
    answers
}

on_both_engines! {
    async fn what_is_somebody_elses_is_answered_letter_by_letter_like_what_there_is_not(world: World) {
        let (host, guest) = (world.host("hana").await, world.guest("gus").await);
        let property = host.lists(json!({})).await;
        let unlisted = host.lists(json!({ "title": "The annex", "status": "UNLISTED" })).await;
        let past = guest.books(&property, &world.day(1), &world.day(2)).await;
        guest.pays(&past).await;
        world.clock.advance(chrono::Duration::days(3));
        world.background_round().await;
        let review = guest.mutate("createReview", "CreateReviewInput!", json!({ "bookingId": past["id"], "rating": 5 }), "review { id }").await;
        let booking = guest.books(&property, &world.day(3), &world.day(4)).await;
        let payment = guest.pays(&booking).await;
        let feed = host.mutate("addCalendarFeed", "AddCalendarFeedInput!", json!({ "propertyId": property, "url": "https://example.com/a.ics", "name": "A" }), "feed { id }").await;
        let sessions = guest.get("{ viewer { sessions { id } } }", json!({})).await;
        let things = [
            json!(unlisted), booking["id"].clone(), past["id"].clone(), payment["id"].clone(), feed["feed"]["id"].clone(), sessions["viewer"]["sessions"][0]["id"].clone(),
            review["review"]["id"].clone(),
        ];
        let (other_guest, other_host) = (world.guest("olga").await, world.host("otto").await);
        let mut compared = 0;
        for thing in &things {
            let id = thing.as_str().expect("an id");
            let (kind, nothing) = of_nothing(id);
            for who in [&world.stranger(), &other_guest, &other_host] {
                let (theirs, none) = (answers(who, &kind, id).await, answers(who, &kind, &nothing).await);
                for ((query, of_theirs), (_, of_none)) in theirs.iter().zip(&none) {
                    assert_eq!(of_theirs, of_none, "{kind}: {query}");
                    assert!(!of_theirs.contains("INTERNAL"), "{of_theirs}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 100, "{compared}");
        let seen = guest.sees(&booking).await;
        assert_eq!((&seen["status"], &seen["payment"]["status"]), (&json!("CONFIRMED"), &json!("PAID")), "nothing has happened to it");
    }
}

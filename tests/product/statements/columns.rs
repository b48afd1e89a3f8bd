//! Only the columns are read that an answer shows: each field is the same alone as beside all others, wherever its row comes from.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Client, on_both_engines};

/// Each field of a property, with what is asked of it.
const PROPERTY: [(&str, &str); 29] = [
    ("id", ""),
    ("databaseId", ""),
    ("host", "{ fullName }"),
    ("title", ""),
    ("description", ""),
    ("location", ""),
    ("latitude", ""),
    ("longitude", ""),
    ("pricePerNight", "{ amount currency }"),
    ("cleaningFee", "{ amount }"),
    ("maxGuests", ""),
    ("minNights", ""),
    ("maxNights", ""),
    ("advanceNoticeDays", ""),
    ("preparationDays", ""),
    ("amenities", ""),
    ("status", ""),
    ("instantBook", ""),
    ("cancellationPolicy", ""),
    ("timeZone", ""),
    ("averageRating", ""),
    ("reviewCount", ""),
    ("reviews", "{ totalCount nodes { rating } }"),
    (
        "calendar",
        "(from: \"2027-04-01\", to: \"2027-04-04\") { date available price { amount } }",
    ),
    (
        "quote",
        "(checkIn: \"2027-04-01\", checkOut: \"2027-04-04\") { available nights total { amount } }",
    ),
    ("calendarUrl", ""),
    ("calendarFeeds", "{ id }"),
    ("createdAt", ""),
    ("updatedAt", ""),
];
const USER: [(&str, &str); 7] = [
    ("id", ""),
    ("databaseId", ""),
    ("fullName", ""),
    ("role", ""),
    ("createdAt", ""),
    ("properties", "{ totalCount nodes { title } }"),
    ("reviews", "{ totalCount nodes { rating } }"),
];
const REVIEW: [(&str, &str); 8] = [
    ("id", ""),
    ("databaseId", ""),
    ("property", "{ title }"),
    ("author", "{ fullName }"),
    ("rating", ""),
    ("comment", ""),
    ("hostResponse", ""),
    ("createdAt", ""),
];

/// The ways to a row, each with its type; `X` stands for the fields.
const WAYS: [(&str, &str); 14] = [
    ("Property", "{ property(id: $home) { X } }"),
    ("Property", "{ properties(first: 1) { nodes { X } } }"),
    (
        "Property",
        "{ properties(first: 1, sort: PRICE_ASC) { edges { cursor node { X } } } }",
    ),
    (
        "Property",
        "{ properties(first: 1, sort: RATING_DESC, filter: { location: \"lisbon\" }) { nodes { X } } }",
    ),
    (
        "Property",
        "{ user(id: $hana) { properties { nodes { X } } } }",
    ),
    ("Property", "{ booking(id: $booking) { property { X } } }"),
    ("Property", "{ node(id: $home) { ... on Property { X } } }"),
    ("User", "{ user(id: $hana) { X } }"),
    (
        "User",
        "{ property(id: $home) { host { ...some } } } fragment some on User { X }",
    ),
    ("User", "{ viewer { user { X } } }"),
    (
        "Review",
        "{ property(id: $home) { reviews(first: 2) { nodes { X } } } }",
    ),
    ("Review", "{ user(id: $gus) { reviews { nodes { X } } } }"),
    ("Review", "{ booking(id: $booking) { review { X } } }"),
    ("Review", "{ node(id: $review) { ... on Review { X } } }"),
];

/// The part of an answer that a way leads to: under one name after the other, first of each list.
fn end(mut answer: &Value) -> &Value {
    loop {
        answer = match answer {
            Value::Array(rows) => &rows[0],
            Value::Object(fields) if fields.contains_key("x0") => return answer,
            Value::Object(fields) => fields
                .iter()
                .find(|(name, _)| *name != "cursor")
                .map(|(_, field)| field)
                .expect("a field"),
            _ => return answer,
        };
    }
}

async fn ask(client: &Client, way: &str, fields: &str, ids: &Value) -> Value {
    let all = ids.as_object().expect("ids").iter();
    let used: serde_json::Map<_, _> = all
        .filter(|(name, _)| way.contains(&format!("${name}")))
        .map(|(name, id)| (name.clone(), id.clone()))
        .collect();
    let declared: Vec<_> = used.keys().map(|name| format!("${name}: ID!")).collect();
    let declared = if used.is_empty() {
        String::new()
    } else {
        format!("({})", declared.join(", "))
    };
    let query = format!(
        "query{declared} {}",
        way.replace(" X ", &format!(" {fields} "))
    );
    client.get(&query, used.into()).await
}

on_both_engines! {
    async fn a_field_is_the_same_alone_as_beside_all_others(world: World) {
        let (hana, gus) = (world.host("hana").await, world.guest("gus").await);
        let home = hana.lists(json!({ "amenities": ["wifi"], "latitude": 38.7, "longitude": -9.1, "cleaningFee": "12.50" })).await;
        let booking = gus.books(&home, &world.day(1), &world.day(3)).await;
        gus.pays(&booking).await;
        world.clock.advance(chrono::Duration::days(5));
        world.background_round().await;
        let gus = world.stranger().signs_in("gus@example.com").await;
        let input = json!({ "bookingId": booking["id"], "rating": 4, "comment": "Fine." });
        let written = gus.mutate("createReview", "CreateReviewInput!", input, "review { id }").await;
        let hana = world.stranger().signs_in("hana@example.com").await;
        let input = json!({ "id": written["review"]["id"], "response": "Thanks." });
        hana.mutate("respondToReview", "RespondToReviewInput!", input, "review { id }").await;
        let ids = json!({ "home": home, "hana": hana.id, "gus": gus.id, "booking": booking["id"], "review": written["review"]["id"] });
        for (kind, way) in WAYS {
            let fields: &[_] = match kind {
                "Property" => &PROPERTY,
                "User" => &USER,
                _ => &REVIEW,
            };
            // `x0` tells where the row begins.
            let [(first, _), rest @ ..] = fields else { continue };
            let others: Vec<_> = rest.iter().map(|(name, of_it)| format!("{name}{of_it}")).collect();
            let all = ask(&hana, way, &format!("x0: {first} {}", others.join(" ")), &ids).await;
            for (name, of_it) in rest {
                let alone = ask(&hana, way, &format!("x0: {name}{of_it}"), &ids).await;
                assert_eq!(end(&alone)["x0"], end(&all)[*name], "{name} by {way}");
            }
        }
    }

    async fn every_field_is_asked_for_alone(world: World) {
        for (kind, fields) in [("Property", &PROPERTY[..]), ("User", &USER), ("Review", &REVIEW)] {
            let schema = "query($kind: String!) { __type(name: $kind) { fields { name } } }";
            let schema = world.stranger().get(schema, json!({ "kind": kind })).await;
            let all: BTreeSet<_> = schema["__type"]["fields"].as_array().expect("fields").iter().map(|field| field["name"].as_str().expect("a name").to_owned()).collect();
            let asked: BTreeSet<_> = fields.iter().map(|(name, _)| (*name).to_owned()).collect();
            assert_eq!(asked, all, "{kind}");
        }
    }

    async fn what_is_not_shown_is_not_read(world: World) {
        use sea_orm::Iterable as _;
        use staygate::entity::{part::Columns, user};
        let users = Columns::<user::Entity>::none().and([user::Column::FullName, user::Column::UserId]);
        world.host("hana").await;
        let found = world.app.services.people.by_ids(&[staygate::domain::ids::UserId(1)], users).await.expect("found");
        let hana = found.values().next().expect("hana");
        assert_eq!(hana.full_name.try_as_ref().map(String::as_str), Some("hana"));
        assert!(hana.password_hash.is_not_set() && hana.email.is_not_set());
        assert!(hana.whole().is_err());
        assert_eq!(Columns::<user::Entity>::all().iter().count(), user::Column::iter().count());
    }
}

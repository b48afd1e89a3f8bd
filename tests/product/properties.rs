//! Properties: listing, changing and deleting them, who sees them, their calendar and what a stay would cost.

mod search;
mod search_agrees;
mod search_plans;
mod search_shapes;

use chrono::Duration;
use serde_json::{Value, json};

use crate::support::{Client, on_both_engines};

const FIELDS: &str = "id title description location latitude longitude pricePerNight { amount currency } cleaningFee { amount }
    maxGuests amenities status instantBook cancellationPolicy timeZone averageRating reviewCount host { id } createdAt updatedAt";
const QUOTE: &str = "query($id: ID!, $in: Date!, $out: Date!, $guests: Int!) { property(id: $id) {
    quote(checkIn: $in, checkOut: $out, guests: $guests) { available nights problems { field code message } total { amount } lineItems { kind } } } }";
const CALENDAR: &str = "query($id: ID!, $from: Date!, $to: Date!) { property(id: $id) {
    calendar(from: $from, to: $to) { date available price { amount } } } }";
const CREATE: &str =
    "mutation($input: CreatePropertyInput!) { createProperty(input: $input) { property { id } } }";

/// A property as this person sees it; null when it is not to be seen.
async fn sees(client: &Client, id: &str) -> Value {
    let query = format!("query($id: ID!) {{ property(id: $id) {{ {FIELDS} }} }}");
    client.get(&query, json!({ "id": id })).await["property"].take()
}

async fn tries_to_change(client: &Client, input: Value) -> Value {
    client
        .mutate(
            "updateProperty",
            "UpdatePropertyInput!",
            input,
            &format!("property {{ {FIELDS} }}"),
        )
        .await
}

async fn changes(client: &Client, input: Value) -> Value {
    let mut answer = tries_to_change(client, input).await;
    assert_eq!(answer["userErrors"], json!([]));
    answer["property"].take()
}

async fn quote(client: &Client, id: &str, check_in: &str, check_out: &str, guests: i32) -> Value {
    let variables = json!({ "id": id, "in": check_in, "out": check_out, "guests": guests });
    client.get(QUOTE, variables).await["property"]["quote"].take()
}

/// The first problem of a stay that can't be booked: its field and code.
async fn problem(
    client: &Client,
    id: &str,
    check_in: &str,
    check_out: &str,
    guests: i32,
) -> (Value, Value) {
    let mut quote = quote(client, id, check_in, check_out, guests).await;
    assert_eq!(quote["available"], false, "{quote}");
    assert_eq!(
        quote["problems"].as_array().map(Vec::len),
        Some(1),
        "{quote}"
    );
    (
        quote["problems"][0]["field"].take(),
        quote["problems"][0]["code"].take(),
    )
}

/// Titles of what somebody is shown as this host's.
async fn listed_by(client: &Client, host: &Client) -> (Vec<Value>, Value) {
    let query = "query($id: ID!) { user(id: $id) { properties { totalCount nodes { title } } } }";
    let answer = client.get(query, json!({ "id": host.id })).await;
    let list = &answer["user"]["properties"];
    let titles = list["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|node| node["title"].clone());
    (titles.collect(), list["totalCount"].clone())
}

on_both_engines! {
    async fn a_new_property_is_as_its_host_says_with_sensible_defaults_for_the_rest(world: World) {
        let host = world.host("hana").await;
        let input = json!({
            "title": "  Loft ", "description": "High above the tram line.", "location": "Porto", "pricePerNight": "80.5", "maxGuests": 3,
        });
        let made = host.mutate("createProperty", "CreatePropertyInput!", input, &format!("property {{ {FIELDS} }}")).await;
        assert_eq!(made["userErrors"], json!([]));
        let property = made["property"].clone();
        assert_eq!(property, json!({
            "id": property["id"], "title": "Loft", "description": "High above the tram line.", "location": "Porto",
            "latitude": null, "longitude": null, "pricePerNight": { "amount": "80.50", "currency": "USD" },
            "cleaningFee": { "amount": "0.00" }, "maxGuests": 3, "amenities": [], "status": "LISTED", "instantBook": true,
            "cancellationPolicy": "FLEXIBLE", "timeZone": "UTC", "averageRating": null, "reviewCount": 0,
            "host": { "id": host.id }, "createdAt": "2027-03-10T12:00:00Z", "updatedAt": "2027-03-10T12:00:00Z",
        }));
        let id = property["id"].as_str().expect("an id");
        assert_eq!(sees(&world.stranger(), id).await, property);
    }

    async fn a_change_leaves_what_it_does_not_name_or_names_as_null(world: World) {
        let host = world.host("hana").await;
        let id = host.lists(json!({ "timeZone": "Europe/Lisbon", "cancellationPolicy": "STRICT", "instantBook": false })).await;
        let mut expected = sees(&host, &id).await;
        world.clock.advance(Duration::minutes(1));
        expected["title"] = json!("A room with two views");
        expected["updatedAt"] = json!("2027-03-10T12:01:00Z");
        assert_eq!(changes(&host, json!({ "id": id, "title": "A room with two views" })).await, expected);
        let nothing = json!({
            "id": id, "title": null, "description": null, "location": null, "latitude": null, "longitude": null, "pricePerNight": null,
            "cleaningFee": null, "maxGuests": null, "amenities": null, "instantBook": null, "cancellationPolicy": null, "timeZone": null,
            "status": null,
        });
        assert_eq!(changes(&host, nothing).await, expected);
        let all = json!({
            "id": id, "title": "Boat", "description": "Moored by the old bridge.", "location": "Ghent", "latitude": 51.05, "longitude": 3.72,
            "pricePerNight": "99.99", "cleaningFee": "0", "maxGuests": 2, "amenities": ["sauna", "bikes", "sauna"], "instantBook": true,
            "cancellationPolicy": "MODERATE", "timeZone": "Europe/Brussels", "status": "LISTED",
        });
        let changed = changes(&host, all).await;
        assert_eq!(changed["pricePerNight"]["amount"], "99.99");
        assert_eq!(changed["amenities"], json!(["bikes", "sauna"]), "sorted, each once");
        assert_eq!((&changed["latitude"], &changed["timeZone"]), (&json!(51.05), &json!("Europe/Brussels")));
        assert_eq!(changes(&host, json!({ "id": id, "amenities": [] })).await["amenities"], json!([]));
        assert_eq!(sees(&world.stranger(), &id).await["cancellationPolicy"], "MODERATE");
    }

    async fn a_refused_change_changes_nothing_and_names_every_mistake(world: World) {
        let host = world.host("hana").await;
        let id = host.lists(json!({})).await;
        let before = sees(&host, &id).await;
        world.clock.advance(Duration::minutes(1));
        let input = json!({ "id": id, "title": "x", "maxGuests": 51, "amenities": ["Hot tub"], "timeZone": "Mars/Olympus", "latitude": 91.0,
                            "longitude": 0.0, "description": "A good description this time." });
        let answer = tries_to_change(&host, input).await;
        let fields: Vec<_> = answer["userErrors"].as_array().expect("a list").iter().map(|problem| problem["field"][0].clone()).collect();
        assert_eq!(fields, ["title", "latitude", "maxGuests", "amenities", "timeZone"]);
        assert_eq!(answer["property"], json!(null));
        assert_eq!(sees(&host, &id).await, before);
    }

    async fn only_hosts_list_properties(world: World) {
        let input = json!({ "input": crate::support::a_property(&json!({})) });
        assert_eq!(world.guest("gus").await.refusal(CREATE, input.clone()).await, "FORBIDDEN");
        assert_eq!(world.admin("ada").await.refusal(CREATE, input.clone()).await, "FORBIDDEN");
        assert_eq!(world.stranger().refusal(CREATE, input).await, "UNAUTHENTICATED");
        assert_eq!(world.number("SELECT count(*) FROM properties").await, 0);
    }

    async fn a_property_of_somebody_else_looks_like_none_to_whoever_would_change_it(world: World) {
        let host = world.host("hana").await;
        let (id, gone) = (host.lists(json!({})).await, host.lists(json!({})).await);
        assert_eq!(host.mutate_by_id("deleteProperty", &gone, "deletedId").await["deletedId"], json!(gone));
        let before = sees(&host, &id).await;
        for other in [world.host("olga").await, world.guest("gus").await] {
            let refused = tries_to_change(&other, json!({ "id": id, "title": "Mine now" })).await;
            assert_eq!(refused["userErrors"][0]["code"], "NOT_FOUND");
            assert_eq!(tries_to_change(&other, json!({ "id": gone, "title": "Mine now" })).await, refused);
            let refused = other.mutate_by_id("deleteProperty", &id, "deletedId").await;
            assert_eq!((&refused["deletedId"], &refused["userErrors"][0]["code"]), (&json!(null), &json!("NOT_FOUND")));
            assert_eq!(other.mutate_by_id("deleteProperty", &gone, "deletedId").await, refused);
        }
        assert_eq!(sees(&host, &id).await, before);
    }

    async fn an_admin_changes_nothing_but_the_status_of_a_property(world: World) {
        let host = world.host("hana").await;
        let id = host.lists(json!({})).await;
        let admin = world.admin("ada").await;
        let refused = tries_to_change(&admin, json!({ "id": id, "title": "Moderated", "status": "UNLISTED" })).await;
        assert_eq!(refused["userErrors"][0]["code"], "INVALID");
        assert_eq!(sees(&host, &id).await["status"], "LISTED");
        assert_eq!(changes(&admin, json!({ "id": id, "status": "UNLISTED" })).await["status"], "UNLISTED");
        assert_eq!(sees(&world.stranger(), &id).await, json!(null));
        assert_eq!(sees(&admin, &id).await["title"], "A room with a view");
        let deleted = admin.mutate_by_id("deleteProperty", &id, "deletedId").await;
        assert_eq!(deleted["deletedId"], json!(id));
    }

    async fn a_property_can_not_be_deleted_while_bookings_stand_and_past_ones_still_show_it(world: World) {
        let host = world.host("hana").await;
        let (id, guest) = (host.lists(json!({})).await, world.guest("gus").await);
        let booking = guest.books(&id, &world.day(1), &world.day(3)).await;
        let held = host.mutate_by_id("deleteProperty", &id, "deletedId").await;
        assert_eq!(held["userErrors"][0]["code"], "WRONG_STATE", "somebody holds it");
        guest.pays(&booking).await;
        let confirmed = host.mutate_by_id("deleteProperty", &id, "deletedId").await;
        assert_eq!((&confirmed["deletedId"], &confirmed["userErrors"][0]["code"]), (&json!(null), &json!("WRONG_STATE")));
        assert!(sees(&world.stranger(), &id).await.is_object());
        world.clock.advance(Duration::days(3));
        world.background_round().await;
        guest.books(&id, &world.day(1), &world.day(3)).await;
        world.clock.advance(Duration::minutes(15));

        let deleted = host.mutate_by_id("deleteProperty", &id, "deletedId").await;
        assert_eq!(deleted["deletedId"], json!(id), "a lapsed hold stands in nobody's way");
        for who in [&host, &guest, &world.stranger(), &world.admin("ada").await] {
            assert_eq!(sees(who, &id).await, json!(null));
            let found = who.get("{ properties { totalCount nodes { id } } }", json!({})).await;
            assert_eq!(found["properties"], json!({ "totalCount": 0, "nodes": [] }));
            assert_eq!(listed_by(who, &host).await, (vec![], json!(0)));
        }
        let query = "query($id: ID!) { booking(id: $id) { status property { id title host { fullName } } } }";
        for who in [&guest, &host] {
            let past = who.get(query, json!({ "id": booking["id"] })).await;
            assert_eq!(past["booking"], json!({
                "status": "COMPLETED", "property": { "id": id, "title": "A room with a view", "host": { "fullName": "hana" } },
            }));
        }
        assert_eq!(guest.tries_to_book(&id, &world.day(9), &world.day(10)).await["userErrors"][0]["code"], "NOT_FOUND");
        assert_eq!(tries_to_change(&host, json!({ "id": id, "status": "LISTED" })).await["userErrors"][0]["code"], "NOT_FOUND");
    }

    async fn drafts_and_unlisted_properties_are_seen_by_their_host_and_admins_alone(world: World) {
        let host = world.host("hana").await;
        let mut hidden = Vec::new();
        for status in ["DRAFT", "UNLISTED"] {
            hidden.push(host.lists(json!({ "status": status, "title": format!("A {status}") })).await);
        }
        host.lists(json!({ "title": "For all" })).await;
        for who in [&world.stranger(), &world.guest("gus").await, &world.host("olga").await] {
            for id in &hidden {
                assert_eq!(sees(who, id).await, json!(null));
                let node = who.get("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": [id] })).await;
                assert_eq!(node["nodes"], json!([null]));
            }
            assert_eq!(listed_by(who, &host).await, (vec![json!("For all")], json!(1)));
        }
        for who in [&host, &world.admin("ada").await] {
            assert_eq!(sees(who, &hidden[0]).await["status"], "DRAFT");
            assert_eq!(sees(who, &hidden[1]).await["status"], "UNLISTED");
            assert_eq!(listed_by(who, &host).await, (vec![json!("For all"), json!("A UNLISTED"), json!("A DRAFT")], json!(3)));
            let found = who.get("{ properties { totalCount nodes { title } } }", json!({})).await;
            assert_eq!(found["properties"], json!({ "totalCount": 1, "nodes": [{ "title": "For all" }] }), "search shows what is listed");
        }
        assert_eq!(quote(&host, &hidden[0], &world.day(1), &world.day(2), 1).await["problems"][0]["code"], "WRONG_STATE");
    }

    async fn what_is_not_listed_can_not_be_booked_and_standing_bookings_keep_it(world: World) {
        let host = world.host("hana").await;
        let (id, guest) = (host.lists(json!({})).await, world.guest("gus").await);
        let booking = guest.books(&id, &world.day(1), &world.day(3)).await;
        for status in ["UNLISTED", "DRAFT"] {
            changes(&host, json!({ "id": id, "status": status })).await;
            let refused = guest.tries_to_book(&id, &world.day(5), &world.day(6)).await;
            assert_eq!((&refused["userErrors"][0]["code"], &refused["userErrors"][0]["field"]), (&json!("NOT_FOUND"), &json!(["propertyId"])));
        }
        guest.pays(&booking).await;
        let query = "query($id: ID!) { booking(id: $id) { status property { title } } }";
        let kept = guest.get(query, json!({ "id": booking["id"] })).await;
        assert_eq!(kept["booking"], json!({ "status": "CONFIRMED", "property": { "title": "A room with a view" } }));
        changes(&host, json!({ "id": id, "status": "LISTED" })).await;
        guest.books(&id, &world.day(5), &world.day(6)).await;
    }

    async fn the_calendar_marks_taken_and_past_nights(world: World) {
        let id = world.host("hana").await.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let booking = guest.books(&id, &world.day(1), &world.day(3)).await;
        let calendar = async || {
            let variables = json!({ "id": id, "from": world.day(-2), "to": world.day(5) });
            world.stranger().get(CALENDAR, variables).await["property"]["calendar"].take()
        };
        let shown = calendar().await;
        let free: Vec<_> = shown.as_array().expect("nights").iter().map(|night| night["available"].as_bool()).collect();
        assert_eq!(free, [false, false, true, false, false, true, true].map(Some));
        assert_eq!(shown[0], json!({ "date": "2027-03-08", "available": false, "price": { "amount": "100.00" } }));
        assert_eq!(shown[6]["date"], "2027-03-14");
        guest.mutate_by_id("cancelBooking", booking["id"].as_str().expect("an id"), "booking { id }").await;
        assert_eq!(calendar().await[3]["available"], true, "a cancelled booking frees its nights");
        guest.books(&id, &world.day(1), &world.day(3)).await;
        assert_eq!(calendar().await[3]["available"], false);
        world.clock.advance(Duration::minutes(15));
        assert_eq!(calendar().await[3]["available"], true, "so does a lapsed hold, before any job has run");
    }

    async fn a_calendar_shows_at_most_366_nights(world: World) {
        let id = world.host("hana").await.lists(json!({})).await;
        let range = |from, to| json!({ "id": id, "from": world.day(from), "to": world.day(to) });
        let year = world.stranger().get(CALENDAR, range(0, 366)).await;
        assert_eq!(year["property"]["calendar"].as_array().map(Vec::len), Some(366));
        for (from, to) in [(0, 367), (0, 0), (1, 0), (0, 100_000)] {
            assert_eq!(world.stranger().refusal(CALENDAR, range(from, to)).await, "BAD_USER_INPUT", "{from} to {to}");
        }
    }

    async fn a_quote_says_why_a_stay_can_not_be_booked(world: World) {
        let id = world.host("hana").await.lists(json!({})).await;
        let (guest, day) = (world.guest("gus").await, |ahead| world.day(ahead));
        guest.books(&id, &day(10), &day(12)).await;
        let stranger = world.stranger();
        let refused = async |from, to, guests| problem(&stranger, &id, &day(from), &day(to), guests).await;
        let invalid = |field: &str| (json!([field]), json!("INVALID"));
        assert_eq!(refused(1, 2, 5).await, (json!(["guests"]), json!("TOO_MANY_GUESTS")));
        assert_eq!(refused(1, 2, 0).await, invalid("guests"));
        assert_eq!(refused(11, 13, 1).await, (json!([]), json!("DATES_UNAVAILABLE")));
        assert_eq!(refused(5, 4, 1).await, invalid("checkOut"));
        assert_eq!(refused(5, 5, 1).await, invalid("checkOut"));
        assert_eq!(refused(-1, 1, 1).await, invalid("checkIn"));
        assert_eq!(refused(20, 386, 1).await, invalid("checkOut"), "366 nights");
        assert_eq!(refused(729, 731, 1).await, invalid("checkOut"), "731 days ahead");
        let both = quote(&stranger, &id, &day(9), &day(11), 9).await;
        let codes: Vec<_> = both["problems"].as_array().expect("a list").iter().map(|problem| problem["code"].clone()).collect();
        assert_eq!(codes, ["TOO_MANY_GUESTS", "DATES_UNAVAILABLE"]);
        assert_eq!((&both["nights"], &both["total"]["amount"]), (&json!(2), &json!("220.00")), "the price is told all the same");
        for (from, to, nights) in [(0, 1, 1), (20, 385, 365), (729, 730, 1), (12, 13, 1), (9, 10, 1)] {
            let quote = quote(&stranger, &id, &day(from), &day(to), 4).await;
            assert_eq!((&quote["available"], &quote["problems"], &quote["nights"]), (&json!(true), &json!([]), &json!(nights)));
        }
    }

    async fn today_is_the_one_at_the_property(world: World) {
        let (host, guest) = (world.host("hana").await, world.guest("gus").await);
        let auckland = host.lists(json!({ "timeZone": "Pacific/Auckland" })).await;
        let angeles = host.lists(json!({ "timeZone": "America/Los_Angeles" })).await;
        let past = (json!(["checkIn"]), json!("INVALID"));
        let tonight = async |id: &str, date: &str| {
            let night = world.stranger().get(CALENDAR, json!({ "id": id, "from": date, "to": "2027-03-20" })).await;
            let free = quote(&world.stranger(), id, date, "2027-03-20", 1).await["available"].take();
            assert_eq!(night["property"]["calendar"][0]["available"], free, "calendar and quote agree");
            free
        };
        // Noon of 10 March in London: 01:00 of the 11th in Auckland, 04:00 of the 10th in Los Angeles.
        assert_eq!(problem(&world.stranger(), &auckland, "2027-03-10", "2027-03-12", 1).await, past);
        assert_eq!(tonight(&auckland, "2027-03-10").await, false);
        assert_eq!(tonight(&auckland, "2027-03-11").await, true);
        assert_eq!(tonight(&angeles, "2027-03-10").await, true);
        assert_eq!(guest.tries_to_book(&auckland, "2027-03-10", "2027-03-12").await["userErrors"][0]["code"], "INVALID");

        world.clock.advance(Duration::hours(20) - Duration::seconds(1));
        assert_eq!(tonight(&angeles, "2027-03-10").await, true, "a second before midnight in Los Angeles");
        world.clock.advance(Duration::seconds(1));
        assert_eq!(tonight(&angeles, "2027-03-10").await, false);
        assert_eq!(problem(&world.stranger(), &angeles, "2027-03-10", "2027-03-12", 1).await, past);
        assert_eq!(tonight(&angeles, "2027-03-11").await, true);
        assert_eq!(tonight(&auckland, "2027-03-11").await, true);
        world.clock.advance(Duration::hours(3));
        assert_eq!(tonight(&auckland, "2027-03-11").await, false, "midnight in Auckland");
        guest.books(&angeles, "2027-03-11", "2027-03-12").await;
    }
}

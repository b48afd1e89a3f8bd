//! Search, quote and booking go by one rule: what is found can be booked, and what can be booked is found.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use rand::{RngExt as _, SeedableRng as _, rngs::Xoshiro256PlusPlus, seq::IndexedRandom as _};
use serde_json::{Value, json};
use staygate::domain::clock::{Clock as _, local_date};

use crate::support::{Client, World, on_both_engines};

const FIND: &str = "query($filter: PropertyFilter) { properties(filter: $filter, first: 100) { totalCount nodes { id } } }";
const QUOTE: &str = "query($id: ID!, $checkIn: Date!, $checkOut: Date!, $guests: Int!) {
    property(id: $id) { quote(checkIn: $checkIn, checkOut: $checkOut, guests: $guests) { available } } }";

/// Both ends of the world, a half hour, and a zone that changes its clocks a few days after the test begins.
const ZONES: [&str; 7] = [
    "UTC",
    "Pacific/Kiritimati",
    "Etc/GMT+12",
    "Pacific/Pago_Pago",
    "Asia/Kathmandu",
    "America/New_York",
    "Asia/Tokyo",
];

/// Properties of one host, each with its zone. Their keys are the numbers from 1.
async fn a_few_properties(
    host: &Client,
    rng: &mut Xoshiro256PlusPlus,
) -> Vec<(String, &'static str)> {
    let mut properties = Vec::new();
    for number in 0..28 {
        let zone = ZONES[number % ZONES.len()];
        let (shortest, longest) = ([1, 1, 2, 5].choose(rng), [6, 30, 365].choose(rng));
        let notice = [0, 0, 0, 1, 2, 7, 365].choose(rng);
        let preparation = [0, 0, 1, 3].choose(rng);
        let property = json!({
            "title": format!("Property {number}"), "timeZone": zone, "maxGuests": rng.random_range(1..=4),
            "minNights": shortest, "maxNights": longest, "advanceNoticeDays": notice, "preparationDays": preparation,
            "status": if number % 9 == 8 { "UNLISTED" } else { "LISTED" },
        });
        properties.push((host.lists(property).await, zone));
    }
    properties
}

/// A stay that is near what is asked of one: today somewhere, or as far ahead as can be.
fn a_stay(now: DateTime<Utc>, rng: &mut Xoshiro256PlusPlus) -> (NaiveDate, NaiveDate) {
    let zone: chrono_tz::Tz = ZONES.choose(rng).expect("one").parse().expect("a zone");
    let today = local_date(now, zone);
    let nights = *[1, 1, 2, 2, 3, 5, 6, 7, 30, 31, 365]
        .choose(rng)
        .expect("one");
    let ahead = match rng.random_range(0..10) {
        0..3 => rng.random_range(-1..=2),
        3..8 => rng.random_range(0..=12),
        8 => rng.random_range(363..=367),
        _ => 730 - nights + rng.random_range(-1..=1),
    };
    let check_in = today + Duration::days(ahead);
    (check_in, check_in + Duration::days(nights))
}

/// Of some properties, a night in a stay or near it is closed or opened by the host, or taken by another calendar.
async fn nights_are_taken(
    world: &World,
    host: &Client,
    properties: &[(String, &'static str)],
    (from, to): (NaiveDate, NaiveDate),
    rng: &mut Xoshiro256PlusPlus,
) {
    for (key, (id, _)) in (1..).zip(properties) {
        let near = (to - from).num_days().min(7) + 2;
        let night = from + Duration::days(rng.random_range(-3..=near));
        match rng.random_range(0..8) {
            opened @ 0..=1 => {
                let input = json!({ "propertyId": id, "from": night, "to": night + Duration::days(1), "available": opened == 1 });
                // What is past or booked is refused.
                host.mutate(
                    "updateCalendar",
                    "UpdateCalendarInput!",
                    input,
                    "property { id }",
                )
                .await;
            }
            2 => {
                let sql = format!(
                    "INSERT INTO nights (property_id, night, kind) VALUES ({key}, '{night}', 'FEED') ON CONFLICT DO NOTHING"
                );
                world.meddles(&sql).await.expect("a night");
            }
            _ => {}
        }
    }
}

async fn tries_to_book(
    guest: &Client,
    id: &str,
    from: NaiveDate,
    to: NaiveDate,
    guests: i64,
) -> Value {
    let input = json!({ "propertyId": id, "checkIn": from, "checkOut": to, "guests": guests });
    guest
        .mutate(
            "createBooking",
            "CreateBookingInput!",
            input,
            "booking { id }",
        )
        .await
}

on_both_engines! {
    async fn what_is_found_for_a_stay_is_what_can_be_booked_of_every_property(world: World) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(20_270_310);
        let host = world.host("hana").await;
        let properties = a_few_properties(&host, &mut rng).await;
        let guest = world.guest("gus").await;
        let (mut available, mut taken) = (0, 0);
        for round in 0..24 {
            world.clock.advance(Duration::minutes(rng.random_range(1..=500)));
            let (from, to) = a_stay(world.clock.now(), &mut rng);
            nights_are_taken(&world, &host, &properties, (from, to), &mut rng).await;
            let guests = rng.random_range(1..=5);
            let filter = json!({ "checkIn": from, "checkOut": to, "guests": guests });
            let answer = world.stranger().ask(FIND, json!({ "filter": filter })).await;
            let refused = answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT";
            let found = &answer["data"]["properties"];
            let ids: Vec<&str> = found["nodes"].as_array().map(|nodes| nodes.iter().filter_map(|node| node["id"].as_str()).collect()).unwrap_or_default();
            assert!(refused || found["totalCount"] == json!(ids.len()), "{answer}");
            for (id, zone) in &properties {
                let said = || format!("round {round}: {from} to {to} for {guests}, {zone}, {}", world.clock.now());
                let quote = world.stranger().ask(QUOTE, json!({ "id": id, "checkIn": from, "checkOut": to, "guests": guests })).await;
                let free = quote["data"]["property"]["quote"]["available"] == true;
                assert_eq!(ids.contains(&id.as_str()), free, "search and quote: {} {quote}", said());
                // A booking that succeeds changes what the others are asked of only for its own property.
                let booked = tries_to_book(&guest, id, from, to, guests).await;
                assert_eq!(booked["userErrors"] == json!([]), free, "quote and booking: {} {quote} {booked}", said());
                if !free {
                    taken += 1;
                    continue;
                }
                available += 1;
                // Some are paid, some wait until they lapse, some are taken back.
                match rng.random_range(0..3) {
                    0 => drop(guest.pays(&booked["booking"]).await),
                    1 => drop(guest.mutate_by_id("cancelBooking", booked["booking"]["id"].as_str().expect("an id"), "booking { id }").await),
                    _ => {}
                }
            }
        }
        assert!(available > 40 && taken > 200, "both were seen: {available} and {taken}");
        for kind in ["BLOCK", "FEED"] {
            let nights = world.number(&format!("SELECT count(*) FROM nights WHERE kind = '{kind}'")).await;
            assert!(nights > 20, "{nights} of {kind}");
        }
    }
}

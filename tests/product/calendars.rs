//! Calendars to and from other platforms.

mod export;
mod fetching;
mod hosting;
mod import;

use serde_json::{Value, json};

use crate::support::Client;

const FEED: &str = "id name url createdAt lastSyncedAt health problem nightCount conflicts";

/// Tries to import a calendar; gives the payload.
async fn tries_to_add(host: &Client, property: &str, url: &str) -> Value {
    let input = json!({ "propertyId": property, "url": url, "name": "Elsewhere" });
    let selection = format!("feed {{ {FEED} }}");
    host.mutate(
        "addCalendarFeed",
        "AddCalendarFeedInput!",
        input,
        &selection,
    )
    .await
}

/// Imports a calendar; gives the feed.
async fn adds(host: &Client, property: &str, url: &str) -> Value {
    let mut added = tries_to_add(host, property, url).await;
    assert_eq!(added["userErrors"], json!([]), "adding a feed");
    added["feed"].take()
}

/// The host blocks nights, or opens them.
async fn sets(host: &Client, property: &str, from: &str, to: &str, available: bool) {
    let input = json!({ "propertyId": property, "from": from, "to": to, "available": available });
    let set = host.mutate("updateCalendar", "UpdateCalendarInput!", input, "");
    assert_eq!(set.await["userErrors"], json!([]), "setting nights");
}

/// What somebody sees of a property's feeds.
async fn feeds(client: &Client, property: &str) -> Value {
    let query = format!("query($id: ID!) {{ property(id: $id) {{ calendarFeeds {{ {FEED} }} }} }}");
    let mut seen = client.get(&query, json!({ "id": property })).await;
    seen["property"]["calendarFeeds"].take()
}

/// The only feed of a property.
async fn feed(host: &Client, property: &str) -> Value {
    let mut all = feeds(host, property).await;
    assert_eq!(all.as_array().map(Vec::len), Some(1), "one feed");
    all[0].take()
}

/// The nights of `[from, to)` that can't be booked.
async fn taken(client: &Client, property: &str, from: &str, to: &str) -> Vec<String> {
    let query = "query($id: ID!, $from: Date!, $to: Date!) {
        property(id: $id) { calendar(from: $from, to: $to) { date available } } }";
    let variables = json!({ "id": property, "from": from, "to": to });
    let seen = client.get(query, variables).await;
    let nights = seen["property"]["calendar"].as_array().expect("nights");
    let taken = nights.iter().filter(|night| night["available"] == false);
    taken
        .map(|night| night["date"].as_str().expect("a date").to_owned())
        .collect()
}

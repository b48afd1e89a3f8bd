//! A property's calendar, as other platforms get it.

use chrono::Duration;
use icalendar::{Calendar, Component as _};
use reqwest::{Method, Response, header};
use serde_json::{Value, json};

use crate::support::{Client, Elsewhere, on_both_engines};

/// Makes a new address for a property's calendar; gives its path.
async fn publishes(host: &Client, property: &str) -> String {
    let published = tries_to_publish(host, property).await;
    assert_eq!(published["userErrors"], json!([]), "publishing");
    path(&published["property"]["calendarUrl"])
}

async fn tries_to_publish(client: &Client, property: &str) -> Value {
    let publish = "mutation($id: ID!) { publishCalendar(propertyId: $id) {
        property { calendarUrl } userErrors { field code message } } }";
    client.get(publish, json!({ "id": property })).await["publishCalendar"].take()
}

fn path(url: &Value) -> String {
    let url = url.as_str().expect("an address");
    let path = url
        .strip_prefix("http://127.0.0.1:8000")
        .expect("the site's address");
    path.to_owned()
}

async fn fetches(client: &Client, path: &str) -> Response {
    client
        .request(Method::GET, path)
        .send()
        .await
        .expect("an answer")
}

/// The entries of a file, as a strict reader has them: `SUMMARY from to`.
fn entries(file: &str) -> Vec<String> {
    assert!(
        file.split("\r\n")
            .all(|line| line.len() <= 75 && !line.contains('\n')),
        "{file}"
    );
    let calendar: Calendar = file.parse().expect("a calendar");
    assert_eq!(calendar.property_value("VERSION"), Some("2.0"));
    assert!(calendar.property_value("PRODID").is_some());
    let mut entries: Vec<_> = calendar
        .events()
        .map(|event| {
            assert!(
                event.get_uid().is_some() && event.get_timestamp().is_some(),
                "{file}"
            );
            let date = |date: Option<icalendar::DatePerhapsTime>| match date {
                Some(icalendar::DatePerhapsTime::Date(date)) => date,
                other => panic!("{other:?} is no date"),
            };
            let (from, to) = (date(event.get_start()), date(event.get_end()));
            format!("{} {from} {to}", event.get_summary().expect("a summary"))
        })
        .collect();
    entries.sort_by_key(|entry| entry.split(' ').rev().nth(1).map(str::to_owned));
    entries
}

on_both_engines! {
    async fn a_calendar_is_shown_to_whoever_has_its_address_until_there_is_another(world: World) {
        let (host, stranger) = (world.host("hana").await, world.stranger());
        let property = host.lists(json!({})).await;
        let url = "query($id: ID!) { property(id: $id) { calendarUrl } }";
        let shown = async |client: &Client| {
            client.get(url, json!({ "id": property })).await["property"]["calendarUrl"].take()
        };
        assert_eq!(shown(&host).await, Value::Null, "not before it is published");

        let first = publishes(&host, &property).await;
        assert!(first.starts_with("/calendars/"));
        // 128 bits are 22 characters.
        assert!(first.len() >= "/calendars/.ics".len() + 22, "{first}");
        assert_eq!(path(&shown(&host).await), first);
        for other in [&world.guest("gus").await, &world.host("otto").await, &world.admin("ada").await, &stranger] {
            assert_eq!(shown(other).await, Value::Null);
        }

        let answer = fetches(&stranger, &first).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/calendar; charset=utf-8");
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "private, max-age=300");
        let head = stranger.request(Method::HEAD, &first).send().await.expect("an answer");
        assert_eq!((head.status().as_u16(), head.headers().get(header::ETAG)), (200, answer.headers().get(header::ETAG)));
        assert_eq!(head.text().await.expect("nothing"), "");

        let second = publishes(&host, &property).await;
        assert_ne!(first, second);
        assert_eq!(fetches(&stranger, &first).await.status(), 404, "the former address leads nowhere");
        assert_eq!(fetches(&stranger, &second).await.status(), 200);
        for wrong in ["/calendars/x.ics", "/calendars/.ics", "/calendars/%00.ics", &second.replace(".ics", ""), &format!("{second}x")] {
            assert_eq!(fetches(&stranger, wrong).await.status(), 404, "{wrong}");
        }
        host.mutate_by_id("deleteProperty", &property, "deletedId").await;
        assert_eq!(fetches(&stranger, &second).await.status(), 404);
    }

    async fn only_its_host_publishes_a_calendar(world: World) {
        let property = world.host("hana").await.lists(json!({})).await;
        for other in [world.guest("gus").await, world.host("otto").await, world.admin("ada").await] {
            let refused = tries_to_publish(&other, &property).await;
            assert_eq!(refused["userErrors"][0]["code"], "NOT_FOUND", "{refused}");
            assert_eq!(refused["property"], Value::Null);
        }
    }

    async fn a_calendar_that_has_not_changed_is_not_sent_again(world: World) {
        let (host, stranger) = (world.host("hana").await, world.stranger());
        let property = host.lists(json!({})).await;
        let path = publishes(&host, &property).await;
        let answer = fetches(&stranger, &path).await;
        let tag = answer.headers()[header::ETAG].clone();
        world.clock.advance(Duration::hours(1));
        let again = async |tags: &str| {
            let request = stranger.request(Method::GET, &path).header(header::IF_NONE_MATCH, tags);
            request.send().await.expect("an answer")
        };
        let tag = tag.to_str().expect("text");
        let strong = tag.trim_start_matches("W/");
        for known in [tag, strong, "*", &format!("\"x\", {tag}")] {
            let answer = again(known).await;
            assert_eq!(answer.status(), 304, "{known}");
            assert_eq!(answer.headers()[header::ETAG], tag);
            assert_eq!(answer.text().await.expect("nothing"), "");
        }
        assert_eq!(again("\"x\"").await.status(), 200);
        world.guest("gus").await.books(&property, &world.day(3), &world.day(5)).await;
        assert_eq!(again(tag).await.status(), 200, "it has changed");
    }

    async fn an_exported_calendar_has_what_is_taken_here_and_not_by_whom(world: World) {
        let (host, gus, olga) = (world.host("hana").await, world.guest("gus").await, world.guest("olga").await);
        let title = "Häuschen; by the sea, with a \\ in its name and a good many words more than one line of such a file has";
        let property = host.lists(json!({ "title": title, "preparationDays": 1 })).await;
        let path = publishes(&host, &property).await;
        let elsewhere = Elsewhere::start().await;
        elsewhere.has(&[(world.day(30), world.day(33))]);
        super::adds(&host, &property, &elsewhere.url("a.ics")).await;
        let paid = gus.books(&property, &world.day(3), &world.day(5)).await;
        gus.pays(&paid).await;
        // It lapses before the file is fetched, though nothing has swept it.
        olga.books(&property, &world.day(10), &world.day(12)).await;
        world.background_round().await;
        world.clock.advance(Duration::minutes(20));
        olga.books(&property, &world.day(20), &world.day(22)).await;
        super::sets(&host, &property, &world.day(15), &world.day(17), false).await;

        let file = fetches(&world.stranger(), &path).await.text().await.expect("a file");
        let day = |ahead| world.day(ahead);
        assert_eq!(entries(&file), [
            format!("Not available {} {}", day(2), day(3)),
            format!("Reserved {} {}", day(3), day(5)),
            format!("Not available {} {}", day(5), day(6)),
            format!("Not available {} {}", day(15), day(17)),
            format!("Not available {} {}", day(19), day(20)),
            format!("Reserved {} {}", day(20), day(22)),
            format!("Not available {} {}", day(22), day(23)),
        ], "neither the lapsed hold nor what was imported");
        for private in ["gus", "olga", "hana", "example.com", "Somebody"] {
            assert!(!file.contains(private), "{private} is in {file}");
        }
        let calendar: Calendar = file.parse().expect("a calendar");
        assert_eq!(calendar.property_value("X-WR-CALNAME"), Some(title));
    }

    async fn an_exported_calendar_reaches_from_a_month_ago_to_two_years_ahead(world: World) {
        let (host, gus) = (world.host("hana").await, world.guest("gus").await);
        let property = host.lists(json!({})).await;
        let path = publishes(&host, &property).await;
        let first = gus.books(&property, &world.day(0), &world.day(2)).await;
        gus.pays(&first).await;
        let last = gus.books(&property, &world.day(729), &world.day(730)).await;
        gus.pays(&last).await;
        let dates = |booking: &Value| format!("Reserved {} {}", booking["checkIn"], booking["checkOut"]).replace('"', "");
        let seen = async || entries(&fetches(&world.stranger(), &path).await.text().await.expect("a file"));
        assert_eq!(seen().await, [dates(&first), dates(&last)]);
        world.clock.advance(Duration::days(31));
        assert_eq!(seen().await, [dates(&first), dates(&last)], "its last night was 30 days ago");
        world.clock.advance(Duration::days(1));
        assert_eq!(seen().await, [dates(&last)]);
    }
}

//! Nights of other platforms in the calendar here.

use chrono::Duration;
use serde_json::{Value, json};

use super::{adds, feed, feeds, taken, tries_to_add};
use crate::support::{Client, Elsewhere, World, on_both_engines};

/// The kinds of the nights in the ledger, oldest night first.
async fn ledger(world: &World, kind: &str) -> i64 {
    world
        .number(&format!(
            "SELECT count(*) FROM nights WHERE kind = '{kind}'"
        ))
        .await
}

/// What another platform does to its calendar.
type Change<'c> = &'c dyn Fn(&Elsewhere);

/// Half an hour goes by, and what is due is done.
async fn half_an_hour(world: &World) {
    world.clock.advance(Duration::minutes(30));
    world.background_round().await;
}

async fn hanas(world: &World) -> (Client, String, Elsewhere) {
    let host = world.host("hana").await;
    let property = host.lists(json!({})).await;
    (host, property, Elsewhere::start().await)
}

on_both_engines! {
    async fn nights_of_another_platform_are_taken_here_until_it_lets_go_of_them(world: World) {
        let (host, property, elsewhere) = hanas(&world).await;
        let day = |ahead| world.day(ahead);
        elsewhere.has(&[(day(3), day(5)), (day(10), day(11))]);
        let added = adds(&host, &property, &elsewhere.url("a.ics")).await;
        assert_eq!((&added["health"], &added["lastSyncedAt"]), (&json!("PENDING"), &Value::Null));
        assert!(elsewhere.requests().is_empty(), "who adds it does not wait for it");
        world.background_round().await;
        let seen = feed(&host, &property).await;
        assert_eq!((&seen["health"], &seen["nightCount"], &seen["problem"]), (&json!("OK"), &json!(3), &Value::Null));
        assert_eq!(seen["lastSyncedAt"], "2027-03-10T12:00:00Z");
        assert_eq!(taken(&host, &property, &day(0), &day(20)).await, [day(3), day(4), day(10)]);
        let refused = world.guest("gus").await.tries_to_book(&property, &day(4), &day(6)).await;
        assert_eq!(refused["userErrors"][0]["code"], "DATES_UNAVAILABLE");

        elsewhere.has(&[(day(4), day(6))]);
        world.background_round().await;
        assert_eq!(elsewhere.requests().len(), 1, "it is not asked again at once");
        half_an_hour(&world).await;
        assert_eq!(taken(&host, &property, &day(0), &day(20)).await, [day(4), day(5)]);

        let removed = host.mutate_by_id("removeCalendarFeed", added["id"].as_str().expect("an id"), "deletedId").await;
        assert_eq!(removed["deletedId"], added["id"]);
        assert_eq!(taken(&host, &property, &day(0), &day(20)).await, [""; 0]);
        assert_eq!(feeds(&host, &property).await, json!([]));
        half_an_hour(&world).await;
        assert_eq!(elsewhere.requests().len(), 2, "nobody asks for it any more");
        let lines = world.number("SELECT count(*) FROM audit_entries WHERE action LIKE 'calendar_feed.%'").await;
        assert_eq!(lines, 4, "added, synced twice, removed");
    }

    async fn a_night_that_two_calendars_have_is_taken_until_both_let_go_of_it(world: World) {
        let (host, property, one) = hanas(&world).await;
        let other = Elsewhere::start().await;
        let day = |ahead| world.day(ahead);
        one.has(&[(day(3), day(6))]);
        other.has(&[(day(5), day(8))]);
        adds(&host, &property, &one.url("a.ics")).await;
        let second = adds(&host, &property, &other.url("a.ics")).await;
        world.background_round().await;
        assert_eq!(taken(&host, &property, &day(0), &day(20)).await, [3, 4, 5, 6, 7].map(day));
        one.has(&[]);
        half_an_hour(&world).await;
        assert_eq!(taken(&host, &property, &day(0), &day(20)).await, [5, 6, 7].map(day));
        one.has(&[(day(7), day(9))]);
        half_an_hour(&world).await;
        host.mutate_by_id("removeCalendarFeed", second["id"].as_str().expect("an id"), "").await;
        assert_eq!(taken(&host, &property, &day(0), &day(20)).await, [7, 8].map(day));
    }

    async fn a_calendar_that_says_it_has_not_changed_is_not_sent_and_is_read_again_after_a_day(world: World) {
        let (host, property, elsewhere) = hanas(&world).await;
        let body = crate::support::calendar(&[(world.day(3), world.day(5))]);
        elsewhere.sends_as("text/calendar", &body, Some("\"one\""));
        adds(&host, &property, &elsewhere.url("a.ics")).await;
        world.background_round().await;
        half_an_hour(&world).await;
        let asked = elsewhere.requests();
        assert_eq!(asked.len(), 2);
        assert_eq!((asked[0].get("if-none-match"), &asked[1]["if-none-match"]), (None, &"\"one\"".parse().expect("a tag")));
        let seen = feed(&host, &property).await;
        assert_eq!((&seen["health"], &seen["nightCount"]), (&json!("OK"), &json!(2)));
        assert_eq!(seen["lastSyncedAt"], "2027-03-10T12:30:00Z");
        world.clock.advance(Duration::hours(24));
        world.background_round().await;
        assert_eq!(elsewhere.requests()[2].get("if-none-match"), None, "nights come into view");
        assert_eq!(feed(&host, &property).await["health"], "OK");
    }

    async fn a_calendar_that_fails_keeps_its_nights_and_is_asked_less_often(world: World) {
        let (host, property, elsewhere) = hanas(&world).await;
        let day = |ahead| world.day(ahead);
        let stays = [(day(3), day(5))];
        elsewhere.has(&stays);
        adds(&host, &property, &elsewhere.url("a.ics")).await;
        world.background_round().await;
        let whole = crate::support::calendar(&stays);
        let failures: [(Change<'_>, &str); 6] = [
            (&|it| it.fails_with(404), "The server answered with the status 404."),
            (&|it| it.fails_with(500), "The server answered with the status 500."),
            (&|it| it.sends("<!doctype html><h1>Sign in"), "What the server sent is no calendar."),
            (&|it| it.sends(""), "What the server sent is no calendar."),
            (&|it| it.sends(&whole.replace("END:VCALENDAR", "")), "The calendar is cut off: its end is missing."),
            (&|it| it.fails_with(304), "The server answered with the status 304."),
        ];
        let mut wait = 30;
        for (n, (fails, problem)) in failures.iter().enumerate() {
            fails(&elsewhere);
            world.clock.advance(Duration::minutes(wait) - Duration::seconds(1));
            world.background_round().await;
            assert_eq!(elsewhere.requests().len(), n + 1, "not before {wait} minutes");
            world.clock.advance(Duration::seconds(1));
            world.background_round().await;
            let seen = feed(&host, &property).await;
            assert_eq!((&seen["health"], &seen["problem"]), (&json!("FAILING"), &json!(problem)));
            assert_eq!(seen["lastSyncedAt"], "2027-03-10T12:00:00Z");
            assert_eq!(taken(&host, &property, &day(0), &day(20)).await, [3, 4].map(day));
            wait = 5 << n;
        }
        elsewhere.has(&[]);
        world.clock.advance(Duration::hours(6));
        world.background_round().await;
        let seen = feed(&host, &property).await;
        assert_eq!((&seen["health"], &seen["problem"], &seen["nightCount"]), (&json!("OK"), &Value::Null, &json!(0)));
        assert_eq!(taken(&host, &property, &day(0), &day(20)).await, [""; 0], "an empty calendar is one");
    }

    async fn a_night_that_is_booked_here_and_there_is_reported_and_never_overwritten(world: World) {
        let (_, _, elsewhere) = hanas(&world).await;
        let address = world.address("helena");
        let input = json!({ "fullName": "Helena", "email": address, "password": "a good password", "role": "HOST" });
        let host = world.stranger().sign_up(input).await;
        let property = host.lists(json!({ "title": "The mill" })).await;
        let gus = world.guest("gus").await;
        let day = |ahead| world.day(ahead);
        let booking = gus.books(&property, &day(3), &day(6)).await;
        gus.pays(&booking).await;
        elsewhere.has(&[(day(5), day(8))]);
        adds(&host, &property, &elsewhere.url("a.ics")).await;
        let letters = async || {
            let mails = world.mails_to(&address).await;
            let about = mails.into_iter().filter(|mail| mail.subject.contains("taken twice"));
            about.collect::<Vec<_>>()
        };
        let mails = letters().await;
        assert_eq!(mails.len(), 1);
        assert!(mails[0].text.contains("The mill") && mails[0].text.contains(&day(5)), "{}", mails[0].text);
        let seen = feed(&host, &property).await;
        assert_eq!((&seen["conflicts"], &seen["health"], &seen["nightCount"]), (&json!([day(5)]), &json!("OK"), &json!(3)));
        assert_eq!(gus.sees(&booking).await["status"], "CONFIRMED");
        assert_eq!((ledger(&world, "BOOKING").await, ledger(&world, "FEED").await), (3, 2));
        half_an_hour(&world).await;
        assert_eq!(letters().await.len(), 1, "it is the same conflict still");

        gus.mutate_by_id("cancelBooking", booking["id"].as_str().expect("an id"), "booking { id }").await;
        let seen = feed(&host, &property).await;
        assert_eq!(seen["conflicts"], json!([]));
        assert_eq!(taken(&host, &property, &day(0), &day(20)).await, [5, 6, 7].map(day), "the night is the other side's");
        elsewhere.has(&[]);
        half_an_hour(&world).await;
        assert_eq!((ledger(&world, "BOOKING").await, ledger(&world, "FEED").await), (0, 0));
    }

    async fn a_lapsed_hold_is_no_conflict_and_its_nights_go_to_the_other_platform(world: World) {
        let (host, property, elsewhere) = hanas(&world).await;
        let gus = world.guest("gus").await;
        let day = |ahead| world.day(ahead);
        let booking = gus.books(&property, &day(3), &day(5)).await;
        world.clock.advance(Duration::minutes(20));
        elsewhere.has(&[(day(4), day(6))]);
        adds(&host, &property, &elsewhere.url("a.ics")).await;
        world.app.services.feeds.sync_due().await.expect("a sync");
        assert_eq!(gus.sees(&booking).await["cancellationReason"], "PAYMENT_EXPIRED");
        assert_eq!(feed(&host, &property).await["conflicts"], json!([]));
        assert_eq!(taken(&host, &property, &day(0), &day(20)).await, [4, 5].map(day));
    }

    async fn a_block_of_the_hosts_stays_a_block_until_the_host_opens_it(world: World) {
        let (host, property, elsewhere) = hanas(&world).await;
        let day = |ahead| world.day(ahead);
        super::sets(&host, &property, &day(4), &day(6), false).await;
        elsewhere.has(&[(day(3), day(5))]);
        adds(&host, &property, &elsewhere.url("a.ics")).await;
        world.background_round().await;
        assert_eq!((ledger(&world, "BLOCK").await, ledger(&world, "FEED").await), (2, 1));
        assert_eq!(feed(&host, &property).await["conflicts"], json!([]));
        super::sets(&host, &property, &day(4), &day(6), true).await;
        assert_eq!(taken(&host, &property, &day(0), &day(20)).await, [3, 4].map(day), "one of them is the other side's");
        super::sets(&host, &property, &day(5), &day(6), false).await;
        elsewhere.has(&[]);
        half_an_hour(&world).await;
        assert_eq!((ledger(&world, "BLOCK").await, ledger(&world, "FEED").await), (1, 0));
    }

    async fn our_own_bookings_that_come_back_take_nothing(world: World) {
        let (host, property, elsewhere) = hanas(&world).await;
        let gus = world.guest("gus").await;
        let publish = "mutation($id: ID!) { publishCalendar(propertyId: $id) { property { calendarUrl } } }";
        let published = host.get(publish, json!({ "id": property })).await;
        let url = published["publishCalendar"]["property"]["calendarUrl"].as_str().expect("an address").to_owned();
        let path = url.strip_prefix("http://127.0.0.1:8000").expect("ours");
        let booking = gus.books(&property, &world.day(3), &world.day(5)).await;
        gus.pays(&booking).await;
        let file = world.stranger().request(reqwest::Method::GET, path).send().await.expect("an answer");
        elsewhere.sends(&file.text().await.expect("a file"));
        adds(&host, &property, &elsewhere.url("a.ics")).await;
        world.background_round().await;
        let seen = feed(&host, &property).await;
        assert_eq!((&seen["nightCount"], &seen["conflicts"], &seen["health"]), (&json!(0), &json!([]), &json!("OK")));

        for own in [url.clone(), url.to_uppercase().replace("HTTP", "http"), elsewhere.url(path.trim_start_matches('/'))] {
            let refused = tries_to_add(&host, &property, &own).await;
            let code = refused["userErrors"].get(0).map_or(&Value::Null, |error| &error["code"]);
            if own == url.to_uppercase().replace("HTTP", "http") {
                // Another spelling of the secret is another secret.
                assert_eq!(code, &Value::Null, "{own}");
            } else {
                assert_eq!(code, "INVALID", "{own}");
            }
        }
    }

    async fn two_workers_ask_for_a_calendar_once(world: World) {
        let (host, property, elsewhere) = hanas(&world).await;
        let other = world.another_instance().await;
        elsewhere.has(&[(world.day(3), world.day(5))]);
        for n in 0..10 {
            adds(&host, &property, &elsewhere.url(&format!("{n}.ics"))).await;
        }
        for round in 1..=2 {
            let (here, there) = (&world.app.services.feeds, &other.app.services.feeds);
            let asked = futures_util::future::join_all([here.sync_due(), there.sync_due(), here.sync_due()]).await;
            let asked: usize = asked.into_iter().map(|asked| asked.expect("a sync")).sum();
            assert_eq!((asked, elsewhere.requests().len()), (10, 10 * round));
            world.clock.advance(Duration::minutes(30));
        }
        assert_eq!(ledger(&world, "FEED").await, 2);
    }

    async fn a_calendar_goes_with_its_property(world: World) {
        let (host, property, elsewhere) = hanas(&world).await;
        elsewhere.has(&[(world.day(3), world.day(5))]);
        adds(&host, &property, &elsewhere.url("a.ics")).await;
        world.background_round().await;
        host.mutate_by_id("deleteProperty", &property, "deletedId").await;
        half_an_hour(&world).await;
        assert_eq!(elsewhere.requests().len(), 1);
        assert_eq!(world.number("SELECT count(*) FROM calendar_feeds").await, 0);
    }

    async fn only_what_can_be_a_calendar_of_another_is_added_and_ten_at_most(world: World) {
        let (host, property, elsewhere) = hanas(&world).await;
        let code = async |url: &str| {
            let payload = tries_to_add(&host, &property, url).await;
            payload["userErrors"].get(0).map_or(Value::Null, |error| error["code"].clone())
        };
        for url in ["ftp://example.com/a.ics", "https://a:b@example.com/a.ics", "/a.ics", "https://example.com/{}".replace("{}", &"a".repeat(2_000)).as_str()] {
            assert_eq!(code(url).await, "INVALID", "{url}");
        }
        assert_eq!(code(" ").await, "REQUIRED");
        for n in 0..10 {
            assert_eq!(code(&elsewhere.url(&format!("{n}.ics"))).await, Value::Null);
            assert_eq!(code(&elsewhere.url(&format!("{n}.ics#x"))).await, "TAKEN");
        }
        assert_eq!(code(&elsewhere.url("10.ics")).await, "WRONG_STATE");
        let others = host.lists(json!({})).await;
        adds(&host, &others, &elsewhere.url("0.ics")).await;
    }

    async fn the_same_key_adds_a_calendar_once(world: World) {
        let (host, property, elsewhere) = hanas(&world).await;
        let input = json!({ "propertyId": property, "url": elsewhere.url("a.ics"), "name": "Elsewhere", "idempotencyKey": "k" });
        let add = async |input: &Value| host.mutate("addCalendarFeed", "AddCalendarFeedInput!", input.clone(), "feed { id }").await;
        let first = add(&input).await;
        assert_eq!(first["userErrors"], json!([]));
        assert_eq!(add(&input).await, first);
        let mut other = input.clone();
        other["name"] = json!("Another");
        assert_eq!(add(&other).await["userErrors"][0]["code"], "IDEMPOTENCY_CONFLICT");
        host.mutate_by_id("removeCalendarFeed", first["feed"]["id"].as_str().expect("an id"), "").await;
        assert_eq!(add(&input).await["userErrors"][0]["code"], "NOT_FOUND");
    }

    async fn others_see_nothing_of_a_propertys_calendars_and_admins_all_but_their_addresses(world: World) {
        let (host, property, elsewhere) = hanas(&world).await;
        let (otto, admin) = (world.host("otto").await, world.admin("ada").await);
        let added = adds(&host, &property, &elsewhere.url("a.ics")).await;
        let id = added["id"].as_str().expect("an id");
        let node = "query($id: ID!) { node(id: $id) { ... on CalendarFeed { id name url } } nodes(ids: [$id]) { id } }";
        for other in [&otto, &world.guest("gus").await, &world.stranger()] {
            assert_eq!(feeds(other, &property).await, Value::Null);
            assert_eq!(other.get(node, json!({ "id": id })).await, json!({ "node": null, "nodes": [null] }));
        }
        let seen = feed(&admin, &property).await;
        assert_eq!((&seen["name"], &seen["url"]), (&json!("Elsewhere"), &Value::Null));
        assert_eq!(feed(&host, &property).await["url"], elsewhere.url("a.ics"));
        assert_eq!(host.get(node, json!({ "id": id })).await["node"]["url"], elsewhere.url("a.ics"));
        for other in [&otto, &admin] {
            let refused = other.mutate_by_id("removeCalendarFeed", id, "deletedId").await;
            assert_eq!((&refused["userErrors"][0]["code"], &refused["deletedId"]), (&json!("NOT_FOUND"), &Value::Null));
            let refused = tries_to_add(other, &property, "https://example.com/a.ics").await;
            assert_eq!(refused["userErrors"][0]["code"], "NOT_FOUND");
        }
    }

    async fn what_could_not_be_read_of_a_calendar_is_told(world: World) {
        let (host, property, elsewhere) = hanas(&world).await;
        let good = crate::support::calendar(&[(world.day(3), world.day(4))]);
        let bad = good.replace("END:VCALENDAR", "BEGIN:VEVENT\r\nDTSTART:soon\r\nEND:VEVENT\r\nEND:VCALENDAR");
        elsewhere.sends_as("text/html", &bad, None);
        adds(&host, &property, &elsewhere.url("a.ics")).await;
        world.background_round().await;
        let seen = feed(&host, &property).await;
        assert_eq!((&seen["health"], &seen["nightCount"]), (&json!("FAILING"), &json!(1)));
        assert_eq!(seen["problem"], "1 event could not be read. The rest was imported, and no night was freed.");

        // The event of the third night may be the one that can't be read now.
        let other = bad.replace("DTSTART;VALUE=DATE:", "DTSTART;VALUE=DATE:2027").replace("2027202703", "202704");
        elsewhere.sends_as("text/html", &other, None);
        world.clock.advance(Duration::minutes(31));
        world.background_round().await;
        assert_eq!(feed(&host, &property).await["nightCount"], 2, "{other}");
        elsewhere.has(&[(world.day(5), world.day(6))]);
        world.clock.advance(Duration::minutes(31));
        world.background_round().await;
        let seen = feed(&host, &property).await;
        assert_eq!((&seen["health"], &seen["nightCount"]), (&json!("OK"), &json!(1)), "a whole calendar frees them");
    }

    async fn a_cancellation_and_a_sync_at_once_lose_no_night_and_keep_none(world: World) {
        let (host, property, elsewhere) = hanas(&world).await;
        let gus = world.guest("gus").await;
        let day = |ahead| world.day(ahead);
        elsewhere.has(&[]);
        adds(&host, &property, &elsewhere.url("a.ics")).await;
        world.background_round().await;
        for round in 0..12 {
            let booking = gus.books(&property, &day(3), &day(9)).await;
            let stays = [(day(1), day(5)), (day(7), day(12))];
            // Now the other platform has begun to take nights of the booking, now it lets go of them.
            elsewhere.has(if round % 2 == 0 { &stays } else { &[] });
            world.clock.advance(Duration::minutes(31));
            let id = booking["id"].as_str().expect("an id");
            let cancel = gus.mutate_by_id("cancelBooking", id, "booking { status }");
            let sync = world.app.services.feeds.sync_due();
            let (_, synced) = tokio::join!(cancel, sync);
            assert_eq!(synced.expect("a sync"), 1);
            let without = |table: &str, other: &str, more: &str| format!(
                "SELECT count(*) FROM {table} a WHERE {more} NOT EXISTS (SELECT 1 FROM {other} b WHERE b.property_id = a.property_id AND b.night = a.night)"
            );
            let lost = world.number(&without("calendar_feed_nights", "nights", "")).await;
            let kept = world.number(&without("nights", "calendar_feed_nights", "kind = 'FEED' AND")).await;
            assert_eq!((lost, kept), (0, 0), "in round {round}");
            elsewhere.has(&[]);
            world.clock.advance(Duration::hours(7));
            world.background_round().await;
            assert_eq!(ledger(&world, "FEED").await, 0);
        }
    }

    async fn a_page_of_properties_with_their_calendars_costs_as_many_statements_as_one(world: World) {
        let (host, property, elsewhere) = hanas(&world).await;
        elsewhere.has(&[(world.day(3), world.day(5))]);
        adds(&host, &property, &elsewhere.url("a.ics")).await;
        let query = "{ viewer { user { properties { nodes {
            calendarUrl calendarFeeds { name health nightCount conflicts } } } } } }";
        let cost = async || {
            let before = world.app.db.statements_sent();
            host.get(query, json!({})).await;
            world.app.db.statements_sent() - before
        };
        let few = cost().await;
        for n in 0..4 {
            let property = host.lists(json!({})).await;
            adds(&host, &property, &elsewhere.url(&format!("{n}.ics"))).await;
            adds(&host, &property, &elsewhere.url(&format!("{n}{n}.ics"))).await;
        }
        world.background_round().await;
        let many = cost().await;
        assert!(many <= few + 1, "{few} and {many}: a batch may come in two parts, and no more of them for more rows");
    }
}

//! Deleting one's account: what goes, what stays, and when it is refused.

mod races;

use chrono::Duration;
use serde_json::{Value, json};

use super::{asks_for_a_reset, joins, mistakes, updates, verifies};
use crate::support::{Client, Elsewhere, World, on_both_engines, tables_with};

const DELETE: &str = "mutation { deleteAccount { deletedId userErrors { field code message } } }";
const NAME: &str = "Wilhelmina Quist";
const PROGRAM: &str = "Wilhelmina's own browser";

/// Deletes the own account; gives the payload.
async fn deletes(person: &Client) -> Value {
    person.get(DELETE, json!({})).await["deleteAccount"].take()
}

/// Deletes the own account, which works.
async fn leaves(person: &Client) {
    assert_eq!(
        deletes(person).await,
        json!({ "deletedId": person.id, "userErrors": [] })
    );
}

/// Wilhelmina, who has done all that one can do: she hosts, has stayed elsewhere, and left texts in every corner.
struct Life {
    wilhelmina: Client,
    address: String,
    other_address: String,
    home: String,
    calendar: String,
    /// Who stayed with her, and the booking.
    guest: (Client, Value),
    /// With whom she stayed, where, and the booking.
    host: (Client, String, Value),
}

async fn reviews(guest: &Client, booking: &Value) {
    let input = json!({ "bookingId": booking["id"], "rating": 4, "comment": "Fine." });
    let made = guest.mutate("createReview", "CreateReviewInput!", input, "review { id }");
    assert_eq!(made.await["userErrors"], json!([]));
}

impl Life {
    async fn lived(world: &World) -> Self {
        let (address, other_address) = (world.address("wilhelmina"), world.address("another"));
        let input = json!({ "fullName": NAME, "email": address, "password": "a good password", "role": "HOST" });
        let program = world.stranger().calling_itself(PROGRAM);
        let wilhelmina = program.sign_up(input).await;
        let token = world.mails_to(&address).await[0].token();
        verifies(&wilhelmina, &token).await;
        let home = wilhelmina.lists(json!({})).await;
        let (gus, olga) = (world.guest("gus").await, world.host("olga").await);
        let elsewhere = olga.lists(json!({})).await;
        let here = gus.books(&home, &world.day(1), &world.day(2)).await;
        let there = wilhelmina
            .books(&elsewhere, &world.day(1), &world.day(2))
            .await;
        gus.pays(&here).await;
        wilhelmina.pays(&there).await;
        world.clock.advance(Duration::days(3));
        world.background_round().await;
        reviews(&gus, &here).await;
        reviews(&wilhelmina, &there).await;

        let wilhelmina = program.signs_in(&address).await;
        let platform = Elsewhere::start().await;
        platform.has(&[(world.day(30), world.day(32))]);
        let feed =
            json!({ "propertyId": home, "url": platform.url("wilhelmina.ics"), "name": NAME });
        wilhelmina
            .mutate("addCalendarFeed", "AddCalendarFeedInput!", feed, "")
            .await;
        world.background_round().await;
        assert_eq!(
            world
                .number("SELECT count(*) FROM nights WHERE kind = 'FEED'")
                .await,
            2
        );
        let publish =
            "mutation($id: ID!) { publishCalendar(propertyId: $id) { property { calendarUrl } } }";
        let published = wilhelmina.get(publish, json!({ "id": home })).await;
        let url = published["publishCalendar"]["property"]["calendarUrl"]
            .as_str()
            .expect("an address");
        let calendar = url[url.find("/calendars/").expect("a path")..].to_owned();
        // Mail that waits, and mail that was given up.
        asks_for_a_reset(&world.stranger(), &address).await;
        world
            .meddles("UPDATE jobs SET given_up_at = created_at")
            .await
            .expect("they are given up");
        asks_for_a_reset(&world.stranger(), &address).await;
        updates(&wilhelmina, json!({ "email": other_address })).await;
        Self {
            wilhelmina,
            address,
            other_address,
            home,
            calendar,
            guest: (gus, here),
            host: (olga, elsewhere, there),
        }
    }
}

on_both_engines! {
    async fn nothing_is_left_that_says_who_has_gone_but_in_the_audit_log(world: World) {
        let life = Life::lived(&world).await;
        for (text, tables) in [
            (NAME, vec!["calendar_feeds", "users"]),
            (&life.address, vec!["jobs", "mailed_tokens", "users"]),
            (&life.other_address, vec!["jobs", "users"]),
            (PROGRAM.split('\'').next().expect("a word"), vec!["audit_entries", "calendar_feeds", "sessions", "users"]),
        ] {
            assert_eq!(tables_with(&world.app.db, text).await, tables, "{text}");
        }
        leaves(&life.wilhelmina).await;
        let mails = world.mails_to(&life.address).await;
        let last = mails.last().expect("a last mail");
        assert!(last.subject.ends_with("was deleted") && !last.text.contains(NAME), "{last:?}");
        let waited = mails.iter().filter(|mail| mail.subject.contains("Reset") || mail.subject.contains("about to change"));
        assert_eq!(waited.count(), 0, "what had waited is not sent");
        assert!(world.mails_to(&life.other_address).await.is_empty());
        for text in [NAME, &life.address, &life.other_address, "wilhelmina"] {
            assert_eq!(tables_with(&world.app.db, text).await, Vec::<String>::new(), "{text}");
        }
        assert_eq!(tables_with(&world.app.db, "Wilhelmina").await, ["audit_entries"], "the program that asked");
        let of_sessions = "SELECT count(*) FROM sessions WHERE user_id = 1 AND (ended_at IS NULL OR ip_address IS NOT NULL)";
        assert_eq!(world.number(of_sessions).await, 0);
    }

    async fn bookings_payments_and_the_books_stay(world: World) {
        let life = Life::lived(&world).await;
        let sum = "SELECT (SELECT count(*) FROM bookings WHERE status = 'COMPLETED') * 1000000 + (SELECT count(*) FROM payments) * 10000
            + (SELECT count(*) FROM ledger_entries) * 100 + (SELECT count(*) FROM reviews) * 10 + (SELECT count(*) FROM properties)";
        let before = world.number(sum).await;
        assert!(before > 2_020_000, "{before}");
        leaves(&life.wilhelmina).await;
        world.background_round().await;
        assert_eq!(world.number(sum).await, before);
        for arguments in [["audit", "verify"], ["ledger", "verify"]] {
            let (whole, said) = world.runs(&arguments, "").await;
            assert!(whole, "{said}");
        }
        let logged = "SELECT count(*) FROM audit_entries WHERE actor_id = 1 AND
            ((action = 'account.erased' AND subject = 'user:1') OR (action = 'property.deleted' AND subject = 'property:1'))";
        assert_eq!(world.number(logged).await, 2);
        let (gus, booking) = &life.guest;
        let query = "query($id: ID!) { booking(id: $id) { status guest { fullName } property { title host { id fullName properties { totalCount } } } payment { status } } }";
        let seen = gus.get(query, json!({ "id": booking["id"] })).await;
        assert_eq!(seen["booking"]["property"]["host"], json!({ "id": life.wilhelmina.id, "fullName": "Former member", "properties": { "totalCount": 0 } }));
        let (olga, _, booking) = &life.host;
        let seen = olga.get(query, json!({ "id": booking["id"] })).await;
        assert_eq!(seen["booking"]["guest"]["fullName"], "Former member");
        assert_eq!((&seen["booking"]["status"], &seen["booking"]["payment"]["status"]), (&json!("COMPLETED"), &json!("PAID")));
    }

    async fn everyone_sees_a_former_member_where_there_was_a_name_and_finds_nobody_by_id(world: World) {
        let life = Life::lived(&world).await;
        let stranger = world.stranger();
        let reviews = "query($id: ID!) { property(id: $id) { reviews { nodes { comment author { fullName } } } } }";
        let found = "query($id: ID!, $home: ID!) { user(id: $id) { fullName } person: user(id: $id) { id } node(id: $id) { id } nodes(ids: [$id, $home]) { id }
            property(id: $home) { id } properties { nodes { id } } }";
        let (there, both) = (json!({ "id": life.host.1 }), json!({ "id": life.wilhelmina.id, "home": life.home }));
        // Often enough that the answers are kept.
        for _ in 0..3 {
            let shown = stranger.get(reviews, there.clone()).await;
            assert_eq!(shown["property"]["reviews"]["nodes"][0]["author"]["fullName"], NAME);
            assert_eq!(stranger.get(found, both.clone()).await["user"]["fullName"], NAME);
        }
        leaves(&life.wilhelmina).await;
        let shown = stranger.get(reviews, there).await;
        assert_eq!(shown["property"]["reviews"]["nodes"], json!([{ "comment": "Fine.", "author": { "fullName": "Former member" } }]));
        assert_eq!(stranger.get(found, both).await, json!({
            "user": null, "person": null, "node": null, "nodes": [null, null], "property": null, "properties": { "nodes": [{ "id": life.host.1 }] },
        }));
        let file = stranger.request(reqwest::Method::GET, &life.calendar).send().await.expect("an answer");
        assert_eq!(file.status(), 404, "nobody reads the calendar any more");
        assert_eq!(world.number("SELECT count(*) FROM nights WHERE kind = 'FEED'").await, 0);
    }

    async fn the_address_is_unknown_from_then_on_and_may_sign_up_anew(world: World) {
        let gus = joins(&world, "gus").await;
        let address = world.address("gus");
        world.mails_to(&address).await;
        leaves(&gus).await;
        let stranger = world.stranger();
        let refused = stranger.tries_to_sign_in(&address, "a good password").await;
        assert_eq!(refused, stranger.tries_to_sign_in("nobody@example.com", "a good password").await);
        assert_eq!(mistakes(&stranger.tries_to_sign_in("erased-1@.invalid", "a good password").await), ["WRONG_CREDENTIALS []"]);
        asks_for_a_reset(&stranger, &address).await;
        assert_eq!(world.mails_to(&address).await.len(), 2, "one to verify it, one that says good-bye");
        for arguments in [&["admin", "suspend", &address][..], &["admin", "promote", &address]] {
            let (done, said) = world.runs(arguments, "").await;
            assert!(!done && said.contains("no such account"), "{said}");
        }
        let anew = joins(&world, "gus").await;
        assert_ne!(anew.id, gus.id);
        assert_eq!(world.stranger().signs_in(&address).await.id, anew.id);
        leaves(&anew).await;
        assert_eq!(world.number("SELECT count(*) FROM users WHERE erased_at IS NOT NULL").await, 2);
    }

    async fn every_session_and_open_socket_ends(world: World) {
        let gus = world.guest("gus").await;
        let phone = world.stranger().signs_in("gus@example.com").await;
        let there = world.another_instance().await;
        let phone = there.as_seen_by(&phone);
        let mut socket = phone.opens_a_socket().await;
        socket.subscribe("q", "{ viewer { email } }", json!({})).await;
        assert_eq!(socket.next_event().await["viewer"]["email"], "gus@example.com");
        leaves(&gus).await;
        for device in [&gus, &phone] {
            assert_eq!(device.refusal("{ __typename }", json!({})).await, "UNAUTHENTICATED");
            let refresh = "mutation($token: String!) { refreshSession(input: { refreshToken: $token }) { accessToken } }";
            let refused = world.stranger().refusal(refresh, json!({ "token": device.refresh_token })).await;
            assert_eq!(refused, "UNAUTHENTICATED");
        }
        let closed = tokio::time::timeout(std::time::Duration::from_secs(1), socket.is_closed()).await;
        assert_eq!(closed.expect("it is closed in time").0, 4403);
    }

    async fn it_is_refused_while_bookings_stand_and_while_money_is_on_its_way(world: World) {
        let host = world.host("hana").await;
        let home = host.lists(json!({ "instantBook": false })).await;
        let gus = world.guest("gus").await;
        let booking = gus.books(&home, &world.day(10), &world.day(12)).await;
        let both = [&gus, &host];
        for person in both {
            assert_eq!(mistakes(&deletes(person).await), ["WRONG_STATE []"], "it is pending");
        }
        gus.pays(&booking).await;
        host.mutate_by_id("acceptBooking", booking["id"].as_str().expect("an id"), "").await;
        for person in both {
            let refused = deletes(person).await;
            assert!(refused["userErrors"][0]["message"].as_str().expect("a sentence").contains("Bookings stand"), "{refused}");
        }
        gus.mutate_by_id("cancelBooking", booking["id"].as_str().expect("an id"), "").await;
        for table in ["refunds SET settled_at = NULL", "payments SET payment_status = 'PENDING'"] {
            world.meddles(&format!("UPDATE {table}")).await.expect("as if the provider had not answered");
            for person in both {
                let refused = deletes(person).await;
                assert!(refused["userErrors"][0]["message"].as_str().expect("a sentence").contains("Money"), "{refused}");
            }
            world.meddles("UPDATE refunds SET settled_at = created_at").await.expect("settled");
        }
        world.meddles("UPDATE payments SET payment_status = 'REFUNDED'").await.expect("settled");
        // A hold that nobody paid for in time stands in nobody's way.
        gus.books(&home, &world.day(10), &world.day(12)).await;
        world.clock.advance(Duration::minutes(16));
        let late = world.stranger().signs_in("gus@example.com").await;
        leaves(&late).await;
        assert_eq!(world.number("SELECT count(*) FROM bookings WHERE status = 'CANCELLED'").await, 2, "and is over");
        leaves(&world.stranger().signs_in("hana@example.com").await).await;
    }

    async fn it_is_for_the_own_account_alone_and_for_a_device_that_has_just_signed_in(world: World) {
        assert_eq!(world.stranger().refusal(DELETE, json!({})).await, "UNAUTHENTICATED");
        let admin = world.admin("ada").await;
        let admin = admin.at(admin.base()).signs_in("ada@example.com").await;
        assert_eq!(mistakes(&deletes(&admin).await), ["WRONG_STATE []"], "a marketplace is not left without one");
        let gus = world.guest("gus").await;
        world.clock.advance(Duration::minutes(15));
        assert_eq!(gus.refusal(DELETE, json!({})).await, "FORBIDDEN");
        assert_eq!(gus.refreshes().await.refusal(DELETE, json!({})).await, "FORBIDDEN", "a refresh is no sign-in");
        let again = world.stranger().signs_in("gus@example.com").await;
        assert_eq!(gus.refusal(DELETE, json!({})).await, "FORBIDDEN", "another device has");
        leaves(&again).await;
        assert_eq!(world.number("SELECT count(*) FROM users WHERE erased_at IS NOT NULL").await, 1);
    }
}

//! Deleting an account while something else is made of it: what comes second finds that the other was first.

use std::sync::Arc;

use serde_json::{Value, json};
use staygate::{
    domain::{
        actor::Client as Device,
        people::{Email, NewPerson, Role},
    },
    service::error::Error,
};

use super::{DELETE, deletes, joins, leaves, updates, verifies};
use crate::support::{Client, a_property, on_both_engines};

const ROUNDS: i64 = 8;
const BOOK: &str = "mutation($input: CreateBookingInput!) { it: createBooking(input: $input) { it: booking { id } userErrors { code } } }";
const LIST: &str = "mutation($input: CreatePropertyInput!) { it: createProperty(input: $input) { it: property { id } userErrors { code } } }";

/// Whether it was made.
async fn makes(who: &Client, query: &str, input: Value) -> bool {
    let answer = who.ask(query, json!({ "input": input })).await;
    let code = &answer["errors"][0]["extensions"]["code"];
    assert!(code.is_null() || code == "UNAUTHENTICATED", "{answer}");
    answer["data"]["it"]["it"]["id"].is_string()
}

/// Whether the account was deleted.
async fn deleted(who: &Client) -> bool {
    deletes(who).await["deletedId"].is_string()
}

on_both_engines! {
    async fn a_booking_and_a_deletion_at_once_of_guest_or_host_are_never_both_done(world: World) {
        let (mut booked, mut gone) = (0, 0);
        for round in 0..ROUNDS {
            let (host, guest) = (world.host(&format!("hana{round}")).await, world.guest(&format!("gus{round}")).await);
            let home = host.lists(json!({})).await;
            let input = json!({ "propertyId": home, "checkIn": world.day(1), "checkOut": world.day(3), "idempotencyKey": "k" });
            let leaver = if round % 2 == 0 { &guest } else { &host };
            let (made, left) = tokio::join!(makes(&guest, BOOK, input), deleted(leaver));
            assert_ne!(made, left, "one of them is done");
            booked += i64::from(made);
            gone += i64::from(left);
        }
        assert_eq!(world.number("SELECT count(*) FROM bookings").await, booked);
        let stranded = "SELECT count(*) FROM bookings JOIN users ON user_id IN (guest_id, host_id) WHERE erased_at IS NOT NULL";
        assert_eq!(world.number(stranded).await, 0);
        assert_eq!(world.number("SELECT count(*) FROM users WHERE erased_at IS NOT NULL").await, gone);
    }

    async fn who_lists_a_home_and_leaves_at_once_leaves_none_behind(world: World) {
        for round in 0..ROUNDS {
            let host = world.host(&format!("hana{round}")).await;
            let (_, left) = tokio::join!(makes(&host, LIST, a_property(&json!({}))), deleted(&host));
            assert!(left);
        }
        assert_eq!(world.number("SELECT count(*) FROM properties WHERE deleted_at IS NULL").await, 0);
    }

    async fn a_calendar_that_is_added_meanwhile_goes_too(world: World) {
        for round in 0..ROUNDS {
            let host = world.host(&format!("hana{round}")).await;
            let home = host.lists(json!({})).await;
            let add = "mutation($input: AddCalendarFeedInput!) { it: addCalendarFeed(input: $input) { it: feed { id } userErrors { code } } }";
            let input = json!({ "propertyId": home, "url": "http://127.0.0.1:9/a.ics", "name": "Elsewhere", "idempotencyKey": "k" });
            let (_, left) = tokio::join!(makes(&host, add, input), deleted(&host));
            assert!(left);
        }
        assert_eq!(world.number("SELECT count(*) FROM calendar_feeds").await, 0);
    }

    async fn who_books_while_another_address_is_verified_waits_for_it(world: World) {
        let home = world.host("hana").await.lists(json!({})).await;
        for round in 0..ROUNDS {
            let gus = joins(&world, &format!("gus{round}")).await;
            let address = world.address(&format!("another{round}"));
            updates(&gus, json!({ "email": address })).await;
            let link = world.mails_to(&address).await[0].token();
            let input = json!({ "propertyId": home, "checkIn": world.day(round + 1), "checkOut": world.day(round + 2), "idempotencyKey": "k" });
            let (made, verified) = tokio::join!(makes(&gus, BOOK, input), verifies(&gus, &link));
            assert!(made && verified["viewer"]["email"] == address.as_str(), "{verified}");
        }
    }

    async fn of_two_devices_that_delete_the_account_at_once_one_does(world: World) {
        let gus = world.guest("gus").await;
        let phone = world.stranger().signs_in("gus@example.com").await;
        let (one, other) = tokio::join!(gus.ask(DELETE, json!({})), phone.ask(DELETE, json!({})));
        let done = [&one, &other].map(|answer| answer["data"]["deleteAccount"]["deletedId"].is_string());
        assert!(done[0] != done[1], "{one} {other}");
        let refused = if done[0] { other } else { one };
        assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        assert_eq!(world.number("SELECT count(*) FROM audit_entries WHERE action = 'account.erased'").await, 1);
    }

    async fn a_name_or_password_that_is_changed_meanwhile_comes_too_late(world: World) {
        for round in 0..ROUNDS {
            let gus = world.guest(&format!("gus{round}")).await;
            let rename = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { userErrors { code } } }";
            let change = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { code } } }";
            let passwords = json!({ "currentPassword": "a good password", "newPassword": "another good one" });
            tokio::join!(
                gus.ask(rename, json!({ "input": { "fullName": "Gustav" } })),
                gus.ask(change, json!({ "input": passwords })),
                async { assert!(deleted(&gus).await) },
            );
        }
        let left = "SELECT count(*) FROM users WHERE full_name <> 'Former member' OR erased_at IS NULL OR email NOT LIKE 'erased-%'";
        assert_eq!(world.number(left).await, 0);
        assert_eq!(world.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await, 0);
    }

    async fn a_sign_in_that_began_before_a_deletion_ends_in_nothing(world: World) {
        let (people, sessions) = (&world.app.services.people, &world.app.services.sessions);
        let device = Arc::new(Device::default());
        let person = NewPerson::parse("Gus", "gus@example.com", "a good password".into(), Role::Guest).expect("a person");
        let as_read_before = people.sign_up(person, &device).await.expect("an account");
        leaves(&world.stranger().signs_in("gus@example.com").await).await;
        let begun = sessions.begin(as_read_before, &device).await;
        assert!(matches!(begun, Err(Error::Unauthenticated)), "{begun:?}");
        let email = Email::parse("email", "gus@example.com").expect("an address");
        assert!(people.suspend(&email).await.is_err(), "nobody has it");
    }
}

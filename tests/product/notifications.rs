//! What becomes of a booking, by mail: to the right people, once, and true when it is written.

use chrono::Duration;
use serde_json::{Value, json};

use crate::support::{Client, Mail, World, at, on_both_engines};

/// A host with a listing and a guest, with addresses of this world's own, whose first mails are read.
struct Scene {
    host: Client,
    guest: Client,
    property: String,
}

impl Scene {
    async fn set(world: &World, changes: Value) -> Self {
        let host = joins(world, "Hana Host", "hana", "HOST").await;
        let guest = joins(world, "Gus Guest", "gus", "GUEST").await;
        let property = host.lists(changes).await;
        Self {
            host,
            guest,
            property,
        }
    }

    /// A booking in the world's days.
    async fn books(&self, world: &World, from: i64, to: i64) -> Value {
        let (from, to) = (world.day(from), world.day(to));
        self.guest.books(&self.property, &from, &to).await
    }
}

async fn joins(world: &World, full_name: &str, name: &str, role: &str) -> Client {
    let email = world.address(name);
    let input = json!({
        "fullName": full_name, "email": email, "password": "a good password", "role": role,
    });
    world.stranger().sign_up(input).await
}

/// The mails about bookings that have come to somebody so far, once all that is due is sent; and again, in case one is sent twice.
async fn news_to(world: &World, name: &str) -> Vec<Mail> {
    world.background_round().await;
    world.background_round().await;
    let mut mails = world.mails_to(&world.address(name)).await;
    mails.retain(|mail| !mail.subject.starts_with("Confirm your address"));
    mails
}

async fn subjects_to(world: &World, name: &str) -> Vec<String> {
    let mails = news_to(world, name).await;
    mails.into_iter().map(|mail| mail.subject).collect()
}

/// The newest mail, of which everything is said in both forms.
async fn newest_to(world: &World, name: &str, facts: &[&str]) -> Mail {
    let mail = news_to(world, name).await.pop().expect("a mail");
    says(&mail, facts);
    mail
}

fn says(mail: &Mail, facts: &[&str]) {
    for fact in facts {
        assert!(mail.text.contains(fact), "{fact} in {}", mail.text);
        assert!(mail.html.contains(fact), "{fact} in {}", mail.html);
    }
}

async fn key_of(client: &Client, booking: &Value) -> i64 {
    let query = "query($id: ID!) { booking(id: $id) { databaseId } }";
    let seen = client.get(query, json!({ "id": booking["id"] })).await;
    seen["booking"]["databaseId"].as_i64().expect("a key")
}

async fn does(client: &Client, what: &str, booking: &Value) {
    let id = booking["id"].as_str().expect("an id");
    let done = client.mutate_by_id(what, id, "booking { id }").await;
    assert_eq!(done["userErrors"], json!([]), "{what}");
}

on_both_engines! {
    async fn a_booking_that_is_made_tells_its_guest_how_to_keep_it_and_nobody_else(world: World) {
        let scene = Scene::set(&world, json!({ "timeZone": "Asia/Tokyo" })).await;
        joins(&world, "Olga Other", "olga", "GUEST").await;
        let booking = scene.books(&world, 10, 12).await;
        let link = format!("/bookings/{}", key_of(&scene.guest, &booking).await);
        assert_eq!(subjects_to(&world, "gus").await, ["Pay to keep your nights at A room with a view"]);
        // Noon in London is nine in the evening in Tokyo, and a hold lasts for 15 minutes.
        let mail = newest_to(&world, "gus", &[
            "held for you until 21:15 on Wednesday, 10 March 2027 (Asia/Tokyo time)", "Alfama, Lisbon, Portugal",
            "Check-in: Saturday, 20 March 2027, from 15:00", "Check-out: Monday, 22 March 2027", "Guests: 2", "Price: 220.00 USD", &link,
        ]).await;
        assert!(mail.text.starts_with("Hello Gus Guest,"), "{}", mail.text);
        assert!(mail.text.lines().any(|line| line.ends_with(&link)), "a link of its own: {}", mail.text);
        for nobody in ["hana", "olga"] {
            assert!(subjects_to(&world, nobody).await.is_empty(), "{nobody}");
        }
    }

    async fn an_instant_booking_that_is_paid_is_told_to_both(world: World) {
        let scene = Scene::set(&world, json!({})).await;
        let booking = scene.books(&world, 10, 12).await;
        scene.guest.pays(&booking).await;
        // The first letter, that it waits for payment, is no longer true.
        assert_eq!(subjects_to(&world, "gus").await, ["Your stay at A room with a view is confirmed"]);
        assert_eq!(subjects_to(&world, "hana").await, ["New booking of A room with a view"]);
        newest_to(&world, "gus", &["Your host is Hana Host.", "Check-in: Saturday, 20 March 2027, from 15:00", "220.00 USD"]).await;
        let to_host = newest_to(&world, "hana", &["Gus Guest booked", "Guests: 2"]).await;
        assert!(!to_host.text.contains(&world.address("gus")), "a guest's address is the guest's own");
    }

    async fn a_request_is_told_to_both_and_its_answer_to_the_guest(world: World) {
        let scene = Scene::set(&world, json!({ "instantBook": false })).await;
        let accepted = scene.books(&world, 10, 12).await;
        scene.guest.pays(&accepted).await;
        assert_eq!(subjects_to(&world, "hana").await, ["Gus Guest would like to stay at A room with a view"]);
        newest_to(&world, "hana", &["answer by 12:00 on Thursday, 11 March 2027 (UTC time)", "220.00 USD"]).await;
        assert_eq!(subjects_to(&world, "gus").await, ["Your request for A room with a view went to its host"]);
        does(&scene.host, "acceptBooking", &accepted).await;
        assert_eq!(subjects_to(&world, "gus").await[1..], ["Your stay at A room with a view is confirmed"]);
        newest_to(&world, "gus", &["Hana Host accepted your request"]).await;

        let declined = scene.books(&world, 12, 13).await;
        scene.guest.pays(&declined).await;
        subjects_to(&world, "gus").await;
        does(&scene.host, "declineBooking", &declined).await;
        newest_to(&world, "gus", &["Hana Host did not accept your request", "Nothing is charged"]).await;
        let unanswered = scene.books(&world, 12, 13).await;
        scene.guest.pays(&unanswered).await;
        subjects_to(&world, "gus").await;
        world.clock.advance(Duration::hours(24));
        let told = subjects_to(&world, "gus").await;
        let refusals = told.iter().filter(|subject| *subject == "Your request for A room with a view was not accepted");
        assert_eq!((refusals.count(), told.len()), (2, 6), "{told:?}");
        assert_eq!(subjects_to(&world, "hana").await.len(), 3, "three requests, and nothing of what the host did");
    }

    async fn a_cancellation_is_told_to_whom_it_concerns_with_what_comes_back(world: World) {
        let scene = Scene::set(&world, json!({ "cancellationPolicy": "MODERATE" })).await;
        let admin = world.admin("ada").await;
        let mut told = vec![];
        for (who, day) in [(&scene.guest, 10), (&scene.host, 20), (&admin, 30)] {
            let booking = scene.books(&world, day, day + 2).await;
            scene.guest.pays(&booking).await;
            let before = (news_to(&world, "gus").await.len(), news_to(&world, "hana").await.len());
            if day == 10 {
                world.clock.advance(Duration::days(6));
                does(who, "cancelBooking", &booking).await;
                newest_to(&world, "gus", &["You cancelled", "Of the 220.00 USD that you paid, 120.00 USD comes back to you"]).await;
                newest_to(&world, "hana", &["Gus Guest cancelled the stay at A room with a view"]).await;
            } else {
                does(who, "cancelBooking", &booking).await;
                let by = if day == 20 { "We are sorry: Hana Host cancelled your stay" } else { "We are sorry: Staygate cancelled your stay" };
                newest_to(&world, "gus", &[by, "Of the 220.00 USD that you paid, 220.00 USD comes back to you"]).await;
            }
            told.push((news_to(&world, "gus").await.len() - before.0, news_to(&world, "hana").await.len() - before.1));
        }
        assert_eq!(told, [(1, 1), (1, 0), (1, 1)], "of guest and host, when cancelled by guest, host and admin");
        newest_to(&world, "hana", &["Staygate cancelled the stay of Gus Guest"]).await;
    }

    async fn what_never_was_paid_ends_without_a_mail_to_the_host_and_lapses_without_any(world: World) {
        let scene = Scene::set(&world, json!({})).await;
        let cancelled = scene.books(&world, 10, 12).await;
        does(&scene.guest, "cancelBooking", &cancelled).await;
        assert_eq!(subjects_to(&world, "gus").await, ["You cancelled your stay at A room with a view"], "and nothing of how to pay");
        newest_to(&world, "gus", &["Nothing was charged."]).await;
        scene.books(&world, 10, 12).await;
        world.clock.advance(Duration::minutes(15));
        assert_eq!(subjects_to(&world, "gus").await.len(), 1, "neither how to pay for what has lapsed, nor that it has");
        assert!(subjects_to(&world, "hana").await.is_empty());
        assert_eq!(world.number("SELECT count(*) FROM jobs").await, 0);
    }

    async fn a_guest_is_reminded_a_day_before_check_in_and_not_of_a_stay_that_is_cancelled(world: World) {
        let scene = Scene::set(&world, json!({ "timeZone": "Asia/Tokyo" })).await;
        let stays = scene.books(&world, 10, 11).await;
        let cancels = scene.books(&world, 11, 12).await;
        let moved = scene.books(&world, 12, 13).await;
        let tomorrow = scene.books(&world, 1, 2).await;
        for booking in [&stays, &cancels, &moved, &tomorrow] {
            scene.guest.pays(booking).await;
        }
        does(&scene.guest, "cancelBooking", &cancels).await;
        // Check-in at 15:00 in Tokyo is at 06:00 in London.
        assert_eq!(world.number("SELECT count(*) FROM jobs WHERE due_at > created_at").await, 3, "none for tomorrow's");
        let reminders = async || {
            let told = subjects_to(&world, "gus").await;
            told.iter().filter(|subject| *subject == "Soon: your stay at A room with a view").count()
        };
        world.clock.advance(at("2027-03-19T05:59:59Z") - at(crate::support::START));
        assert_eq!(reminders().await, 0);
        world.clock.advance(Duration::seconds(1));
        assert_eq!(reminders().await, 1);
        newest_to(&world, "gus", &["Check-in is from 15:00 on Saturday, 20 March 2027.", "Your host is Hana Host."]).await;
        world.clock.advance(Duration::days(1));
        assert_eq!(reminders().await, 1, "it is cancelled");
        let elsewhere = format!("UPDATE bookings SET check_in_date = '2027-04-22', check_out_date = '2027-04-23'
            WHERE booking_id = {}", key_of(&scene.guest, &moved).await);
        world.meddles(&elsewhere).await.expect("other dates");
        world.clock.advance(Duration::days(1));
        assert_eq!(reminders().await, 1, "it begins on another day now");
    }

    async fn a_guest_whose_stay_is_over_is_asked_for_a_review_unless_it_is_written(world: World) {
        let scene = Scene::set(&world, json!({})).await;
        for day in 1..4 {
            let booking = scene.books(&world, day, day + 1).await;
            scene.guest.pays(&booking).await;
            subjects_to(&world, "gus").await;
        }
        let asked = async || {
            let mut told = news_to(&world, "gus").await;
            told.retain(|mail| mail.subject == "How was your stay at A room with a view?");
            says(&told[0], &["Write a review", "Check-in: Thursday, 11 March 2027"]);
            told.len()
        };
        world.clock.advance(Duration::days(2));
        assert_eq!(asked().await, 1);
        // Completed, reviewed and taken away before the letters are written.
        world.clock.advance(Duration::days(2));
        world.app.services.bookings.complete_due().await.expect("stays are over");
        world.meddles("UPDATE bookings SET review_removed_at = created_at WHERE check_in_date = '2027-03-12'").await.expect("a row");
        let last = scene.guest.get("{ viewer { bookings(first: 1) { nodes { id status } } } }", json!({})).await;
        let last = &last["viewer"]["bookings"]["nodes"][0];
        assert_eq!(last["status"], "COMPLETED");
        let input = json!({ "bookingId": last["id"], "rating": 5 });
        scene.guest.mutate("createReview", "CreateReviewInput!", input, "review { id }").await;
        assert_eq!(asked().await, 1);
        assert_eq!(world.number("SELECT count(*) FROM jobs").await, 0);
    }

    async fn both_are_told_of_other_dates_and_the_guest_is_reminded_of_those_alone(world: World) {
        let scene = Scene::set(&world, json!({})).await;
        let booking = scene.books(&world, 10, 13).await;
        scene.guest.pays(&booking).await;
        news_to(&world, "gus").await;
        // To other dates, back, and to fewer nights of the first ones.
        for (from, to) in [(20, 23), (10, 13), (10, 12)] {
            let input = json!({ "id": booking["id"], "checkIn": world.day(from), "checkOut": world.day(to) });
            let changed = scene.guest.mutate("updateBooking", "UpdateBookingInput!", input, "booking { id }").await;
            assert_eq!(changed["userErrors"], json!([]));
        }
        let to_guest = newest_to(&world, "gus", &[
            "Check-in: Saturday, 20 March 2027", "Check-out: Monday, 22 March 2027", "Of the 320.00 USD that you paid, 100.00 USD comes back",
        ]).await;
        assert_eq!(to_guest.subject, "Your booking of A room with a view was changed");
        let to_host = newest_to(&world, "hana", &["Check-out: Monday, 22 March 2027", "Gus Guest changed", "Price: 220.00 USD"]).await;
        assert_eq!(to_host.subject, "A booking of A room with a view was changed");
        world.clock.advance(Duration::days(9) + Duration::hours(3));
        let reminders = async || {
            let told = subjects_to(&world, "gus").await;
            told.iter().filter(|subject| subject.starts_with("Soon")).count()
        };
        assert_eq!(reminders().await, 1);
        world.clock.advance(Duration::days(10));
        assert_eq!(reminders().await, 1, "the other dates were given up");
    }

    async fn what_is_rolled_back_tells_nobody(world: World) {
        let scene = Scene::set(&world, json!({})).await;
        news_to(&world, "gus").await;
        // The last thing that a write does, after its mails are left, is to add to the audit log.
        world.meddles("ALTER TABLE audit_head RENAME TO audit_head_away").await.expect("no end of the log");
        let input = json!({ "propertyId": scene.property, "checkIn": world.day(1), "checkOut": world.day(2) });
        let query = "mutation($input: CreateBookingInput!) { createBooking(input: $input) { booking { id } } }";
        assert_eq!(scene.guest.refusal(query, json!({ "input": input })).await, "INTERNAL");
        world.meddles("ALTER TABLE audit_head_away RENAME TO audit_head").await.expect("it is back");
        assert_eq!(world.number("SELECT count(*) FROM bookings").await, 0);
        assert_eq!(world.number("SELECT count(*) FROM jobs").await, 0);
        let other = joins(&world, "Olga Other", "olga", "GUEST").await;
        let taken = other.books(&scene.property, &world.day(1), &world.day(2)).await;
        other.pays(&taken).await;
        let refused = scene.guest.tries_to_book(&scene.property, &world.day(1), &world.day(2)).await;
        assert_eq!(refused["userErrors"][0]["code"], "DATES_UNAVAILABLE");
        assert!(subjects_to(&world, "gus").await.is_empty());
    }

    async fn whoever_is_suspended_gets_no_news_and_the_other_side_does(world: World) {
        let scene = Scene::set(&world, json!({})).await;
        let booking = scene.books(&world, 10, 12).await;
        news_to(&world, "gus").await;
        scene.guest.pays(&booking).await;
        world.meddles(&format!("UPDATE users SET suspended_at = created_at WHERE email = '{}'", world.address("gus"))).await.expect("a row");
        assert_eq!(subjects_to(&world, "gus").await.len(), 1, "only what came before");
        assert_eq!(subjects_to(&world, "hana").await, ["New booking of A room with a view"]);
    }

    async fn names_and_titles_of_strangers_advertise_nothing_and_break_nothing(world: World) {
        let host = joins(&world, "http://evil.example", "hana", "HOST").await;
        let guest = joins(&world, "<script>alert(1)</script>", "gus", "GUEST").await;
        for (day, title) in [(1, "Pay at evil.example"), (2, "<img src=x onerror=alert(1)> & Sons")] {
            let property = host.lists(json!({ "title": title, "location": "https://evil.example" })).await;
            guest.pays(&guest.books(&property, &world.day(day), &world.day(day + 1)).await).await;
        }
        for name in ["gus", "hana"] {
            let mails = news_to(&world, name).await;
            assert_eq!(mails.len(), 2);
            for mail in mails {
                let said = format!("{} {} {}", mail.subject, mail.text, mail.html);
                assert!(!said.contains("evil"), "{said}");
                assert!(!mail.html.contains("<img") && !mail.html.contains("<script"), "{}", mail.html);
            }
        }
    }
}

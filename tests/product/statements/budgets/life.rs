//! A life in which every operation is used.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::till::Till;
use crate::support::{Client, World};

/// The secret of the link that was mailed last.
async fn token_of(world: &World, address: &str) -> String {
    let mails = world.mails_to(address).await;
    let with_link = |mail: &&crate::support::Mail| mail.text.contains("#token=");
    mails.iter().rfind(with_link).expect("a mail").token()
}

fn id(value: &Value) -> &str {
    value["id"].as_str().expect("an id")
}

const PASSWORD: &str = "a good password";
const VIEWER: &str = "viewer { email user { fullName } }";
const REVIEW: &str = "review { id rating author { fullName } property { title } }";
const SESSION: &str = "accessToken refreshToken viewer { user { id } }";
const PROPERTY: &str = "property { id title amenities host { fullName } }";
const BOOKING: &str = "booking { id status property { title host { fullName } } guest { fullName } payment { status } review { rating } events { to } }";

/// Does everything once, each with people and things of its own.
pub(super) async fn does_everything(world: &World, round: usize) -> BTreeMap<&'static str, u64> {
    let mut till = Till {
        world,
        counted: BTreeMap::new(),
    };
    let name = |who: &str| format!("{who}{round}");
    let address = world.address(&name("gus"));
    let stranger = world.stranger();
    let gus = comes_and_goes(&mut till, &stranger, &address).await;
    let guest = world.guest(&name("hana")).await;
    let hana = world.host(&name("olga")).await;
    let home = hosts(&mut till, &guest, &hana).await;
    let booked = stays(&mut till, &hana, &gus, &home).await;
    watches(&mut till, &gus, &home).await;

    world.clock.advance(chrono::Duration::days(5));
    world.background_round().await;
    let gus = stranger.signs_in(&address).await;
    let hana = stranger
        .signs_in(&format!("{}@example.com", name("olga")))
        .await;
    let input = json!({ "bookingId": booked[0]["id"], "rating": 4, "comment": "Fine." });
    let made = till
        .does("Mutation.createReview", &gus, input, REVIEW)
        .await;
    let review = id(&made["review"]).to_owned();
    let input = json!({ "id": review, "rating": 5 });
    till.does("Mutation.updateReview", &gus, input, REVIEW)
        .await;
    let input = json!({ "id": review, "response": "Thanks." });
    till.does("Mutation.respondToReview", &hana, input, REVIEW)
        .await;

    reads(&mut till, &gus, &hana, &home, &booked[0]).await;
    let admin = world.admin(&name("ada")).await;
    let log = "{ auditLog(first: 20) { nodes { action actor { fullName } } } }";
    till.reads("Query.auditLog", &admin, log, json!({})).await;

    till.does_by_id("Mutation.deleteReview", &gus, &review, "deletedId")
        .await;
    let empty = hana.lists(json!({})).await;
    till.does_by_id("Mutation.deleteProperty", &hana, &empty, "deletedId")
        .await;
    let guest = stranger
        .signs_in(&format!("{}@example.com", name("hana")))
        .await;
    guest.lists(json!({})).await;
    let delete = "mutation { deleteAccount { deletedId userErrors { code } } }";
    let left = till.rings("Mutation.deleteAccount", guest.get(delete, json!({})));
    assert!(left.await["deleteAccount"]["deletedId"].is_string());
    let out = gus.get("mutation { signOut { userErrors { code } } }", json!({}));
    till.rings("Mutation.signOut", out).await;
    till.counted
}

/// Everything about an account; gives its owner, signed in.
async fn comes_and_goes(till: &mut Till<'_>, stranger: &Client, address: &str) -> Client {
    let input = json!({ "fullName": "Gus", "email": address, "password": PASSWORD });
    let session = till.does("Mutation.signUp", stranger, input, SESSION).await;
    let gus = stranger.with_session(&session);
    let token = token_of(till.world, address).await;
    let input = json!({ "token": token });
    till.does("Mutation.verifyEmail", &gus, input, VIEWER).await;
    let input = json!({ "fullName": "Gustav" });
    till.does("Mutation.updateProfile", &gus, input, VIEWER)
        .await;
    let input = json!({ "currentPassword": PASSWORD, "newPassword": PASSWORD });
    till.does("Mutation.changePassword", &gus, input, VIEWER)
        .await;
    let input = json!({ "email": address });
    till.does("Mutation.requestPasswordReset", stranger, input, "")
        .await;
    let token = token_of(till.world, address).await;
    let input = json!({ "token": token, "newPassword": PASSWORD });
    let session = till
        .does("Mutation.resetPassword", stranger, input, SESSION)
        .await;
    let reset = stranger.with_session(&session);
    let input = json!({ "email": address, "password": PASSWORD });
    let session = till.does("Mutation.signIn", stranger, input, SESSION).await;
    let gus = stranger.with_session(&session);
    let sessions = gus
        .get("{ viewer { sessions { id current } } }", json!({}))
        .await;
    let sessions = sessions["viewer"]["sessions"].as_array().expect("sessions");
    let other = sessions
        .iter()
        .find(|session| session["current"] == json!(false));
    till.does_by_id(
        "Mutation.revokeSession",
        &gus,
        id(other.expect("another")),
        "",
    )
    .await;
    drop(reset);
    let input = json!({ "refreshToken": session["refreshToken"] });
    let session = till
        .does("Mutation.refreshSession", stranger, input, SESSION)
        .await;
    stranger.with_session(&session)
}

/// Everything about a home; gives its id.
async fn hosts(till: &mut Till<'_>, guest: &Client, hana: &Client) -> String {
    let step = guest.get(
        "mutation { becomeHost { viewer { user { role } } userErrors { code } } }",
        json!({}),
    );
    till.rings("Mutation.becomeHost", step).await;
    let input = crate::support::a_property(&json!({}));
    let made = till
        .does("Mutation.createProperty", hana, input, PROPERTY)
        .await;
    let home = id(&made["property"]).to_owned();
    let input = json!({ "id": home, "title": "Another title", "amenities": ["wifi", "pool"], "instantBook": false });
    till.does("Mutation.updateProperty", hana, input, PROPERTY)
        .await;
    let publish = "mutation($id: ID!) { publishCalendar(propertyId: $id) { property { calendarUrl } userErrors { code } } }";
    till.reads(
        "Mutation.publishCalendar",
        hana,
        publish,
        json!({ "id": home }),
    )
    .await;
    let input = json!({ "propertyId": home, "url": "http://127.0.0.1:9/calendar.ics", "name": "Elsewhere" });
    let feed = till
        .does("Mutation.addCalendarFeed", hana, input, "feed { id name }")
        .await;
    till.does_by_id(
        "Mutation.removeCalendarFeed",
        hana,
        id(&feed["feed"]),
        "deletedId",
    )
    .await;
    let (from, to) = (till.world.day(300), till.world.day(302));
    let input = json!({ "propertyId": home, "from": from, "to": to, "available": false, "pricePerNight": "99" });
    till.does("Mutation.updateCalendar", hana, input, PROPERTY)
        .await;
    let input = json!({ "id": home, "instantBook": false });
    till.does("Mutation.updateProperty", hana, input, PROPERTY)
        .await;
    home
}

/// Everything about a stay before it begins; gives the bookings.
async fn stays(till: &mut Till<'_>, hana: &Client, gus: &Client, home: &str) -> Vec<Value> {
    let mut booked = Vec::new();
    for day in 0..4 {
        let (from, to) = (till.world.day(day * 10 + 1), till.world.day(day * 10 + 3));
        let input = json!({ "propertyId": home, "checkIn": from, "checkOut": to, "guests": 1 });
        let made = till
            .does("Mutation.createBooking", gus, input, BOOKING)
            .await;
        booked.push(made["booking"].clone());
    }
    let input = json!({ "id": booked[0]["id"], "checkOut": till.world.day(4), "guests": 2 });
    till.does("Mutation.updateBooking", gus, input, BOOKING)
        .await;
    let mut paid = Vec::new();
    for booking in &booked[..3] {
        let input = json!({ "bookingId": booking["id"], "paymentToken": "tok_visa" });
        let made = till
            .does(
                "Mutation.createPayment",
                gus,
                input,
                "payment { id status booking { id } }",
            )
            .await;
        paid.push(made["payment"].clone());
    }
    till.does_by_id("Mutation.acceptBooking", hana, id(&booked[0]), BOOKING)
        .await;
    till.does_by_id("Mutation.declineBooking", hana, id(&booked[1]), BOOKING)
        .await;
    till.does_by_id("Mutation.acceptBooking", hana, id(&booked[2]), BOOKING)
        .await;
    let input = json!({ "id": paid[2]["id"], "amount": "1.00" });
    till.does(
        "Mutation.refundPayment",
        hana,
        input,
        "payment { id status refundedAmount { amount } }",
    )
    .await;
    till.does_by_id("Mutation.cancelBooking", gus, id(&booked[2]), BOOKING)
        .await;
    booked
}

async fn watches(till: &mut Till<'_>, gus: &Client, home: &str) {
    let event = "subscription($id: ID!) { bookingStatusChanged(bookingId: $id) { to booking { id property { title } } } }";
    let all =
        "subscription { viewerBookingStatusChanged { to booking { id property { title } } } }";
    let nights = "subscription($id: ID!) { availabilityChanged(propertyId: $id) { date available price { amount } } }";
    for (name, query) in [
        ("Subscription.bookingStatusChanged", event),
        ("Subscription.viewerBookingStatusChanged", all),
        ("Subscription.availabilityChanged", nights),
    ] {
        let (from, to) = (till.world.day(200), till.world.day(202));
        let booking = gus.books(home, &from, &to).await;
        let of = if query == nights {
            json!({ "id": home })
        } else {
            json!({ "id": booking["id"] })
        };
        let variables = if query == all { json!({}) } else { of };
        let cancels = async {
            gus.mutate_by_id("cancelBooking", id(&booking), "").await;
        };
        till.hears(name, gus, query, variables, cancels).await;
    }
}

async fn reads(till: &mut Till<'_>, gus: &Client, hana: &Client, home: &str, booking: &Value) {
    let viewer = "{ viewer { email user { fullName } sessions { id } bookings { nodes { id status property { title host { fullName } }
        payment { status } review { rating } events { to } } } } }";
    till.reads("Query.viewer", gus, viewer, json!({})).await;
    let own =
        json!({ "id": booking["id"], "ids": [booking["id"], home], "home": home, "hana": hana.id });
    let node = "query($id: ID!) { node(id: $id) { id ... on Booking { property { title } guest { fullName } payment { status } } } }";
    till.reads("Query.node", gus, node, own.clone()).await;
    let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Booking { property { title } guest { fullName } }
        ... on Property { title host { fullName } } } }";
    till.reads("Query.nodes", gus, nodes, own.clone()).await;
    let user = "query($hana: ID!) { user(id: $hana) { fullName properties(first: 20) { nodes { title reviews(first: 3) { nodes { rating author { fullName } } } } }
        reviews(first: 3) { nodes { rating } } } }";
    till.reads("Query.user", gus, user, own.clone()).await;
    let property = "query($home: ID!) { property(id: $home) { id title description amenities host { fullName }
        reviews(first: 10) { nodes { rating author { fullName } } } calendar(from: \"2027-04-01\", to: \"2027-05-01\") { date available } } }";
    till.reads("Query.property", gus, property, own.clone())
        .await;
    let search = "{ properties(filter: { location: \"lisbon\" }, first: 20) { nodes { id title averageRating pricePerNight { amount } host { fullName }
        reviews(first: 3) { nodes { rating comment author { fullName } } } } } }";
    till.reads("Query.properties", gus, search, json!({})).await;
    let booking = "query($id: ID!) { booking(id: $id) { id status property { title host { fullName } } guest { fullName } payment { status } review { rating } events { to } } }";
    till.reads("Query.booking", gus, booking, own).await;
}

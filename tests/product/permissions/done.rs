//! How each row of Mutation is tried: by a cast of its own, which is new.

use sea_orm::{EntityTrait as _, IntoActiveModel as _};
use serde_json::{Value, json};
use staygate::{
    domain::{clock::Clock as _, ids::UserId, people::MailedFor},
    entity::mailed_token,
    store::tokens::refresh::hash_mailed_token,
};
use uuid::Uuid;

use super::{
    answer::Outcome,
    cast::{Who, text},
    cell::{Cell, Probe},
};
use crate::support::{Client, a_property};

const OWNER: &str = "probe: viewer { user { owner: id } }";
const PASSWORD: &str = "a good password";

pub const PROBES: &[(&str, Probe)] = &[
    ("Mutation.signUp", |cell| {
        let address = format!("{}@example.com", Uuid::new_v4().simple());
        let input = json!({ "fullName": "Nora", "email": address, "password": PASSWORD });
        Box::pin(cell.does("signUp", "SignUpInput!", input, "probe: accessToken"))
    }),
    ("Mutation.signIn", |cell| {
        let input = json!({ "email": cell.cast.guests_address(), "password": PASSWORD });
        Box::pin(cell.does("signIn", "SignInInput!", input, "probe: accessToken"))
    }),
    ("Mutation.refreshSession with a session's token", |cell| {
        let input = json!({ "refreshToken": cell.cast.guest.refresh_token });
        Box::pin(cell.does(
            "refreshSession",
            "RefreshSessionInput!",
            input,
            "probe: accessToken",
        ))
    }),
    ("Mutation.refreshSession without one", |cell| {
        Box::pin(cell.does(
            "refreshSession",
            "RefreshSessionInput!",
            json!({}),
            "probe: accessToken",
        ))
    }),
    ("Mutation.signOut", |cell| Box::pin(signs_out(cell))),
    ("Mutation.revokeSession of one's own", |cell| {
        Box::pin(async {
            let whose = if cell.who == Who::Anonymous {
                Who::Guest
            } else {
                cell.who
            };
            let session = session_of(cell.cast.client(whose)).await;
            cell.does_by_id("revokeSession", &session, "").await
        })
    }),
    ("Mutation.revokeSession of somebody else's", |cell| {
        Box::pin(async {
            let whose = if cell.who == Who::Guest {
                Who::OtherGuest
            } else {
                Who::Guest
            };
            let session = session_of(cell.cast.client(whose)).await;
            cell.does_by_id("revokeSession", &session, "").await
        })
    }),
    ("Mutation.updateProfile", |cell| {
        let input = json!({ "fullName": "Another Name" });
        Box::pin(cell.does("updateProfile", "UpdateProfileInput!", input, OWNER))
    }),
    ("Mutation.changePassword", |cell| {
        let input = json!({ "currentPassword": PASSWORD, "newPassword": "another good one" });
        Box::pin(cell.does("changePassword", "ChangePasswordInput!", input, OWNER))
    }),
    ("Mutation.requestPasswordReset", |cell| {
        let input = json!({ "email": cell.cast.guests_address() });
        Box::pin(cell.does(
            "requestPasswordReset",
            "RequestPasswordResetInput!",
            input,
            "",
        ))
    }),
    ("Mutation.resetPassword with a mailed link", |cell| {
        Box::pin(async {
            let token = mailed_to_the_guest(cell, MailedFor::ResetPassword).await;
            let input = json!({ "token": token, "newPassword": "another good one" });
            cell.does(
                "resetPassword",
                "ResetPasswordInput!",
                input,
                "probe: accessToken",
            )
            .await
        })
    }),
    ("Mutation.verifyEmail with a mailed link", |cell| {
        Box::pin(verifies_email(cell, ""))
    }),
    ("Mutation.verifyEmail, the viewer that it gives", |cell| {
        Box::pin(verifies_email(cell, OWNER))
    }),
    ("Mutation.deleteAccount", |cell| {
        Box::pin(cell.does_alone("deleteAccount", "probe: deletedId owner: deletedId"))
    }),
    ("Mutation.becomeHost", |cell| {
        Box::pin(cell.does_alone("becomeHost", OWNER))
    }),
    ("Mutation.createProperty", |cell| {
        let selection = "probe: property { host { owner: id } }";
        let input = a_property(&json!({}));
        Box::pin(cell.does("createProperty", "CreatePropertyInput!", input, selection))
    }),
    ("Mutation.updateProperty", |cell| {
        Box::pin(updates(cell, json!({ "title": "A room without a view" })))
    }),
    ("Mutation.updateProperty of its status alone", |cell| {
        Box::pin(updates(cell, json!({ "status": "UNLISTED" })))
    }),
    ("Mutation.deleteProperty", |cell| {
        Box::pin(async {
            let property = cell.cast.host.lists(json!({})).await;
            cell.does_by_id("deleteProperty", &property, "probe: deletedId")
                .await
        })
    }),
    ("Mutation.publishCalendar", |cell| {
        Box::pin(async {
            let property = cell.cast.host.lists(json!({})).await;
            let publish = "mutation($id: ID!) { publishCalendar(propertyId: $id) {
                probe: property { id } userErrors { field code } } }";
            cell.ask(publish, json!({ "id": property })).await
        })
    }),
    ("Mutation.addCalendarFeed", |cell| {
        Box::pin(async {
            let input = a_feed(&cell.cast.host).await;
            let selection = "probe: feed { id }";
            cell.does("addCalendarFeed", "AddCalendarFeedInput!", input, selection)
                .await
        })
    }),
    ("Mutation.removeCalendarFeed", |cell| {
        Box::pin(async {
            let host = &cell.cast.host;
            let input = a_feed(host).await;
            let added = host.mutate(
                "addCalendarFeed",
                "AddCalendarFeedInput!",
                input,
                "feed { id }",
            );
            let feed = text(&added.await["feed"]["id"]);
            cell.does_by_id("removeCalendarFeed", &feed, "probe: deletedId")
                .await
        })
    }),
    ("Mutation.updateCalendar", |cell| {
        Box::pin(async {
            let property = cell.cast.host.lists(json!({})).await;
            let (from, to) = (cell.world.day(40), cell.world.day(42));
            let input =
                json!({ "propertyId": property, "from": from, "to": to, "available": false });
            let selection = "probe: property { id }";
            cell.does("updateCalendar", "UpdateCalendarInput!", input, selection)
                .await
        })
    }),
    ("Mutation.createBooking", |cell| {
        Box::pin(async {
            let property = cell.cast.host.lists(json!({})).await;
            books(cell, &property).await
        })
    }),
    ("Mutation.createBooking at an unlisted property", |cell| {
        Box::pin(async {
            let property = cell.cast.host.lists(json!({ "status": "UNLISTED" })).await;
            books(cell, &property).await
        })
    }),
    ("Mutation.updateBooking", |cell| {
        Box::pin(async {
            let booking = a_paid_booking(cell, true).await;
            let input = json!({ "id": booking, "guests": 1 });
            let selection = "probe: booking { id }";
            cell.does("updateBooking", "UpdateBookingInput!", input, selection)
                .await
        })
    }),
    ("Mutation.acceptBooking", |cell| {
        Box::pin(async {
            let booking = a_paid_booking(cell, false).await;
            cell.does_by_id("acceptBooking", &booking, "probe: booking { id }")
                .await
        })
    }),
    ("Mutation.declineBooking", |cell| {
        Box::pin(async {
            let booking = a_paid_booking(cell, false).await;
            cell.does_by_id("declineBooking", &booking, "probe: booking { id }")
                .await
        })
    }),
    ("Mutation.cancelBooking", |cell| {
        Box::pin(async {
            let booking = a_paid_booking(cell, true).await;
            cell.does_by_id("cancelBooking", &booking, "probe: booking { id }")
                .await
        })
    }),
    ("Mutation.createPayment", |cell| {
        Box::pin(async {
            let booking = a_booking(cell, true).await;
            let input = json!({ "bookingId": booking["id"], "paymentToken": "tok_visa" });
            cell.does(
                "createPayment",
                "CreatePaymentInput!",
                input,
                "probe: payment { id }",
            )
            .await
        })
    }),
    ("Mutation.refundPayment", |cell| {
        Box::pin(async {
            let booking = a_booking(cell, true).await;
            let payment = cell.cast.guest.pays(&booking).await;
            let input = json!({ "id": payment["id"], "amount": "1.00" });
            let selection = "probe: payment { id }";
            cell.does("refundPayment", "RefundPaymentInput!", input, selection)
                .await
        })
    }),
    ("Mutation.createReview", |cell| {
        Box::pin(async {
            let input = json!({ "bookingId": cell.stage.unreviewed(cell.who), "rating": 5 });
            let on_stage = Cell {
                cast: cell.stage.cast.clone(),
                ..*cell
            };
            on_stage
                .does(
                    "createReview",
                    "CreateReviewInput!",
                    input,
                    "probe: review { id }",
                )
                .await
        })
    }),
    ("Mutation.updateReview", |cell| {
        Box::pin(async {
            let input = json!({ "id": a_review(cell).await, "rating": 1 });
            let selection = "probe: review { id }";
            cell.does("updateReview", "UpdateReviewInput!", input, selection)
                .await
        })
    }),
    ("Mutation.deleteReview", |cell| {
        Box::pin(async {
            let review = a_review(cell).await;
            cell.does_by_id("deleteReview", &review, "probe: deletedId")
                .await
        })
    }),
    ("Mutation.respondToReview", |cell| {
        Box::pin(async {
            let input = json!({ "id": a_review(cell).await, "response": "Thank you." });
            let (name, selection) = ("respondToReview", "probe: review { id }");
            cell.does(name, "RespondToReviewInput!", input, selection)
                .await
        })
    }),
];

/// Signs the caller out everywhere, and looks who is still in: everybody else.
async fn signs_out(cell: &Cell<'_>) -> Vec<Value> {
    let out = "mutation { signOut(everywhere: true) { userErrors { field code } } }";
    let answers = cell.ask(out, json!({})).await;
    let mut ended = vec![];
    for who in &Who::ALL[1..] {
        let client = cell.cast.client(*who);
        let own = client.ask("{ viewer { email } }", json!({})).await;
        if super::answer::refused(&own) == Some(Outcome::SignIn) {
            ended.push(json!({ "owner": client.id }));
        }
    }
    if ended.is_empty() {
        answers
    } else {
        vec![json!({ "data": { "probe": ended } })]
    }
}

async fn session_of(client: &Client) -> String {
    let own = client
        .get("{ viewer { sessions { id } } }", json!({}))
        .await;
    text(&own["viewer"]["sessions"][0]["id"])
}

/// Brings back the link that verifies the guest's address.
async fn verifies_email(cell: &Cell<'_>, selection: &str) -> Vec<Value> {
    let token = mailed_to_the_guest(cell, MailedFor::VerifyEmail).await;
    let input = json!({ "token": token });
    cell.does("verifyEmail", "VerifyEmailInput!", input, selection)
        .await
}

/// The secret of a link that was mailed to the guest.
async fn mailed_to_the_guest(cell: &Cell<'_>, purpose: MailedFor) -> String {
    let key = key_of(&cell.cast.guest).await;
    let secret = Uuid::new_v4().to_string();
    let now = cell.world.clock.now();
    let row = mailed_token::Model {
        token_hash: hash_mailed_token(&secret),
        user_id: UserId(key.try_into().expect("a key")),
        purpose,
        email: cell.cast.guests_address(),
        created_at: now,
        expires_at: now + purpose.good_for(),
        used_at: None,
    };
    mailed_token::Entity::insert(row.into_active_model())
        .exec_without_returning(cell.world.app.db.read())
        .await
        .expect("a link is mailed");
    secret
}

async fn updates(cell: &Cell<'_>, mut change: Value) -> Vec<Value> {
    change["id"] = json!(cell.cast.host.lists(json!({})).await);
    let selection = "probe: property { id }";
    cell.does("updateProperty", "UpdatePropertyInput!", change, selection)
        .await
}

/// A calendar to import into a property of this host's.
async fn a_feed(host: &Client) -> Value {
    let property = host.lists(json!({})).await;
    json!({ "propertyId": property, "url": "http://127.0.0.1:9/a.ics", "name": "Elsewhere" })
}

async fn books(cell: &Cell<'_>, property: &str) -> Vec<Value> {
    let (check_in, check_out) = (cell.world.day(5), cell.world.day(7));
    let input = json!({ "propertyId": property, "checkIn": check_in, "checkOut": check_out });
    let selection = "probe: booking { guest { owner: id } }";
    cell.does("createBooking", "CreateBookingInput!", input, selection)
        .await
}

/// A booking of the guest's at the host's.
async fn a_booking(cell: &Cell<'_>, instant: bool) -> Value {
    let property = cell
        .cast
        .host
        .lists(json!({ "instantBook": instant }))
        .await;
    let (check_in, check_out) = (cell.world.day(5), cell.world.day(7));
    cell.cast
        .guest
        .books(&property, &check_in, &check_out)
        .await
}

async fn a_paid_booking(cell: &Cell<'_>, instant: bool) -> String {
    let booking = a_booking(cell, instant).await;
    cell.cast.guest.pays(&booking).await;
    text(&booking["id"])
}

/// A review by the guest of a stay at the host's that is over.
async fn a_review(cell: &Cell<'_>) -> String {
    let booking = a_paid_booking(cell, true).await;
    // The clock is everybody's: this stay ends before its time.
    let host = key_of(&cell.cast.host).await;
    let over = format!("UPDATE bookings SET status = 'COMPLETED' WHERE host_id = {host}");
    cell.world.meddles(&over).await.expect("a stay is over");
    let input = json!({ "bookingId": booking, "rating": 4 });
    let selection = "review { id }";
    let written = cell
        .cast
        .guest
        .mutate("createReview", "CreateReviewInput!", input, selection)
        .await;
    text(&written["review"]["id"])
}

async fn key_of(client: &Client) -> i64 {
    let own = client
        .get("{ viewer { user { databaseId } } }", json!({}))
        .await;
    own["viewer"]["user"]["databaseId"].as_i64().expect("a key")
}

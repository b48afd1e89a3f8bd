//! Who is in the play, and on which stage.

use chrono::Duration;
use serde_json::{Value, json};
use staygate::domain::people::{Email, Role};

use crate::support::{Client, SESSION, World};

/// The columns of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Anonymous,
    Guest,
    OtherGuest,
    Host,
    OtherHost,
    Admin,
}

impl Who {
    pub const ALL: [Self; 6] = [
        Self::Anonymous,
        Self::Guest,
        Self::OtherGuest,
        Self::Host,
        Self::OtherHost,
        Self::Admin,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Guest => "guest",
            Self::OtherGuest => "other guest",
            Self::Host => "host",
            Self::OtherHost => "other host",
            Self::Admin => "admin",
        }
    }
}

/// One client for each column.
#[derive(Clone)]
pub struct Cast {
    pub anonymous: Client,
    pub guest: Client,
    pub other_guest: Client,
    pub host: Client,
    pub other_host: Client,
    pub admin: Client,
    /// What tells their names and addresses from those of other casts.
    number: usize,
}

impl Cast {
    /// Six people who have done nothing yet.
    pub async fn new(world: &World, number: usize) -> Self {
        let mut cast = Self::without_admin(world, number).await;
        cast.admin = world.admin(&format!("ada-{number}")).await;
        cast
    }

    async fn without_admin(world: &World, number: usize) -> Self {
        Self {
            anonymous: world.stranger(),
            guest: world.guest(&format!("gus-{number}")).await,
            other_guest: world.guest(&format!("olga-{number}")).await,
            host: world.host(&format!("hana-{number}")).await,
            other_host: world.host(&format!("otto-{number}")).await,
            admin: world.stranger(),
            number,
        }
    }

    pub fn client(&self, who: Who) -> &Client {
        match who {
            Who::Anonymous => &self.anonymous,
            Who::Guest => &self.guest,
            Who::OtherGuest => &self.other_guest,
            Who::Host => &self.host,
            Who::OtherHost => &self.other_host,
            Who::Admin => &self.admin,
        }
    }

    /// The guest's mail address.
    pub fn guests_address(&self) -> String {
        format!("gus-{}@example.com", self.number)
    }
}

/// A booking of the guest's at the host's, with its payment.
pub struct Held {
    pub booking: String,
    pub payment: String,
    /// The cursors of its events, oldest first.
    pub events: Vec<String>,
}

impl Held {
    async fn of(guest: &Client, booking: &Value) -> Self {
        let seen = guest.sees(booking).await;
        let events = seen["events"].as_array().expect("events").iter();
        Self {
            booking: text(&seen["id"]),
            payment: text(&seen["payment"]["id"]),
            events: events.map(|event| text(&event["cursor"])).collect(),
        }
    }
}

/// What is only read, and so is made once. Between them its bookings and accounts have a value in every field.
pub struct Stage {
    pub cast: Cast,
    pub listed: String,
    pub unlisted: String,
    /// Paid, stayed, reviewed.
    pub reviewed: Held,
    pub review: String,
    /// A calendar that the listed property imports.
    pub feed: String,
    pub cancelled: Held,
    /// It waits for the guest, who has something to do in the payment form.
    pub waiting: Held,
    /// Stays that are over, one to review for each column.
    unreviewed: Vec<String>,
    /// Comes before every event but the first.
    pub begun: String,
    /// The newest booking that each column has to do with.
    newest: Vec<Option<String>>,
    sessions: Vec<Option<String>>,
}

impl Stage {
    pub async fn set(world: &World) -> Self {
        let mut cast = Cast::without_admin(world, 0).await;
        let listed = cast.host.lists(json!({})).await;
        let hidden = json!({ "title": "The annex behind", "status": "UNLISTED" });
        let unlisted = cast.host.lists(hidden).await;
        let elsewhere = cast.other_host.lists(json!({})).await;

        let reviewed = stays(world, &cast, &listed, 1).await;
        let mut unreviewed = vec![];
        for day in 2..8 {
            let over = stays(world, &cast, &listed, day).await;
            unreviewed.push(text(&over["id"]));
        }
        world.clock.advance(Duration::days(9));
        world.background_round().await;
        let said = json!({ "bookingId": reviewed["id"], "rating": 4 });
        let review = cast
            .guest
            .mutate("createReview", "CreateReviewInput!", said, "review { id }");
        let review = text(&review.await["review"]["id"]);

        let cancelled = stays(world, &cast, &listed, 1).await;
        let id = text(&cancelled["id"]);
        cast.guest
            .mutate_by_id("cancelBooking", &id, "booking { id }")
            .await;
        let waiting = cast
            .guest
            .books(&listed, &world.day(3), &world.day(4))
            .await;
        cast.guest.tries_to_pay(&waiting, "tok_threeDSecure").await;

        let feed = imports(world, &cast.host, &listed, &waiting).await;

        let theirs = cast
            .other_guest
            .books(&elsewhere, &world.day(1), &world.day(2))
            .await;
        // An admin does not book; this one was a guest before.
        let (admin, before) = promoted(world, &elsewhere).await;
        cast.admin = admin;
        let newest = vec![
            None,
            Some(text(&waiting["id"])),
            Some(text(&theirs["id"])),
            Some(text(&waiting["id"])),
            Some(before.clone()),
            Some(before),
        ];
        let sessions = settle(&cast).await;
        Self {
            begun: text(&reviewed["events"][0]["cursor"]),
            reviewed: Held::of(&cast.guest, &reviewed).await,
            cancelled: Held::of(&cast.guest, &cancelled).await,
            waiting: Held::of(&cast.guest, &waiting).await,
            cast,
            listed,
            unlisted,
            review,
            feed,
            unreviewed,
            newest,
            sessions,
        }
    }

    /// A stay of the guest's that is over, and that nobody else of the cast tries to review.
    pub fn unreviewed(&self, who: Who) -> &str {
        &self.unreviewed[who as usize]
    }

    pub fn newest_of(&self, who: Who) -> Option<&str> {
        self.newest[who as usize].as_deref()
    }

    pub fn session_of(&self, who: Who) -> Option<&str> {
        self.sessions[who as usize].as_deref()
    }
}

/// A calendar of the host's with something in every field: it has been read once, fails since, and has a night that is booked.
async fn imports(world: &World, host: &Client, property: &str, booking: &Value) -> String {
    let input =
        json!({ "propertyId": property, "url": "http://127.0.0.1:9/a.ics", "name": "Elsewhere" });
    let added = host.mutate(
        "addCalendarFeed",
        "AddCalendarFeedInput!",
        input,
        "feed { id }",
    );
    let id = text(&added.await["feed"]["id"]);
    let night = text(&booking["checkIn"]);
    for sql in [
        "UPDATE calendar_feeds SET last_synced_at = created_at, failures = 1, problem = 'It is gone.', next_sync_at = '2100-01-01T00:00:00Z'".to_owned(),
        format!("INSERT INTO calendar_feed_nights (feed_id, property_id, night) SELECT feed_id, property_id, '{night}' FROM calendar_feeds"),
    ] {
        world.meddles(&sql).await.expect("it has been read");
    }
    let publish = "mutation($id: ID!) { publishCalendar(propertyId: $id) { userErrors { code } } }";
    host.get(publish, json!({ "id": property })).await;
    id
}

async fn stays(world: &World, cast: &Cast, property: &str, day: i64) -> Value {
    let (check_in, check_out) = (world.day(day), world.day(day + 1));
    let booking = cast.guest.books(property, &check_in, &check_out).await;
    cast.guest.pays(&booking).await;
    booking
}

/// A new admin, and what this one booked before.
async fn promoted(world: &World, property: &str) -> (Client, String) {
    let guest = world.guest("ada-0").await;
    let booking = guest.books(property, &world.day(3), &world.day(4)).await;
    let address = Email::parse("email", "ada-0@example.com").expect("a mail address");
    let people = &world.app.services.people;
    people
        .set_role(&address, Role::Admin, true)
        .await
        .expect("a role");
    let input = json!({ "email": "ada-0@example.com", "password": "a good password" });
    let stranger = world.stranger();
    let answer = stranger
        .mutate("signIn", "SignInInput!", input, SESSION)
        .await;
    (stranger.with_session(&answer), text(&booking["id"]))
}

/// Everybody asks for another mail address. Gives the newest session of each.
async fn settle(cast: &Cast) -> Vec<Option<String>> {
    let mut sessions = vec![None];
    for who in &Who::ALL[1..] {
        let client = cast.client(*who);
        let email = format!("another-{}@example.com", *who as usize);
        let change = json!({ "email": email, "currentPassword": "a good password" });
        let selection = "viewer { pendingEmail sessions { id } }";
        let changed = client.mutate("updateProfile", "UpdateProfileInput!", change, selection);
        sessions.push(Some(text(&changed.await["viewer"]["sessions"][0]["id"])));
    }
    sessions
}

pub fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

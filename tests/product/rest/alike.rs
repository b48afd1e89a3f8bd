//! The same use case by GraphQL and by REST comes to the same: what is shown, what is done, and what is refused.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, World, on_both_engines};

/// A thing by both of its names.
struct Thing {
    id: String,
    key: i64,
}

impl Thing {
    fn of(node: &Value) -> Self {
        Self {
            id: node["id"].as_str().expect("an id").to_owned(),
            key: node["databaseId"].as_i64().expect("a key"),
        }
    }

    fn at(&self, resource: &str) -> String {
        format!("/{resource}/{}/", self.key)
    }
}

/// What came of a use case: what was shown, or a code and where the mistake is.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Done(Value),
    Refused(String, Vec<Vec<Value>>),
}

fn path(mistake: &Value) -> Vec<Value> {
    mistake["field"].as_array().expect("a path").clone()
}

/// A mutation; of what it made, these fields.
async fn by_graphql(who: &Client, mutation: &str, variables: Value, shown: &[&str]) -> Outcome {
    let mut answer = who.ask(mutation, variables).await;
    if let Some(error) = answer["errors"].get(0) {
        let code = error["extensions"]["code"].as_str().expect("a code");
        return Outcome::Refused(code.to_owned(), vec![]);
    }
    let payload = answer["data"].as_object_mut().expect("data");
    let payload = payload.values_mut().next().expect("a payload");
    let mistakes = payload["userErrors"].as_array().expect("mistakes");
    match &**mistakes {
        [] => Outcome::Done(fields(&payload["it"], shown)),
        [one] => Outcome::Refused(
            one["code"].as_str().expect("a code").to_owned(),
            vec![path(one)],
        ),
        many => Outcome::Refused("INVALID".to_owned(), many.iter().map(path).collect()),
    }
}

async fn by_rest(
    who: &Client,
    method: Method,
    path_of: &str,
    body: Value,
    shown: &[&str],
) -> Outcome {
    let body = (method != Method::DELETE).then_some(body);
    let answer = who.sends(method, path_of, body, &[]).await;
    if answer.status < 400 {
        return Outcome::Done(fields(&answer.body, shown));
    }
    let code = answer.body["code"].as_str().expect("a code").to_owned();
    let mistakes = answer.body["errors"].as_array().expect("mistakes");
    Outcome::Refused(code, mistakes.iter().map(path).collect())
}

fn fields(thing: &Value, names: &[&str]) -> Value {
    let value = |name: &&str| {
        thing
            .pointer(&format!("/{}", name.replace('.', "/")))
            .cloned()
            .unwrap_or_default()
    };
    names.iter().map(value).collect()
}

/// One of the use cases: who, and how by either way.
struct Case<'a> {
    who: &'a Client,
    mutation: &'a str,
    input: Value,
    method: Method,
    path: String,
    body: Value,
    shown: &'a [&'a str],
}

impl Case<'_> {
    async fn comes_to(self) -> Outcome {
        let graphql = by_graphql(self.who, self.mutation, self.input, self.shown).await;
        let rest = by_rest(self.who, self.method, &self.path, self.body, self.shown).await;
        assert_eq!(graphql, rest, "{} and {}", self.mutation, self.path);
        rest
    }
}

const SIGN_UP: &str =
    "mutation($input: SignUpInput!) { signUp(input: $input) { userErrors { field code } } }";
const SIGN_IN: &str =
    "mutation($input: SignInInput!) { signIn(input: $input) { userErrors { field code } } }";
const PROFILE: &str = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { it: viewer { user { fullName } } userErrors { field code } } }";
const LIST: &str = "mutation($input: CreatePropertyInput!) { createProperty(input: $input) { it: property { title status maxGuests amenities timeZone pricePerNight { amount } } userErrors { field code } } }";
const RELIST: &str = "mutation($input: UpdatePropertyInput!) { updateProperty(input: $input) { it: property { title status } userErrors { field code } } }";
const DELIST: &str = "mutation($id: ID!) { deleteProperty(id: $id) { userErrors { field code } } }";
const BOOK: &str = "mutation($input: CreateBookingInput!) { createBooking(input: $input) { it: booking { id databaseId status guests totalPrice { amount } } userErrors { field code } } }";
const REBOOK: &str = "mutation($input: UpdateBookingInput!) { updateBooking(input: $input) { it: booking { guests checkIn checkOut totalPrice { amount } } userErrors { field code } } }";
const PAY: &str = "mutation($input: CreatePaymentInput!) { createPayment(input: $input) { it: payment { id databaseId status amount { amount } } userErrors { field code } } }";
const REFUND: &str = "mutation($input: RefundPaymentInput!) { refundPayment(input: $input) { it: payment { status refundedAmount { amount } } userErrors { field code } } }";
const REVIEW: &str = "mutation($input: CreateReviewInput!) { createReview(input: $input) { it: review { id databaseId rating comment } userErrors { field code } } }";
const REREVIEW: &str = "mutation($input: UpdateReviewInput!) { updateReview(input: $input) { it: review { rating comment } userErrors { field code } } }";
const RESPOND: &str = "mutation($input: RespondToReviewInput!) { respondToReview(input: $input) { it: review { hostResponse } userErrors { field code } } }";

fn act(name: &str) -> String {
    format!(
        "mutation($id: ID!) {{ {name}(id: $id) {{ it: booking {{ status cancellationReason }} userErrors {{ field code }} }} }}"
    )
}

async fn home(host: &Client, changes: Value) -> Thing {
    let input = crate::support::a_property(&changes);
    let made = host
        .mutate(
            "createProperty",
            "CreatePropertyInput!",
            input,
            "property { id databaseId }",
        )
        .await;
    Thing::of(&made["property"])
}

async fn stay(world: &World, guest: &Client, home: &Thing, day: i64) -> Thing {
    let input = json!({ "propertyId": home.id, "checkIn": world.day(day), "checkOut": world.day(day + 2), "guests": 1 });
    let made = guest
        .mutate(
            "createBooking",
            "CreateBookingInput!",
            input,
            "booking { id databaseId }",
        )
        .await;
    Thing::of(&made["booking"])
}

async fn pays(guest: &Client, booking: &Thing) -> Thing {
    let input = json!({ "bookingId": booking.id, "paymentToken": "tok_visa" });
    let made = guest
        .mutate(
            "createPayment",
            "CreatePaymentInput!",
            input,
            "payment { id databaseId }",
        )
        .await;
    Thing::of(&made["payment"])
}

/// A thing by GraphQL has what it has by REST, but for the names of keys.
async fn is_shown_alike(who: &Client, kind: &str, thing: &Thing, resource: &str) {
    let rest = who.reads(&thing.at(resource)).await.thing(200);
    let money = |value: &Value| value.get("currency").is_some();
    let mut rest = rest.as_object().expect("an object").clone();
    // Which stay a review is of, GraphQL shows on the stay.
    if kind == "Review" {
        rest.remove("bookingId");
    }
    let selections = rest.iter().map(|(name, value)| match name.as_str() {
        "id" => "databaseId".to_owned(),
        key if key.ends_with("Id") => format!("{} {{ databaseId }}", key.trim_end_matches("Id")),
        "lineItems" => "lineItems { kind description amount { amount currency } }".to_owned(),
        _ if money(value) => format!("{name} {{ amount currency }}"),
        _ => name.clone(),
    });
    let selection: Vec<_> = selections.collect();
    let query = format!(
        "query($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ {} }} }} }}",
        selection.join(" ")
    );
    let graphql = who.get(&query, json!({ "id": thing.id })).await["node"].take();
    for (name, value) in rest {
        let same = match name.as_str() {
            "id" => &graphql["databaseId"],
            key if key.ends_with("Id") => &graphql[key.trim_end_matches("Id")]["databaseId"],
            name => &graphql[name],
        };
        assert_eq!(*same, value, "{kind}.{name}");
    }
}

on_both_engines! {
    async fn what_is_shown_is_the_same(world: World) {
        let (host, guest) = (world.host("hana").await, world.guest("gus").await);
        let home = home(&host, json!({ "timeZone": "Europe/Lisbon" })).await;
        let booking = stay(&world, &guest, &home, 1).await;
        let payment = pays(&guest, &booking).await;
        world.clock.advance(chrono::Duration::days(7));
        world.background_round().await;
        let input = json!({ "bookingId": booking.id, "rating": 4, "comment": "Quiet." });
        let made = guest.mutate("createReview", "CreateReviewInput!", input, "review { id databaseId }").await;
        let review = Thing::of(&made["review"]);
        is_shown_alike(&host, "Property", &home, "properties").await;
        is_shown_alike(&guest, "Payment", &payment, "payments").await;
        is_shown_alike(&guest, "Review", &review, "reviews").await;
        // What a booking has of its property's terms and its host, GraphQL shows on the property.
        let rest = guest.reads(&booking.at("bookings")).await.thing(200);
        let query = "query($id: ID!) { booking(id: $id) { checkIn checkOut guests status cancellationReason expiresAt createdAt totalPrice { amount currency }
            lineItems { kind description amount { amount currency } } property { databaseId host { databaseId } timeZone instantBook cancellationPolicy }
            guest { databaseId } } }";
        let graphql = guest.get(query, json!({ "id": booking.id })).await["booking"].take();
        for name in ["checkIn", "checkOut", "guests", "status", "cancellationReason", "expiresAt", "createdAt", "totalPrice", "lineItems"] {
            assert_eq!(rest[name], graphql[name], "{name}");
        }
        for (name, place) in [("propertyId", "/property/databaseId"), ("guestId", "/guest/databaseId"), ("hostId", "/property/host/databaseId"),
            ("timeZone", "/property/timeZone"), ("instantBook", "/property/instantBook"), ("cancellationPolicy", "/property/cancellationPolicy")] {
            assert_eq!(Some(&rest[name]), graphql.pointer(place), "{name}");
        }
        let dates = (world.day(20), world.day(23));
        let query = "query($id: ID!, $from: Date!, $to: Date!) { property(id: $id) {
            calendar(from: $from, to: $to) { date available price { amount currency } }
            quote(checkIn: $from, checkOut: $to, guests: 9) { available nights problems { field code message } lineItems { kind description amount { amount currency } } total { amount currency } } } }";
        let graphql = guest.get(query, json!({ "id": home.id, "from": dates.0, "to": dates.1 })).await["property"].take();
        let nights = guest.reads(&format!("{}calendar/?from={}&to={}", home.at("properties"), dates.0, dates.1)).await.thing(200);
        assert_eq!(nights["nights"], graphql["calendar"]);
        let quote = guest.reads(&format!("{}quote/?checkIn={}&checkOut={}&guests=9", home.at("properties"), dates.0, dates.1)).await.thing(200);
        assert_eq!(quote, graphql["quote"]);
    }

    async fn what_is_refused_is_refused_for_the_same_reason(world: World) {
        let (host, guest, other, stranger) = (world.host("hana").await, world.guest("gus").await, world.guest("otto").await, world.stranger());
        let home = home(&host, json!({ "instantBook": false })).await;
        let (unpaid, paid) = (stay(&world, &guest, &home, 20).await, stay(&world, &guest, &home, 30).await);
        let payment = pays(&guest, &paid).await;
        host.mutate_by_id("acceptBooking", &paid.id, "").await;
        let listing = |changes: Value| crate::support::a_property(&changes);
        let stay_at = |property: Value, from: i64, to: i64, guests: i64| json!({ "propertyId": property, "checkIn": world.day(from), "checkOut": world.day(to), "guests": guests });
        let mut cases = vec![];
        let mut add = |who, mutation, input: Value, method, path: &str, body| {
            cases.push(Case { who, mutation, input, method, path: path.to_owned(), body, shown: &[] });
        };
        let input = |value: &Value| json!({ "input": value });
        for account in [
            json!({ "fullName": "Gus", "email": "gus@example.com", "password": "a good password" }),
            json!({ "fullName": "", "email": "nobody", "password": "short" }),
            json!({ "fullName": "Gus", "email": "new@example.com", "password": "password123" }),
        ] {
            add(&stranger, SIGN_UP, input(&account), Method::POST, "/users/", account);
        }
        let wrong = json!({ "email": "gus@example.com", "password": "not this one" });
        add(&stranger, SIGN_IN, input(&wrong), Method::POST, "/sessions/", wrong);
        let me = format!("/users/{}/", guest.key().await);
        let taken = json!({ "email": "otto@example.com" });
        add(&guest, PROFILE, input(&taken), Method::PATCH, &me, taken);
        for (who, changes) in [
            (&host, json!({ "title": "", "maxGuests": 51, "pricePerNight": "0.50", "latitude": 91.5, "timeZone": "Mars" })),
            (&host, json!({ "amenities": ["Hot Tub!"], "minNights": 9, "maxNights": 3 })),
            (&guest, json!({})),
            (&stranger, json!({})),
        ] {
            let listing = listing(changes);
            add(who, LIST, input(&listing), Method::POST, "/properties/", listing);
        }
        for (who, change) in [(&other, json!({ "title": "Mine now" })), (&host, json!({ "maxGuests": 0 })), (&stranger, json!({ "title": "Nobody's" }))] {
            let mut by_id = change.clone();
            by_id["id"] = json!(home.id);
            add(who, RELIST, input(&by_id), Method::PATCH, &home.at("properties"), change);
        }
        for who in [&host, &other, &stranger] {
            add(who, DELIST, json!({ "id": home.id }), Method::DELETE, &home.at("properties"), json!(null));
        }
        for (who, from, to, guests) in [(&guest, -3, 2, 1), (&guest, 20, 22, 1), (&guest, 40, 40, 1), (&guest, 40, 42, 9), (&guest, 40, 42, 0), (&guest, 900, 902, 1),
            (&guest, 1, 400, 1), (&host, 40, 42, 1), (&stranger, 40, 42, 1)] {
            add(who, BOOK, input(&stay_at(json!(home.id), from, to, guests)), Method::POST, "/bookings/", stay_at(json!(home.key), from, to, guests));
        }
        for (who, booking, change) in [(&guest, &unpaid, json!({ "checkIn": world.day(-1) })), (&guest, &unpaid, json!({ "guests": 20 })), (&guest, &paid, json!({ "checkOut": world.day(36) })),
            (&host, &unpaid, json!({ "guests": 2 })), (&other, &unpaid, json!({ "guests": 2 }))] {
            let mut by_id = change.clone();
            by_id["id"] = json!(booking.id);
            add(who, REBOOK, input(&by_id), Method::PATCH, &booking.at("bookings"), change);
        }
        let acts: Vec<_> = ["acceptBooking", "declineBooking", "cancelBooking"].map(act).into();
        for (who, booking, n, name) in [(&host, &unpaid, 0, "accept"), (&guest, &unpaid, 0, "accept"), (&host, &paid, 0, "accept"), (&host, &paid, 1, "decline"), (&other, &paid, 1, "decline"),
            (&other, &paid, 2, "cancel"), (&stranger, &paid, 2, "cancel")] {
            add(who, &acts[n], json!({ "id": booking.id }), Method::POST, &format!("{}{name}/", booking.at("bookings")), json!({}));
        }
        for (who, booking, token) in [(&guest, &unpaid, "tok_chargeDeclined"), (&guest, &unpaid, "no token"), (&guest, &paid, "tok_visa"), (&other, &unpaid, "tok_visa"), (&stranger, &unpaid, "tok_visa")] {
            let pay = |booking: Value| json!({ "bookingId": booking, "paymentToken": token });
            add(who, PAY, input(&pay(json!(booking.id))), Method::POST, "/payments/", pay(json!(booking.key)));
        }
        for (who, amount) in [(&host, "9999.00"), (&host, "0.00"), (&guest, "1.00"), (&other, "1.00")] {
            let by_id = json!({ "id": payment.id, "amount": amount });
            add(who, REFUND, input(&by_id), Method::POST, &format!("{}refunds/", payment.at("payments")), json!({ "amount": amount }));
        }
        for (who, booking, rating) in [(&guest, &paid, 5), (&guest, &paid, 6), (&other, &paid, 5), (&stranger, &paid, 5)] {
            let review = |booking: Value| json!({ "bookingId": booking, "rating": rating });
            add(who, REVIEW, input(&review(json!(booking.id))), Method::POST, "/reviews/", review(json!(booking.key)));
        }
        assert!(cases.len() > 45, "{}", cases.len());
        for case in cases {
            let outcome = case.comes_to().await;
            assert!(matches!(outcome, Outcome::Refused(..)), "{outcome:?}");
        }
    }

    async fn what_is_done_comes_to_the_same(world: World) {
        let (host, guest) = (world.host("hana").await, world.guest("gus").await);
        let (one, two) = (home(&host, json!({ "instantBook": false })).await, home(&host, json!({ "instantBook": false })).await);
        let input = |value: Value| json!({ "input": value });
        let listing = crate::support::a_property(&json!({ "timeZone": "Asia/Tokyo" }));
        let shown = ["title", "status", "maxGuests", "amenities", "timeZone", "pricePerNight.amount"];
        Case { who: &host, mutation: LIST, input: input(listing.clone()), method: Method::POST, path: "/properties/".into(), body: listing, shown: &shown }.comes_to().await;
        let twins = async |who: &Client, mutation: &str, graphql: Value, method: Method, path: String, body: Value, shown: &[&str]| {
            let (graphql, rest) = (by_graphql(who, mutation, graphql, shown).await, by_rest(who, method, &path, body, shown).await);
            assert_eq!(graphql, rest, "{mutation}");
            assert!(matches!(rest, Outcome::Done(_)), "{rest:?}");
        };
        let title = "Another title";
        twins(&host, RELIST, input(json!({ "id": one.id, "title": title })), Method::PATCH, two.at("properties"), json!({ "title": title }), &["title", "status"]).await;
        let stay_at = |property: Value| json!({ "propertyId": property, "checkIn": world.day(60), "checkOut": world.day(63), "guests": 2 });
        twins(&guest, BOOK, input(stay_at(json!(one.id))), Method::POST, "/bookings/".into(), stay_at(json!(two.key)), &["status", "guests", "totalPrice.amount"]).await;
        let (first, second) = (stay(&world, &guest, &one, 20).await, stay(&world, &guest, &two, 20).await);
        let change = json!({ "checkOut": world.day(24), "guests": 3 });
        let mut by_id = change.clone();
        by_id["id"] = json!(first.id);
        twins(&guest, REBOOK, input(by_id), Method::PATCH, second.at("bookings"), change, &["guests", "checkIn", "checkOut", "totalPrice.amount"]).await;
        let pay = |booking: Value| json!({ "bookingId": booking, "paymentToken": "tok_visa" });
        twins(&guest, PAY, input(pay(json!(first.id))), Method::POST, "/payments/".into(), pay(json!(second.key)), &["status", "amount.amount"]).await;
        let states = ["status", "cancellationReason"];
        twins(&host, &act("acceptBooking"), json!({ "id": first.id }), Method::POST, format!("{}accept/", second.at("bookings")), json!({}), &states).await;
        let paid = async |booking: &Thing| {
            let query = "query($id: ID!) { booking(id: $id) { payment { id databaseId } } }";
            Thing::of(&guest.get(query, json!({ "id": booking.id })).await["booking"]["payment"])
        };
        let (to_refund, also) = (paid(&first).await, paid(&second).await);
        twins(&host, REFUND, input(json!({ "id": to_refund.id, "amount": "5.00" })), Method::POST, format!("{}refunds/", also.at("payments")), json!({ "amount": "5.00" }), &["status", "refundedAmount.amount"]).await;
        let (third, fourth) = (stay(&world, &guest, &one, 30).await, stay(&world, &guest, &two, 30).await);
        twins(&guest, &act("cancelBooking"), json!({ "id": third.id }), Method::POST, format!("{}cancel/", fourth.at("bookings")), json!({}), &states).await;
        let (third, fourth) = (stay(&world, &guest, &one, 30).await, stay(&world, &guest, &two, 30).await);
        pays(&guest, &third).await;
        pays(&guest, &fourth).await;
        twins(&host, &act("declineBooking"), json!({ "id": third.id }), Method::POST, format!("{}decline/", fourth.at("bookings")), json!({}), &states).await;
        world.clock.advance(chrono::Duration::days(26));
        world.background_round().await;
        let review = |booking: Value| json!({ "bookingId": booking, "rating": 4, "comment": "Quiet." });
        twins(&guest, REVIEW, input(review(json!(first.id))), Method::POST, "/reviews/".into(), review(json!(second.key)), &["rating", "comment"]).await;
        let said = async |booking: &Thing| {
            let query = "query($id: ID!) { booking(id: $id) { review { id databaseId } } }";
            Thing::of(&guest.get(query, json!({ "id": booking.id })).await["booking"]["review"])
        };
        let (of_first, of_second) = (said(&first).await, said(&second).await);
        twins(&guest, REREVIEW, input(json!({ "id": of_first.id, "rating": 5 })), Method::PATCH, of_second.at("reviews"), json!({ "rating": 5 }), &["rating", "comment"]).await;
        twins(&host, RESPOND, input(json!({ "id": of_first.id, "response": "Thanks." })), Method::POST, format!("{}response/", of_second.at("reviews")), json!({ "response": "Thanks." }), &["hostResponse"]).await;
        let delete = "mutation($id: ID!) { deleteReview(id: $id) { userErrors { field code } } }";
        twins(&guest, delete, json!({ "id": of_first.id }), Method::DELETE, of_second.at("reviews"), json!(null), &[]).await;
    }
}

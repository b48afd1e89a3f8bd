//! How each field of what is privately held is tried: by every way that leads to it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    answer::{Outcome, refused, shows},
    cast::{Held, Who},
    cell::Cell,
    schema::Schema,
    watched::first_of,
};

/// A way to an object of some type. `SELECTION` stands where the field is asked for.
struct Way {
    to: &'static str,
    /// The fields that it goes through, as far as they lead to something held.
    through: &'static [&'static str],
    document: &'static str,
    /// It leads into somebody's own lists, and so only one actor to the thing in question.
    only: Option<Who>,
}

macro_rules! ways {
    ($($to:literal through $through:expr, $(only $only:ident,)? $document:literal;)*) => {&[$(Way {
        to: $to,
        through: &$through,
        document: $document,
        only: ways!(@only $($only)?),
    }),*]};
    (@only) => { None };
    (@only $only:ident) => { Some(Who::$only) };
}

const WAYS: &[Way] = ways! {
    "Viewer" through ["Query.viewer", "Viewer.earnings", "Viewer.bookings", "Viewer.reservations", "Viewer.sessions"],
        "{ viewer { user { owner: id } SELECTION } }";

    "Session" through ["Viewer.sessions"],
        "{ viewer { sessions { SELECTION } } }";
    "Session" through ["Query.node"],
        "query($session: ID!) { node(id: $session) { ... on Session { SELECTION } } }";
    "Session" through ["Query.nodes"],
        "query($session: ID!) { nodes(ids: [$session]) { ... on Session { SELECTION } } }";

    "Booking" through ["Query.booking"],
        "query($booking: ID!) { booking(id: $booking) { SELECTION } }";
    "Booking" through ["Query.node"],
        "query($booking: ID!) { node(id: $booking) { ... on Booking { SELECTION } } }";
    "Booking" through ["Query.nodes"],
        "query($booking: ID!) { nodes(ids: [$booking]) { ... on Booking { SELECTION } } }";
    "Booking" through ["Payment.booking"],
        "query($payment: ID!) { node(id: $payment) { ... on Payment { booking { SELECTION } } } }";
    "Booking" through ["Booking.events", "BookingEvent.booking"],
        "query($booking: ID!) { booking(id: $booking) { events { booking { SELECTION } } } }";
    "Booking" through ["Subscription.bookingStatusChanged"],
        "subscription($booking: ID!, $after: String) {
            bookingStatusChanged(bookingId: $booking, after: $after) { booking { SELECTION } } }";
    "Booking" through ["Viewer.bookings", "BookingConnection.nodes"], only Guest,
        "{ viewer { bookings { nodes { SELECTION } } } }";
    "Booking" through ["Viewer.bookings", "BookingConnection.edges", "BookingEdge.node"], only Guest,
        "{ viewer { bookings { edges { node { SELECTION } } } } }";
    "Booking" through ["Viewer.reservations"], only Host,
        "{ viewer { reservations { nodes { SELECTION } } } }";

    "BookingEvent" through ["Booking.events"],
        "query($booking: ID!) { booking(id: $booking) { events { SELECTION } } }";
    "BookingEvent" through ["Query.node"],
        "query($booking: ID!) { node(id: $booking) { ... on Booking { events { SELECTION } } } }";
    "BookingEvent" through ["Payment.booking"],
        "query($payment: ID!) { node(id: $payment) { ... on Payment { booking { events { SELECTION } } } } }";
    "BookingEvent" through ["Subscription.bookingStatusChanged"],
        "subscription($booking: ID!, $after: String) {
            bookingStatusChanged(bookingId: $booking, after: $after) { SELECTION } }";
    "BookingEvent" through ["Viewer.bookings"], only Guest,
        "{ viewer { bookings { nodes { events { SELECTION } } } } }";
    "BookingEvent" through ["Viewer.reservations"], only Host,
        "{ viewer { reservations { nodes { events { SELECTION } } } } }";

    "Payment" through ["Query.node"],
        "query($payment: ID!) { node(id: $payment) { ... on Payment { SELECTION } } }";
    "Payment" through ["Query.nodes"],
        "query($payment: ID!) { nodes(ids: [$payment]) { ... on Payment { SELECTION } } }";
    "Payment" through ["Booking.payment"],
        "query($booking: ID!) { booking(id: $booking) { payment { SELECTION } } }";
    "Payment" through ["Subscription.bookingStatusChanged"],
        "subscription($booking: ID!, $after: String) {
            bookingStatusChanged(bookingId: $booking, after: $after) { booking { payment { SELECTION } } } }";
    "Payment" through ["Viewer.bookings"], only Guest,
        "{ viewer { bookings { nodes { payment { SELECTION } } } } }";
    "Payment" through ["Viewer.reservations"], only Host,
        "{ viewer { reservations { nodes { payment { SELECTION } } } } }";

    "CalendarFeed" through ["Property.calendarFeeds"],
        "query($property: ID!) { property(id: $property) { calendarFeeds { SELECTION } } }";
    "CalendarFeed" through ["Property.calendarFeeds"],
        "query($booking: ID!) { booking(id: $booking) { property { calendarFeeds { SELECTION } } } }";
    "CalendarFeed" through ["Query.node"],
        "query($feed: ID!) { node(id: $feed) { ... on CalendarFeed { SELECTION } } }";
    "CalendarFeed" through ["Query.nodes"],
        "query($feed: ID!) { nodes(ids: [$feed]) { ... on CalendarFeed { SELECTION } } }";

    "BookingConnection" through ["Viewer.bookings", "Viewer.reservations"],
        "{ viewer { user { owner: id } bookings { SELECTION } reservations { SELECTION } } }";
    "BookingEdge" through ["BookingConnection.edges"],
        "{ viewer { user { owner: id } bookings { edges { SELECTION } } reservations { edges { SELECTION } } } }";

    // The oldest lines: those of the people's arrival, and no reads among them.
    "AuditEntryConnection" through ["Query.auditLog"],
        "{ auditLog(last: 100) { SELECTION } }";
    "AuditEntryEdge" through ["AuditEntryConnection.edges"],
        "{ auditLog(last: 100) { edges { SELECTION } } }";
    "AuditEntry" through ["AuditEntryConnection.nodes"],
        "{ auditLog(last: 100) { nodes { SELECTION } } }";
    "AuditEntry" through ["AuditEntryEdge.node"],
        "{ auditLog(last: 100) { edges { node { SELECTION } } } }";
};

/// The fields that the ways go through.
pub fn through() -> BTreeSet<&'static str> {
    WAYS.iter().flat_map(|way| way.through).copied().collect()
}

/// What an actor sees of a field, by all of the ways together, and the answer that shows it. None for a type without a way.
pub async fn outcome(
    cell: &Cell<'_>,
    schema: &Schema,
    holder: &str,
    field: &str,
) -> Option<(Outcome, Value)> {
    let ways: Vec<_> = WAYS.iter().filter(|way| way.to == holder).collect();
    if ways.is_empty() {
        return None;
    }
    let selection = selection(schema, holder, field);
    Some(match holder {
        "Booking" | "BookingEvent" | "Payment" | "CalendarFeed" => {
            of_a_thing(cell, &ways, holder, field, &selection).await
        }
        "Session" => of_sessions(cell, &ways, &selection).await,
        _ => of_the_caller(cell, &ways, &selection).await,
    })
}

fn selection(schema: &Schema, holder: &str, field: &str) -> String {
    let key = match holder {
        "Booking" | "Payment" | "Session" | "CalendarFeed" => "key: id",
        "BookingEvent" => "key: cursor",
        _ => "",
    };
    let below = match (holder, field) {
        ("Viewer", "user") => "{ owner: id }",
        ("Viewer", "earnings") => "(from: \"2027-03-01\", to: \"2027-04-01\") { __typename }",
        ("Viewer", "bookings") => "{ nodes { guest { owner: id } } }",
        ("Viewer", "reservations") => "{ nodes { property { host { owner: id } } } }",
        _ if schema.gives_object(holder, field) => "{ __typename }",
        _ => "",
    };
    format!("{key} probe: {field} {below}")
}

/// One booking, one of its events, its payment, or an imported calendar: shown by each way to those whom the way leads there, or by none. What an admin is shown
/// stands in the audit log.
async fn of_a_thing(
    cell: &Cell<'_>,
    ways: &[&Way],
    holder: &str,
    field: &str,
    selection: &str,
) -> (Outcome, Value) {
    let held = with_a_value(cell, holder, field);
    let last = held.events.last().expect("an event");
    let key = match holder {
        "Booking" => &held.booking,
        "Payment" => &held.payment,
        "CalendarFeed" => &cell.stage.feed,
        _ => last,
    };
    let after = held.events.iter().rev().nth(1).unwrap_or(&cell.stage.begun);
    let variables = json!({
        "booking": held.booking, "payment": held.payment, "after": after,
        "feed": cell.stage.feed, "property": cell.stage.listed,
    });
    let mut is_shown = None;
    let mut answer = Value::Null;
    for way in ways {
        let lines = lines_of_reads(cell).await;
        answer = asks(cell, way, selection, &variables).await;
        let shown = shows(&answer, key);
        if shown && cell.who == Who::Admin && lines_of_reads(cell).await == lines {
            let unlogged = json!({ "not in the audit log": way.document });
            return (Outcome::Unforeseen, unlogged);
        }
        let expected = match way.only {
            Some(who) if who != cell.who => false,
            _ => *is_shown.get_or_insert(shown),
        };
        if shown != expected || refused(&answer) == Some(Outcome::Unforeseen) {
            return (
                Outcome::Unforeseen,
                json!({ "by": way.document, "answer": answer }),
            );
        }
    }
    let outcome = if is_shown == Some(true) {
        Outcome::Yes
    } else {
        Outcome::Hidden
    };
    (outcome, answer)
}

/// How many lines the audit log has of what admins read.
async fn lines_of_reads(cell: &Cell<'_>) -> i64 {
    let lines = "SELECT count(*) FROM audit_entries WHERE action = 'admin.read'";
    cell.world.number(lines).await
}

/// The booking that has something in this field.
fn with_a_value<'s>(cell: &Cell<'s>, holder: &str, field: &str) -> &'s Held {
    match (holder, field) {
        ("Booking", "expiresAt") | ("Payment", "clientSecret") => &cell.stage.waiting,
        ("Booking", "cancellationReason") => &cell.stage.cancelled,
        _ => &cell.stage.reviewed,
    }
}

/// Everybody's sessions: each way must show the caller's own, and nobody else's.
async fn of_sessions(cell: &Cell<'_>, ways: &[&Way], selection: &str) -> (Outcome, Value) {
    let mut own = vec![];
    let mut answer = Value::Null;
    for whose in Who::ALL {
        let Some(session) = cell.stage.session_of(whose) else {
            continue;
        };
        for way in ways {
            answer = asks(cell, way, selection, &json!({ "session": session })).await;
            let shown = shows(&answer, session);
            if shown && whose != cell.who {
                return (
                    Outcome::Yes,
                    json!({ "of": whose.title(), "answer": answer }),
                );
            }
            if refused(&answer) == Some(Outcome::Unforeseen) {
                return (Outcome::Unforeseen, answer);
            }
            if whose == cell.who {
                own.push(shown);
            }
        }
    }
    let outcome = match &own[..] {
        [] => Outcome::Hidden,
        all if all.iter().all(|shown| *shown) => Outcome::Own,
        _ => Outcome::Unforeseen,
    };
    (outcome, answer)
}

/// What hangs from the caller, or from a root that tells who may see it.
async fn of_the_caller(cell: &Cell<'_>, ways: &[&Way], selection: &str) -> (Outcome, Value) {
    let mut answers = vec![];
    for way in ways {
        answers.push(asks(cell, way, selection, &json!({})).await);
    }
    Outcome::of_all(&answers, &cell.caller().id)
}

async fn asks(cell: &Cell<'_>, way: &Way, selection: &str, variables: &Value) -> Value {
    let document = way.document.replace("SELECTION", selection);
    if document.starts_with("subscription") {
        first_of(cell, &document, variables.clone()).await
    } else {
        cell.caller().ask(&document, variables.clone()).await
    }
}

//! Each operation of the schema, with what it may cost. It costs the same however many rows there are.

mod life;
mod till;

use std::collections::BTreeSet;

use serde_json::json;

use self::life::does_everything;
use crate::support::on_both_engines;

/// How many statements each operation sends, on the engine that sends more, for what the test selects.
const BUDGETS: [(&str, u64); 41] = [
    ("Query.viewer", 8),
    ("Query.node", 4),
    ("Query.nodes", 4),
    ("Query.user", 5),
    ("Query.property", 7),
    ("Query.properties", 5),
    ("Query.booking", 7),
    ("Query.auditLog", 6),
    ("Mutation.signUp", 11),
    ("Mutation.signIn", 8),
    ("Mutation.refreshSession", 4),
    ("Mutation.signOut", 5),
    ("Mutation.revokeSession", 5),
    ("Mutation.updateProfile", 7),
    ("Mutation.changePassword", 11),
    ("Mutation.requestPasswordReset", 4),
    ("Mutation.resetPassword", 18),
    ("Mutation.verifyEmail", 9),
    ("Mutation.deleteAccount", 20),
    ("Mutation.becomeHost", 7),
    ("Mutation.publishCalendar", 7),
    ("Mutation.addCalendarFeed", 9),
    ("Mutation.removeCalendarFeed", 8),
    ("Mutation.createProperty", 11),
    ("Mutation.updateProperty", 11),
    ("Mutation.deleteProperty", 6),
    ("Mutation.updateCalendar", 10),
    ("Mutation.createBooking", 19),
    ("Mutation.updateBooking", 23),
    ("Mutation.acceptBooking", 21),
    ("Mutation.declineBooking", 31),
    ("Mutation.cancelBooking", 34),
    ("Mutation.createPayment", 21),
    ("Mutation.refundPayment", 24),
    ("Mutation.createReview", 11),
    ("Mutation.updateReview", 10),
    ("Mutation.deleteReview", 8),
    ("Mutation.respondToReview", 10),
    ("Subscription.bookingStatusChanged", 6),
    ("Subscription.viewerBookingStatusChanged", 6),
    ("Subscription.availabilityChanged", 4),
];

/// On a busy machine the session is looked up once more, as it could not be told in time that nobody has signed out.
const LATE: u64 = 2;

on_both_engines! {
    async fn each_operation_costs_what_is_written_here_however_many_rows_there_are(world: World) {
        let few = does_everything(&world, 0).await;
        for round in 1..6 {
            does_everything(&world, round).await;
        }
        let many = does_everything(&world, 6).await;
        let names: BTreeSet<_> = BUDGETS.iter().map(|(name, _)| *name).collect();
        let asked: BTreeSet<_> = many.keys().copied().collect();
        assert_eq!(names, asked);
        let mut over = Vec::new();
        for (name, budget) in BUDGETS {
            if few[name] > budget + LATE || many[name] > budget + LATE || many[name] > few[name] + LATE {
                over.push(format!("{name}: {budget}, but {} and {}", few[name], many[name]));
            }
        }
        assert!(over.is_empty(), "{over:#?}");
    }

    async fn every_operation_of_the_schema_has_a_budget(world: World) {
        let schema = "{ __schema { queryType { name fields { name } } mutationType { name fields { name } } subscriptionType { name fields { name } } } }";
        let schema = world.stranger().get(schema, json!({})).await;
        let mut all = BTreeSet::new();
        for root in ["queryType", "mutationType", "subscriptionType"] {
            let root = &schema["__schema"][root];
            for field in root["fields"].as_array().expect("fields") {
                all.insert(format!("{}.{}", root["name"].as_str().expect("a name"), field["name"].as_str().expect("a name")));
            }
        }
        let budgets: BTreeSet<_> = BUDGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(all, budgets);
    }
}

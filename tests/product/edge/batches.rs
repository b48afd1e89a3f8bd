//! Several operations in one request.

use serde_json::{Value, json};

use super::posts;
use crate::support::on_both_engines;

fn one(query: &str) -> Value {
    json!({ "query": query })
}

on_both_engines! {
    async fn a_list_of_operations_is_answered_by_a_list_in_its_order(world: World) {
        let guest = world.guest("gus").await;
        let list = json!([
            one("mutation { updateProfile(input: { fullName: \"Gus the Second\" }) { userErrors { code } } }"), one("{ viewer { user { fullName } } }"),
            one("{ nothing }"), one("subscription { viewerBookingStatusChanged { cursor } }"), { "query": "query A { __typename } query B { viewer { email } }", "operationName": "A" },
        ]);
        let (status, _, answers) = posts(&guest, &list).await;
        assert_eq!((status, answers.as_array().map(Vec::len)), (200, Some(5)), "{answers}");
        assert_eq!(answers[0]["data"]["updateProfile"]["userErrors"], json!([]));
        assert_eq!(answers[1]["data"]["viewer"]["user"]["fullName"], "Gus the Second", "what comes later sees what came before");
        for wrong in [2, 3] {
            assert_eq!(answers[wrong]["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
            assert!(answers[wrong].get("data").is_none());
        }
        assert_eq!(answers[4], json!({ "data": { "__typename": "Query" } }));
    }

    async fn a_list_is_bounded_in_length_and_in_what_it_costs_together(world: World) {
        let stranger = world.stranger();
        let fine = vec![one("{ __typename }"); 10];
        assert_eq!(posts(&stranger, &json!(fine)).await.2.as_array().map(Vec::len), Some(10));
        let long = vec![one("{ __typename }"); 11];
        let (status, _, refused) = posts(&stranger, &json!(long)).await;
        assert_eq!((status, &refused["errors"][0]["extensions"]["limit"]), (400, &json!({ "name": "batch", "most": 10, "found": 11 })));
        let costly = vec![one("{ properties(first: 100) { nodes { host { id } } } }"); 5];
        let (status, _, refused) = posts(&stranger, &json!(costly)).await;
        assert_eq!((status, &refused["errors"][0]["extensions"]["limit"]), (400, &json!({ "name": "cost", "most": 1_000, "found": 1_005 })));
        assert_eq!(posts(&stranger, &json!([])).await.0, 400);
    }
}

//! Each limit of `docs/limits.md`: what is just within it is answered, what is just over it is refused, and the refusal says which limit it was.

use serde_json::{Value, json};

use super::posts;
use crate::support::{Client, World};

/// An operation of a size, by the limit that it is about.
fn sized(limit: &str, size: usize) -> Value {
    let repeated = |count: usize, part: &dyn Fn(usize) -> String| {
        (0..count).map(part).collect::<Vec<_>>().concat()
    };
    let query = match limit {
        // `{ __typename }` are three tokens.
        "tokens" => format!("{{ __typename {}}}", "__typename ".repeat(size - 3)),
        "rootFields" => format!("{{ {}}}", "__typename ".repeat(size)),
        "aliases" => format!("{{ {}}}", repeated(size, &|n| format!("a{n}: __typename "))),
        "directives" => format!("{{ __typename {}}}", "@include(if: true) ".repeat(size)),
        other => panic!("{other}"),
    };
    json!({ "query": query })
}

async fn refusal(who: &Client, body: &Value) -> Value {
    let (_, _, answer) = posts(who, body).await;
    answer["errors"][0]["extensions"].clone()
}

#[tokio::test]
async fn what_is_within_a_limit_is_answered_and_what_is_over_it_is_refused_by_name() {
    let world = World::on_sqlite().await;
    let stranger = world.stranger();
    for (limit, most) in [("rootFields", 20), ("aliases", 15), ("directives", 50)] {
        let (_, _, fine) = posts(&stranger, &sized(limit, most)).await;
        let over = refusal(&stranger, &sized(limit, most + 1)).await;
        // A directive may stand once, says the specification: what is refused then is not the number of them.
        assert!(
            fine["errors"][0]["extensions"]["limit"].is_null(),
            "{limit}: {fine}"
        );
        let told = json!({ "name": limit, "most": most, "found": most + 1 });
        assert_eq!(
            (&over["code"], &over["limit"]),
            (&json!("QUERY_TOO_COMPLEX"), &told)
        );
    }
    let tokens = refusal(&stranger, &sized("tokens", 2_001)).await;
    assert_eq!(
        tokens["limit"],
        json!({ "name": "tokens", "most": 2_000, "found": 2_001 })
    );
    let deep = "{ properties { nodes { host { properties { nodes { host { properties { nodes { host { properties { totalCount } } } } } } } } } } }";
    let depth = refusal(&stranger, &json!({ "query": deep })).await;
    assert_eq!(
        depth["limit"],
        json!({ "name": "depth", "most": 10, "found": 11 })
    );
    let costly = json!({ "query": "{ properties(first: 100) { nodes { reviews(first: 9) { nodes { id } } } } }" });
    let cost = refusal(&stranger, &costly).await;
    assert_eq!(
        cost["limit"],
        json!({ "name": "cost", "most": 1_000, "found": 1_101 })
    );
    let fields = "fragment F on Query { ...G ...G } fragment G on Query { ...H ...H } fragment H on Query { __typename __typename __typename } ";
    let many = format!("{{ {} }} {fields}", "...F ".repeat(90));
    let fields = refusal(&stranger, &json!({ "query": many })).await;
    assert_eq!(fields["limit"]["name"], "fields");
}

#[tokio::test]
async fn a_limit_is_a_setting() {
    let settings = [
        ("STAYGATE_MAX_DEPTH", "2"),
        ("STAYGATE_MAX_ALIASES", "1"),
        ("STAYGATE_MAX_COST", "5"),
        ("STAYGATE_MAX_BODY_KIB", "1"),
    ];
    let world = World::on_sqlite_with(&settings).await;
    let stranger = world.stranger();
    for (query, limit) in [
        ("{ properties { nodes { id } } }", "depth"),
        ("{ a: __typename b: __typename }", "aliases"),
        (
            "{ properties(first: 6) { edges { cursor } nodes { id } } }",
            "depth",
        ),
    ] {
        let refused = refusal(&stranger, &json!({ "query": query })).await;
        assert_eq!(refused["limit"]["name"], limit, "{query}");
    }
    let large = json!({ "query": "{ __typename }", "operationName": " ".repeat(1_100) });
    let (status, _, _) = posts(&stranger, &large).await;
    assert_eq!(status, 413);
}

#[tokio::test]
async fn what_is_only_measured_is_let_through() {
    let settings = [
        ("STAYGATE_LIMITS", "measure"),
        ("STAYGATE_MAX_ALIASES", "1"),
    ];
    let world = World::on_sqlite_with(&settings).await;
    let (status, _, answer) = posts(&world.stranger(), &sized("aliases", 5)).await;
    assert_eq!((status, &answer["data"]["a4"]), (200, &json!("Query")));
}

#[tokio::test]
async fn in_production_the_schema_does_not_tell_of_itself() {
    let world = World::on_sqlite_with(&[("STAYGATE_INTROSPECTION", "false")]).await;
    let stranger = world.stranger();
    for query in [
        "{ __schema { types { name } } }",
        "{ __type(name: \"User\") { name } }",
        "{ ...F } fragment F on Query { __schema { types { name } } }",
    ] {
        let refused = refusal(&stranger, &json!({ "query": query })).await;
        assert_eq!(refused["code"], "BAD_USER_INPUT", "{query}");
    }
    let (_, _, fine) = posts(
        &stranger,
        &json!({ "query": "{ __typename properties { nodes { __typename } } }" }),
    )
    .await;
    assert_eq!(fine["data"]["__typename"], "Query");
    let (_, _, misspelt) = posts(
        &stranger,
        &json!({ "query": "{ propertie { totalCount } }" }),
    )
    .await;
    let said = misspelt["errors"][0]["message"]
        .as_str()
        .expect("a sentence");
    assert!(
        said.contains("propertie") && !said.contains("properties"),
        "{said}"
    );
}

#[tokio::test]
async fn introspection_has_a_budget_of_its_own() {
    let world = World::on_sqlite().await;
    let deep = "{ __schema { types { fields { type { ofType { ofType { ofType { ofType { ofType { ofType { name } } } } } } } } } } }";
    let (_, _, answer) = posts(&world.stranger(), &json!({ "query": deep })).await;
    assert!(answer["data"]["__schema"]["types"].is_array(), "{answer}");
    let mixed = deep.replace("{ __schema", "{ properties { totalCount } __schema");
    let refused = refusal(&world.stranger(), &json!({ "query": mixed })).await;
    assert_eq!(refused["limit"]["name"], "depth");
}

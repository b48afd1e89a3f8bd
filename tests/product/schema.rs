//! The schema itself.

#[test]
fn the_committed_schema_is_the_one_that_is_served() {
    let committed = include_str!("../../schema.graphql");
    assert!(
        committed == staygate::graphql::sdl(),
        "schema.graphql is not what is served: cargo run -- schema > schema.graphql"
    );
}

/// Every type, field, argument, input field and enum value is described.
#[tokio::test]
async fn everything_in_the_schema_is_described() {
    let query = "{ __schema { types { name description
        fields(includeDeprecated: true) { name description args { name description } }
        inputFields { name description } enumValues(includeDeprecated: true) { name description } } } }";
    let world = crate::support::World::on_sqlite().await;
    let answer = world.stranger().get(query, serde_json::json!({})).await;
    let types = answer["__schema"]["types"].as_array().expect("types");
    let mut missing = Vec::new();
    let empty = |value: &serde_json::Value| value["description"].as_str().is_none_or(str::is_empty);
    let mut described = 0;
    for kind in types.iter().filter(|kind| {
        !kind["name"]
            .as_str()
            .is_some_and(|name| name.starts_with("__"))
    }) {
        let name = kind["name"].as_str().expect("a name");
        // ID is the language's own.
        if empty(kind) && name != "ID" {
            missing.push(name.to_owned());
        }
        for part in ["fields", "inputFields", "enumValues"] {
            for element in kind[part].as_array().into_iter().flatten() {
                described += 1;
                if empty(element) {
                    missing.push(format!("{name}.{}", element["name"]));
                }
                for argument in element["args"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter(|argument| empty(argument))
                {
                    missing.push(format!("{name}.{}({})", element["name"], argument["name"]));
                }
            }
        }
    }
    assert!(described > 200, "the schema was not read");
    assert!(missing.is_empty(), "without a description: {missing:#?}");
}

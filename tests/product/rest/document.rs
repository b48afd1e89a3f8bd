//! The description of the resources.

use serde_json::Value;

use crate::support::World;

fn document() -> Value {
    serde_json::to_value(staygate::rest::document()).expect("JSON")
}

#[test]
fn the_committed_description_is_the_one_that_is_served() {
    let committed = include_str!("../../../docs/openapi.json");
    let served = staygate::rest::document().to_pretty_json().expect("JSON") + "\n";
    assert!(
        committed == served,
        "docs/openapi.json is not what is served: cargo run -- openapi > docs/openapi.json"
    );
}

#[tokio::test]
async fn the_description_is_served_to_everyone() {
    let world = World::on_sqlite().await;
    let served = world.stranger().reads("/openapi.json").await.thing(200);
    assert_eq!(served, document());
}

/// A schema by what refers to it.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = schema["$ref"]
        .as_str()
        .or_else(|| schema["oneOf"][0]["$ref"].as_str());
    match reference.and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).expect("what is referred to"),
        None => schema,
    }
}

#[test]
fn everything_is_described_with_an_example() {
    let document = document();
    let (mut missing, mut seen) = (vec![], 0);
    let schemas = document["components"]["schemas"]
        .as_object()
        .expect("schemas");
    for (name, schema) in schemas {
        if schema["description"].as_str().is_none_or(str::is_empty) {
            missing.push(name.clone());
        }
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            seen += 1;
            let whole = resolved(&document, property);
            let described = |value: &Value| value["description"].is_string();
            if !described(property) && !described(whole) {
                missing.push(format!("{name}.{field}: a description"));
            }
            // What holds others has theirs.
            let holds = whole["properties"].is_object()
                || whole["items"].is_object() && whole["items"]["type"] != "string";
            if !holds && property["example"].is_null() && whole["example"].is_null() {
                missing.push(format!("{name}.{field}: an example"));
            }
        }
    }
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let name = format!("{method} {path}");
            for text in ["summary", "operationId"] {
                if operation[text].as_str().is_none_or(str::is_empty) {
                    missing.push(format!("{name}: its {text}"));
                }
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                seen += 1;
                let schema = resolved(&document, &parameter["schema"]);
                let example = !parameter["example"].is_null() || !schema["example"].is_null();
                if !parameter["description"].is_string() || !example {
                    missing.push(format!("{name}: {}", parameter["name"]));
                }
            }
            for status in ["400", "429", "500", "503"] {
                if operation["responses"][status].is_null() {
                    missing.push(format!("{name}: {status}"));
                }
            }
        }
    }
    assert!(seen > 150, "the description was not read: {seen}");
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn an_operation_has_a_name_of_its_own() {
    let document = document();
    let paths = document["paths"].as_object().expect("paths");
    let methods = paths
        .values()
        .flat_map(|path| path.as_object().expect("methods").values());
    let mut names: Vec<_> = methods
        .map(|operation| operation["operationId"].as_str())
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(all >= 40, "{all}");
}

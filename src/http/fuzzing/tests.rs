use proptest::prelude::*;
use serde_json::json;

use super::{address, body, document, message};
use crate::domain::fuzzing::tests::{corpus, mutants};

#[test]
fn what_is_kept_for_this_floor_is_read_as_promised() {
    for (target, read) in [
        ("body", body as fn(&[u8])),
        ("address", address),
        ("message", message),
        ("document", document),
    ] {
        for one in corpus(target) {
            read(&one);
        }
    }
}

/// What a selection may have in it, with whatever stands in `inner`.
fn item(inner: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let of_name = prop::sample::select(vec!["a: ", "b1:", "", "", ""]);
    let name = prop::sample::select(vec![
        "properties",
        "node",
        "nodes",
        "host",
        "id",
        "__typename",
    ]);
    let arguments = prop_oneof![
        3 => Just(String::new()),
        1 => value().prop_map(|value| format!("(first: {value})")),
        1 => (value(), value()).prop_map(|(one, other)| format!("(ids:{one},after:{other})")),
    ];
    let directive = prop::sample::select(vec!["", "", "", "@skip(if:$a)", "@include(if: true)"]);
    (of_name, name, arguments, directive, inner)
        .prop_map(|(alias, name, arguments, directive, inner)| {
            format!("{alias}{name}{arguments}{directive}{inner}")
        })
        .boxed()
}

fn value() -> BoxedStrategy<String> {
    let leaf = prop::sample::select(vec![
        "1",
        "00",
        "-0.5e3",
        "$a",
        "$b",
        "null",
        "truefalse",
        "ENUM",
        "\"t\"",
        "\"\"",
        "\"\"\" \\\"\"\" \"\"\"",
        "\"\\u00e9\"",
        "[]",
        "{}",
    ]);
    leaf.prop_map(str::to_owned)
        .prop_recursive(5, 30, 6, |inner| {
            let several = prop::collection::vec(inner, 0..6);
            prop_oneof![
                several
                    .clone()
                    .prop_map(|them| format!("[{}]", them.join(" "))),
                several.prop_map(|them| {
                    let fields = them.iter().map(|value| format!("f:{value}"));
                    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
                }),
            ]
        })
        .boxed()
}

/// A selection, braces and all, that may spread the fragments from a number on.
fn selection(first: usize) -> BoxedStrategy<String> {
    let spread = (first..8_usize).prop_map(|n| format!("...f{n}"));
    let leaf = prop_oneof![item(Just(String::new()).boxed()), spread];
    let set = |items: BoxedStrategy<String>| {
        prop::collection::vec(items, 1..6).prop_map(|items| format!("{{{}}}", items.join(" ")))
    };
    let deeper = leaf.prop_recursive(4, 24, 5, move |inner| {
        let set = set(inner).boxed();
        prop_oneof![item(set.clone()), set.prop_map(|set| format!("...{set}"))]
    });
    set(deeper.boxed()).boxed()
}

/// Documents that parse, most of them, with fragments that spread each other, not always those that are there.
fn documents() -> impl Strategy<Value = String> {
    let kinds = prop::sample::select(vec![
        "",
        "query A($a: Int = 3, $b: [ID!]! = [1])",
        "mutation A",
        "subscription A",
        "query A",
    ]);
    let fragments: Vec<_> = (0..7).map(|n| selection(n + 1)).collect();
    let another = prop_oneof![
        Just(String::new()),
        selection(0).prop_map(|set| format!("query B{set}"))
    ];
    (kinds, selection(0), another, fragments).prop_map(|(kind, set, another, fragments)| {
        let fragments = fragments.iter().enumerate();
        let fragments = fragments.map(|(n, set)| format!("fragment f{n} on Query{set}"));
        format!(
            "{kind}{set} {another} {} fragment f7 on Query{{id}}",
            fragments.collect::<String>()
        )
    })
}

/// Bodies of JSON around some document.
fn bodies() -> impl Strategy<Value = String> {
    let values = prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(3),
        json!(-1e300),
        json!(["a", 1, null]),
        json!({ "c": [[]] }),
        json!("\u{1d7d2}"),
    ]);
    let names = prop::sample::select(vec![
        json!(null),
        json!(""),
        json!("A"),
        json!("B"),
        json!(0),
    ]);
    let digests = prop::sample::select(vec![
        json!(null),
        json!({}),
        json!({ "cost": true }),
        json!({ "persistedQuery": null }),
        json!({ "persistedQuery": { "version": 1, "sha256Hash": "0".repeat(64) } }),
        json!({ "persistedQuery": { "version": 2, "sha256Hash": "" } }),
        json!([]),
    ]);
    (documents(), names, values.clone(), values, digests).prop_map(|(query, name, a, b, extensions)| {
        let variables = json!({ "a": a, "b": b });
        json!({ "query": query, "operationName": name, "variables": variables, "extensions": extensions }).to_string()
    })
}

proptest! {
    #[test]
    fn bodies_like_those_that_are_kept_are_too(one in mutants("body")) {
        body(&one);
    }

    #[test]
    fn addresses_like_those_that_are_kept_are_too(one in mutants("address")) {
        address(&one);
    }

    #[test]
    fn messages_like_those_that_are_kept_are_too(one in mutants("message")) {
        message(&one);
    }

    #[test]
    fn documents_like_those_that_are_kept_are_too(one in mutants("document")) {
        document(&one);
    }

    #[test]
    fn characters_in_any_order_are_a_document_or_refused(text in r#"[{}()\[\]a-c"\\u0-9Dd8:$@!|.#\n ,-]{0,80}"#) {
        document(text.as_bytes());
    }

    #[test]
    fn documents_by_the_grammar_are_run_or_refused(text in documents()) {
        document(text.as_bytes());
    }

    #[test]
    fn requests_by_the_grammar_are_run_or_refused_over_every_transport(one in bodies()) {
        body(one.as_bytes());
        body(format!("[{one},{one}]").as_bytes());
        message(format!(r#"{{"type":"subscribe","id":"1","payload":{one}}}"#).as_bytes());
    }
}

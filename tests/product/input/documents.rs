//! Bodies and documents that are no request.

use super::{FIND, LIST, is_refused, post, read, rows};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::on_both_engines;

on_both_engines! {
    async fn a_body_that_is_no_request_is_a_400(world: World) {
        let stranger = world.stranger();
        for body in [
            "", " ", "{", "null", "42", "\"{ __typename }\"", "{ __typename }", "[]", "{}", r#"{"query":null}"#, r#"{"query":5}"#,
            r#"{"query":["{ __typename }"]}"#, r#"{"query":"{ __typename }"} trailing"#, r#"{"query":"{ __typename }","query":"{ __typename }"}"#,
            r#"["{ __typename }",null,null,null]"#,
            r#"{"query":"{ __typename }","variables":[]}"#, r#"{"query":"{ __typename }","variables":"{}"}"#, r#"{"query":"{ __typename }","variables":1}"#,
            r#"{"query":"{ __typename }","operationName":5}"#, r#"{"query":"{ __typename }","extensions":[]}"#,
            r#"{"query":"query($x: Float) { __typename }","variables":{"x":1e400}}"#, r#"{"query":"query($x: Float) { __typename }","variables":{"x":NaN}}"#,
            r#"{"query":"{ __typename }","variables":{"x":"\ud800"}}"#,
        ] {
            let answer = post(&stranger, body).await;
            assert_eq!(answer.0, StatusCode::BAD_REQUEST, "{body}: {}", answer.1);
            is_refused(body, &answer);
        }
        let answer = post(&stranger, b"{\"query\":\"{ \xff\xfe }\"}".to_vec()).await;
        assert_eq!(answer.0, StatusCode::BAD_REQUEST, "not UTF-8");
        is_refused("not UTF-8", &answer);
        let deep = format!(r#"{{"query":"{{ __typename }}","variables":{{"x":{}{}}}}}"#, "[".repeat(50_000), "]".repeat(50_000));
        let answer = post(&stranger, deep).await;
        assert_eq!(answer.0, StatusCode::BAD_REQUEST, "deep JSON");
        is_refused("deep JSON", &answer);
        let fine = post(&stranger, r#"{"query":"{ __typename }","variables":null,"operationName":null,"extensions":{},"other":1}"#).await;
        assert_eq!(fine, (StatusCode::OK, json!({ "data": { "__typename": "Query" } })));
    }

    async fn a_document_that_asks_for_what_there_is_not_is_refused(world: World) {
        let stranger = world.stranger();
        for query in [
            "", "{", "}", "{}", "query", "viewer", "{ viewer { email }", "{ nothing }", "{ viewer { passwordHash } }", "{ viewer }",
            "{ properties(nothing: 1) { totalCount } }", "{ properties(first: \"1\") { totalCount } }", "{ properties(first: 1.5) { totalCount } }",
            "{ properties(sort: CHEAPEST) { totalCount } }", "{ properties(sort: null) { totalCount } }",
            "{ properties(filter: { nothing: 1 }) { totalCount } }", "{ properties(filter: []) { totalCount } }", "{ property { id } }", "{ property(id: null) { id } }",
            "{ properties(first: 99999999999999999999999999) { totalCount } }", "{ properties(first: 2147483648) { totalCount } }", "{ properties(first: -2147483649) { totalCount } }",
            "{ properties(filter: { minRating: 1e400 }) { totalCount } }", "{ properties(filter: { minPrice: 1e400 }) { totalCount } }",
            r#"{ properties(filter: { text: "\uD800" }) { totalCount } }"#, r#"{ properties(filter: { text: "\uZZZZ" }) { totalCount } }"#,
            "{ properties(filter: { text: \"\u{0}\" }) { totalCount } }", "{ \u{0} }", "query($x: Nothing) { __typename }", "query($x: Int!) { properties(first: $x) { totalCount } }",
            "{ properties(first: $x) { totalCount } }", "query($x: Int) { __typename }",
            "{ ...F } fragment F on Query { ...F }", "{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }", "{ ...Nothing }", "{ viewer @nothing { email } }", "{ viewer @skip { email } }",
            "{ a: properties { totalCount } a: viewer { email } }", "query A { __typename } query A { __typename }", "{ __typename } { __typename }", "query A { __typename } query B { __typename }",
            "type Query { x: Int }", "mutation { createProperty }", "mutation { nothing }", "subscription { nothing }",
        ] {
            let answer = post(&stranger, json!({ "query": query }).to_string()).await;
            is_refused(query, &answer);
        }
        let named = post(&stranger, json!({ "query": "query A { __typename }", "operationName": "B" }).to_string()).await;
        is_refused("an operation that is not in the document", &named);
        for variables in [
            json!({ "first": 9_999_999_999_i64 }), json!({ "first": u64::MAX }), json!({ "first": 1e30 }), json!({ "first": "1" }), json!({ "first": [1] }), json!({ "after": {} }), json!({ "after": 1 }),
        ] {
            is_refused("variables", &post(&stranger, json!({ "query": LIST, "variables": variables }).to_string()).await);
        }
        for filter in [json!({ "nothing": 1 }), json!([]), json!("text"), json!({ "text": 5 }), json!({ "amenities": [null] }), json!({ "within": { "south": 1 } }), json!({ "guests": "2" })] {
            is_refused("a filter", &post(&stranger, json!({ "query": FIND, "variables": { "filter": filter } }).to_string()).await);
        }
        let found = stranger.get("{ properties { totalCount } }", json!({})).await;
        assert_eq!(found["properties"]["totalCount"], 0, "the server goes on");
    }

    async fn a_document_is_bounded_in_depth_and_size(world: World) {
        let stranger = world.stranger();
        let host = world.host("hana").await;
        host.lists(json!({})).await;
        let nested = |levels: usize| format!("{{ properties(first: 2) {{ nodes {{ {}id{} }} }} }}", "host { properties(first: 2) { nodes { ".repeat(levels), " } } }".repeat(levels));
        let fine = stranger.get(&nested(2), json!({})).await;
        assert!(fine["properties"]["nodes"][0]["host"].is_object());
        let aliases = (0..2_000).map(|number| format!("a{number}: viewer {{ email }} ")).collect::<Vec<_>>().concat();
        let fragments = (0..60).map(|number| format!("fragment F{number} on Query {{ ...F{} ...F{} }} ", number + 1, number + 1)).collect::<Vec<_>>().concat();
        let directives = "@include(if: true) ".repeat(10_000);
        for (what, query) in [
            ("a deep query", nested(10)), ("a very deep query", nested(500)), ("a hostile query", nested(6_000)), ("braces", "{a".repeat(60_000)),
            ("brackets", format!("{{ properties(filter: {{ amenities: {} }}) {{ totalCount }} }}", "[".repeat(100_000))),
            ("closed brackets", format!("{{ properties(filter: {{ amenities: {}{} }}) {{ totalCount }} }}", "[".repeat(50_000), "]".repeat(50_000))),
            ("nested objects", format!("{{ properties(filter: {}1{}) {{ totalCount }} }}", "{a:".repeat(40_000), "}".repeat(40_000))),
            ("nested types", format!("query($x: {}Int{}) {{ __typename }}", "[".repeat(50_000), "]".repeat(50_000))),
            ("aliases", format!("{{ {aliases} }}")), ("aliases of a name", format!("{{ {} }}", "a: __typename ".repeat(10_000))),
            ("fragments that double", format!("{{ ...F0 }} {fragments} fragment F60 on Query {{ __typename }}")),
            ("directives", format!("{{ __typename {directives} }}")),
        ] {
            let answer = post(&stranger, json!({ "query": query }).to_string()).await;
            is_refused(what, &answer);
        }
        assert_eq!(stranger.get("{ __typename }", json!({})).await["__typename"], "Query", "the server goes on");
    }

    async fn what_is_too_large_or_of_another_kind_is_told_so(world: World) {
        let host = world.host("hana").await;
        let before = rows(&world).await;
        let title = "x".repeat(10 * 1024 * 1024);
        let large = json!({ "query": "mutation($input: CreatePropertyInput!) { createProperty(input: $input) { property { id } } }",
                            "variables": { "input": crate::support::a_property(&json!({ "title": title })) } });
        let answer = post(&host, large.to_string()).await;
        assert_eq!(answer.0, StatusCode::PAYLOAD_TOO_LARGE);
        is_refused("10 MB", &answer);
        let body = r#"{"query":"{ __typename }"}"#;
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/graphql", "application/jsonp", "text/plain; application/json", ""] {
            let sent = host.request(Method::POST, "/graphql").header("content-type", kind).body(body).send().await;
            let answer = read(sent.expect("an answer")).await;
            assert_eq!(answer.0, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
            is_refused(kind, &answer);
        }
        let untyped = read(host.request(Method::POST, "/graphql").body(body).send().await.expect("an answer")).await;
        assert_eq!(untyped.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        for kind in ["application/json", "Application/JSON; charset=utf-8"] {
            let sent = host.request(Method::POST, "/graphql").header("content-type", kind).body(body).send().await;
            assert_eq!(read(sent.expect("an answer")).await, (StatusCode::OK, json!({ "data": { "__typename": "Query" } })), "{kind}");
        }
        assert_eq!(rows(&world).await, before);
    }

    async fn a_mutation_runs_by_post_alone_and_a_subscription_not_at_all(world: World) {
        let host = world.host("hana").await;
        let before = rows(&world).await;
        let sign_up = "mutation%7BsignUp(input:%7BfullName:%22Eve%22,email:%22eve@example.com%22,password:%22a%20good%20password%22%7D)%7BaccessToken%7D%7D";
        for path in [format!("/graphql?query={sign_up}"), format!("/graphql?query=query%20A%7B__typename%7D{}&operationName=B", sign_up.replacen("mutation", "mutation%20B", 1))] {
            let sent = host.request(Method::GET, &path).send().await.expect("an answer");
            assert_eq!(sent.headers()["allow"], "POST");
            let answer = read(sent).await;
            assert_eq!(answer.0, StatusCode::METHOD_NOT_ALLOWED);
            is_refused("a mutation by GET", &answer);
        }
        // PUT and DELETE are about streams, and run nothing.
        let refused = StatusCode::METHOD_NOT_ALLOWED;
        for (method, status) in [(Method::PUT, StatusCode::CREATED), (Method::DELETE, StatusCode::NOT_FOUND), (Method::PATCH, refused)] {
            let sent = host.request(method.clone(), "/graphql").json(&json!({ "query": "{ __typename }" })).send().await.expect("an answer");
            assert_eq!(sent.status(), status, "{method}");
            assert!(!sent.text().await.expect("an answer").contains("__typename"), "{method}");
        }
        let watch = "subscription { viewerBookingStatusChanged { to } }";
        let answer = post(&host, json!({ "query": watch }).to_string()).await;
        is_refused("a subscription by POST", &answer);
        assert!(answer.1["errors"][0]["message"].as_str().is_some_and(|message| message.contains("WebSocket")), "{}", answer.1);
        let by_get = host.request(Method::GET, "/graphql?query=subscription%7BviewerBookingStatusChanged%7Bto%7D%7D").send().await;
        let answer: (StatusCode, Value) = read(by_get.expect("an answer")).await;
        is_refused("a subscription by GET", &answer);
        assert_eq!(rows(&world).await, before);
    }
}

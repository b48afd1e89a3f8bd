//! GraphQL over HTTP, and what else the server answers.

mod socket;

use std::fmt::Write as _;

use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{Client, World, on_both_engines};

const JSON: &str = "application/json";
const RESPONSE: &str = "application/graphql-response+json";

async fn get(client: &Client, path: &str) -> Response {
    client
        .request(Method::GET, path)
        .send()
        .await
        .expect("an answer")
}

/// Posts a request and says in which media type the answer is wanted.
async fn post(client: &Client, accept: &str, body: &Value) -> (StatusCode, String, Value) {
    let request = client
        .request(Method::POST, "/graphql")
        .header("accept", accept)
        .json(body);
    let answer = request.send().await.expect("an answer");
    let (status, media) = (answer.status(), media(&answer));
    (
        status,
        media,
        answer.json().await.expect("an answer in JSON"),
    )
}

fn media(answer: &Response) -> String {
    let media = answer.headers()[header::CONTENT_TYPE]
        .to_str()
        .expect("text");
    media.split(';').next().unwrap_or_default().to_owned()
}

/// A value as it stands in a URL.
fn in_url(text: &str) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        let _ = write!(url, "%{byte:02X}");
        url
    })
}

on_both_engines! {
    async fn a_query_runs_by_get_with_variables_and_a_name(world: World) {
        let host = world.host("hana").await;
        let id = host.lists(json!({})).await;
        let query = "query Title($id: ID!) { property(id: $id) { title } } query Place($id: ID!) { property(id: $id) { location } }";
        let path = |name: &str| {
            let variables = json!({ "id": id }).to_string();
            format!("/graphql?query={}&variables={}&operationName={name}", in_url(query), in_url(&variables))
        };
        for (name, data) in [("Title", json!({ "title": "A room with a view" })), ("Place", json!({ "location": "Alfama, Lisbon, Portugal" }))] {
            let answer = get(&world.stranger(), &path(name)).await;
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(answer.json::<Value>().await.expect("JSON"), json!({ "data": { "property": data } }));
        }
        let who = get(&host, &format!("/graphql?query={}&variables=&operationName=", in_url("{ viewer { email } }"))).await;
        assert_eq!(who.json::<Value>().await.expect("JSON")["data"]["viewer"]["email"], "hana@example.com");
        for path in [
            "/graphql".to_owned(), "/graphql?query=".to_owned(), format!("/graphql?query={}&variables=%5B%5D", in_url("{ __typename }")),
            format!("/graphql?query={}&variables=x", in_url("{ __typename }")), "/graphql?query=%FF".to_owned(), path("Nobody"),
        ] {
            let request = world.stranger().request(Method::GET, &path).header("accept", RESPONSE);
            let answer = request.send().await.expect("an answer");
            assert_eq!((answer.status(), media(&answer).as_str()), (StatusCode::BAD_REQUEST, RESPONSE), "{path}");
            let answer: Value = answer.json().await.expect("JSON");
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        }
    }

    async fn the_status_tells_what_became_of_a_request_in_the_media_type_made_for_it(world: World) {
        let stranger = world.stranger();
        let refused = [
            json!({ "query": "{" }), json!({ "query": "{ nothing }" }), json!({ "query": "query($x: Int!) { __typename @skip(if: $x) }" }),
            json!({ "query": "query($n: Int!) { properties(first: $n) { totalCount } }" }),
            json!({ "query": "query($n: Int!) { properties(first: $n) { totalCount } }", "variables": { "n": "1" } }),
            json!({ "query": "query($in: Date) { properties(filter: { checkIn: $in }) { totalCount } }", "variables": { "in": "2027-02-30" } }),
            json!({ "query": "query A { __typename } query B { __typename }" }),
        ];
        for body in refused {
            let (status, media, answer) = post(&stranger, RESPONSE, &body).await;
            assert_eq!((status, media.as_str()), (StatusCode::BAD_REQUEST, RESPONSE), "{body}: {answer}");
            let (status, media, same) = post(&stranger, JSON, &body).await;
            assert_eq!((status, media.as_str()), (StatusCode::OK, JSON), "{body}: {same}");
            assert!(same["errors"].is_array() && same.get("data").is_none_or(Value::is_null), "{same}");
        }
        let fine = json!({ "query": "{ __typename viewer { email } }" });
        let data = json!({ "data": { "__typename": "Query", "viewer": null } });
        for (accept, expected) in [
            (RESPONSE, RESPONSE), (JSON, JSON), ("*/*", JSON), ("application/*", JSON), ("application/json, application/graphql-response+json", RESPONSE),
            ("application/graphql-response+json; charset=utf-8, application/json;q=0.9", RESPONSE), ("text/html, */*;q=0.1", JSON),
        ] {
            assert_eq!(post(&stranger, accept, &fine).await, (StatusCode::OK, expected.to_owned(), data.clone()), "{accept}");
        }
        // A field that fails is not a request that fails.
        let partly = json!({ "query": "{ __typename property(id: \"x\") { id } }" });
        let (status, _, answer) = post(&stranger, RESPONSE, &partly).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!((&answer["data"]["__typename"], &answer["data"]["property"]), (&json!("Query"), &json!(null)));
        assert_eq!(answer["errors"][0]["path"], json!(["property"]));
        for accept in [JSON, RESPONSE] {
            let (status, media, answer) = post(&stranger, accept, &json!({ "operationName": "A" })).await;
            assert_eq!((status, media.as_str()), (StatusCode::BAD_REQUEST, accept), "no query: {answer}");
            let mut nobody = stranger.clone();
            nobody.token = Some("garbage".to_owned());
            let (status, media, _) = post(&nobody, accept, &fine).await;
            assert_eq!((status, media.as_str()), (StatusCode::UNAUTHORIZED, accept));
        }
    }

    /// What is known of a document is not known of the values that it is asked with.
    async fn a_document_that_ran_before_is_refused_values_that_can_not_be(world: World) {
        let stranger = world.stranger();
        let query = "query Homes($filter: PropertyFilter, $n: Int) { properties(filter: $filter, first: $n) { totalCount } }";
        let asked = async |variables: Value| {
            let (status, _, answer) = post(&stranger, RESPONSE, &json!({ "query": query, "variables": variables })).await;
            (status, answer)
        };
        let good = json!({ "filter": { "checkIn": "2027-02-27", "checkOut": "2027-02-28" }, "n": 1 });
        for _ in 0..3 {
            assert_eq!(asked(good.clone()).await.0, StatusCode::OK);
        }
        for bad in [
            json!({ "filter": { "checkIn": "2027-02-30" } }), json!({ "filter": { "checkIn": 3 } }), json!({ "filter": { "guests": "2" } }),
            json!({ "filter": { "town": "Oslo" } }), json!({ "filter": { "minPrice": [] } }), json!({ "n": 1.5 }), json!({ "n": "1" }),
        ] {
            let (status, answer) = asked(bad.clone()).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{bad}: {answer}");
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{bad}: {answer}");
        }
        assert_eq!(asked(good).await.0, StatusCode::OK);
    }

    async fn the_name_selects_the_operation(world: World) {
        let query = "query A { __typename } mutation B { becomeHost { userErrors { code } } }";
        let guest = world.guest("gus").await;
        let (_, _, first) = post(&guest, JSON, &json!({ "query": query, "operationName": "A" })).await;
        assert_eq!(first, json!({ "data": { "__typename": "Query" } }));
        assert_eq!(world.number("SELECT count(*) FROM users WHERE role = 'HOST'").await, 0);
        let (_, _, second) = post(&guest, JSON, &json!({ "query": query, "operationName": "B" })).await;
        assert_eq!(second, json!({ "data": { "becomeHost": { "userErrors": [] } } }));
        assert_eq!(world.number("SELECT count(*) FROM users WHERE role = 'HOST'").await, 1);
    }

    async fn operators_are_told_that_it_lives_and_is_ready(world: World) {
        for path in ["/livez", "/readyz"] {
            let answer = get(&world.stranger(), path).await;
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            assert_eq!(answer.text().await.expect("text"), "ok\n");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_of_any_origin_may_call_in_development() {
    let world = World::on_sqlite().await;
    let preflight = world
        .stranger()
        .request(Method::OPTIONS, "/graphql")
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type",
        );
    let answer = preflight.send().await.expect("an answer");
    assert!(answer.status().is_success(), "{}", answer.status());
    let named = |name: &str| {
        let value = answer
            .headers()
            .get(name)
            .unwrap_or_else(|| panic!("no {name}"));
        value.to_str().expect("text").to_ascii_lowercase()
    };
    assert_eq!(named("access-control-allow-origin"), "*");
    assert!(named("access-control-allow-methods").contains("post"));
    let headers = named("access-control-allow-headers");
    assert!(
        headers.contains("authorization") && headers.contains("content-type"),
        "{headers}"
    );
    assert!(
        !answer
            .headers()
            .contains_key("access-control-allow-credentials")
    );
    let request = world
        .stranger()
        .request(Method::POST, "/graphql")
        .header("origin", "https://app.example.com")
        .json(&json!({ "query": "{ __typename }" }));
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_bears_its_request_id_and_forbids_sniffing() {
    let world = World::on_sqlite().await;
    let mut ids = Vec::new();
    for path in [
        "/",
        "/playground",
        "/livez",
        "/readyz",
        "/schema.graphql",
        "/nothing",
        "/graphql?query=%7B__typename%7D",
        "/graphql",
    ] {
        let answer = get(&world.stranger(), path).await;
        assert_eq!(
            answer.headers()["x-content-type-options"],
            "nosniff",
            "{path}"
        );
        let id = answer.headers()["x-request-id"].to_str().expect("text");
        assert!(!id.is_empty(), "{path}");
        ids.push(id.to_owned());
    }
    let asked = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), asked, "each its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_keeps_the_id_that_it_came_with_when_it_is_a_plain_one() {
    let world = World::on_sqlite().await;
    let answered = async |ids: &[&str]| {
        let mut request = world.stranger().request(Method::GET, "/livez");
        for id in ids {
            request = request.header("x-request-id", *id);
        }
        let answer = request.send().await.expect("an answer");
        let ids: Vec<_> = answer.headers().get_all("x-request-id").iter().collect();
        assert_eq!(ids.len(), 1);
        ids[0].to_str().expect("text").to_owned()
    };
    let long = "x".repeat(65);
    for good in ["from-the-client", "2f.1c_Z", &long[1..]] {
        assert_eq!(answered(&[good]).await, good);
    }
    for bad in [
        &[""][..],
        &["two words"],
        &["<b>"],
        &[&long],
        &["one", "another"],
    ] {
        let id = answered(bad).await;
        assert!(id.parse::<uuid::Uuid>().is_ok(), "{bad:?} became {id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_and_the_schema_are_served_with_their_security_headers() {
    let world = World::on_sqlite().await;
    let stranger = world.stranger();
    for path in ["/", "/playground"] {
        let page = get(&stranger, path).await;
        assert_eq!(
            (page.status(), media(&page).as_str()),
            (StatusCode::OK, "text/html"),
            "{path}"
        );
        let policy = page.headers()["content-security-policy"]
            .to_str()
            .expect("text")
            .to_owned();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!(page.headers()["referrer-policy"], "no-referrer");
        let text = page.text().await.expect("text");
        assert!(text.contains("<html"), "{path}");
    }
    let schema = get(&stranger, "/schema.graphql").await;
    assert_eq!(
        (schema.status(), media(&schema).as_str()),
        (StatusCode::OK, "text/plain")
    );
    let schema = schema.text().await.expect("text");
    assert!(schema.contains("type Query") && schema.contains("type Mutation"));
    for path in [
        "/nothing",
        "/graphql/",
        "/assets/nothing.js",
        "/assets/..%2Fmod.rs",
        "/..%2f..%2fetc/passwd",
        "/playground/x",
    ] {
        assert_eq!(
            get(&stranger, path).await.status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let wrong = stranger
        .request(Method::POST, "/livez")
        .send()
        .await
        .expect("an answer");
    assert_eq!(wrong.status(), StatusCode::METHOD_NOT_ALLOWED);
}

//! Texts that mean something to somebody else: to a database, a shell, a mail server, a template. Every place of the schema that takes a text is given all of them.

mod places;

use std::{collections::HashMap, path::Path, time::Duration};

use serde_json::{Value, json};
use tokio::time::timeout;

use self::places::Schema;
use crate::support::{Client, START, World, on_both_engines};

/// What each text would do to whoever takes it for more than a text. `FILE` stands for a file that must not come to be.
const HOSTILE: [&str; 14] = [
    "' OR '1'='1",
    "'; DROP TABLE users; --",
    "\" OR \"\"=\"",
    "1) UNION SELECT password_hash FROM users --",
    "%' AND 1=CAST((SELECT version()) AS int) --",
    "'||pg_sleep(9)||'",
    "\\'; SELECT 1; --",
    "$(touch FILE)",
    "`touch FILE`; touch FILE | touch FILE && touch FILE",
    "{\"$ne\": null}",
    "\u{0}",
    "a\r\nBcc: eve@evil.example",
    "../../../../etc/passwd",
    "{{7*191}}${7*191}<!ENTITY x SYSTEM 'file:///etc/passwd'>",
];

/// What no answer may have in it, whatever was sent.
const TELLTALES: [&str; 10] = [
    "INTERNAL",
    "sqlstate",
    "sqlx",
    "sea_orm",
    "syntax error",
    "near \"",
    "argon2",
    "panicked",
    "1337",
    "root:x:",
];

/// What stands where it is wanted for anything to happen: things that there are.
struct Scene {
    guest: Client,
    host: Client,
    admin: Client,
    ids: HashMap<&'static str, Value>,
    dates: [String; 2],
}

impl Scene {
    async fn set(world: &World) -> Self {
        let (guest, host, admin) = (
            world.guest("gus").await,
            world.host("hana").await,
            world.admin("ada").await,
        );
        let property = host.lists(json!({})).await;
        let past = guest.books(&property, &world.day(1), &world.day(2)).await;
        guest.pays(&past).await;
        world.clock.advance(chrono::Duration::days(3));
        world.background_round().await;
        let input = json!({ "bookingId": past["id"], "rating": 5 });
        let review = guest
            .mutate("createReview", "CreateReviewInput!", input, "review { id }")
            .await;
        let booking = guest.books(&property, &world.day(10), &world.day(12)).await;
        let payment = guest.pays(&booking).await;
        let ids = HashMap::from([
            ("Property", json!(property)),
            ("Booking", booking["id"].clone()),
            ("Payment", payment["id"].clone()),
            ("Review", review["review"]["id"].clone()),
            ("User", json!(guest.id)),
        ]);
        let dates = [world.day(20), world.day(22)];
        Self {
            guest,
            host,
            admin,
            ids,
            dates,
        }
    }

    /// A value that is taken.
    fn good(&self, field: &str, name: &str, kind: &str) -> Value {
        match (kind, name) {
            ("ID", _) => {
                let mut kinds = ["Property", "Booking", "Payment", "Review"].into_iter();
                let lower = |text: &str| text.to_lowercase();
                let of = kinds.find(|kind| {
                    lower(name).starts_with(&lower(kind)) || name == "id" && field.contains(kind)
                });
                self.ids[of.unwrap_or("User")].clone()
            }
            ("Date", name) => json!(self.dates[usize::from(name.ends_with("Out") || name == "to")]),
            ("DateTime", _) => json!(START),
            ("Decimal", _) => json!("10"),
            ("Int" | "Float", _) => json!(2),
            ("Boolean", _) => json!(false),
            (_, "email") => json!("gus@example.com"),
            (_, "url") => json!("https://example.com/a.ics"),
            (_, name) if name.to_lowercase().contains("password") => json!("a good password"),
            _ => json!("harmless words"),
        }
    }

    /// Who gets furthest.
    fn actor(&self, field: &str) -> &Client {
        let of_hosts = [
            "Property", "Calendar", "accept", "decline", "refund", "respond",
        ];
        match field {
            "auditLog" => &self.admin,
            _ if of_hosts.iter().any(|part| field.contains(part)) => &self.host,
            _ => &self.guest,
        }
    }
}

async fn posts(who: &Client, what: &str, body: &Value) -> (u16, String) {
    let request = who.request(reqwest::Method::POST, "/graphql").json(body);
    let sent = timeout(Duration::from_secs(5), request.send()).await;
    let answer = sent
        .unwrap_or_else(|_| panic!("{what} is waited for"))
        .expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

/// Gives every text to every place, and looks at each answer. Gives how many there were.
async fn attacks(schema: &Schema, scene: &Scene, file: &Path) -> usize {
    let mut answers = 0;
    for (kind, field, arguments) in &schema.roots {
        for place in schema.places(arguments) {
            let declared = arguments
                .iter()
                .map(|argument| format!("${}: {}", argument.name.node, argument.ty.node));
            let given = arguments
                .iter()
                .map(|argument| format!("{0}: ${0}", argument.name.node));
            let (declared, given) = (
                declared.collect::<Vec<_>>().join(", "),
                given.collect::<Vec<_>>().join(", "),
            );
            let of_a_list = ["totalCount", "nodes { __typename }"].join(" ");
            let selection = if ["properties", "auditLog"].contains(&field.as_str()) {
                of_a_list.as_str()
            } else {
                "__typename"
            };
            let query = format!("{kind}({declared}) {{ {field}({given}) {{ {selection} }} }}");
            let texts = HOSTILE
                .iter()
                .map(|text| json!(text.replace("FILE", &file.display().to_string())));
            for text in texts.chain([json!({ "$ne": null }), json!(["x"])]) {
                let mut variables = schema.filled(
                    &|name, kind| scene.good(field, name, kind),
                    arguments,
                    &place,
                    &text,
                );
                // What is left out has its default.
                for argument in arguments {
                    if argument.ty.node.nullable
                        && variables.get(argument.name.node.as_str()).is_none()
                    {
                        variables[argument.name.node.as_str()] = Value::Null;
                    }
                }
                let what = format!("{field} {} {text}", place.join("."));
                let body = json!({ "query": query, "variables": variables });
                let (status, answer) = posts(scene.actor(field), &what, &body).await;
                assert!(status < 500, "{what}: {status} {answer}");
                for telltale in TELLTALES {
                    assert!(!answer.contains(telltale), "{what}: {answer}");
                }
                if text.is_object() {
                    assert!(
                        answer.contains("\"BAD_USER_INPUT\""),
                        "no text, and taken: {what}: {answer}"
                    );
                }
                answers += 1;
            }
        }
    }
    answers
}

on_both_engines! {
    async fn every_text_that_the_schema_takes_is_a_text_and_nothing_else(world: World) {
        let (schema, scene) = (Schema::served(), Scene::set(&world).await);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("touched");
        let answers = attacks(&schema, &scene, &file).await;
        assert!(answers > 1_000, "{answers} texts were tried");
        assert!(!file.exists(), "a shell has read one of them");
        assert_eq!(world.number("SELECT count(*) FROM users WHERE role = 'ADMIN'").await, 1);
        let seen = world.stranger().get("{ properties { totalCount } }", json!({})).await;
        assert!(seen["properties"]["totalCount"].as_i64() > Some(0), "{seen}");
    }

    async fn what_would_be_sql_finds_what_other_unknown_words_find(world: World) {
        let host = world.host("hana").await;
        host.lists(json!({})).await;
        host.lists(json!({ "title": "The annex", "status": "UNLISTED" })).await;
        let admin = world.admin("ada").await;
        let find = "query($filter: PropertyFilter) { properties(filter: $filter) { totalCount nodes { title } pageInfo { endCursor } } }";
        let read = "query($action: String) { auditLog(action: $action) { totalCount nodes { number } } }";
        let harmless = "zyx wvu";
        for text in ["zyx' OR '1'='1", "zyx' OR 1=1 --", "zyx\\' OR true --", "zyx%' OR title LIKE '%", "zyx') OR ('1'='1", "zyx\" OR \"\"=\"", "zyx'; DELETE FROM properties; --"] {
            for field in ["text", "location"] {
                let found = async |text: &str| host.get(find, json!({ "filter": { field: text } })).await;
                assert_eq!(found(text).await, found(harmless).await, "{field}: {text}");
            }
            let lines = async |text: &str| admin.get(read, json!({ "action": text })).await;
            assert_eq!(lines(text).await, lines(harmless).await, "{text}");
            let unlisted = json!({ "filter": { "text": "annex", "location": text } });
            assert_eq!(host.get(find, unlisted).await["properties"]["totalCount"], 0);
        }
        assert_eq!(host.get(find, json!({ "filter": { "text": "view" } })).await["properties"]["totalCount"], 1);
    }
}

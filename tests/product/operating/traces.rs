//! What a collector of traces is told of requests and jobs, and what it is not.

use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use reqwest::Method;
use serde_json::{Value, json};
use staygate::domain::clock::{Clock as _, SystemClock};
use tokio::{
    net::TcpListener,
    time::{Instant, sleep, timeout},
};

use crate::support::{
    BadLine, Client, Collector, Elsewhere, Part, Process, Socket, Stripe, World, command,
    on_both_engines, stripe_settings,
};

/// A trace of somebody else's, and the part of it that asks.
const THEIRS: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const THEIR_PART: &str = "00f067aa0ba902b7";

/// A server of its own on a world's database, which tells a collector.
async fn traced(world: &World, collector: &Collector, more: &[(&str, &str)]) -> Process {
    let own = world.settings();
    let mut settings: Vec<_> = own
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    settings.push(("OTEL_EXPORTER_OTLP_ENDPOINT", collector.base()));
    // What comes later counts.
    settings.extend(more);
    let folder = world.folder();
    Process::serves(folder, &settings).await
}

async fn signs_up(server: &Process, name: &str, role: &str) -> Client {
    let person = json!({ "fullName": name, "email": format!("{name}@example.com"), "password": "a good password", "role": role });
    Client::new(server.base()).sign_up(person).await
}

/// A date some days from now.
fn day(ahead: i64) -> String {
    (SystemClock.now().date_naive() + chrono::Duration::days(ahead)).to_string()
}

/// The part that the request was which has this name.
fn is_request(id: &str) -> impl Fn(&Part) -> bool + '_ {
    move |part| part.says("staygate.request.id") == id
}

async fn asks(client: &Client, query: &str, headers: &[(&str, &str)]) {
    let mut request = client
        .request(Method::POST, "/graphql")
        .json(&json!({ "query": query }));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
}

on_both_engines! {
    async fn a_request_is_one_trace_from_the_edge_to_its_statements(world: World) {
        let collector = Collector::start().await;
        let log = [("STAYGATE_LOG_FORMAT", "json"), ("STAYGATE_LOG", "info,tower_http=debug"), ("OTEL_SERVICE_NAME", "stays"), ("OTEL_RESOURCE_ATTRIBUTES", "k8s.pod.name=pod%201")];
        let server = traced(&world, &collector, &log).await;
        let host = signs_up(&server, "hana", "HOST").await;
        host.lists(json!({})).await;

        asks(&host, "query Mine { properties(first: 5) { nodes { id host { fullName } } } }", &[("x-request-id", "a-search")]).await;
        let (top, trace) = collector.trace_of(is_request("a-search")).await;
        assert_eq!((top.name.as_str(), top.parent.as_str(), top.kind), ("POST /graphql", "", SpanKind::Server));
        assert_eq!((top.says("http.request.method"), top.says("http.route"), top.says("http.response.status_code")), ("POST", "/graphql", "200"));
        let operation = trace.iter().find(|part| part.name == "query properties").expect("the operation");
        assert_eq!((&operation.parent, operation.says("graphql.operation.type"), operation.says("graphql.operation.name")), (&top.id, "query", "properties"));
        let statements: Vec<_> = trace.iter().filter(|part| part.kind == SpanKind::Client).collect();
        assert!(statements.len() >= 2, "{trace:#?}");
        let system = if world.is_postgres() { "postgresql" } else { "sqlite" };
        for statement in &statements {
            assert_eq!(statement.says("db.system.name"), system);
            assert!(statement.says("db.query.text").contains("SELECT"), "{}", statement.whole);
            // Whether the session still stands is asked before the operation is read.
            assert!([&operation.id, &top.id].contains(&&statement.parent), "{}", statement.whole);
        }
        assert!(statements.iter().any(|statement| statement.name.starts_with("SELECT users") && statement.parent == operation.id), "{statements:#?}");
        assert!(!trace.iter().any(|part| part.whole.contains("Mine")), "clients call operations what they like");

        let resource = collector.resource();
        for (key, value) in [("service.name", "stays"), ("service.version", env!("CARGO_PKG_VERSION")), ("deployment.environment.name", "development"), ("k8s.pod.name", "pod 1")] {
            assert_eq!(resource.get(key).map(String::as_str), Some(value), "{key}");
        }
        assert!(resource.contains_key("service.instance.id"));

        let lines = server.has_said_until(|line| line.contains("a-search")).await;
        let line = lines.iter().find(|line| line.contains("a-search")).expect("a line");
        let line: Value = serde_json::from_str(line).expect("an object of JSON");
        assert_eq!(line["span"]["trace_id"], top.trace.as_str(), "a line finds its trace");
    }

    async fn a_write_is_traced_from_its_begin_to_its_commit_and_the_mail_that_it_leaves_apart(world: World) {
        let collector = Collector::start().await;
        let server = traced(&world, &collector, &[]).await;
        signs_up(&server, "gus", "GUEST").await;
        let (_, trace) = collector.trace_of(|part| part.name == "POST /graphql").await;
        let operation = trace.iter().find(|part| part.name == "mutation signUp").expect("the operation");
        let within: Vec<_> = trace.iter().filter(|part| part.parent == operation.id).map(|part| part.name.as_str()).collect();
        let at = |name: &str| within.iter().position(|part| *part == name).unwrap_or_else(|| panic!("{name}: {within:?}"));
        assert!(at("BEGIN") < at("INSERT users") && at("INSERT users") < at("COMMIT"), "{within:?}");

        let job = collector.finds(|part| part.name == "mail job").await;
        assert_eq!((job.kind, job.parent.as_str(), job.says("staygate.job.attempt")), (SpanKind::Consumer, "", "1"));
        assert_ne!(job.trace, operation.trace);
        let of_job: Vec<_> = collector.has().into_iter().filter(|part| part.trace == job.trace && part.parent == job.id).collect();
        assert!(of_job.iter().any(|part| part.name == "DELETE jobs"), "{of_job:#?}");
        let sent = of_job.iter().find(|part| part.name == "send mail");
        assert_eq!(sent.is_some(), world.is_postgres(), "on SQLite these tests write mail into a folder");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_a_batch_and_operations_on_a_socket_are_parts_of_their_own() {
    let world = World::on_sqlite().await;
    let collector = Collector::start().await;
    let server = traced(&world, &collector, &[]).await;
    let guest = signs_up(&server, "gus", "GUEST").await;
    let two =
        json!([{ "query": "{ viewer { email } }" }, { "query": "{ property(id: \"x\") { id } }" }]);
    let batch = guest
        .request(Method::POST, "/graphql")
        .header("x-request-id", "two")
        .json(&two);
    batch.send().await.expect("an answer");
    let (top, trace) = collector.trace_of(is_request("two")).await;
    for name in ["query viewer", "query property"] {
        let part = trace.iter().find(|part| part.name == name);
        assert_eq!(part.map(|part| &part.parent), Some(&top.id), "{name}");
    }

    let mut socket = Socket::introduced(server.base(), guest.token.as_deref()).await;
    socket
        .subscribe("a", "{ viewer { sessions { id } } }", json!({}))
        .await;
    assert_eq!(socket.hears().await["type"], "next");
    let on_socket = collector
        .finds(|part| part.name == "query viewer" && part.parent.is_empty())
        .await;
    let statements = collector
        .has()
        .into_iter()
        .filter(|part| part.parent == on_socket.id);
    assert!(statements.count() >= 1);
    let news = "subscription { viewerBookingStatusChanged { cursor } }";
    socket.subscribe("b", news, json!({})).await;
    let begun = collector
        .finds(|part| part.name == "subscription viewerBookingStatusChanged")
        .await;
    assert_eq!(
        begun.parent, "",
        "it is traced as soon as it runs, not when it ends"
    );

    let _stream = guest.streams(news, json!({})).await;
    let streamed = |part: &Part| part.name.starts_with("subscription") && !part.parent.is_empty();
    let streamed = collector.finds(streamed).await;
    let request = collector.finds(|part| part.id == streamed.parent).await;
    assert_eq!(request.name, "POST /graphql");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_goes_on_from_who_called() {
    let world = World::on_sqlite().await;
    let (believing, doubting) = (Collector::start().await, Collector::start().await);
    let trust = [
        ("STAYGATE_TRUSTED_PROXIES", "127.0.0.1"),
        ("STAYGATE_TRACES_SAMPLED", "0"),
    ];
    let mut server = traced(&world, &believing, &trust).await;
    let mut other = traced(&world, &doubting, &[]).await;
    let (recorded, passed) = (
        format!("00-{THEIRS}-{THEIR_PART}-01"),
        format!("00-{THEIRS}-{THEIR_PART}-00"),
    );
    let query = "{ properties(first: 1) { nodes { id } } }";
    for base in [server.base(), other.base()] {
        let client = Client::new(base);
        asks(
            &client,
            query,
            &[("traceparent", &passed), ("x-request-id", "passed")],
        )
        .await;
        asks(&client, query, &[("x-request-id", "silent")]).await;
        asks(
            &client,
            query,
            &[
                ("traceparent", &recorded),
                ("tracestate", "vendor=1"),
                ("x-request-id", "recorded"),
            ],
        )
        .await;
    }
    server.is_stopped().await;
    other.is_stopped().await;

    let requests = believing
        .has()
        .into_iter()
        .filter(|part| part.kind == SpanKind::Server);
    let [request] = &requests.collect::<Vec<_>>()[..] else {
        panic!("{:#?}", believing.has())
    };
    assert_eq!(
        (
            request.says("staygate.request.id"),
            request.trace.as_str(),
            request.parent.as_str()
        ),
        ("recorded", THEIRS, THEIR_PART)
    );
    assert!(request.whole.contains("vendor=1"), "{}", request.whole);

    let requests: Vec<_> = doubting
        .has()
        .into_iter()
        .filter(|part| part.kind == SpanKind::Server)
        .collect();
    assert_eq!(requests.len(), 3, "whatever strangers say of theirs");
    for request in &requests {
        let goes_on = (request.trace.as_str(), request.parent.as_str()) == (THEIRS, THEIR_PART);
        assert_eq!(
            goes_on,
            request.says("staygate.request.id") != "silent",
            "{}",
            request.whole
        );
        assert!(!request.whole.contains("vendor"), "{}", request.whole);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_cannot_have_themselves_recorded() {
    let world = World::on_sqlite().await;
    let collector = Collector::start().await;
    let mut server = traced(
        &world,
        &collector,
        &[
            ("STAYGATE_TRACES_SAMPLED", "0"),
            ("STAYGATE_WORKERS", "false"),
        ],
    )
    .await;
    let stranger = Client::new(server.base());
    for trace in [
        THEIRS,
        "00000000000000000000000000000001",
        "ffffffffffffffffffffffffffffffff",
    ] {
        let parent = format!("00-{trace}-{THEIR_PART}-01");
        asks(
            &stranger,
            "{ properties(first: 1) { nodes { id } } }",
            &[("traceparent", &parent), ("tracestate", "ot=th:0")],
        )
        .await;
    }
    server.is_stopped().await;
    assert!(collector.has().is_empty(), "{:#?}", collector.has());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_to_the_payment_provider_says_which_trace_it_is_of() {
    let world = World::on_postgres().await;
    let stripe = Stripe::start();
    let line = BadLine::to(&stripe, 1).await;
    line.is_mended();
    let collector = Collector::start().await;
    let paying = stripe_settings(line.base());
    let paying: Vec<_> = paying
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let server = traced(&world, &collector, &paying).await;
    let host = signs_up(&server, "hana", "HOST").await;
    let property = host.lists(json!({ "instantBook": true })).await;
    let guest = signs_up(&server, "gus", "GUEST").await;
    let booking = guest.books(&property, &day(3), &day(5)).await;
    let paid = guest.tries_to_pay(&booking, "pm_card_visa").await;
    assert_eq!(paid["userErrors"], json!([]), "{paid}");

    let operation = collector
        .finds(|part| part.name == "mutation createPayment")
        .await;
    let trace = collector
        .has()
        .into_iter()
        .filter(|part| part.trace == operation.trace);
    let trace: Vec<_> = trace.collect();
    let opening = trace
        .iter()
        .find(|part| part.name == "POST /v1/payment_intents")
        .expect("a call");
    assert_eq!(
        (&opening.parent, opening.kind),
        (&operation.id, SpanKind::Client)
    );
    assert_eq!(
        (
            opening.says("http.request.method"),
            opening.says("server.address"),
            opening.says("http.response.status_code")
        ),
        ("POST", "127.0.0.1", "200")
    );
    let step = trace
        .iter()
        .find(|part| part.name == "POST /v1/payment_intents/{id}/confirm");
    assert!(step.is_some(), "{trace:#?}");
    let calls: Vec<_> = trace
        .iter()
        .filter(|part| part.name.contains("/v1/"))
        .collect();
    let told: Vec<_> = line
        .headers()
        .into_iter()
        .filter_map(|headers| Some(headers.get("traceparent")?.to_str().ok()?.to_owned()))
        .collect();
    for call in calls {
        let parent = format!("00-{}-{}-01", call.trace, call.id);
        assert!(told.contains(&parent), "{parent}: {told:?}");
        assert!(!call.whole.contains("pi_"), "{}", call.whole);
    }
    assert!(
        line.headers()
            .iter()
            .all(|headers| !headers.contains_key("tracestate"))
    );

    line.is_cut();
    let booking = guest.books(&property, &day(7), &day(8)).await;
    guest.tries_to_pay(&booking, "pm_card_visa").await;
    let lost = collector
        .finds(|part| part.name == "POST /v1/payment_intents" && part.failed)
        .await;
    assert_eq!(lost.says("error.type"), "unclear");
}

/// Acts as somebody who guesses: whatever a person says or is, it must not be in a trace.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_person_is_in_a_trace() {
    let world = World::on_postgres().await;
    let (collector, elsewhere) = (Collector::start().await, Elsewhere::start().await);
    let more = [
        ("STAYGATE_TRUSTED_PROXIES", "127.0.0.1"),
        ("STAYGATE_FEEDS_FROM_PRIVATE_NETWORKS", "true"),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20for-the-collector",
        ),
    ];
    let mut server = traced(&world, &collector, &more).await;
    let stranger = Client::new(server.base()).calling_itself("Quistbrowser/1");
    let person = json!({ "fullName": "Wilhelmina Quist", "email": "quist@example.org", "password": "a quistgood password", "role": "HOST" });
    let quist = stranger.sign_up(person).await;
    let property = quist.lists(json!({ "title": "Quisthouse", "location": "Quistlane 5, Quistville", "latitude": 47.110_815 })).await;
    elsewhere.has(&[(day(40), day(42))]);
    let feed = json!({ "propertyId": property, "url": elsewhere.url("quist-feed.ics"), "name": "Quistfeed" });
    let added = quist
        .mutate("addCalendarFeed", "AddCalendarFeedInput!", feed, "")
        .await;
    assert_eq!(added["userErrors"], json!([]));
    let wrong = "mutation { signIn(input: { email: \"quist@example.org\", password: \"quistwrong\" }) { userErrors { code } } }";
    let search = "query Quistquery { quistalias: properties(first: 3, filter: { text: \"quistsearch\", location: \"Quistville\" }) { nodes { title } } }";
    for query in [
        wrong,
        search,
        "{ quistfield }",
        "{ property(id: \"quistid\") { id } }",
        "{ viewer { email user { fullName } } }",
    ] {
        let request = quist.request(Method::POST, "/graphql");
        let request = request
            .header("x-forwarded-for", "203.0.113.77")
            .header("origin", "https://quist.example");
        request
            .json(&json!({ "query": query, "variables": { "quistvariable": "quist" } }))
            .send()
            .await
            .expect("an answer");
    }
    for path in [
        "/api/v1/users/?email=quist%40example.org",
        "/api/v1/properties/?location=Quistville",
        "/calendars/quistsecret.ics",
        "/quist/path?quist=1",
        "/sandbox/payments/quistsecret/confirm",
    ] {
        quist
            .request(Method::GET, path)
            .header("referer", "https://quist.example/quist")
            .send()
            .await
            .expect("an answer");
    }
    let method = Method::from_bytes(b"QUIST").expect("a method");
    quist
        .request(method, "/graphql")
        .send()
        .await
        .expect("an answer");
    collector.finds(|part| part.name == "GET calendar").await;
    assert!(
        elsewhere
            .requests()
            .iter()
            .all(|headers| !headers.contains_key("traceparent")),
        "strangers' servers are not told"
    );
    collector.finds(|part| part.name == "mail job").await;
    server.is_stopped().await;

    assert_eq!(
        collector.header("authorization").as_deref(),
        Some("Bearer for-the-collector")
    );
    let token = quist.token.clone().expect("signed in");
    let parts = collector.has();
    assert!(parts.len() > 50, "{}", parts.len());
    for part in parts {
        let whole = part.whole.to_lowercase();
        for secret in [
            "quist",
            "example.org",
            "wilhelmina",
            "203.0.113.77",
            "47.110",
            "for-the-collector",
            &token.to_lowercase(),
        ] {
            assert!(!whole.contains(secret), "{secret}: {whole}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_sent_before_the_server_ends() {
    let world = World::on_sqlite().await;
    let collector = Collector::that_takes(Duration::from_millis(300)).await;
    let mut server = traced(&world, &collector, &[("STAYGATE_WORKERS", "false")]).await;
    let stranger = Client::new(server.base());
    for _ in 0..20 {
        asks(&stranger, "{ properties(first: 1) { nodes { id } } }", &[]).await;
    }
    server.is_stopped().await;
    let requests = collector
        .has()
        .into_iter()
        .filter(|part| part.name == "POST /graphql");
    assert_eq!(requests.count(), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_collector_that_is_away_or_hangs_costs_nobody_anything() {
    let world = World::on_sqlite().await;
    let hangs = Collector::that_takes(Duration::from_hours(1)).await;
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port")
        .local_addr()
        .expect("an address");
    let admin = free.to_string();
    // Nobody listens on port 1 of this machine.
    for endpoint in ["http://127.0.0.1:1", hangs.base()] {
        let mut server = traced(
            &world,
            &hangs,
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
                ("STAYGATE_ADMIN_LISTEN", &admin),
            ],
        )
        .await;
        let stranger = Client::new(server.base());
        // More than may wait.
        let asking = (0..50).map(|_| async {
            for _ in 0..60 {
                let ask = stranger.request(Method::GET, "/api/v1/properties/").send();
                let answer = timeout(Duration::from_secs(10), ask)
                    .await
                    .expect("in time")
                    .expect("an answer");
                assert_eq!(answer.status(), 200);
            }
        });
        futures_util::future::join_all(asking).await;
        let operator = Client::new(&format!("http://{free}"));
        let deadline = Instant::now() + Duration::from_secs(30);
        let lost = |figures: &str| {
            let lines = figures
                .lines()
                .filter(|line| line.starts_with("staygate_spans_total{outcome="));
            let lost = lines
                .filter(|line| !line.contains("sent"))
                .filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok());
            lost.sum::<u64>()
        };
        while lost(
            &operator
                .request(Method::GET, "/metrics")
                .send()
                .await
                .expect("figures")
                .text()
                .await
                .expect("text"),
        ) == 0
        {
            assert!(Instant::now() < deadline, "nobody is told");
            sleep(Duration::from_millis(50)).await;
        }
        let said = server
            .has_said_until(|line| line.contains("traces can't be sent"))
            .await;
        let told = said
            .iter()
            .filter(|line| line.contains("traces can't be sent"));
        assert_eq!(told.count(), 1, "{said:#?}");
        let took = server.is_stopped().await;
        assert!(took < Duration::from_secs(8), "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doctor_looks_whether_a_collector_answers() {
    let collector = Collector::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    for (endpoint, expected) in [
        (collector.base(), "ok    traces"),
        ("http://127.0.0.1:1", "look  traces"),
    ] {
        let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)];
        let (good, said) = command(folder.path(), &["doctor"], &settings).await;
        assert!(said.contains(expected), "{said}");
        assert!(good || !said.contains("BAD   traces"), "{said}");
    }
    let (_, said) = command(folder.path(), &["doctor"], &[]).await;
    assert!(!said.contains("traces"), "{said}");
}

//! What operators are told in figures.

use std::{fs, path::Path, process::Stdio, time::Duration};

use reqwest::Method;
use serde_json::json;
use tokio::{
    net::TcpListener,
    process::Command,
    time::{Instant, sleep},
};

use crate::support::{Client, World, on_both_engines};

/// A world's second server, and who may ask it for figures.
async fn watched(world: &World) -> (World, Client) {
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port")
        .local_addr()
        .expect("an address");
    let watched = world
        .instance_with(&[("STAYGATE_ADMIN_LISTEN", &free.to_string())])
        .await;
    (watched, Client::new(&format!("http://{free}")))
}

async fn told(operator: &Client) -> String {
    let page = operator
        .request(Method::GET, "/metrics")
        .send()
        .await
        .expect("the figures");
    page.text().await.expect("text")
}

/// How often something was measured, by the start of its line.
fn count_of(told: &str, line: &str) -> u64 {
    let found = told.lines().find(|found| found.starts_with(line));
    let found = found.unwrap_or_else(|| panic!("{line} is not in {told}"));
    found
        .rsplit_once(' ')
        .and_then(|(_, count)| count.parse().ok())
        .expect("a number")
}

on_both_engines! {
    async fn operations_are_told_by_the_field_at_their_root_and_by_what_came_of_them(world: World) {
        let (server, operator) = watched(&world).await;
        let guest = server.as_seen_by(&world.guest("gus").await);
        // The figures are those of all servers in this process.
        let line = |operation: &str, outcome: &str| {
            format!("staygate_operation_duration_seconds_count{{operation=\"{operation}\",outcome=\"{outcome}\"}}")
        };
        guest.get("query Mine { viewer { email } }", json!({})).await;
        guest.ask("{ viewer { sessions { nothing } } }", json!({})).await;
        guest.ask("{ auditLog(first: 1) { nodes { id } } }", json!({})).await;
        let figures = told(&operator).await;
        assert!(count_of(&figures, &line("viewer", "ok")) >= 1);
        assert!(count_of(&figures, &line("viewer", "refused")) >= 1);
        assert!(!figures.contains("Mine"), "clients call things what they like");
        for name in ["staygate_database_statement_duration_seconds_count{outcome=\"ok\"}", "staygate_build_info", "process_open_fds"] {
            assert!(count_of(&figures, name) >= 1, "{name}");
        }
        assert!(figures.contains("staygate_database_connections{state=\"idle\"}"));
    }

    async fn resources_are_told_by_their_route(world: World) {
        let (server, operator) = watched(&world).await;
        world.host("hana").await.lists(json!({})).await;
        let key = world.number("SELECT CAST(min(property_id) AS BIGINT) FROM properties").await;
        let stranger = server.stranger();
        for path in [format!("/api/v1/properties/{key}/"), format!("/api/v1/properties/{key}"), "/api/v1/properties/999999999/".to_owned()] {
            stranger.request(Method::GET, &path).send().await.expect("an answer");
        }
        let figures = told(&operator).await;
        let line = "staygate_http_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/properties/{id}/\",status=";
        assert!(count_of(&figures, &format!("{line}\"2xx\"}}")) >= 2, "{figures}");
        assert!(count_of(&figures, &format!("{line}\"4xx\"}}")) >= 1);
    }

    async fn strangers_cannot_make_up_figures(world: World) {
        let (server, operator) = watched(&world).await;
        let stranger = server.stranger();
        for n in 0..50 {
            stranger.ask(&format!("query Made{n} {{ up{n} }}"), json!({})).await;
            stranger.ask(&format!("query Made{n} {{ up{n}: properties(first: 1) {{ nodes {{ id }} }} }}"), json!({})).await;
            let method = Method::from_bytes(format!("MADE{n}").as_bytes()).expect("a method");
            stranger.request(method, &format!("/made/up/{n}")).send().await.expect("an answer");
            stranger.request(Method::GET, &format!("/api/v1/made/up/{n}")).send().await.expect("an answer");
        }
        let figures = told(&operator).await;
        let made_up: Vec<_> = figures.lines().filter(|line| line.contains("up4") || line.contains("MADE")).collect();
        assert!(made_up.is_empty(), "{made_up:?}");
    }

    async fn a_server_that_is_told_to_stop_is_unready_and_serves_until_others_know(world: World) {
        let mut server = world.instance_with(&[("STAYGATE_STOP_DELAY", "300")]).await;
        let guest = server.as_seen_by(&world.guest("gus").await);
        server.stop();
        let ready = guest.request(Method::GET, "/readyz").send().await.expect("an answer");
        assert_eq!(ready.status(), 503);
        let live = guest.request(Method::GET, "/livez").send().await.expect("an answer");
        assert_eq!(live.status(), 200);
        let viewer = guest.get("{ viewer { email } }", json!({})).await;
        assert_eq!(viewer["viewer"]["email"], "gus@example.com");
    }
}

/// What is counted and not described would be a riddle to whoever sees it.
#[test]
fn every_figure_is_described() {
    fn names(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                names(&path, found);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            let text: String = text.split_whitespace().collect();
            for call in ["counter!(", "gauge!(", "histogram!(", "count("] {
                for part in text.split(&format!("{call}\"staygate_")).skip(1) {
                    let name = part.split('"').next().unwrap_or_default();
                    found.push((format!("staygate_{name}"), path.display().to_string()));
                }
            }
        }
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let described = fs::read_to_string(source.join("app/metrics.rs")).expect("the descriptions");
    let mut found = vec![];
    names(&source, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for (name, file) in found {
        let quoted = format!("\"{name}\"");
        let (_, described) = described
            .split_once("fn describe()")
            .expect("the descriptions");
        assert!(described.contains(&quoted), "{name} of {file}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_apart_is_watched_as_a_server_is() {
    let world = World::on_sqlite().await;
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port")
        .local_addr()
        .expect("an address");
    let folder = tempfile::tempdir().expect("a folder");
    let mut worker = Command::new(env!("CARGO_BIN_EXE_staygate"))
        .arg("worker")
        .env_clear()
        .envs([
            ("DATABASE_URL", world.settings()["DATABASE_URL"].clone()),
            ("STAYGATE_ADMIN_LISTEN", free.to_string()),
        ])
        .current_dir(folder.path())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary starts");
    let operator = Client::new(&format!("http://{free}"));
    let deadline = Instant::now() + Duration::from_mins(1);
    // Until its port is open nobody answers.
    let figures = loop {
        let asked = operator.request(Method::GET, "/metrics").send().await;
        if let Ok(page) = asked {
            let text = page.text().await.expect("text");
            if text.contains("staygate_jobs_due{kind=\"mail\"} 0") {
                break text;
            }
        }
        assert!(Instant::now() < deadline, "it does not come up");
        sleep(Duration::from_millis(50)).await;
    };
    assert!(figures.contains("# HELP staygate_jobs_due "), "{figures}");
    let ready = operator
        .request(Method::GET, "/readyz")
        .send()
        .await
        .expect("an answer");
    assert_eq!(ready.status(), 200);
    worker.kill().await.expect("it ran until now");
}

//! The tables, and writing to them from several sides.

use futures_util::future::join_all;
use migration::{Migrator, MigratorTrait as _};
use serde_json::json;

use crate::support::{World, on_both_engines};

on_both_engines! {
    async fn every_migration_goes_down_and_up_again(world: World) {
        let guest = world.guest("gus").await;
        let db = &world.app.db;
        let tx = db.begin().await.expect("a transaction");
        Migrator::down(&*tx, None).await.expect("down to nothing");
        tx.commit().await.expect("down");
        assert!(guest.ask("{ viewer { email } }", json!({})).await["errors"].is_array(), "there is no table");
        db.migrate().await.expect("up again");
        assert_eq!(world.number("SELECT count(*) FROM users").await, 0);
        world.guest("gus").await;
    }

    async fn starting_again_on_the_same_database_keeps_everything(world: World) {
        let guest = world.guest("gus").await;
        let again = world.another_instance().await;
        let viewer = again.as_seen_by(&guest).get("{ viewer { email } }", json!({})).await;
        assert_eq!(viewer["viewer"]["email"], "gus@example.com", "its tokens are good there too");
    }
}

/// A worker, or the command line, beside the server: neither ever hears that the database is locked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_on_one_sqlite_file_both_write() {
    let here = World::on_sqlite().await;
    let there = here.another_instance().await;
    let property = here.host("hana").await.lists(json!({})).await;
    let guests = join_all((0..20).map(|n| here.guest_owned(format!("guest{n}")))).await;
    let attempts = guests.iter().enumerate().map(|(n, guest)| {
        let side = if n % 2 == 0 { &here } else { &there };
        let day = i64::try_from(n).expect("small");
        let (guest, property) = (side.as_seen_by(guest), property.clone());
        let (check_in, check_out) = (here.day(day + 1), here.day(day + 2));
        async move {
            guest
                .pays(&guest.books(&property, &check_in, &check_out).await)
                .await
        }
    });
    for payment in join_all(attempts).await {
        assert_eq!(payment["status"], "PAID");
    }
}

const TITLES: &str = "{ properties { nodes { title host { fullName } } } }";

/// Whoever waits for a connection has one in turn, reading or writing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_more_ask_than_there_are_connections_and_all_are_answered() {
    let settings = [
        ("STAYGATE_DATABASE_CONNECTIONS", "2"),
        ("STAYGATE_ANSWER_CACHE", "false"),
    ];
    let world = World::on_postgres_with(&settings).await;
    let host = world.host("hana").await;
    let property = host.lists(json!({ "title": "first" })).await;
    let (host, stranger) = (&host, world.stranger());
    let reads = join_all((0..100).map(|_| stranger.get(TITLES, json!({}))));
    let writes = join_all((0..20).map(|n| {
        let change = json!({ "id": property, "title": format!("title {n}") });
        host.mutate(
            "updateProperty",
            "UpdatePropertyInput!",
            change,
            "property { id }",
        )
    }));
    let (read, _) = futures_util::join!(reads, writes);
    for answer in read {
        assert_eq!(answer["properties"]["nodes"][0]["host"]["fullName"], "hana");
    }
}

/// What was kept at hand is gone with them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_database_ends_are_replaced() {
    let settings = [
        ("STAYGATE_DATABASE_CONNECTIONS", "3"),
        ("STAYGATE_ANSWER_CACHE", "false"),
    ];
    let world = World::on_postgres_with(&settings).await;
    world.host("hana").await.lists(json!({})).await;
    let stranger = world.stranger();
    join_all((0..10).map(|_| stranger.get(TITLES, json!({})))).await;
    let ended = world
        .number("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        .await;
    assert!(ended > 0);
    let mut failed = 0;
    for _ in 0..10 {
        let answer = stranger.ask(TITLES, json!({})).await;
        failed += usize::from(!answer["errors"].is_null());
    }
    assert!(
        failed <= 3,
        "each connection that broke is noticed once: {failed}"
    );
    stranger.get(TITLES, json!({})).await;
}

/// Who changes tables, and when, is an operator's to decide.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_may_not_change_tables_serves_those_that_are_up_to_date() {
    let world = World::on_postgres().await;
    let owner = world.settings()["DATABASE_URL"].clone();
    let (server, database) = owner.rsplit_once('/').expect("a database");
    let (_, server) = server.rsplit_once('@').expect("a role");
    let role = format!("{database}_served");
    let granted = format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'served';
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
         REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    );
    world.meddles(&granted).await.expect("it is granted");
    let url = format!("postgres://{role}:served@{server}/{database}");
    let another = world.instance_with(&[("DATABASE_URL", &url)]).await;
    let property = another.host("hana").await.lists(json!({})).await;
    let guest = another.guest("gus").await;
    let booking = guest.books(&property, &world.day(5), &world.day(7)).await;
    guest.pays(&booking).await;
    another.background_round().await;
    assert_eq!(guest.sees(&booking).await["status"], "CONFIRMED");
    let tables = another.meddles("CREATE TABLE more (number INTEGER)").await;
    assert!(tables.is_err(), "it may not");
    drop(another);
    let taken = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    world.meddles(&taken).await.expect("it is gone");
}

//! The tables, and writing to them from several sides.

use futures_util::future::join_all;
use migration::{Migrator, MigratorTrait as _};
use serde_json::json;

use crate::support::{World, on_both_engines};

on_both_engines! {
    async fn every_migration_goes_down_and_up_again(world: World) {
        let guest = world.guest("gus").await;
        let db = world.app.db.read();
        Migrator::down(db, None).await.expect("down to nothing");
        assert!(guest.ask("{ viewer { email } }", json!({})).await["errors"].is_array(), "there is no table");
        Migrator::up(db, None).await.expect("up again");
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

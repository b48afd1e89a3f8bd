//! Others write while a backup is made.

use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{Safe, elsewhere, number_in};
use crate::support::on_both_engines;

const TORN: &str = "SELECT count(*) FROM bookings b WHERE
    (SELECT count(*) FROM nights n WHERE n.booking_id = b.booking_id) <> 3
    OR (SELECT count(*) FROM booking_events e WHERE e.booking_id = b.booking_id) <> 1";

on_both_engines! {
    async fn a_booking_that_is_made_meanwhile_is_wholly_in_the_backup_or_not_at_all(world: World) {
        let safe = Safe::new();
        let host = world.host("hana").await;
        let guest = world.guest("gus").await;
        let before = host.lists(json!({})).await;
        let during = host.lists(json!({})).await;
        let after = host.lists(json!({})).await;
        let books = async |property: &str, n: i64| {
            guest.books(property, &world.day(3 * n + 1), &world.day(3 * n + 4)).await;
        };
        for n in 0..5 {
            books(&before, n).await;
        }
        let keeper = safe.keeper(&world, None);
        let (begun, has_begun) = oneshot::channel();
        let stopping = CancellationToken::new();
        let makes = keeper.make(&stopping, |_| begun.send(()).expect("somebody waits"), &|_| {});
        let books_during = join_all((0..5).map(|n| books(&during, n)));
        let books_after = async {
            has_begun.await.expect("it begins");
            for n in 0..5 {
                books(&after, n).await;
            }
        };
        let (made, _, ()) = futures_util::join!(makes, books_during, books_after);
        let made = made.expect("a backup");
        let there = elsewhere(&world, &safe).await;
        safe.does(&world, Some(&there), &["restore", &made.name, "--identity", &safe.key()]).await;
        assert_eq!(number_in(&there, TORN).await, 0, "a booking has its nights and its event, or it is not there");
        let of = |n| format!("SELECT count(*) FROM bookings WHERE property_id = {n}");
        assert_eq!(number_in(&there, &of(1)).await, 5, "what was acknowledged before is there");
        assert_eq!(number_in(&there, &of(3)).await, 0, "what came after the moment is not");
        assert_eq!(world.number("SELECT count(*) FROM bookings").await, 15, "nobody had to wait for long");
    }
}

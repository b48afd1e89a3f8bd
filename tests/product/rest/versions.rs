//! Which version of a thing a client has.

use reqwest::Method;
use serde_json::json;

use super::{at, booked, listed};
use crate::support::on_both_engines;

on_both_engines! {
    async fn a_thing_that_a_client_has_is_not_sent_again(world: World) {
        let host = world.host("hana").await;
        let home = at("properties", &listed(&host, json!({})).await);
        let stranger = world.stranger();
        for path in [home.as_str(), "/properties/?limit=5"] {
            let shown = stranger.reads(path).await;
            let tag = shown.header("etag").to_owned();
            assert_eq!(shown.header("cache-control"), "public, no-cache");
            for known in [tag.clone(), format!("\"another\", W/{tag}"), "*".to_owned()] {
                let again = stranger.sends(Method::GET, path, None, &[("if-none-match", &known)]).await;
                assert_eq!((again.status, again.body), (304, json!(null)));
            }
            host.patches(&home, json!({ "amenities": ["wifi"] })).await.thing(200);
            host.patches(&home, json!({ "amenities": ["pool"] })).await.thing(200);
            let changed = stranger.sends(Method::GET, path, None, &[("if-none-match", &tag)]).await;
            assert_eq!(changed.status, 200);
        }
        assert_eq!(host.reads(&home).await.header("cache-control"), "private, no-cache");
    }

    async fn a_change_of_what_has_changed_meanwhile_is_refused(world: World) {
        let (host, guest) = (world.host("hana").await, world.guest("gus").await);
        let home = listed(&host, json!({})).await;
        let booking = booked(&world, &guest, &home, 3).await;
        let account = format!("/users/{}/", guest.key().await);
        let booking_at = at("bookings", &booking);
        for (who, path, change) in [
            (&host, at("properties", &home), json!({ "title": "Another title" })),
            (&guest, account, json!({ "fullName": "Gustav" })),
            (&guest, booking_at, json!({ "guests": 3 })),
        ] {
            let tag = who.reads(&path).await.header("etag").to_owned();
            let first = who.sends(Method::PATCH, &path, Some(change.clone()), &[("if-match", &tag)]).await;
            assert_eq!(first.status, 200, "{:?}", first.body);
            assert_eq!(first.header("etag"), who.reads(&path).await.header("etag"));
            let late = who.sends(Method::PATCH, &path, Some(change.clone()), &[("if-match", &tag)]).await;
            assert_eq!(late.problem(), (412, "PRECONDITION_FAILED".to_owned(), vec![]));
            let any = who.sends(Method::PATCH, &path, Some(change), &[("if-match", "*")]).await;
            assert_eq!(any.status, 200);
        }
        let path = at("properties", &home);
        let old = host.sends(Method::DELETE, &path, None, &[("if-match", "\"old\"")]).await;
        assert_eq!(old.status, 412);
    }

    async fn of_two_who_change_the_same_version_at_once_one_is_refused(world: World) {
        let host = world.host("hana").await;
        let path = at("properties", &listed(&host, json!({})).await);
        for round in 0..5 {
            let tag = host.reads(&path).await.header("etag").to_owned();
            let change = |who: usize| {
                let (host, path, tag) = (host.clone(), path.clone(), tag.clone());
                let title = json!({ "title": format!("Title {round} of {who}") });
                async move { host.sends(Method::PATCH, &path, Some(title), &[("if-match", &tag)]).await.status }
            };
            let mut statuses = [0; 6];
            let changes = futures_util::future::join_all((0..6).map(change)).await;
            statuses.copy_from_slice(&changes);
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 412, 412, 412, 412, 412]);
        }
    }
}

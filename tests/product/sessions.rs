//! Signed-in devices: how long they are, and who sees them.

mod cookie;
mod refresh;
mod revocation;
mod socket;
mod tokens;

use chrono::Duration;
use serde_json::json;

use crate::support::on_both_engines;

const DEVICES: &str =
    "{ viewer { sessions { id current userAgent ipAddress createdAt lastUsedAt expiresAt } } }";

on_both_engines! {
    async fn a_lapsed_access_token_is_refused_and_the_refreshed_one_is_good(world: World) {
        let old = world.guest("gus").await;
        world.clock.advance(Duration::days(29));
        let new = old.refreshes().await;
        old.is_let_in().await;
        world.clock.advance(Duration::days(1));
        old.is_refused().await;
        new.is_let_in().await;
    }

    async fn a_device_that_is_not_used_for_a_month_is_signed_out(world: World) {
        let gus = world.guest("gus").await;
        world.clock.advance(Duration::days(30));
        world.stranger().is_refused_a_refresh(gus.refresh_token.as_deref()).await;
    }

    async fn a_person_sees_every_signed_in_device_and_which_one_it_is(world: World) {
        let phone = world.guest("gus").await;
        world.clock.advance(Duration::hours(1));
        let sign_in = r#"mutation { signIn(input: { email: "gus@example.com", password: "a good password" }) {
            accessToken refreshToken viewer { user { id } } } }"#;
        let (_, answer) = world.stranger().asks_with("user-agent", "Laptop/1.0 (Gus's)", sign_in).await;
        let laptop = world.stranger().with_session(&answer["data"]["signIn"]);
        world.guest("olga").await;

        let devices = laptop.get(DEVICES, json!({})).await["viewer"]["sessions"].take();
        assert_eq!(devices.as_array().map(Vec::len), Some(2), "{devices}");
        assert_eq!((&devices[0]["current"], &devices[1]["current"]), (&json!(true), &json!(false)), "newest first");
        assert_eq!(devices[0]["userAgent"], "Laptop/1.0 (Gus's)");
        assert_eq!((&devices[0]["ipAddress"], &devices[1]["ipAddress"]), (&json!("127.0.0.1"), &json!("127.0.0.1")));
        assert_eq!(devices[0]["createdAt"], "2027-03-10T13:00:00Z");
        assert_eq!(devices[0]["expiresAt"], "2027-04-09T13:00:00Z");
        let seen = phone.get(DEVICES, json!({})).await["viewer"]["sessions"].take();
        assert_eq!((&seen[0]["current"], &seen[1]["current"]), (&json!(false), &json!(true)));

        world.clock.advance(Duration::hours(1));
        let laptop = laptop.refreshes().await;
        let used = laptop.get(DEVICES, json!({})).await["viewer"]["sessions"].take();
        assert_eq!((&used[0]["id"], &used[0]["lastUsedAt"]), (&devices[0]["id"], &json!("2027-03-10T14:00:00Z")));
        phone.signs_out(false).await;
        let left = laptop.get(DEVICES, json!({})).await["viewer"]["sessions"].take();
        assert_eq!(left.as_array().map(Vec::len), Some(1));
    }
}

//! Taking new tokens: each refresh token is good once, and one that is used twice ends its session.

use chrono::Duration;
use reqwest::Method;
use serde_json::json;
use staygate::domain::people::Email;

use crate::support::{Client, World, on_both_engines};

/// For so long the same client may use a spent token again.
const GRACE: i64 = 30;

fn turn(world: &World, seconds: i64) {
    world.clock.advance(Duration::seconds(seconds));
}

/// Lines of the audit log that tell of a refresh token of this person's that was used twice.
async fn reuses(world: &World, email: &str) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM audit_entries JOIN users ON subject = 'user:' || CAST(user_id AS TEXT)
         WHERE action = 'session.refresh_reused' AND outcome = 'REFUSED' AND email = '{email}'
         AND detail LIKE 'session:% is ended' AND ip_address = '127.0.0.1'"
    );
    world.number(&sql).await
}

/// Alerts of such tokens that were raised so far.
async fn alerts(world: &World) -> i64 {
    let sql = "SELECT count(*) FROM audit_entries WHERE action = 'alert.raised' AND detail LIKE 'refresh token reuse: %'";
    world.number(sql).await
}

/// Alerts that wait to be mailed to this admin.
async fn mails_to(world: &World, email: &str) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM jobs WHERE kind = 'mail' AND CAST(payload AS TEXT) LIKE '%refresh token reuse%'
         AND CAST(payload AS TEXT) LIKE '%{email}%'"
    );
    world.number(&sql).await
}

/// A new device, whose spent token is used again after the grace.
async fn a_stolen_token_is_used(world: &World, email: &str) {
    let device = world.stranger().signs_in(email).await;
    let refreshed = device.refreshes().await;
    turn(world, GRACE + 1);
    let stranger = world.stranger();
    stranger
        .is_refused_a_refresh(device.refresh_token.as_deref())
        .await;
    refreshed.is_refused().await;
}

fn spent(client: &Client) -> Option<&str> {
    client.refresh_token.as_deref()
}

on_both_engines! {
    async fn a_refresh_token_is_good_once_and_its_second_use_ends_the_whole_session(world: World) {
        let first = world.guest("gus").await;
        let elsewhere = world.stranger().signs_in("gus@example.com").await;
        let second = first.refreshes().await;
        assert_ne!(first.refresh_token, second.refresh_token);
        assert_eq!(first.id, second.id);
        let third = second.refreshes().await;
        third.is_let_in().await;

        world.stranger().is_refused_a_refresh(first.refresh_token.as_deref()).await;
        third.is_refused().await;
        first.is_refused().await;
        world.stranger().is_refused_a_refresh(third.refresh_token.as_deref()).await;
        elsewhere.is_let_in().await;
    }

    async fn what_is_no_refresh_token_is_refused_and_ends_nothing(world: World) {
        let gus = world.guest("gus").await;
        let good = gus.refresh_token.clone().expect("a refresh token");
        for bad in ["", "x", ".", "not-a-session.secret", "\u{0}.\u{0}", gus.token.as_deref().expect("a token")] {
            world.stranger().is_refused_a_refresh(Some(bad)).await;
        }
        world.stranger().is_refused_a_refresh(None).await;
        let (_, secret) = good.split_once('.').expect("two parts");
        let other = format!("{}.{secret}", "0".repeat(32));
        world.stranger().is_refused_a_refresh(Some(&other)).await;
        gus.refreshes().await.is_let_in().await;
    }

    async fn a_spent_token_that_comes_back_after_the_grace_ends_the_session_and_alerts_the_admins(world: World) {
        for admin in ["ada", "alan"] {
            world.admin(admin).await;
        }
        let phone = world.guest("gus").await;
        let laptop = world.stranger().signs_in("gus@example.com").await;
        let refreshed = phone.refreshes().await;
        turn(&world, GRACE + 1);
        refreshed.is_let_in().await;
        assert_eq!((reuses(&world, "gus@example.com").await, alerts(&world).await), (0, 0));

        world.stranger().is_refused_a_refresh(spent(&phone)).await;
        refreshed.is_refused().await;
        world.stranger().is_refused_a_refresh(spent(&refreshed)).await;
        laptop.refreshes().await.is_let_in().await;
        assert_eq!((reuses(&world, "gus@example.com").await, alerts(&world).await), (1, 1));
        assert_eq!(world.number("SELECT count(*) FROM alerts WHERE cause = 'refresh token reuse'").await, 1);
        for (email, mails) in [("ada@example.com", 1), ("alan@example.com", 1), ("gus@example.com", 0)] {
            assert_eq!(mails_to(&world, email).await, mails, "{email}");
        }
    }

    async fn one_alert_in_a_quarter_of_an_hour_is_enough_and_every_session_is_ended_all_the_same(world: World) {
        world.admin("ada").await;
        for name in ["gus", "olga"] {
            world.guest(name).await;
        }
        a_stolen_token_is_used(&world, "gus@example.com").await;
        a_stolen_token_is_used(&world, "gus@example.com").await;
        a_stolen_token_is_used(&world, "olga@example.com").await;
        let reused = (reuses(&world, "gus@example.com").await, reuses(&world, "olga@example.com").await);
        assert_eq!((reused, alerts(&world).await, mails_to(&world, "ada@example.com").await), ((2, 1), 1, 1));
        // The first alert was raised two turns ago.
        turn(&world, 15 * 60 - 3 * (GRACE + 1) - 1);
        a_stolen_token_is_used(&world, "olga@example.com").await;
        assert_eq!((reuses(&world, "olga@example.com").await, alerts(&world).await), (2, 1), "a second before the end");
        a_stolen_token_is_used(&world, "olga@example.com").await;
        assert_eq!((reuses(&world, "olga@example.com").await, alerts(&world).await), (3, 2));
        assert_eq!(mails_to(&world, "ada@example.com").await, 2);
        assert_eq!(world.number("SELECT count(*) FROM alerts").await, 1, "the last of each cause is kept");
    }

    async fn two_tabs_that_refresh_at_once_are_given_the_same_token_and_both_go_on(world: World) {
        let there = world.another_instance().await;
        let before = world.guest("gus").await;
        let elsewhere = there.as_seen_by(&before);
        let (one, two, three) = tokio::join!(before.refreshes(), before.refreshes(), elsewhere.refreshes());
        assert_ne!(one.refresh_token, before.refresh_token);
        assert_eq!((&one.refresh_token, &one.refresh_token), (&two.refresh_token, &three.refresh_token));
        turn(&world, GRACE);
        let late = before.refreshes().await;
        assert_eq!(late.refresh_token, one.refresh_token, "for as long as the grace lasts");
        for tab in [&before, &one, &two, &three, &late] {
            tab.is_let_in().await;
        }
        let next = two.refreshes().await;
        assert_ne!(next.refresh_token, one.refresh_token);
        next.is_let_in().await;
        assert_eq!((reuses(&world, "gus@example.com").await, alerts(&world).await), (0, 0));
        turn(&world, GRACE + 1);
        next.refreshes().await.refreshes().await.is_let_in().await;
    }

    async fn within_the_grace_another_program_that_has_the_spent_token_ends_the_session(world: World) {
        let phone = world.guest("gus").await.calling_itself("Phone/1.0").refreshes().await;
        let refreshed = phone.refreshes().await;
        world.stranger().calling_itself("Thief/1.0").is_refused_a_refresh(spent(&phone)).await;
        refreshed.is_refused().await;
        refreshed.is_refused_a_refresh(spent(&refreshed)).await;
        assert_eq!((reuses(&world, "gus@example.com").await, alerts(&world).await), (1, 1));
    }

    async fn a_token_that_was_spent_before_the_last_one_ends_the_session_at_any_time(world: World) {
        let first = world.guest("gus").await;
        let third = first.refreshes().await.refreshes().await;
        first.is_refused_a_refresh(spent(&first)).await;
        third.is_refused().await;
        assert_eq!(reuses(&world, "gus@example.com").await, 1);
    }

    async fn with_no_grace_a_second_use_ends_the_session_at_once(world: World) {
        let world = world.instance_with(&[("STAYGATE_REFRESH_GRACE", "0")]).await;
        let phone = world.guest("gus").await;
        let refreshed = phone.refreshes().await;
        turn(&world, 1);
        phone.is_refused_a_refresh(spent(&phone)).await;
        refreshed.is_refused().await;
    }

    async fn a_made_up_family_ends_nothing_and_a_made_up_secret_in_a_good_one_ends_the_session(world: World) {
        let gus = world.guest("gus").await;
        let good = gus.refresh_token.clone().expect("a refresh token");
        let (family, secret) = good.split_once('.').expect("two parts");
        let other = world.guest("olga").await;
        let others = other.refresh_token.clone().expect("a refresh token");
        let (others_family, others_secret) = others.split_once('.').expect("two parts");
        let made_up = format!("{}.{secret}", "A".repeat(family.len()));
        gus.is_refused_a_refresh(Some(&made_up)).await;
        let gus = gus.refreshes().await;
        gus.is_let_in().await;
        assert_eq!(alerts(&world).await, 0);

        for secret in [&"A".repeat(secret.len()), others_secret] {
            let gus = world.stranger().signs_in("gus@example.com").await;
            let (family, _) = spent(&gus).and_then(|token| token.split_once('.')).expect("two parts");
            gus.is_refused_a_refresh(Some(&format!("{family}.{secret}"))).await;
            gus.is_refused().await;
            gus.is_refused_a_refresh(spent(&gus)).await;
        }
        assert_eq!(reuses(&world, "gus@example.com").await, 2);
        assert_ne!(family, others_family);
        other.refreshes().await.is_let_in().await;
        gus.is_let_in().await;
    }

    async fn a_suspended_person_takes_no_new_tokens(world: World) {
        let gus = world.guest("gus").await;
        let email = Email::parse("email", "gus@example.com").expect("an address");
        world.app.services.people.suspend(&email).await.expect("suspended");
        gus.is_refused_a_refresh(spent(&gus)).await;
        world.app.services.people.reinstate(&email).await.expect("let in again");
        gus.is_refused_a_refresh(spent(&gus)).await;
        assert_eq!(reuses(&world, "gus@example.com").await, 0, "it is no theft");
    }

    async fn of_sixty_devices_the_ten_that_were_quiet_for_longest_are_signed_out(world: World) {
        let mut devices = vec![world.guest("gus").await];
        while devices.len() < 60 {
            turn(&world, 60);
            devices.push(world.stranger().signs_in("gus@example.com").await);
            if devices.len() == 50 {
                turn(&world, 60);
                devices[0] = devices[0].refreshes().await;
            }
        }
        let other = world.guest("olga").await;
        for (n, device) in devices.iter().enumerate() {
            if (1..=10).contains(&n) {
                device.is_refused().await;
                device.is_refused_a_refresh(spent(device)).await;
            } else {
                device.is_let_in().await;
            }
        }
        let listed = devices[59].get("{ viewer { sessions { id } } }", json!({})).await;
        assert_eq!(listed["viewer"]["sessions"].as_array().map(Vec::len), Some(50));
        other.is_let_in().await;
    }

    async fn one_request_takes_new_tokens_once(world: World) {
        let gus = world.guest("gus").await;
        let twice = "mutation($input: RefreshSessionInput!) { a: refreshSession(input: $input) { refreshToken } b: refreshSession(input: $input) { refreshToken } }";
        assert_eq!(gus.refusal(twice, json!({ "input": { "refreshToken": gus.refresh_token } })).await, "BAD_USER_INPUT");
        let body = json!({ "query": "{ viewer { email } }" });
        let as_bearer = world.stranger().request(Method::POST, "/graphql").bearer_auth(spent(&gus).expect("one")).json(&body);
        assert_eq!(as_bearer.send().await.expect("an answer").status(), 401, "a refresh token lets nobody in");
    }
}

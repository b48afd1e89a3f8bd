//! Other passwords: changed, forgotten, and hashed anew.

use serde_json::json;

use super::{
    asks_for_a_reset, changes_password, joins, mistakes, reset_links, resets, updates, verifies,
    viewer,
};
use crate::support::on_both_engines;

on_both_engines! {
    async fn a_new_password_takes_back_a_change_of_address_that_waits(world: World) {
        for (name, by_link) in [("gus", true), ("olga", false)] {
            let owner = joins(&world, name).await;
            let (address, evil) = (world.address(name), world.address(&format!("evil{name}")));
            world.mails_to(&address).await;
            // Somebody who got at the account asks for another address, and has the link.
            updates(&owner, json!({ "email": evil })).await;
            let link = world.mails_to(&evil).await[0].token();
            if by_link {
                asks_for_a_reset(&world.stranger(), &address).await;
                let reset = reset_links(&world, &address).await.pop().expect("a link");
                let payload = resets(&world.stranger(), &reset, "another good one").await;
                assert_eq!(mistakes(&payload), Vec::<String>::new());
            } else {
                changes_password(&owner, "a good password", "another good one").await;
            }
            assert_eq!(mistakes(&verifies(&world.stranger(), &link).await), ["INVALID [token]"]);
            let session = world.stranger().tries_to_sign_in(&address, "another good one").await;
            assert_eq!(viewer(&world.stranger().with_session(&session)).await["pendingEmail"], json!(null));
        }
    }

    async fn a_changed_password_takes_the_old_ones_place(world: World) {
        let gus = joins(&world, "gus").await;
        let address = world.address("gus");
        for (current, new, expected) in [
            ("a bad password", "another good one", "WRONG_CREDENTIALS [currentPassword]"),
            ("a good password", "seven77", "INVALID [newPassword]"),
            ("a good password", "password1", "INVALID [newPassword]"),
            ("a good password", address.as_str(), "INVALID [newPassword]"),
        ] {
            assert_eq!(mistakes(&changes_password(&gus, current, new).await), [expected]);
        }
        let changed = changes_password(&gus, "a good password", "another good one").await;
        assert_eq!(changed["viewer"]["email"], address.as_str(), "{changed}");
        assert_eq!(mistakes(&world.stranger().tries_to_sign_in(&address, "a good password").await), ["WRONG_CREDENTIALS []"]);
        assert_eq!(mistakes(&world.stranger().tries_to_sign_in(&address, "another good one").await), Vec::<String>::new());
        let told = world.mails_to(&address).await;
        assert_eq!(told.iter().filter(|mail| mail.subject.contains("password")).count(), 1, "{told:?}");
    }

    async fn a_forgotten_password_is_replaced_by_a_mailed_link_once_and_within_half_an_hour(world: World) {
        let gus = joins(&world, "gus").await;
        let address = world.address("gus");
        world.mails_to(&address).await;
        asks_for_a_reset(&world.stranger(), &address.to_uppercase()).await;
        asks_for_a_reset(&world.stranger(), &address).await;
        let links = reset_links(&world, &address).await;
        let [first, second] = &links[..] else { panic!("{links:?}") };
        assert_eq!(mistakes(&resets(&world.stranger(), first, "password1").await), ["INVALID [newPassword]"]);
        let reset = resets(&world.stranger(), first, "another good one").await;
        assert_eq!(mistakes(&reset), Vec::<String>::new(), "a bad password did not spend the link");
        let back = world.stranger().with_session(&reset);
        assert_eq!(viewer(&back).await["emailVerified"], true, "who read the mail has the address");
        assert_eq!(gus.refusal("{ __typename }", json!({})).await, "UNAUTHENTICATED", "every session has ended");
        for spent in [first, second] {
            assert_eq!(mistakes(&resets(&world.stranger(), spent, "yet another one").await), ["INVALID [token]"]);
        }
        assert_eq!(mistakes(&world.stranger().tries_to_sign_in(&address, "another good one").await), Vec::<String>::new());

        asks_for_a_reset(&world.stranger(), &address).await;
        let late = reset_links(&world, &address).await.pop().expect("a link");
        world.clock.advance(chrono::Duration::minutes(30));
        assert_eq!(mistakes(&resets(&world.stranger(), &late, "yet another one").await), ["INVALID [token]"]);
    }

    async fn of_two_who_bring_one_link_at_once_one_chooses_the_password(world: World) {
        joins(&world, "gus").await;
        let address = world.address("gus");
        asks_for_a_reset(&world.stranger(), &address).await;
        let token = reset_links(&world, &address).await.pop().expect("a link");
        let (one, other) = (world.stranger(), world.stranger());
        let (first, second) = tokio::join!(
            resets(&one, &token, "a password of one"), resets(&other, &token, "a password of another"),
        );
        let outcomes = [mistakes(&first), mistakes(&second)];
        assert!(outcomes.contains(&vec![]) && outcomes.contains(&vec!["INVALID [token]".to_owned()]), "{outcomes:?}");
    }

    async fn an_unknown_address_is_sent_nothing_and_the_answer_is_the_same(world: World) {
        let nobody = world.address("nobody");
        asks_for_a_reset(&world.stranger(), &nobody).await;
        assert!(world.mails_to(&nobody).await.is_empty());
        assert_eq!(world.number("SELECT count(*) FROM jobs").await, 0, "nothing is left over");
        let input = json!({ "email": "no address" });
        let asked = world.stranger().mutate("requestPasswordReset", "RequestPasswordResetInput!", input, "").await;
        assert_eq!(mistakes(&asked), ["INVALID [email]"]);
    }

    async fn a_hash_that_is_cheaper_than_configured_is_made_anew_by_the_next_sign_in(world: World) {
        joins(&world, "gus").await;
        let cheap = "SELECT count(*) FROM users WHERE password_hash LIKE '%m=64,t=1,%'";
        assert_eq!(world.number(cheap).await, 1);
        let dearer = world.instance_with(&[("STAYGATE_PASSWORD_MEMORY_KIB", "128")]).await;
        assert_eq!(mistakes(&dearer.stranger().tries_to_sign_in(&world.address("gus"), "a bad password").await), ["WRONG_CREDENTIALS []"]);
        assert_eq!(world.number(cheap).await, 1, "only a right password is known");
        let address = world.address("gus");
        let stranger = dearer.stranger();
        let at_once = (0..4).map(|_| stranger.tries_to_sign_in(&address, "a good password"));
        for payload in futures_util::future::join_all(at_once).await {
            assert_eq!(mistakes(&payload), Vec::<String>::new(), "whoever makes it anew, all are let in");
        }
        assert_eq!(mistakes(&world.stranger().tries_to_sign_in(&address, "a good password").await), Vec::<String>::new());
        assert_eq!(world.number("SELECT count(*) FROM users WHERE password_hash LIKE '%m=128,t=1,%'").await, 1);
    }
}

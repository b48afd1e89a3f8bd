//! Mail addresses: verified, changed, and taken from nobody; and the rest of what people say of themselves.

use serde_json::json;

use super::{joins, mistakes, updates, verifies, viewer};
use crate::support::on_both_engines;

on_both_engines! {
    async fn a_new_address_is_verified_by_the_link_that_is_mailed_to_it(world: World) {
        let gus = joins(&world, "gus").await;
        let address = world.address("gus");
        assert_eq!(viewer(&gus).await["emailVerified"], false);
        let mails = world.mails_to(&address).await;
        let [mail] = &mails[..] else { panic!("{mails:?}") };
        assert!(mail.text.contains("http://127.0.0.1:8000/verify-email#token="), "{}", mail.text);
        assert_eq!(verifies(&gus, "made-up").await["userErrors"][0]["code"], "INVALID");
        assert_eq!(viewer(&gus).await["emailVerified"], false);

        // On another device, where nobody is signed in, the link works and shows nothing of its owner.
        let verified = verifies(&world.stranger(), &mail.token()).await;
        assert_eq!(verified, json!({ "viewer": null, "userErrors": [] }));
        assert_eq!(viewer(&gus).await["emailVerified"], true);
        assert_eq!(mistakes(&verifies(&gus, &mail.token()).await), ["INVALID [token]"], "it is good once");
        assert!(world.mails_to(&address).await.len() == 1, "no mail is sent twice");
    }

    async fn where_it_is_asked_for_only_those_book_who_verified_their_address(world: World) {
        let property = world.host("hana").await.lists(json!({})).await;
        let gus = joins(&world, "gus").await;
        gus.books(&property, &world.day(1), &world.day(2)).await;
        let strict = world.instance_with(&[("STAYGATE_VERIFIED_GUESTS_ONLY", "true")]).await;
        let there = strict.as_seen_by(&gus);
        let refused = there.tries_to_book(&property, &world.day(3), &world.day(4)).await;
        assert_eq!(mistakes(&refused), ["WRONG_STATE []"]);
        let mails = world.mails_to(&world.address("gus")).await;
        let link = mails.iter().find(|mail| mail.subject.starts_with("Confirm")).expect("a mail");
        verifies(&gus, &link.token()).await;
        there.books(&property, &world.day(3), &world.day(4)).await;
    }

    async fn a_link_that_verifies_is_good_for_a_day(world: World) {
        let gus = joins(&world, "gus").await;
        let late = world.mails_to(&world.address("gus")).await[0].token();
        world.clock.advance(chrono::Duration::hours(24));
        assert_eq!(mistakes(&verifies(&gus, &late).await), ["INVALID [token]"]);
        // Asking for the same address again sends another one.
        assert_eq!(mistakes(&updates(&gus, json!({ "email": world.address("gus") })).await), Vec::<String>::new());
        let mails = world.mails_to(&world.address("gus")).await;
        let verified = verifies(&gus, &mails[1].token()).await;
        assert_eq!(verified["viewer"]["emailVerified"], true, "{verified}");
    }

    async fn another_address_takes_the_place_of_the_old_one_once_it_is_verified(world: World) {
        let gus = joins(&world, "gus").await;
        let (old, new) = (world.address("gus"), world.address("august"));
        verifies(&gus, &world.mails_to(&old).await[0].token()).await;
        let asked = updates(&gus, json!({ "fullName": "August", "email": new.to_uppercase() })).await;
        assert_eq!(asked["viewer"], json!({
            "email": old, "emailVerified": true, "pendingEmail": new, "user": { "fullName": "August" },
        }));
        assert_eq!(mistakes(&world.stranger().tries_to_sign_in(&new, "a good password").await), ["WRONG_CREDENTIALS []"]);
        let to_old = world.mails_to(&old).await;
        assert!(to_old.iter().any(|mail| mail.text.contains(&new)), "the old address is told: {to_old:?}");
        let [mail] = &world.mails_to(&new).await[..] else { panic!("one mail to the new address") };

        let verified = verifies(&gus, &mail.token()).await;
        assert_eq!(verified["viewer"], json!({
            "email": new, "emailVerified": true, "pendingEmail": null, "user": { "fullName": "August" },
        }));
        assert_eq!(mistakes(&world.stranger().tries_to_sign_in(&old, "a good password").await), ["WRONG_CREDENTIALS []"]);
        assert_eq!(world.stranger().tries_to_sign_in(&new, "a good password").await["viewer"]["email"], new.as_str());
        assert_eq!(world.mails_to(&old).await.len(), to_old.len() + 1, "and told again");
    }

    async fn a_link_that_went_to_another_address_verifies_no_later_one(world: World) {
        let gus = joins(&world, "gus").await;
        let (first, second) = (world.address("first"), world.address("second"));
        updates(&gus, json!({ "email": first })).await;
        let to_first = world.mails_to(&first).await[0].token();
        updates(&gus, json!({ "email": second })).await;
        assert_eq!(mistakes(&verifies(&gus, &to_first).await), ["INVALID [token]"]);
        assert_eq!(viewer(&gus).await["email"], world.address("gus").as_str());
        let back = updates(&gus, json!({ "email": world.address("gus") })).await;
        assert_eq!(back["viewer"]["pendingEmail"], json!(null), "{back}");
        let to_second = world.mails_to(&second).await;
        assert!(to_second.is_empty() || mistakes(&verifies(&gus, &to_second[0].token()).await) == ["INVALID [token]"]);
    }

    async fn a_stolen_access_token_is_not_enough_to_change_the_address(world: World) {
        let gus = joins(&world, "gus").await;
        world.clock.advance(chrono::Duration::minutes(15));
        let new = world.address("new");
        assert_eq!(mistakes(&updates(&gus, json!({ "email": new })).await), ["REQUIRED [currentPassword]"]);
        assert_eq!(mistakes(&updates(&gus, json!({ "email": new, "currentPassword": "a guess" })).await), ["WRONG_CREDENTIALS [currentPassword]"]);
        assert_eq!(mistakes(&updates(&gus, json!({ "fullName": "August" })).await), Vec::<String>::new(), "a name needs none");
        let changed = updates(&gus, json!({ "email": new, "currentPassword": "a good password" })).await;
        assert_eq!(changed["viewer"]["pendingEmail"], new.as_str(), "{changed}");
    }

    async fn nobody_takes_the_address_of_somebody_else(world: World) {
        let (gus, olga) = (joins(&world, "gus").await, joins(&world, "olga").await);
        let taken = updates(&gus, json!({ "email": world.address("olga") })).await;
        assert_eq!(mistakes(&taken), ["TAKEN [email]"]);
        // Two ask for a free one; who verifies first has it.
        let wanted = world.address("wanted");
        updates(&gus, json!({ "email": wanted })).await;
        updates(&olga, json!({ "email": wanted })).await;
        let mails = world.mails_to(&wanted).await;
        let link = |name: &str| mails.iter().find(|mail| mail.text.contains(name)).expect("a mail").token();
        let first = verifies(&gus, &link("Hello gus")).await;
        assert_eq!(first["viewer"]["email"], wanted.as_str(), "{first}");
        let second = verifies(&olga, &link("Hello olga")).await;
        assert_eq!(mistakes(&second), ["TAKEN [token]"]);
        assert_eq!(viewer(&olga).await["email"], world.address("olga").as_str());
    }

    async fn what_can_be_no_profile_is_refused_whole(world: World) {
        let gus = joins(&world, "gus").await;
        let bad = updates(&gus, json!({ "fullName": " ", "email": "a\u{0}b@example.com" })).await;
        assert_eq!(mistakes(&bad), ["REQUIRED [fullName]", "INVALID [email]"]);
        assert_eq!(viewer(&gus).await["user"]["fullName"], "gus");
        let nothing = updates(&gus, json!({})).await;
        assert_eq!(nothing["viewer"]["user"]["fullName"], "gus", "{nothing}");
    }
}

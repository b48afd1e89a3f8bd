//! Accounts: verified mail addresses, other passwords, other names.

use std::sync::Arc;

use serde_json::{Value, json};
use staygate::{
    domain::{
        actor,
        people::{Email, NewPerson, Role},
    },
    service::error::Error,
};

use crate::support::{Client, Mail, SESSION, World, on_both_engines};

const VIEWER: &str = "viewer { email emailVerified pendingEmail user { fullName } }";

/// A new guest with an address of this world's own.
async fn joins(world: &World, name: &str) -> Client {
    let input = json!({
        "fullName": name, "email": world.address(name), "password": "a good password",
    });
    world.stranger().sign_up(input).await
}

async fn viewer(client: &Client) -> Value {
    let query = format!("{{ {VIEWER} }}");
    client.get(&query, json!({})).await["viewer"].take()
}

async fn verifies(client: &Client, token: &str) -> Value {
    let input = json!({ "token": token });
    client
        .mutate("verifyEmail", "VerifyEmailInput!", input, VIEWER)
        .await
}

async fn updates(client: &Client, change: Value) -> Value {
    client
        .mutate("updateProfile", "UpdateProfileInput!", change, VIEWER)
        .await
}

async fn asks_for_a_reset(client: &Client, email: &str) {
    let input = json!({ "email": email });
    let asked = client
        .mutate(
            "requestPasswordReset",
            "RequestPasswordResetInput!",
            input,
            "",
        )
        .await;
    assert_eq!(asked, json!({ "userErrors": [] }), "whoever it is");
}

async fn resets(client: &Client, token: &str, password: &str) -> Value {
    let input = json!({ "token": token, "newPassword": password });
    client
        .mutate("resetPassword", "ResetPasswordInput!", input, SESSION)
        .await
}

async fn changes_password(client: &Client, current: &str, new: &str) -> Value {
    let input = json!({ "currentPassword": current, "newPassword": new });
    client
        .mutate("changePassword", "ChangePasswordInput!", input, VIEWER)
        .await
}

async fn signs_in(world: &World, email: &str, password: &str) -> Value {
    let input = json!({ "email": email, "password": password });
    world
        .stranger()
        .mutate("signIn", "SignInInput!", input, SESSION)
        .await
}

/// The secrets of the links to a new password that arrived at an address, oldest first.
async fn reset_links(world: &World, address: &str) -> Vec<String> {
    let mails = world.mails_to(address).await;
    let resets = mails
        .iter()
        .filter(|mail| mail.text.contains("/reset-password#token="));
    resets.map(Mail::token).collect()
}

/// The codes and fields of the mistakes in a payload.
fn mistakes(payload: &Value) -> Vec<String> {
    let errors = payload["userErrors"].as_array().expect("a list");
    errors
        .iter()
        .map(|error| format!("{} {}", error["code"], error["field"]).replace('"', ""))
        .collect()
}

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
        verifies(&gus, &world.mails_to(&world.address("gus")).await[0].token()).await;
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
        assert_eq!(mistakes(&signs_in(&world, &new, "a good password").await), ["WRONG_CREDENTIALS []"]);
        let to_old = world.mails_to(&old).await;
        assert!(to_old.iter().any(|mail| mail.text.contains(&new)), "the old address is told: {to_old:?}");
        let [mail] = &world.mails_to(&new).await[..] else { panic!("one mail to the new address") };

        let verified = verifies(&gus, &mail.token()).await;
        assert_eq!(verified["viewer"], json!({
            "email": new, "emailVerified": true, "pendingEmail": null, "user": { "fullName": "August" },
        }));
        assert_eq!(mistakes(&signs_in(&world, &old, "a good password").await), ["WRONG_CREDENTIALS []"]);
        assert_eq!(signs_in(&world, &new, "a good password").await["viewer"]["email"], new.as_str());
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
            let session = signs_in(&world, &address, "another good one").await;
            assert_eq!(viewer(&world.stranger().with_session(&session)).await["pendingEmail"], json!(null));
        }
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
        assert_eq!(mistakes(&signs_in(&world, &address, "a good password").await), ["WRONG_CREDENTIALS []"]);
        assert_eq!(mistakes(&signs_in(&world, &address, "another good one").await), Vec::<String>::new());
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
        assert_eq!(mistakes(&signs_in(&world, &address, "another good one").await), Vec::<String>::new());

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

    async fn a_secret_stands_nowhere_in_the_database(world: World) {
        joins(&world, "gus").await;
        let address = world.address("gus");
        asks_for_a_reset(&world.stranger(), &address).await;
        assert_eq!(world.number("SELECT count(*) FROM jobs").await, 2, "two mails wait");
        assert_eq!(world.number("SELECT count(*) FROM mailed_tokens").await, 0, "and no secret is made yet");
        let mails = world.mails_to(&address).await;
        assert_eq!(mails.len(), 2);
        for mail in &mails {
            let token = mail.token();
            let kept = format!("SELECT count(*) FROM mailed_tokens WHERE token_hash = '{token}'");
            assert_eq!(world.number(&kept).await, 0);
        }
        assert_eq!(world.number("SELECT count(*) FROM mailed_tokens").await, 2);
    }

    async fn a_mail_that_can_not_be_sent_now_is_sent_later(world: World) {
        let gus = joins(&world, "gus").await;
        let broken = [("SMTP_URL", "smtp://127.0.0.1:1"), ("STAYGATE_MAIL_DIR", "/dev/null/nowhere")];
        let broken = world.instance_with(&broken).await;
        broken.background_round().await;
        assert_eq!(world.number("SELECT count(*) FROM jobs WHERE attempts = 1 AND failure IS NOT NULL").await, 1);
        assert!(world.mails_to(&world.address("gus")).await.is_empty(), "it waits before it is tried again");
        world.clock.advance(chrono::Duration::seconds(10));
        let mails = world.mails_to(&world.address("gus")).await;
        assert_eq!(verifies(&gus, &mails[0].token()).await["viewer"]["emailVerified"], true);
        assert_eq!(world.number("SELECT count(*) FROM jobs").await, 0);
    }

    async fn many_who_send_mail_at_once_send_each_once(world: World) {
        joins(&world, "gus").await;
        let others = [world.another_instance().await, world.another_instance().await];
        tokio::join!(world.background_round(), others[0].background_round(), others[1].background_round());
        assert_eq!(world.mails_to(&world.address("gus")).await.len(), 1);
    }

    async fn a_hash_that_is_cheaper_than_configured_is_made_anew_by_the_next_sign_in(world: World) {
        joins(&world, "gus").await;
        let cheap = "SELECT count(*) FROM users WHERE password_hash LIKE '%m=64,t=1,%'";
        assert_eq!(world.number(cheap).await, 1);
        let dearer = world.instance_with(&[("STAYGATE_PASSWORD_MEMORY_KIB", "128")]).await;
        assert_eq!(mistakes(&signs_in(&dearer, &world.address("gus"), "a bad password").await), ["WRONG_CREDENTIALS []"]);
        assert_eq!(world.number(cheap).await, 1, "only a right password is known");
        let address = world.address("gus");
        let at_once = (0..4).map(|_| signs_in(&dearer, &address, "a good password"));
        for payload in futures_util::future::join_all(at_once).await {
            assert_eq!(mistakes(&payload), Vec::<String>::new(), "whoever makes it anew, all are let in");
        }
        assert_eq!(mistakes(&signs_in(&world, &address, "a good password").await), Vec::<String>::new());
        assert_eq!(world.number("SELECT count(*) FROM users WHERE password_hash LIKE '%m=128,t=1,%'").await, 1);
    }

    async fn a_suspended_person_is_let_in_by_no_way(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let (done, said) = world.runs(&["admin", "suspend", "hana@example.com"], "").await;
        assert!(done && said.contains("hana@example.com HOST, suspended"), "{said}");
        assert_eq!(host.refusal("{ __typename }", json!({})).await, "UNAUTHENTICATED");
        let refused = signs_in(&world, "hana@example.com", "a good password").await;
        assert_eq!(mistakes(&refused), ["WRONG_STATE []"], "who knows the password may know");
        let wrong = signs_in(&world, "hana@example.com", "a bad password").await;
        assert_eq!(mistakes(&wrong), ["WRONG_CREDENTIALS []"], "who does not, may not");
        let seen = world.stranger().get("query($id: ID!) { property(id: $id) { id } }", json!({ "id": property })).await;
        assert_eq!(seen["property"], json!(null), "what the person lists is listed no more");
        world.background_round().await;
        asks_for_a_reset(&world.stranger(), "hana@example.com").await;
        world.background_round().await;
        assert_eq!(world.number("SELECT count(*) FROM mailed_tokens WHERE purpose = 'RESET_PASSWORD'").await, 0);

        let (done, said) = world.runs(&["admin", "suspend", "hana@example.com", "--lift"], "").await;
        assert!(done && said.trim_end().ends_with("hana@example.com HOST"), "{said}");
        assert_eq!(mistakes(&signs_in(&world, "hana@example.com", "a good password").await), Vec::<String>::new());
        assert_eq!(host.refusal("{ __typename }", json!({})).await, "UNAUTHENTICATED", "the old sessions stay ended");
    }

    async fn a_sign_in_that_began_before_a_suspension_or_another_password_ends_in_nothing(world: World) {
        let (people, sessions) = (&world.app.services.people, &world.app.services.sessions);
        let client = Arc::new(actor::Client::default());
        let person = NewPerson::parse("Gus", "gus@example.com", "a good password".into(), Role::Guest).expect("a person");
        let email = Email::parse("email", "gus@example.com").expect("an address");
        let as_read_before = people.sign_up(person, &client).await.expect("an account");
        people.suspend(&email).await.expect("suspended");
        let begun = sessions.begin(as_read_before.clone(), &client).await;
        assert!(matches!(begun, Err(Error::Unauthenticated)), "{begun:?}");
        people.reinstate(&email).await.expect("reinstated");
        sessions.begin(as_read_before.clone(), &client).await.expect("a session");
        world.meddles("UPDATE users SET password_hash = 'of another password'").await.expect("changed");
        let begun = sessions.begin(as_read_before, &client).await;
        assert!(matches!(begun, Err(Error::Unauthenticated)), "{begun:?}");
    }

    async fn an_operator_makes_an_admin_and_gives_people_other_roles(world: World) {
        let (done, said) = world.runs(&["admin", "create", "ada@example.com", "--name", "Ada"], "an admin's password\n").await;
        assert!(done && said.contains("ada@example.com ADMIN"), "{said}");
        let session = signs_in(&world, "ada@example.com", "an admin's password").await;
        assert_eq!(session["viewer"]["user"]["role"], "ADMIN");
        for (arguments, input, expected) in [
            (&["admin", "create", "ada@example.com"][..], "an admin's password", "There is an account"),
            (&["admin", "create", "eve@example.com"], "short", "between 8 and 128"),
            (&["admin", "create", "eve@example.com"], "", "standard input"),
            (&["admin", "create", "eve"], "an admin's password", "mail address"),
            (&["admin", "promote", "eve@example.com"], "", "no such account"),
        ] {
            let (done, said) = world.runs(arguments, input).await;
            assert!(!done && said.contains(expected) && said.trim_end().lines().count() == 1, "{said}");
        }
        let gus = world.guest("gus").await;
        let (done, said) = world.runs(&["admin", "promote", "gus@example.com"], "").await;
        assert!(!done && said.contains("not verified"), "anybody can sign up with anybody's address: {said}");
        let (done, said) = world.runs(&["admin", "promote", "gus@example.com", "--unverified"], "").await;
        assert!(done && said.contains("gus@example.com ADMIN"), "{said}");
        assert_eq!(gus.refusal("{ __typename }", json!({})).await, "UNAUTHENTICATED", "the token was a guest's");
        let input = json!({ "refreshToken": gus.refresh_token });
        let fresh = world.stranger().mutate("refreshSession", "RefreshSessionInput!", input, SESSION).await;
        assert_eq!(fresh["viewer"]["user"]["role"], "ADMIN", "a refresh gives an admin's");
    }
}

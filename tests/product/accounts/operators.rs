//! What operators do to accounts, by the command line.

use std::sync::Arc;

use serde_json::json;
use staygate::{
    domain::{
        actor,
        people::{Email, NewPerson, Role},
    },
    service::error::Error,
};

use super::{asks_for_a_reset, mistakes};
use crate::support::{SESSION, on_both_engines};

on_both_engines! {
    async fn a_suspended_person_is_let_in_by_no_way(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let (done, said) = world.runs(&["admin", "suspend", "hana@example.com"], "").await;
        assert!(done && said.contains("hana@example.com HOST, suspended"), "{said}");
        assert_eq!(host.refusal("{ __typename }", json!({})).await, "UNAUTHENTICATED");
        let refused = world.stranger().tries_to_sign_in("hana@example.com", "a good password").await;
        assert_eq!(mistakes(&refused), ["WRONG_STATE []"], "who knows the password may know");
        let wrong = world.stranger().tries_to_sign_in("hana@example.com", "a bad password").await;
        assert_eq!(mistakes(&wrong), ["WRONG_CREDENTIALS []"], "who does not, may not");
        let seen = world.stranger().get("query($id: ID!) { property(id: $id) { id } }", json!({ "id": property })).await;
        assert_eq!(seen["property"], json!(null), "what the person lists is listed no more");
        world.background_round().await;
        asks_for_a_reset(&world.stranger(), "hana@example.com").await;
        world.background_round().await;
        assert_eq!(world.number("SELECT count(*) FROM mailed_tokens WHERE purpose = 'RESET_PASSWORD'").await, 0);

        let (done, said) = world.runs(&["admin", "suspend", "hana@example.com", "--lift"], "").await;
        assert!(done && said.trim_end().ends_with("hana@example.com HOST"), "{said}");
        assert_eq!(mistakes(&world.stranger().tries_to_sign_in("hana@example.com", "a good password").await), Vec::<String>::new());
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

    async fn who_is_let_in_again_gets_no_letter_that_says_otherwise(world: World) {
        world.stranger().sign_up(json!({ "fullName": "Gus", "email": world.address("gus"), "password": "a good password" })).await;
        world.background_round().await;
        let before = world.mails_to(&world.address("gus")).await.len();
        let people = &world.app.services.people;
        let email = Email::parse("email", &world.address("gus")).expect("an address");
        people.suspend(&email).await.expect("suspended");
        people.reinstate(&email).await.expect("reinstated");
        world.background_round().await;
        assert_eq!((before, world.mails_to(&world.address("gus")).await.len()), (1, 1));
    }

    async fn an_operator_makes_an_admin_and_gives_people_other_roles(world: World) {
        let (done, said) = world.runs(&["admin", "create", "ada@example.com", "--name", "Ada"], "an admin's password\n").await;
        assert!(done && said.contains("ada@example.com ADMIN"), "{said}");
        let session = world.stranger().tries_to_sign_in("ada@example.com", "an admin's password").await;
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

//! What a copy of the database tells of secrets: nothing.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{Waiting, a_market, a_waiting_payment};
use crate::support::{Stripe, World, on_both_engines};

fn keys(names: &[&str]) -> String {
    let key = |name: &&str| format!("{name}:{}", STANDARD.encode([name.as_bytes()[0]; 32]));
    names.iter().map(key).collect::<Vec<_>>().join(",")
}

/// Everything secret that a guest and a host leave behind: a payment that waits, a published calendar, an imported one.
async fn leaves_secrets(
    world: &World,
    stripe: &Stripe,
) -> (Vec<String>, Value, World, crate::support::Client) {
    let (shop, host, guest, property) = a_market(world, stripe, json!({})).await;
    let Waiting {
        booking,
        card,
        secret,
        reference,
    } = a_waiting_payment(&shop, stripe, &guest, &property, 10).await;
    let publish =
        "mutation($id: ID!) { publishCalendar(propertyId: $id) { property { calendarUrl } } }";
    let published = host.get(publish, json!({ "id": property })).await["publishCalendar"].take();
    let address = published["property"]["calendarUrl"]
        .as_str()
        .expect("an address");
    let (_, token) = address.rsplit_once('/').expect("a path");
    let theirs = "https://www.example.com/ical/8f14e45fceea167a5a36dedd4bea2543.ics";
    let input = json!({ "propertyId": property, "name": "Elsewhere", "url": theirs });
    let added = host
        .mutate(
            "addCalendarFeed",
            "AddCalendarFeedInput!",
            input,
            "feed { url }",
        )
        .await;
    assert_eq!(added["feed"]["url"], theirs, "{added}");
    let secrets = [
        card.as_str(),
        secret.as_str(),
        reference.as_str(),
        token.trim_end_matches(".ics"),
        theirs,
    ];
    (secrets.map(str::to_owned).to_vec(), booking, shop, guest)
}

on_both_engines! {
    async fn a_dump_of_the_database_has_no_secret_in_it(world: World) {
        let stripe = Stripe::start();
        let (secrets, booking, _shop, guest) = leaves_secrets(&world, &stripe).await;
        assert!(world.has_kept("Elsewhere").await, "the look is a good one");
        for secret in &secrets {
            assert!(!world.has_kept(secret).await, "{secret}");
        }
        let seen = guest.sees(&booking).await;
        assert_eq!(seen["payment"]["clientSecret"], secrets[1], "its owner has it");
        let moved = "UPDATE payments SET client_secret = provider_reference";
        world.meddles(moved).await.expect("meddled");
        let query = "query($id: ID!) { booking(id: $id) { payment { clientSecret } } }";
        assert_eq!(guest.refusal(query, json!({ "id": booking["id"] })).await, "INTERNAL", "it opens in its own place alone");
    }

    async fn keys_are_rotated_while_servers_run(world: World) {
        let stripe = Stripe::start();
        let old = keys(&["a"]);
        let before = world.instance_with(&[("STAYGATE_ENCRYPTION_KEYS", &old)]).await;
        let (secrets, booking, _shop, guest) = leaves_secrets(&before, &stripe).await;
        let sealed_by = async |key: &str| {
            let sql = |table: &str, column: &str| format!("SELECT count(*) FROM {table} WHERE {column} LIKE 'enc:{key}:%'");
            let mut all = 0;
            for (table, column) in [("payments", "provider_reference"), ("payments", "client_secret"), ("payments", "token"), ("calendar_exports", "token"), ("calendar_feeds", "url")] {
                all += world.number(&sql(table, column)).await;
            }
            all
        };
        assert_eq!(sealed_by("a").await, 5);
        let both = before.instance_with(&[("STAYGATE_ENCRYPTION_KEYS", &keys(&["b", "a"]))]).await;
        for _ in 0..2 {
            let (done, said) = both.runs(&["keys", "rotate"], "").await;
            assert!(done, "{said}");
        }
        assert_eq!((sealed_by("a").await, sealed_by("b").await), (0, 5));
        let after = both.instance_with(&[("STAYGATE_ENCRYPTION_KEYS", &keys(&["b"]))]).await;
        let seen = after.as_seen_by(&guest).sees(&booking).await;
        assert_eq!(seen["payment"]["clientSecret"], secrets[1]);
        let file = after.stranger().request(reqwest::Method::GET, &format!("/calendars/{}.ics", secrets[3]));
        assert_eq!(file.send().await.expect("an answer").status(), 200);
        let (done, said) = before.runs(&["keys", "rotate"], "").await;
        assert!(!done && said.contains("sealed with the key b, which is not in the ring"), "{said}");
        assert!(said.contains("5 secrets can't be opened"), "each is told: {said}");
    }

    async fn what_was_kept_before_secrets_were_sealed_is_sealed_at_the_next_start(world: World) {
        let stripe = Stripe::start();
        let (secrets, booking, _shop, guest) = leaves_secrets(&world, &stripe).await;
        world.meddles(&format!("UPDATE payments SET client_secret = '{}', provider_reference = '{}', reference_digest = NULL", secrets[1], secrets[2])).await.expect("as it was");
        world.meddles(&format!("UPDATE calendar_exports SET token = '{}', token_digest = NULL", secrets[3])).await.expect("as it was");
        world.meddles(&format!("UPDATE calendar_feeds SET url = '{}', url_digest = NULL", secrets[4])).await.expect("as it was");
        for place in ["payments.provider_reference", "payments.client_secret", "calendar_exports.token", "calendar_feeds.url"] {
            world.meddles(&format!("INSERT INTO sealing_backlog (place) VALUES ('{place}')")).await.expect("a backlog");
        }
        let after = world.another_instance().await;
        assert_eq!(world.number("SELECT count(*) FROM sealing_backlog").await, 0);
        let unsealed = "SELECT count(*) FROM payments WHERE client_secret NOT LIKE 'enc:%' OR provider_reference NOT LIKE 'enc:%' OR reference_digest IS NULL";
        assert_eq!(world.number(unsealed).await, 0);
        for (table, column, digest) in [("calendar_exports", "token", "token_digest"), ("calendar_feeds", "url", "url_digest")] {
            let unsealed = format!("SELECT count(*) FROM {table} WHERE {column} NOT LIKE 'enc:%' OR {digest} IS NULL");
            assert_eq!(world.number(&unsealed).await, 0, "{table}");
        }
        for secret in &secrets {
            assert!(!world.has_kept(secret).await, "{secret} is still there");
        }
        assert_eq!(after.as_seen_by(&guest).sees(&booking).await["payment"]["clientSecret"], secrets[1]);
        let file = after.stranger().request(reqwest::Method::GET, &format!("/calendars/{}.ics", secrets[3]));
        assert_eq!(file.send().await.expect("an answer").status(), 200);
    }
}

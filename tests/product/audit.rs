//! The audit log: what stands in it, who reads it, and that nobody changes it.

use serde_json::{Value, json};

use crate::support::on_both_engines;

const LOG: &str = "query($actor: ID, $action: String, $first: Int, $after: String) {
    auditLog(actorId: $actor, action: $action, first: $first, after: $after) {
        nodes { number at actor { fullName } action subject outcome detail ipAddress userAgent requestId hash }
        pageInfo { hasNextPage endCursor } totalCount } }";

/// The lines of an answer, as `actor action subject outcome`, oldest first.
fn lines(answer: &Value) -> Vec<String> {
    let nodes = answer["auditLog"]["nodes"].as_array().expect("lines");
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut lines: Vec<_> = nodes
        .iter()
        .map(|line| {
            [
                &line["actor"]["fullName"],
                &line["action"],
                &line["subject"],
                &line["outcome"],
            ]
            .map(text)
            .join(" ")
        })
        .collect();
    lines.reverse();
    lines
}

on_both_engines! {
    async fn the_log_says_who_did_what_to_what_and_what_became_of_it(world: World) {
        let admin = world.admin("ada").await;
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let booking = guest.books(&property, &world.day(1), &world.day(2)).await;
        guest.tries_to_pay(&booking, "tok_chargeDeclined").await;
        guest.pays(&booking).await;
        guest.mutate_by_id("cancelBooking", booking["id"].as_str().expect("an id"), "booking { id }").await;
        let log = admin.get(LOG, json!({ "actor": guest.id, "first": 100 })).await;
        assert_eq!(lines(&log), [
            "gus session.signed_in user:3 DONE",
            "gus booking.created booking:1 DONE",
            "gus payment.created payment:1 DONE",
            "gus payment.failed payment:1 REFUSED",
            "gus payment.created payment:2 DONE",
            "gus payment.paid payment:2 DONE",
            "gus booking.confirmed booking:1 DONE",
            "gus booking.cancelled booking:1 DONE",
        ]);
        let log = admin.get(LOG, json!({ "action": "property.created" })).await;
        assert_eq!(lines(&log), ["hana property.created property:1 DONE"]);
        let line = &log["auditLog"]["nodes"][0];
        assert_eq!((&line["ipAddress"], &line["at"]), (&json!("127.0.0.1"), &json!("2027-03-10T12:00:00Z")));
        assert!(line["requestId"].as_str().is_some_and(|id| id.len() == 36), "{line}");
        let refunded = admin.get(LOG, json!({ "action": "payment.refunded" })).await;
        assert_eq!(lines(&refunded), ["- payment.refunded payment:2 DONE"], "what happens by itself is nobody's act");
    }

    async fn a_failed_sign_in_stands_in_the_log_and_its_password_does_not(world: World) {
        let admin = world.admin("ada").await;
        let sign_in = "mutation($input: SignInInput!) { signIn(input: $input) { userErrors { code } } }";
        for email in ["ada@example.com", "nobody@example.com"] {
            let request = world.stranger().request(reqwest::Method::POST, "/graphql").header("user-agent", "Guesser/1.0").header("x-request-id", "a-request");
            let body = json!({ "query": sign_in, "variables": { "input": { "email": email, "password": "secret guess" } } });
            request.json(&body).send().await.expect("an answer");
        }
        let log = admin.get(LOG, json!({ "action": "session.signed_in" })).await;
        assert_eq!(lines(&log)[1..], ["- session.signed_in user:1 REFUSED", "- session.signed_in - REFUSED"]);
        let line = &log["auditLog"]["nodes"][0];
        assert_eq!((&line["userAgent"], &line["requestId"]), (&json!("Guesser/1.0"), &json!("a-request")));
        assert!(!log.to_string().contains("secret guess"), "{log}");
    }

    async fn what_an_admin_reads_of_others_stands_in_the_log(world: World) {
        let admin = world.admin("ada").await;
        let property = world.host("hana").await.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let booking = guest.books(&property, &world.day(1), &world.day(2)).await;
        guest.sees(&booking).await;
        admin.sees(&booking).await;
        let log = admin.get(LOG, json!({ "action": "admin.read" })).await;
        assert_eq!(lines(&log), ["ada admin.read booking:1 DONE"]);
        let log = admin.get(LOG, json!({ "action": "admin.read" })).await;
        assert_eq!(lines(&log), ["ada admin.read booking:1 DONE", "ada admin.read audit-log DONE"], "reading the log does too");
    }

    async fn the_log_is_for_admins_alone_and_is_read_in_pages(world: World) {
        let admin = world.admin("ada").await;
        assert_eq!(world.stranger().refusal(LOG, json!({})).await, "UNAUTHENTICATED");
        for other in [world.guest("gus").await, world.host("hana").await] {
            assert_eq!(other.refusal(LOG, json!({})).await, "FORBIDDEN");
        }
        let first = admin.get(LOG, json!({ "first": 2, "action": "account.signed_up" })).await;
        assert_eq!(first["auditLog"]["totalCount"], 3);
        assert_eq!(first["auditLog"]["pageInfo"]["hasNextPage"], true);
        let after = &first["auditLog"]["pageInfo"]["endCursor"];
        let second = admin.get(LOG, json!({ "first": 2, "after": after, "action": "account.signed_up" })).await;
        assert_eq!(lines(&second), ["- account.signed_up user:1 DONE"]);
        assert_eq!(second["auditLog"]["pageInfo"]["hasNextPage"], false);
    }

    async fn the_database_itself_refuses_to_change_a_line(world: World) {
        world.guest("gus").await;
        for sql in ["UPDATE audit_entries SET outcome = 'DONE'", "DELETE FROM audit_entries", "DELETE FROM audit_entries WHERE audit_id = 1"] {
            let refused = world.meddles(sql).await.expect_err("it is refused").to_string();
            assert!(refused.contains("append-only"), "{refused}");
        }
        let line = |insert: &str, number: i32| {
            format!("{insert} INTO audit_entries (audit_id, created_at, action, outcome, hash)
                     VALUES ({number}, '2027-03-10 12:00:00+00', 'forged', 'DONE', '')")
        };
        let mut forged = vec![line("INSERT", 0), line("INSERT", -1), line("INSERT", 9), line("INSERT", 1)];
        if !world.is_postgres() {
            forged.push(line("INSERT OR REPLACE", 1));
        }
        for sql in forged {
            assert!(world.meddles(&sql).await.is_err(), "{sql}");
        }
        if world.is_postgres() {
            assert!(world.meddles("TRUNCATE audit_entries").await.is_err());
        }
    }

    async fn a_changed_byte_is_found_and_its_line_is_named(world: World) {
        for name in ["gus", "olga", "hana"] {
            world.guest(name).await;
        }
        let (whole, said) = world.runs(&["audit", "verify"], "").await;
        assert!(whole && said.contains("whole: 6 lines, the last 6:"), "{said}");
        let mark = said.trim_end().rsplit(' ').next().expect("a mark").to_owned();
        world.guest("ivan").await;
        let (whole, said) = world.runs(&["audit", "verify", "--expect", &mark], "").await;
        assert!(whole, "{said}");

        // Somebody who owns the database can take its triggers away.
        let table = if world.is_postgres() { " ON audit_entries" } else { "" };
        world.meddles(&format!("DROP TRIGGER audit_rows_stay{table}")).await.expect("no trigger");
        if !world.is_postgres() {
            world.meddles("DROP TRIGGER audit_rows_remain").await.expect("no trigger");
        }
        for (change, back) in [
            ("subject = 'user:3'", "subject = 'user:2'"), ("actor_id = 3", "actor_id = 2"), ("outcome = 'DONe'", "outcome = 'DONE'"),
            ("action = 'session.signed_iN'", "action = 'session.signed_in'"), ("ip_address = NULL", "ip_address = '127.0.0.1'"),
            ("detail = ''", "detail = NULL"),
        ] {
            world.meddles(&format!("UPDATE audit_entries SET {change} WHERE audit_id = 4")).await.expect("changed");
            let (whole, said) = world.runs(&["audit", "verify"], "").await;
            assert!(!whole && said.contains("line 4 of the audit log: it is not as it was written"), "{change}: {said}");
            world.meddles(&format!("UPDATE audit_entries SET {back} WHERE audit_id = 4")).await.expect("changed back");
        }
        assert!(world.runs(&["audit", "verify"], "").await.0, "nothing else was wrong");
        world.meddles(&format!("DROP TRIGGER audit_rows_follow{table}")).await.expect("no trigger");
        for number in [0, -5, 9, 100_000] {
            let sql = format!("INSERT INTO audit_entries (audit_id, created_at, action, outcome, hash)
                               VALUES ({number}, '2027-03-10 12:00:00+00', 'forged', 'DONE', '')");
            world.meddles(&sql).await.expect("forged");
            let (whole, said) = world.runs(&["audit", "verify"], "").await;
            assert!(!whole && said.contains(&format!("line {number} of the audit log: it stands outside")), "{said}");
            world.meddles(&format!("DELETE FROM audit_entries WHERE audit_id = {number}")).await.expect("gone again");
        }
        let (whole, said) = world.runs(&["audit", "verify", "--expect", "6:abc"], "").await;
        assert!(!whole && said.contains("does not have the line that is expected"), "{said}");
        for (deleted, expected) in [("audit_id = 8", "line 8 of the audit log: it is missing, and all after it"), ("audit_id = 3", "line 3 of the audit log: it is missing")] {
            world.meddles(&format!("DELETE FROM audit_entries WHERE {deleted}")).await.expect("deleted");
            let (whole, said) = world.runs(&["audit", "verify"], "").await;
            assert!(!whole && said.contains(expected), "{said}");
        }
    }

    async fn acts_at_once_make_one_chain(world: World) {
        let other = world.another_instance().await;
        let guests = (0..20).map(|n| if n % 2 == 0 { world.guest_owned(format!("g{n}")) } else { other.guest_owned(format!("g{n}")) });
        futures_util::future::join_all(guests).await;
        let (whole, said) = world.runs(&["audit", "verify"], "").await;
        assert!(whole && said.contains("whole: 40 lines"), "{said}");
    }

    async fn an_act_that_is_rolled_back_leaves_no_line(world: World) {
        let host = world.host("hana").await;
        let property = host.lists(json!({})).await;
        let (gus, olga) = (world.guest("gus").await, world.guest("olga").await);
        gus.books(&property, &world.day(1), &world.day(3)).await;
        let before = world.number("SELECT count(*) FROM audit_entries").await;
        let refused = olga.tries_to_book(&property, &world.day(2), &world.day(4)).await;
        assert_eq!(refused["userErrors"][0]["code"], "DATES_UNAVAILABLE");
        assert_eq!(world.number("SELECT count(*) FROM audit_entries").await, before);
    }
}

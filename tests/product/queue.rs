//! Work that waits: any number of workers do it, each piece once, and what fails stays visible.

use std::{collections::BTreeSet, sync::Arc};

use chrono::Duration;
use futures_util::future::join_all;
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{Client, World, on_both_engines};

/// So many people who are each to get a mail.
async fn joined(world: &World, people: usize) -> Vec<String> {
    let names: Vec<_> = (0..people).map(|n| format!("gus{n}")).collect();
    join_all(names.iter().map(async |name| {
        let input = json!({ "fullName": name, "email": world.address(name), "password": "a good password" });
        world.stranger().sign_up(input).await;
    }))
    .await;
    names.iter().map(|name| world.address(name)).collect()
}

on_both_engines! {
    async fn three_workers_at_once_send_each_of_forty_mails_once(world: World) {
        let addresses = joined(&world, 40).await;
        let others = [world.another_instance().await, world.another_instance().await];
        tokio::join!(world.background_round(), others[0].background_round(), others[1].background_round());
        assert_eq!(world.number("SELECT count(*) FROM jobs").await, 0, "one round leaves nothing that is due");
        let mut ids = BTreeSet::new();
        for address in addresses {
            let [mail] = &world.mails_to(&address).await[..] else { panic!("one mail to {address}") };
            ids.insert(mail.id.clone());
        }
        assert_eq!(ids.len(), 40, "no two mails have one Message-ID");
    }

    async fn what_a_worker_had_in_hand_when_it_died_is_done_by_another_once_its_lease_is_over(world: World) {
        let addresses = joined(&world, 12).await;
        // A mail server that takes calls and never says a word.
        let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("smtp://{}", silent.local_addr().expect("an address"));
        let dying = Arc::new(world.instance_with(&[("SMTP_URL", &url)]).await);
        let worker = tokio::spawn({
            let dying = Arc::clone(&dying);
            async move { dying.background_round().await }
        });
        let mut calls = vec![];
        for _ in 0..8 {
            calls.push(silent.accept().await.expect("a call"));
        }
        worker.abort();
        assert!(worker.await.is_err_and(|end| end.is_cancelled()), "it dies in the middle");
        assert_eq!(world.number("SELECT count(*) FROM jobs WHERE attempts = 1").await, 8, "no more than it works on at a time");

        world.background_round().await;
        assert_eq!(world.number("SELECT count(*) FROM jobs").await, 8, "the others did not wait");
        world.clock.advance(Duration::minutes(2) - Duration::microseconds(1));
        world.background_round().await;
        assert_eq!(world.number("SELECT count(*) FROM jobs").await, 8, "it may still be at it");
        world.clock.advance(Duration::microseconds(1));
        for address in addresses {
            assert_eq!(world.mails_to(&address).await.len(), 1, "{address}");
        }
        assert_eq!(world.number("SELECT count(*) FROM jobs").await, 0);
    }

    async fn a_mail_server_that_never_answers_holds_up_no_mail_that_becomes_due_meanwhile(world: World) {
        joined(&world, 1).await;
        let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("smtp://{}", silent.local_addr().expect("an address"));
        let worker = Arc::new(world.instance_with(&[("SMTP_URL", &url)]).await);
        let working = tokio::spawn({
            let worker = Arc::clone(&worker);
            async move { worker.background_round().await }
        });
        let first = silent.accept().await.expect("a call");
        world.stranger().sign_up(json!({ "fullName": "Late", "email": world.address("late"), "password": "a good password" })).await;
        let second = tokio::time::timeout(std::time::Duration::from_secs(10), silent.accept()).await;
        assert!(second.is_ok(), "the second mail waited for the first");
        working.abort();
        drop(first);
    }

    async fn a_mail_that_is_sent_again_because_its_worker_died_after_it_is_known_by_its_message_id(world: World) {
        let addresses = joined(&world, 1).await;
        world.meddles("CREATE TABLE kept AS SELECT * FROM jobs").await.expect("a copy");
        world.background_round().await;
        // The worker died before it could write down that it was done.
        world.meddles("UPDATE kept SET attempts = 1").await.expect("begun once");
        world.meddles("INSERT INTO jobs SELECT * FROM kept").await.expect("the job is there");
        let [first, second] = &world.mails_to(&addresses[0]).await[..] else { panic!("two mails") };
        assert_eq!(first.id, second.id);
    }

    async fn what_fails_is_tried_later_and_later_then_given_up_and_stays_visible_for_a_month(world: World) {
        let addresses = joined(&world, 1).await;
        let broken = world.instance_with(&[("SMTP_URL", "smtp://127.0.0.1:1"), ("STAYGATE_MAIL_DIR", "/dev/null/nowhere")]).await;
        let mut waited = vec![];
        for attempt in 1..=30 {
            broken.background_round().await;
            let tried = format!("SELECT count(*) FROM jobs WHERE attempts = {attempt} AND failure IS NOT NULL");
            assert_eq!(world.number(&tried).await, 1, "{attempt}");
            let wait = 10 * 2_i64.pow((attempt - 1).min(9));
            let wait = wait.min(3_600);
            world.clock.advance(Duration::seconds(wait - 1));
            broken.background_round().await;
            assert_eq!(world.number(&tried).await, 1, "not before its time");
            world.clock.advance(Duration::seconds(1));
            waited.push(wait);
        }
        assert!(waited.is_sorted() && waited.iter().sum::<i64>() > 20 * 3_600);
        assert_eq!(world.number("SELECT count(*) FROM jobs WHERE given_up_at IS NOT NULL").await, 1);
        assert!(world.mails_to(&addresses[0]).await.is_empty(), "nobody tries again");
        world.clock.advance(Duration::days(29));
        world.background_round().await;
        assert_eq!(world.number("SELECT count(*) FROM jobs").await, 1);
        world.clock.advance(Duration::days(1));
        world.background_round().await;
        assert_eq!(world.number("SELECT count(*) FROM jobs").await, 0);
    }

    async fn the_metrics_say_what_is_due_since_when_and_what_became_of_it(world: World) {
        let free = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
        let watched = world.instance_with(&[("STAYGATE_ADMIN_LISTEN", &free.to_string())]).await;
        let operator = Client::new(&format!("http://{free}"));
        let metrics = async || {
            let page = operator.request(reqwest::Method::GET, "/metrics").send().await.expect("the metrics");
            page.text().await.expect("text")
        };
        joined(&world, 3).await;
        world.meddles("UPDATE jobs SET payload = '{\"Unheard\":1}' WHERE job_id = (SELECT min(job_id) FROM jobs)").await.expect("a job");
        world.clock.advance(Duration::seconds(90));
        watched.app.services.mails.measure().await.expect("it is measured");
        let before = metrics().await;
        for line in ["staygate_jobs_due{kind=\"mail\"} 3", "staygate_jobs_oldest_due_seconds{kind=\"mail\"} 90"] {
            assert!(before.lines().any(|found| found == line), "{line} in {before}");
        }
        watched.background_round().await;
        let after = metrics().await;
        for line in [
            "staygate_jobs_due{kind=\"mail\"} 0", "staygate_jobs_oldest_due_seconds{kind=\"mail\"} 0",
            "staygate_jobs_done_total{kind=\"mail\"} 2", "staygate_jobs_failed_total{kind=\"mail\"} 1",
        ] {
            assert!(after.lines().any(|found| found == line), "{line} in {after}");
        }
    }

    async fn what_this_version_can_not_read_waits_for_one_that_can_and_stops_nothing_else(world: World) {
        let addresses = joined(&world, 2).await;
        let unreadable = "UPDATE jobs SET payload = '{\"Unheard\":1}' WHERE job_id = (SELECT min(job_id) FROM jobs)";
        world.meddles(unreadable).await.expect("a job of another version");
        let mut came = 0;
        for address in addresses {
            came += world.mails_to(&address).await.len();
        }
        assert_eq!(came, 1);
        assert_eq!(world.number("SELECT count(*) FROM jobs WHERE attempts = 1 AND given_up_at IS NULL").await, 1);
    }
}

//! `staygate doctor`: what is not right, and what to do about it.

use sea_orm::ConnectionTrait as _;
use tempfile::tempdir;

use crate::support::{Stripe, World, command, on_both_engines};

/// What it says of the world's own settings and some more.
async fn says(world: &World, more: &[(&str, &str)]) -> (bool, String) {
    let own = world.settings();
    let mut settings: Vec<_> = own
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    settings.extend(more);
    let folder = tempdir().expect("a folder");
    command(folder.path(), &["doctor"], &settings).await
}

on_both_engines! {
    async fn everything_that_serves_is_said_to(world: World) {
        let (good, said) = says(&world, &[]).await;
        assert!(good && !said.contains("BAD"), "{said}");
        for subject in ["signing keys", "database", "migrations", "encryption keys", "Redis", "mail", "payments"] {
            assert!(said.contains(&format!("ok    {subject}")), "{subject}: {said}");
        }
        assert_eq!(world.is_postgres(), said.contains("ok    clock"), "{said}");
    }

    async fn a_database_that_a_newer_version_has_changed_is_not_served(world: World) {
        let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m21000101_000001_flying_houses', 0)";
        world.app.db.read().execute_unprepared(newer).await.expect("a migration");
        let (good, said) = says(&world, &[]).await;
        assert!(!good && said.contains("BAD   migrations"), "{said}");
        assert!(said.contains("flying_houses") && said.contains("newer version"), "{said}");
    }

    async fn what_is_still_to_be_migrated_is_told_and_not_done(world: World) {
        let last = "DELETE FROM seaql_migrations WHERE version = (SELECT max(version) FROM seaql_migrations)";
        let db = world.app.db.read();
        db.execute_unprepared(last).await.expect("a migration is taken back");
        let (good, said) = says(&world, &[]).await;
        assert!(good && said.contains("look  migrations"), "{said}");
        assert!(said.contains("1 to be done") && said.contains("staygate migrate"), "{said}");
        let (_, again) = says(&world, &[]).await;
        assert!(again.contains("1 to be done"), "{again}");
    }

    async fn secrets_without_their_key_are_found(world: World) {
        let guest = world.guest("gus").await;
        let property = world.host("hana").await.lists(serde_json::json!({ "instantBook": true })).await;
        let booking = guest.books(&property, &world.day(1), &world.day(2)).await;
        guest.pays(&booking).await;
        let sql = "DELETE FROM encryption_keys";
        world.app.db.read().execute_unprepared(sql).await.expect("the key is lost");
        let other = format!("other:{}", "A".repeat(43) + "=");
        let (good, said) = says(&world, &[("STAYGATE_ENCRYPTION_KEYS", &other)]).await;
        assert!(!good && said.contains("BAD   encryption keys  payments."), "{said}");
        assert!(!said.contains("AAAA"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_do_not_answer_are_told_with_what_to_do() {
    let folder = tempdir().expect("a folder");
    // Nobody listens on port 1 of this machine.
    let settings = [
        ("DATABASE_URL", "postgres://me:geheim@127.0.0.1:1/staygate"),
        ("REDIS_URL", "redis://:geheim@127.0.0.1:1"),
        ("SMTP_URL", "smtp://127.0.0.1:1"),
        ("STRIPE_SECRET_KEY", "sk_test_geheim"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_geheim"),
        ("STRIPE_API_BASE", "http://127.0.0.1:1"),
    ];
    let (good, said) = command(folder.path(), &["doctor"], &settings).await;
    assert!(!good && !said.contains("geheim"), "{said}");
    for (subject, advice) in [
        ("database", "DATABASE_URL"),
        ("Redis", "REDIS_URL"),
        ("mail", "SMTP_URL"),
        ("payments", "STRIPE_SECRET_KEY"),
    ] {
        let at = said
            .find(&format!("BAD   {subject}"))
            .unwrap_or_else(|| panic!("{subject}: {said}"));
        let mut lines = said[at..].lines();
        let (seen, told) = (
            lines.next().unwrap_or_default(),
            lines.next().unwrap_or_default(),
        );
        assert!(seen.contains("refused") || subject == "payments", "{seen}");
        assert!(told.contains(advice), "{told}");
    }
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 0, "looking makes nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_the_payment_provider_is_tried() {
    let stripe = Stripe::start();
    let (folder, base) = (tempdir().expect("a folder"), stripe.base());
    let with = |key| {
        [
            ("STRIPE_SECRET_KEY", key),
            ("STRIPE_WEBHOOK_SECRET", "whsec_1"),
            ("STRIPE_API_BASE", base.as_str()),
        ]
    };
    let (good, said) = command(folder.path(), &["doctor"], &with("sk_test_1")).await;
    assert!(
        good && said.contains("ok    payments         Stripe answers"),
        "{said}"
    );
    let (good, said) = command(folder.path(), &["doctor"], &with("pk_test_1")).await;
    assert!(!good && said.contains("BAD   payments"), "{said}");
}

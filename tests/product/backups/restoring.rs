//! What comes back, and where it may go.

use serde_json::json;
use staygate::cli::demo;

use super::{Safe, a_key, elsewhere, made, number_in};
use crate::support::on_both_engines;

on_both_engines! {
    async fn what_is_restored_elsewhere_has_the_same_rows_and_hashes_and_everybody_signs_in_anew(world: World) {
        let app = &world.app;
        demo::fill(&app.db, &app.passwords, &*app.clock).await.expect("it fills");
        let host = world.host("hana").await;
        let property = host.lists(json!({ "title": "Ünïcode \u{1f3e1}" })).await;
        let guest = world.guest("gus").await;
        guest.pays(&guest.books(&property, &world.day(1), &world.day(3)).await).await;
        let safe = Safe::new();
        let said = safe.does(&world, None, &["backup"]).await;
        assert!(said.contains("read back"), "{said}");
        let before = safe.keeper(&world, None).find("latest").await.expect("a backup");

        let there = elsewhere(&world, &safe).await;
        let said = safe.does(&world, Some(&there), &["restore", "latest", "--identity", &safe.key()]).await;
        assert!(said.contains("everybody is signed out (2 sessions)"), "{said}");
        // Looked at anew, and not only by the command itself.
        let mut after = made(&safe.keeper(&world, Some(&there))).await;
        let sessions = after.contents.tables.get_mut("sessions").expect("the table");
        assert_eq!(sessions.rows, 0);
        *sessions = before.contents.tables["sessions"].clone();
        assert_eq!(after.contents, before.contents);
        assert!(before.rows() > 500 && before.contents.tables["bookings"].rows > 5, "{before:?}");

        let restored = world.instance_with(&[("DATABASE_URL", &there)]).await;
        let input = json!({ "email": "gus@example.com", "password": "a good password" });
        let signed_in = restored.stranger().mutate("signIn", "SignInInput!", input, "accessToken").await;
        assert!(signed_in["accessToken"].is_string(), "{signed_in}");
        let title = restored.stranger().get("query($id: ID!) { property(id: $id) { title } }", json!({ "id": property })).await;
        assert_eq!(title["property"]["title"], "Ünïcode \u{1f3e1}");
        // Keys of new rows go on where they were.
        restored.host("new").await.lists(json!({})).await;
    }

    async fn a_database_in_use_is_replaced_only_when_that_is_said(world: World) {
        let safe = Safe::new();
        world.guest("gus").await;
        safe.does(&world, None, &["backup", "run"]).await;
        let there = elsewhere(&world, &safe).await;
        safe.does(&world, Some(&there), &["migrate"]).await;
        let restore = ["restore", "latest", "--identity", &safe.key()];
        safe.does(&world, Some(&there), &restore).await;
        let said = safe.refuses(&world, Some(&there), &restore).await;
        assert!(said.contains("1 users") && said.contains("--replace"), "{said}");

        world.guest("gina").await;
        safe.does(&world, None, &["backup"]).await;
        // Their names tell the seconds, and two of one second are in no order.
        let two = safe.keeper(&world, None).list().await.expect("a list").0;
        let with_both = two.iter().find(|of| of.contents.tables["users"].rows == 2).expect("the second");
        let key = safe.key();
        safe.does(&world, Some(&there), &["restore", &with_both.name, "--identity", &key, "--replace"]).await;
        assert_eq!(number_in(&there, "SELECT count(*) FROM users").await, 2);
    }

    async fn what_servers_have_open_is_not_restored_into(world: World) {
        let safe = Safe::new();
        world.guest("gus").await;
        safe.does(&world, None, &["backup"]).await;
        let said = safe.refuses(&world, None, &["restore", "latest", "--identity", &safe.key(), "--replace"]).await;
        assert!(said.contains("stop every server and worker"), "{said}");
        assert_eq!(world.number("SELECT count(*) FROM users").await, 1);
    }

    async fn another_key_opens_nothing_and_leaves_the_database_as_it_was(world: World) {
        let safe = Safe::new();
        world.guest("gus").await;
        safe.does(&world, None, &["backup"]).await;
        let there = elsewhere(&world, &safe).await;
        let restore = ["restore", "latest", "--identity", &safe.key()];
        safe.does(&world, Some(&there), &restore).await;
        let other = safe.path("other.txt").display().to_string();
        std::fs::write(&other, a_key().0).expect("another key");
        for arguments in [&["backup", "verify", "latest", "--identity", &other][..], &["restore", "latest", "--identity", &other, "--replace"]] {
            let said = safe.refuses(&world, Some(&there), arguments).await;
            assert!(said.contains("no key of the identity file opens it"), "{said}");
        }
        assert_eq!(number_in(&there, "SELECT count(*) FROM users").await, 1);
    }

    async fn a_backup_of_a_newer_version_is_refused_and_an_older_one_is_brought_up_to_date_by_the_next_start(world: World) {
        use migration::{Migrator, MigratorTrait as _};

        let safe = Safe::new();
        world.guest("gus").await;
        let tx = world.app.db.begin().await.expect("a transaction");
        Migrator::down(&*tx, Some(1)).await.expect("an older version");
        tx.commit().await.expect("down");
        let of = made(&safe.keeper(&world, None)).await;
        let there = elsewhere(&world, &safe).await;
        let restore = ["restore", &of.name, "--identity", &safe.key()];
        let said = safe.does(&world, Some(&there), &restore).await;
        assert!(said.contains("older version"), "{said}");
        let restored = world.instance_with(&[("DATABASE_URL", &there)]).await;
        assert_eq!(restored.number("SELECT count(*) FROM schedules").await, 0, "the newest table is there");

        let manifest = safe.path("store").join(format!("{}.json", of.name));
        let text = std::fs::read_to_string(&manifest).expect("the manifest");
        std::fs::write(&manifest, text.replace(&of.contents.schema_version, "m29990101_000001_later")).expect("written");
        let empty = safe.path("empty.db").display().to_string();
        let empty = if world.is_postgres() { elsewhere(&world, &safe).await } else { format!("sqlite://{empty}") };
        let said = safe.refuses(&world, Some(&empty), &restore).await;
        assert!(said.contains("newer Staygate"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_another_engine_is_refused() {
    use crate::support::World;

    let (safe, world) = (Safe::new(), World::on_sqlite().await);
    safe.does(&world, None, &["backup"]).await;
    let (other, _) = crate::support::a_postgres_database().await;
    let restore = ["restore", "latest", "--identity", &safe.key()];
    let said = safe.refuses(&world, Some(&other), &restore).await;
    assert!(
        said.contains("a backup of SQLite, and DATABASE_URL is of PostgreSQL"),
        "{said}"
    );
}

/// PostgreSQL's programs are not part of the binary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_pg_dump_is_named_with_what_to_install() {
    use crate::support::World;

    let (safe, world) = (Safe::new(), World::on_postgres().await);
    let mut settings = safe.settings();
    settings.push(("PATH", "/nowhere".to_owned()));
    let settings: Vec<_> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let (done, said) = world.runs_with(&settings, &["backup"], "").await;
    assert!(
        !done && said.contains("pg_dump is missing") && said.contains("postgresql-client"),
        "{said}"
    );
    assert!(safe.objects().is_empty());
}

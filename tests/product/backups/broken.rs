//! What is damaged or broken off is never taken for a backup.

use std::{fs::File, io::Write as _, time::SystemTime};

use chrono::Duration;
use staygate::domain::clock::Clock as _;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{Safe, elsewhere, made};
use crate::support::on_both_engines;

on_both_engines! {
    async fn one_flipped_byte_is_found(world: World) {
        let safe = Safe::new();
        world.guest("gus").await;
        let of = made(&safe.keeper(&world, None)).await;
        let said = safe.does(&world, None, &["backup", "verify"]).await;
        assert!(said.contains("is what was written"), "{said}");
        safe.does(&world, None, &["backup", "verify", &of.name, "--identity", &safe.key()]).await;
        let file = safe.path("store").join(format!("{}.zst.age", of.name));
        let mut bytes = std::fs::read(&file).expect("the archive");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&file, bytes).expect("written");
        let there = elsewhere(&world, &safe).await;
        let key = safe.key();
        for arguments in [&["backup", "verify"][..], &["backup", "verify", "latest", "--identity", &key], &["restore", "latest", "--identity", &key]] {
            let said = safe.refuses(&world, Some(&there), arguments).await;
            assert!(said.contains("damaged"), "{said}");
        }
        // Nothing of it is there, so that a good one can be restored.
        std::fs::remove_file(&file).expect("it is there");
        let said = safe.refuses(&world, None, &["backup", "verify"]).await;
        assert!(said.contains("is not in file://"), "{said}");
        let good = made(&safe.keeper(&world, None)).await;
        safe.does(&world, Some(&there), &["restore", &good.name, "--identity", &key]).await;
    }

    async fn what_is_broken_off_is_not_listed_and_is_swept_a_day_later(world: World) {
        let safe = Safe::new();
        let keeper = safe.keeper(&world, None);
        let (begun, has_begun) = oneshot::channel();
        let working = tokio::spawn({
            let keeper = keeper.clone();
            async move {
                let begins = |_| begun.send(()).expect("somebody waits");
                keeper.make(&CancellationToken::new(), begins, &|_| {}).await
            }
        });
        has_begun.await.expect("it begins");
        working.abort();
        let _ = working.await;
        assert!(keeper.list().await.expect("a list").0.is_empty(), "{:?}", safe.objects());

        // What is told to stop takes back what it has written.
        let stopping = CancellationToken::new();
        stopping.cancel();
        let error = keeper.make(&stopping, |_| {}, &|_| {}).await.expect_err("it stops");
        assert!(format!("{error:#}").contains("told to stop"), "{error:#}");

        let of = made(&keeper).await;
        let store = safe.path("store");
        // As a killed one leaves it: an archive without its manifest, and one that is not whole.
        let long_ago = SystemTime::from(world.clock.now() - Duration::days(2));
        for name in ["staygate-20270101T000000Z-0001.zst.age", "staygate-20270101T000000Z-0002.zst.age#1", "of-others.txt"] {
            let mut file = File::create(store.join(name)).expect("a file");
            file.write_all(b"half").and_then(|()| file.set_modified(long_ago)).expect("written");
        }
        let listed = safe.does(&world, None, &["backup", "list"]).await;
        assert!(listed.lines().count() == 2 && listed.contains(&of.name), "{listed}");
        let pruned = keeper.prune().await.expect("it prunes");
        assert_eq!((pruned.remains, pruned.backups.len()), (2, 0));
        let rest = ["of-others.txt".to_owned(), format!("{}.json", of.name), format!("{}.zst.age", of.name)];
        assert_eq!(safe.objects(), rest);
    }
}

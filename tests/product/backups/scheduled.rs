//! Backups that nobody asks for.

use chrono::Duration;

use super::{Safe, made};
use crate::support::{World, on_both_engines};

/// A world that backs up each night at three.
async fn instance(world: &World, safe: &Safe, url: &str) -> World {
    let recipients = &safe.settings()[1].1;
    let settings = [
        ("STAYGATE_BACKUP_URL", url),
        ("STAYGATE_BACKUP_RECIPIENTS", recipients.as_str()),
        ("STAYGATE_BACKUP_SCHEDULE", "0 3 * * *"),
        ("STAYGATE_BACKUP_KEEP_DAILY", "2"),
        ("STAYGATE_BACKUP_KEEP_WEEKLY", "0"),
        ("STAYGATE_BACKUP_KEEP_MONTHLY", "0"),
    ];
    world.instance_with(&settings).await
}

on_both_engines! {
    async fn of_many_workers_one_makes_the_nights_backup_and_keeps_what_the_settings_say(world: World) {
        let safe = Safe::new();
        let (one, two) = (instance(&world, &safe, &safe.url()).await, instance(&world, &safe, &safe.url()).await);
        one.background_round().await;
        assert!(safe.objects().is_empty(), "the last night was before there was a schedule");
        for _ in 0..3 {
            world.clock.advance(Duration::days(1));
            tokio::join!(one.background_round(), two.background_round());
            tokio::join!(one.background_round(), two.background_round());
        }
        assert_eq!(world.number("SELECT count(*) FROM jobs WHERE kind = 'backup'").await, 0);
        let kept = safe.keeper(&world, None).list().await.expect("a list").0;
        let days: Vec<_> = kept.iter().map(|of| of.began_at.date_naive().to_string()).collect();
        assert_eq!(days, ["2027-03-12", "2027-03-13"]);
        assert_eq!(safe.objects().len(), 4);
        // Nights that nobody worked are made up for once.
        world.clock.advance(Duration::days(10));
        two.background_round().await;
        let kept = safe.keeper(&world, None).list().await.expect("a list").0;
        assert_eq!(kept.last().expect("one").began_at.date_naive().to_string(), "2027-03-23");
        assert_eq!(world.number("SELECT count(*) FROM alerts").await, 0);
    }

    async fn a_backup_that_fails_raises_an_alert_and_is_tried_again(world: World) {
        let safe = Safe::new();
        world.admin("ada").await;
        let broken = instance(&world, &safe, &safe.url()).await;
        broken.background_round().await;
        // Where the folder was, a file is.
        let store = safe.path("store");
        std::fs::remove_dir(&store).expect("an empty folder");
        std::fs::write(&store, "").expect("a file");
        world.clock.advance(Duration::days(1));
        broken.background_round().await;
        assert_eq!(world.number("SELECT count(*) FROM alerts WHERE cause = 'a backup failed'").await, 1);
        assert_eq!(world.number("SELECT count(*) FROM jobs WHERE kind = 'backup' AND attempts = 1").await, 1);
        std::fs::remove_file(&store).expect("the file");
        std::fs::create_dir(&store).expect("the folder");
        world.clock.advance(Duration::seconds(11));
        broken.background_round().await;
        assert_eq!(safe.objects().len(), 2, "{:?}", safe.objects());
        assert_eq!(world.number("SELECT count(*) FROM jobs WHERE kind = 'backup'").await, 0);
    }

    async fn pruning_keeps_the_newest_of_each_day_week_and_month(world: World) {
        let safe = Safe::new();
        let mut keeper = safe.keeper(&world, None);
        keeper.retention.daily = 2;
        keeper.retention.weekly = 2;
        keeper.retention.monthly = 2;
        // From the 22nd of February, a Monday, each third day, twice.
        world.clock.advance(-Duration::days(16));
        for _ in 0..6 {
            made(&keeper).await;
            world.clock.advance(Duration::hours(1));
            made(&keeper).await;
            world.clock.advance(Duration::hours(71));
        }
        let pruned = keeper.prune().await.expect("it prunes");
        assert_eq!(pruned.backups.len(), 9, "{pruned:?}");
        let kept = keeper.list().await.expect("a list").0;
        let kept: Vec<_> = kept.iter().map(|of| of.began_at.format("%m-%d %H").to_string()).collect();
        // The last two days and weeks that have one, and the end of the month before.
        assert_eq!(kept, ["02-28 13", "03-06 13", "03-09 13"]);
        assert_eq!(safe.objects().len(), 6);
    }
}

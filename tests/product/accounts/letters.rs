//! Mail that waits, is tried again, and goes out once.

use super::{asks_for_a_reset, joins, verifies};
use crate::support::on_both_engines;

on_both_engines! {
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
}

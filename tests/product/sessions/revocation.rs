//! The end of a session: it holds from the answer on, on every instance, with Redis and without it.

use std::time::{Duration, Instant};

use serde_json::json;
use staygate::domain::people::{Email, Role};
use tokio::time::timeout;

use crate::support::{Client, Redis, Socket, World, on_both_engines};

/// How long a socket may stay open after its session's end.
const CLOSED_WITHIN: Duration = Duration::from_secs(1);

/// Two servers on one database: what is done is done at `here`.
struct Instances {
    here: World,
    there: World,
}

impl Instances {
    async fn on(here: World) -> Self {
        let there = here.another_instance().await;
        Self { here, there }
    }

    /// The one first that has only heard of what was done.
    fn both(&self) -> [&World; 2] {
        [&self.there, &self.here]
    }

    /// Somebody new with two devices.
    async fn two_devices(&self, name: &str) -> (Device, Device) {
        let phone = self.here.guest(name).await;
        let laptop = self.here.stranger().signs_in(&address(name)).await;
        let devices = (
            Device::known_to(self, phone).await,
            Device::known_to(self, laptop).await,
        );
        // A moment ago, so that both servers remember them.
        devices.0.is_let_in(self).await;
        devices.1.is_let_in(self).await;
        devices
    }
}

/// A device that both servers have let in, with a socket open at each.
struct Device {
    client: Client,
    sockets: Vec<Socket>,
}

impl Device {
    async fn known_to(instances: &Instances, client: Client) -> Self {
        let mut sockets = Vec::new();
        for world in instances.both() {
            sockets.push(world.as_seen_by(&client).opens_a_socket().await);
        }
        Self { client, sockets }
    }

    async fn is_let_in(&self, instances: &Instances) {
        for world in instances.both() {
            world.as_seen_by(&self.client).is_let_in().await;
        }
    }

    /// It is let in, and its sockets are open.
    async fn goes_on(&mut self, instances: &Instances) {
        self.is_let_in(instances).await;
        for socket in &mut self.sockets {
            socket
                .subscribe("q", "{ viewer { email } }", json!({}))
                .await;
            assert!(socket.next_event().await["viewer"]["email"].is_string());
            assert_eq!(socket.hears().await["type"], "complete");
        }
    }

    /// It was let in until now, and is so no more.
    async fn is_out(&mut self, instances: &Instances) {
        let since = Instant::now();
        for world in instances.both() {
            world.as_seen_by(&self.client).is_refused().await;
        }
        self.sockets_close(since).await;
    }

    async fn sockets_close(&mut self, since: Instant) {
        for socket in &mut self.sockets {
            let left = CLOSED_WITHIN.saturating_sub(since.elapsed());
            let closed = timeout(left, socket.is_closed()).await;
            assert_eq!(closed.expect("it is closed in time").0, 4403);
        }
    }

    async fn has_no_refresh(&self, instances: &Instances) {
        let refresh_token = self.client.refresh_token.as_deref();
        instances
            .there
            .stranger()
            .is_refused_a_refresh(refresh_token)
            .await;
    }
}

fn address(name: &str) -> String {
    format!("{name}@example.com")
}

async fn sign_out(instances: &Instances) {
    let (mut phone, mut laptop) = instances.two_devices("sue").await;
    phone.client.signs_out(false).await;
    phone.is_out(instances).await;
    phone.has_no_refresh(instances).await;
    laptop.goes_on(instances).await;
}

async fn sign_out_everywhere(instances: &Instances) {
    let (mut phone, mut laptop) = instances.two_devices("eve").await;
    let (mut of_another, _) = instances.two_devices("olga").await;
    laptop.client.signs_out(true).await;
    phone.is_out(instances).await;
    laptop.is_out(instances).await;
    phone.has_no_refresh(instances).await;
    of_another.goes_on(instances).await;
}

async fn revoke(instances: &Instances) {
    let (mut phone, mut laptop) = instances.two_devices("rita").await;
    let sessions = "{ viewer { sessions { id current } } }";
    let sessions = laptop.client.get(sessions, json!({})).await;
    let sessions = sessions["viewer"]["sessions"].as_array().cloned();
    let phones = sessions
        .expect("a list")
        .into_iter()
        .find(|session| session["current"] == json!(false))
        .expect("the phone");
    let id = phones["id"].as_str().expect("an id");
    let (mut of_another, _) = instances.two_devices("nosy").await;
    let refused = of_another
        .client
        .mutate_by_id("revokeSession", id, "__typename")
        .await;
    assert_eq!(refused["userErrors"][0]["code"], "NOT_FOUND");
    phone.is_let_in(instances).await;

    let revoked = laptop
        .client
        .mutate_by_id("revokeSession", id, "__typename")
        .await;
    assert_eq!(revoked["userErrors"], json!([]));
    phone.is_out(instances).await;
    phone.has_no_refresh(instances).await;
    laptop.goes_on(instances).await;
    of_another.goes_on(instances).await;
    let again = laptop
        .client
        .mutate_by_id("revokeSession", id, "__typename")
        .await;
    assert_eq!(again["userErrors"][0]["code"], "NOT_FOUND");
}

async fn change_password(instances: &Instances) {
    let (mut phone, mut laptop) = instances.two_devices("pat").await;
    let change = |current: &str| {
        let input = json!({ "currentPassword": current, "newPassword": "an even better one" });
        let client = laptop.client.clone();
        async move {
            client
                .mutate(
                    "changePassword",
                    "ChangePasswordInput!",
                    input,
                    "__typename",
                )
                .await
        }
    };
    let wrong = change("not my password").await;
    assert_eq!(wrong["userErrors"][0]["code"], "WRONG_CREDENTIALS");
    phone.is_let_in(instances).await;

    let changed = change("a good password").await;
    assert_eq!(changed["userErrors"], json!([]));
    phone.is_out(instances).await;
    phone.has_no_refresh(instances).await;
    laptop.goes_on(instances).await;
    laptop.client.refreshes().await.is_let_in().await;
}

async fn set_role(instances: &Instances) {
    let (mut phone, mut laptop) = instances.two_devices("ron").await;
    let email = Email::parse("email", &address("ron")).expect("an address");
    let people = &instances.here.app.services.people;
    people
        .set_role(&email, Role::Host, false)
        .await
        .expect("a host");
    phone.is_out(instances).await;
    laptop.is_out(instances).await;
    let again = instances.there.as_seen_by(&phone.client).refreshes().await;
    let viewer = again.get("{ viewer { user { role } } }", json!({})).await;
    assert_eq!(
        viewer["viewer"]["user"]["role"], "HOST",
        "new tokens are to be had"
    );
}

async fn suspend(instances: &Instances) {
    let (mut phone, mut laptop) = instances.two_devices("uma").await;
    let email = Email::parse("email", &address("uma")).expect("an address");
    let people = &instances.here.app.services.people;
    people.suspend(&email).await.expect("suspended");
    phone.is_out(instances).await;
    laptop.is_out(instances).await;
    phone.has_no_refresh(instances).await;
    let stranger = instances.there.stranger();
    let refused = stranger
        .tries_to_sign_in(&address("uma"), "a good password")
        .await;
    assert_eq!(refused["userErrors"][0]["code"], "WRONG_STATE");
    people.reinstate(&email).await.expect("let in again");
    phone.has_no_refresh(instances).await;
    instances.there.as_seen_by(&phone.client).is_refused().await;
    stranger.signs_in(&address("uma")).await.is_let_in().await;
}

/// When the last request began that was let in.
async fn asks_until_it_is_refused(client: Client) -> Instant {
    let mut last = Instant::now();
    loop {
        let began = Instant::now();
        let (status, answer) = client
            .asks_with("accept", "application/json", "{ __typename }")
            .await;
        if status == 401 {
            return last;
        }
        assert_eq!(answer["data"]["__typename"], "Query");
        last = began;
    }
}

on_both_engines! {
    async fn a_signed_out_device_is_refused_by_every_instance_from_the_answer_on_and_its_sockets_close(world: World) {
        sign_out(&Instances::on(world).await).await;
    }

    async fn signing_out_everywhere_ends_every_device_on_every_instance(world: World) {
        sign_out_everywhere(&Instances::on(world).await).await;
    }

    async fn a_person_ends_the_session_of_a_lost_phone_and_nobody_elses(world: World) {
        revoke(&Instances::on(world).await).await;
    }

    async fn another_password_ends_the_other_devices_and_this_one_goes_on(world: World) {
        change_password(&Instances::on(world).await).await;
    }

    async fn another_role_ends_the_access_tokens_at_hand_and_new_ones_are_to_be_had(world: World) {
        set_role(&Instances::on(world).await).await;
    }

    async fn a_suspended_person_is_out_at_once_and_signs_in_anew_when_reinstated(world: World) {
        suspend(&Instances::on(world).await).await;
    }

    async fn sockets_close_also_where_nobody_asks_for_anything(world: World) {
        let instances = Instances::on(world).await;
        let (mut phone, mut laptop) = instances.two_devices("gus").await;
        phone.client.signs_out(false).await;
        phone.sockets_close(Instant::now()).await;
        laptop.goes_on(&instances).await;
    }

    async fn twenty_devices_in_a_row_are_refused_by_the_other_instance_right_after_they_have_signed_out(world: World) {
        let Instances { here, there } = Instances::on(world).await;
        here.guest("gus").await;
        for n in 0..20 {
            let (one, other) = if n % 2 == 0 { (&here, &there) } else { (&there, &here) };
            let device = one.stranger().signs_in("gus@example.com").await;
            let elsewhere = other.as_seen_by(&device);
            device.is_let_in().await;
            elsewhere.is_let_in().await;
            elsewhere.is_let_in().await;
            device.signs_out(false).await;
            elsewhere.is_refused().await;
            device.is_refused().await;
        }
    }

    async fn of_a_stream_of_requests_none_is_let_in_that_began_after_the_answer(world: World) {
        let Instances { here, there } = Instances::on(world).await;
        let phone = here.guest("gus").await;
        for client in [&phone, &there.as_seen_by(&phone)] {
            client.is_let_in().await;
        }
        let asking: Vec<_> = [&here, &there, &there].iter().map(|world| tokio::spawn(asks_until_it_is_refused(world.as_seen_by(&phone)))).collect();
        phone.signs_out(false).await;
        let answered = Instant::now();
        for asking in asking {
            let last = timeout(Duration::from_secs(20), asking).await.expect("it is refused in the end").expect("answers");
            assert!(last <= answered, "{:?} too late", last - answered);
        }
    }

    async fn a_new_instance_knows_who_has_signed_out(world: World) {
        let phone = world.guest("gus").await;
        let laptop = world.stranger().signs_in("gus@example.com").await;
        phone.is_let_in().await;
        phone.signs_out(false).await;
        let new = world.another_instance().await;
        new.as_seen_by(&phone).is_refused().await;
        new.as_seen_by(&laptop).is_let_in().await;
        new.as_seen_by(&phone).is_refused().await;
    }

    async fn signing_out_ends_this_session_alone(world: World) {
        let phone = world.guest("gus").await;
        let laptop = world.stranger().signs_in("gus@example.com").await;
        phone.signs_out(false).await;
        phone.is_refused().await;
        world.stranger().is_refused_a_refresh(phone.refresh_token.as_deref()).await;
        laptop.is_let_in().await;
        laptop.refreshes().await.is_let_in().await;
    }

    async fn signing_out_everywhere_ends_every_session_of_this_person_alone(world: World) {
        let phone = world.guest("gus").await;
        let laptop = world.stranger().signs_in("gus@example.com").await;
        let other = world.guest("olga").await;
        phone.signs_out(true).await;
        phone.is_refused().await;
        laptop.is_refused().await;
        world.stranger().is_refused_a_refresh(laptop.refresh_token.as_deref()).await;
        other.is_let_in().await;
        world.stranger().signs_in("gus@example.com").await.is_let_in().await;
        let nobody = world.stranger().refusal("mutation { signOut { userErrors { code } } }", json!({})).await;
        assert_eq!(nobody, "UNAUTHENTICATED");
    }
}

/// Every way out, with Redis killed under two instances that were connected to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_redis_gone_whoever_is_out_is_out_everywhere_all_the_same() {
    let mut redis = Redis::start();
    let url = redis.url();
    let world = World::on_postgres_with(&[("REDIS_URL", url.as_str())]).await;
    let instances = Instances::on(world).await;
    redis.is_heard_by(2, &instances.here.channel()).await;
    let (mut phone, mut laptop) = instances.two_devices("gus").await;
    redis.is_killed();
    phone.client.signs_out(false).await;
    phone.is_out(&instances).await;
    laptop.client.signs_out(false).await;
    laptop.sockets_close(Instant::now()).await;
    sign_out(&instances).await;
    sign_out_everywhere(&instances).await;
    revoke(&instances).await;
    change_password(&instances).await;
    set_role(&instances).await;
    suspend(&instances).await;
}

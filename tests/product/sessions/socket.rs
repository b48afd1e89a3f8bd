//! A socket and its access token: the token lapses while the socket is open, and another takes its place.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::{Client, SESSION, Socket, World, on_both_engines};

const EVENTS: &str =
    "subscription($after: String) { viewerBookingStatusChanged(after: $after) { to } }";
/// How long a socket may stay open after its token's lapse.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);

/// A server whose access tokens are good for five minutes.
async fn short_lived(world: &World) -> World {
    world
        .instance_with(&[("STAYGATE_ACCESS_TOKEN_TTL", "300")])
        .await
}

fn turn(world: &World, seconds: i64) {
    world.clock.advance(chrono::Duration::seconds(seconds));
}

fn bearer(client: &Client) -> Value {
    json!(format!(
        "Bearer {}",
        client.token.as_deref().expect("a token")
    ))
}

async fn pings(socket: &mut Socket, payload: &Value) {
    socket
        .say(json!({ "type": "ping", "payload": payload }))
        .await;
}

/// Says a new token, and hears until when it is good.
async fn says_token(socket: &mut Socket, client: &Client) -> Value {
    pings(socket, &json!({ "authorization": bearer(client) })).await;
    let mut pong = socket.hears().await;
    assert_eq!(pong["type"], "pong");
    pong["payload"].take()
}

/// New tokens, and when the access token lapses.
async fn refreshes(client: &Client) -> (Client, Value) {
    let input = json!({ "refreshToken": client.refresh_token });
    let answer = client
        .mutate("refreshSession", "RefreshSessionInput!", input, SESSION)
        .await;
    let until = answer["accessTokenExpiresAt"].clone();
    (client.with_session(&answer), until)
}

async fn is_closed_in_time(socket: &mut Socket) -> u16 {
    let closed = timeout(CLOSED_WITHIN, socket.is_closed()).await;
    closed.expect("it is closed in time").0
}

/// An operation runs on it as this person.
async fn serves(socket: &mut Socket, email: &str) {
    socket
        .subscribe("who", "{ viewer { email } }", json!({}))
        .await;
    assert_eq!(socket.next_event().await["viewer"]["email"], email);
    assert_eq!(
        socket.hears().await,
        json!({ "type": "complete", "id": "who" })
    );
}

on_both_engines! {
    async fn a_socket_is_closed_when_its_token_lapses_and_one_of_nobody_stays_open(world: World) {
        let world = short_lived(&world).await;
        let guest = world.guest("gus").await;
        let (mut idle, mut busy) = (guest.opens_a_socket().await, guest.opens_a_socket().await);
        let mut nobodys = world.stranger().opens_a_socket().await;
        busy.subscribe("w", EVENTS, json!({})).await;
        turn(&world, 299);
        serves(&mut idle, "gus@example.com").await;
        turn(&world, 1);
        for socket in [&mut idle, &mut busy] {
            assert_eq!(is_closed_in_time(socket).await, 4401);
        }
        nobodys.subscribe("q", "{ viewer { email } }", json!({})).await;
        assert_eq!(nobodys.next_event().await["viewer"], json!(null));
    }

    async fn nothing_runs_on_a_socket_after_its_tokens_lapse(world: World) {
        let world = short_lived(&world).await;
        let mut socket = world.guest("gus").await.opens_a_socket().await;
        turn(&world, 300);
        socket.subscribe("m", "mutation { becomeHost { viewer { email } } }", json!({})).await;
        assert_eq!(socket.hangs_up().await, [json!(null); 0], "nothing was answered");
        assert_eq!(world.number("SELECT count(*) FROM users WHERE role = 'HOST'").await, 0);
    }

    async fn a_new_token_said_in_a_ping_keeps_the_socket_and_its_subscriptions_going(world: World) {
        let world = short_lived(&world).await;
        let property = world.host("hana").await.lists(json!({})).await;
        let guest = world.guest("gus").await;
        let (mut renewed, mut other) = (guest.opens_a_socket().await, guest.opens_a_socket().await);
        let booking = guest.books(&property, &world.day(1), &world.day(2)).await;
        renewed.subscribe("w", EVENTS, json!({})).await;
        turn(&world, 200);
        let (guest, until) = refreshes(&guest).await;
        assert_eq!(until, "2027-03-10T12:08:20Z");
        assert_eq!(says_token(&mut renewed, &guest).await, json!({ "accessTokenExpiresAt": until }));

        turn(&world, 150);
        assert_eq!(is_closed_in_time(&mut other).await, 4401, "the old token has lapsed");
        guest.pays(&booking).await;
        assert_eq!(renewed.next_event().await["viewerBookingStatusChanged"]["to"], "CONFIRMED");
        serves(&mut renewed, "gus@example.com").await;
        let (guest, _) = refreshes(&guest).await;
        says_token(&mut renewed, &guest).await;
        turn(&world, 299);
        serves(&mut renewed, "gus@example.com").await;
        turn(&world, 1);
        assert_eq!(is_closed_in_time(&mut renewed).await, 4401, "so has the new one");
    }

    async fn a_renewed_socket_is_closed_all_the_same_when_its_session_ends(world: World) {
        let world = short_lived(&world).await;
        let guest = world.guest("gus").await;
        let mut socket = guest.opens_a_socket().await;
        turn(&world, 200);
        let (guest, _) = refreshes(&guest).await;
        says_token(&mut socket, &guest).await;
        guest.signs_out(false).await;
        assert_eq!(is_closed_in_time(&mut socket).await, 4403);
    }

    async fn an_older_token_of_the_session_said_later_counts_from_then_on(world: World) {
        let world = short_lived(&world).await;
        let old = world.guest("gus").await;
        turn(&world, 200);
        let (new, _) = refreshes(&old).await;
        let mut socket = new.opens_a_socket().await;
        assert_eq!(says_token(&mut socket, &old).await, json!({ "accessTokenExpiresAt": "2027-03-10T12:05:00Z" }));
        turn(&world, 100);
        assert_eq!(is_closed_in_time(&mut socket).await, 4401);
    }

    async fn a_token_that_is_not_this_sessions_closes_the_socket(world: World) {
        let world = short_lived(&world).await;
        let guest = world.guest("gus").await;
        let laptop = world.stranger().signs_in("gus@example.com").await;
        let other = world.guest("olga").await;
        let token = guest.token.clone().expect("a token");
        let signed_out = world.stranger().signs_in("gus@example.com").await;
        signed_out.signs_out(false).await;
        for bad in [
            bearer(&laptop), bearer(&other), bearer(&signed_out), json!(format!("Bearer {token}x")), json!("Bearer garbage"), json!("Bearer "),
            json!(format!("Basic {token}")), json!(token), json!(""), json!(7), json!({}), json!([token]),
        ] {
            let mut socket = guest.opens_a_socket().await;
            pings(&mut socket, &json!({ "authorization": bad })).await;
            assert_eq!(is_closed_in_time(&mut socket).await, 4403, "{bad}");
        }
        let mut nobodys = world.stranger().opens_a_socket().await;
        pings(&mut nobodys, &json!({ "authorization": bearer(&guest) })).await;
        assert_eq!(is_closed_in_time(&mut nobodys).await, 4403, "nobody becomes somebody");
        turn(&world, 150);
        let (guest, _) = refreshes(&guest).await;
        let mut fresh = guest.opens_a_socket().await;
        turn(&world, 150);
        pings(&mut fresh, &json!({ "authorization": format!("Bearer {token}") })).await;
        assert_eq!(is_closed_in_time(&mut fresh).await, 4403, "a lapsed one is not good");
    }

    async fn any_other_ping_is_answered_as_it_came(world: World) {
        let world = short_lived(&world).await;
        let mut socket = world.guest("gus").await.opens_a_socket().await;
        for payload in [json!({ "n": [1, { "x": null }] }), json!({}), json!({ "authorization": null }), json!({ "auth": "Bearer x" })] {
            pings(&mut socket, &payload).await;
            assert_eq!(socket.hears().await, json!({ "type": "pong", "payload": payload }));
        }
        serves(&mut socket, "gus@example.com").await;
    }
}

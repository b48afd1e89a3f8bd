//! Watching a booking by server-sent events.

use reqwest::{Method, header};
use serde_json::{Value, json};

use super::{at, booked, listed, paid};
use crate::support::{Client, EventStream, on_both_engines};

async fn watches(client: &Client, booking: &Value, after: Option<&str>) -> EventStream {
    let path = format!("/api/v1{}events/", at("bookings", booking));
    let mut request = client.request(Method::GET, &path);
    request = request.header(header::ACCEPT, "text/event-stream");
    if let Some(id) = after {
        request = request.header("last-event-id", id);
    }
    EventStream::of(request.send().await.expect("an answer"))
}

on_both_engines! {
    async fn a_booking_is_watched_and_nothing_is_missed_across_a_reconnect(world: World) {
        let (host, guest) = (world.host("hana").await, world.guest("gus").await);
        let home = listed(&host, json!({})).await;
        let booking = booked(&world, &guest, &home, 3).await;
        let mut stream = watches(&guest, &booking, None).await;
        assert_eq!(stream.headers()[header::CACHE_CONTROL], "no-cache, no-transform");
        // Where the stream begins, for a client that is cut off before the first event.
        stream.block().await.expect("where it begins");
        let begins = stream.last_event_id.clone().expect("an id");
        paid(&guest, &booking).await;
        let heard = stream.hears().await.expect("an event");
        assert_eq!((heard.event.as_str(), &heard.data["to"]), ("status", &json!("CONFIRMED")));
        assert_eq!(heard.id, Some(heard.data["id"].to_string()));
        drop(stream);
        guest.posts(&format!("{}cancel/", at("bookings", &booking)), json!({})).await.thing(200);
        let mut again = watches(&guest, &booking, Some(&begins)).await;
        for status in ["CONFIRMED", "CANCELLED"] {
            assert_eq!(again.hears().await.expect("an event").data["to"], status);
        }
    }

    async fn a_stream_is_for_those_who_see_the_booking_and_ends_with_their_session(world: World) {
        let (host, guest) = (world.host("hana").await, world.guest("gus").await);
        let home = listed(&host, json!({})).await;
        let booking = booked(&world, &guest, &home, 3).await;
        let path = format!("{}events/", at("bookings", &booking));
        let events = [("accept", "text/event-stream")];
        let other = world.guest("otto").await;
        assert_eq!(other.sends(Method::GET, &path, None, &events).await.problem().0, 404);
        assert_eq!(world.stranger().sends(Method::GET, &path, None, &events).await.problem().0, 401);
        let unknown = [("accept", "text/event-stream"), ("last-event-id", "99999999")];
        let refused = guest.sends(Method::GET, &path, None, &unknown).await;
        assert_eq!(refused.problem(), (422, "INVALID".to_owned(), vec!["Last-Event-ID".to_owned()]));
        let mut stream = watches(&host, &booking, None).await;
        stream.block().await.expect("where it begins");
        assert_eq!(host.deletes("/sessions/current/").await.status, 204);
        assert_eq!(stream.hears().await, None);
    }
}

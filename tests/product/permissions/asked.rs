//! How each row of Query is tried.

use serde_json::json;

use super::{answer::shows, cast::Who, cell::Probe};

pub const PROBES: &[(&str, Probe)] = &[
    ("Query.viewer", |cell| {
        let own = "{ probe: viewer { user { owner: id } email } }";
        Box::pin(cell.ask(own, json!({})))
    }),
    ("Query.user", |cell| {
        Box::pin(cell.ask_for("user", &cell.stage.cast.guest.id))
    }),
    ("Query.property", |cell| {
        Box::pin(cell.ask_for("property", &cell.stage.listed))
    }),
    ("Query.property of an unlisted one", |cell| {
        Box::pin(cell.ask_for("property", &cell.stage.unlisted))
    }),
    ("Query.properties", |cell| {
        let found = "{ properties(filter: { text: \"room\" }) { nodes { probe: id } } }";
        Box::pin(cell.ask(found, json!({})))
    }),
    ("Query.properties, the unlisted ones", |cell| {
        let found = "{ properties(filter: { text: \"annex\" }) { nodes { probe: id } } }";
        Box::pin(cell.ask(found, json!({})))
    }),
    ("User.properties, the unlisted ones", |cell| {
        Box::pin(async {
            let list =
                "query($id: ID!) { user(id: $id) { properties { nodes { key: id probe: id } } } }";
            let host = json!({ "id": cell.stage.cast.host.id });
            let answer = cell.caller().get(list, host).await;
            let is_there = shows(&answer, &cell.stage.unlisted);
            vec![json!({ "data": { "probe": is_there.then_some(answer) } })]
        })
    }),
    ("Query.booking", |cell| {
        Box::pin(cell.ask_for("booking", &cell.stage.reviewed.booking))
    }),
    ("Query.node, Query.nodes of a person", |cell| {
        Box::pin(cell.ask_for_node(&cell.stage.cast.guest.id))
    }),
    ("Query.node, Query.nodes of a listed property", |cell| {
        Box::pin(cell.ask_for_node(&cell.stage.listed))
    }),
    ("Query.node, Query.nodes of an unlisted property", |cell| {
        Box::pin(cell.ask_for_node(&cell.stage.unlisted))
    }),
    ("Query.node, Query.nodes of a review", |cell| {
        Box::pin(cell.ask_for_node(&cell.stage.review))
    }),
    ("Query.node, Query.nodes of a booking", |cell| {
        Box::pin(cell.ask_for_node(&cell.stage.reviewed.booking))
    }),
    ("Query.node, Query.nodes of a payment", |cell| {
        Box::pin(cell.ask_for_node(&cell.stage.reviewed.payment))
    }),
    ("Query.node, Query.nodes of the guest's session", |cell| {
        let session = cell.stage.session_of(Who::Guest);
        Box::pin(cell.ask_for_node(session.unwrap_or_default()))
    }),
    ("Query.node, Query.nodes of an imported calendar", |cell| {
        Box::pin(cell.ask_for_node(&cell.stage.feed))
    }),
    ("Property.calendarUrl", |cell| {
        let url = "query($id: ID!) { property(id: $id) { probe: calendarUrl } }";
        Box::pin(cell.ask(url, json!({ "id": cell.stage.listed })))
    }),
    ("Property.calendarFeeds", |cell| {
        let feeds = "query($id: ID!) { property(id: $id) { probe: calendarFeeds { id } } }";
        Box::pin(cell.ask(feeds, json!({ "id": cell.stage.listed })))
    }),
    ("Query.auditLog", |cell| {
        Box::pin(cell.ask("{ auditLog { nodes { probe: id } } }", json!({})))
    }),
];
